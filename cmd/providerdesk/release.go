package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/records"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/functions/casewebhook"
)

func (p program) casesRelease() *cobra.Command {
	c := &cobra.Command{
		Use: "release", Short: "Open cases for incidents that a storm held back", Args: cobra.NoArgs,
		Long: `Open a case of its own for each incident that is listed on an umbrella case, or waits for that, and still fires: past the
desk's budget, and once however often it is asked for. The umbrella case tells who released what.`,
		Example: `  providerdesk cases release --desk google --by anna@example.com
  providerdesk cases release --incident 3f9a0c... --by anna@example.com
  providerdesk cases release --all --by anna@example.com --json`,
	}
	var in installation
	in.flags(c)
	var which casewebhook.Held
	c.Flags().StringVar(&which.Desk, "desk", "", "all that wait on the umbrella cases of the desk of this name")
	c.Flags().StringVar(&which.Incident, "incident", "", "the one of this id, as the log shows it")
	c.Flags().BoolVar(&which.All, "all", false, "all of every desk")
	by := c.Flags().String("by", "", "who releases them (required)")
	jsonOut := asJSON(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		switch one := [...]casewebhook.Held{{Incident: which.Incident}, {Desk: which.Desk}, {All: which.All}}; {
		case *by == "":
			return usage{errors.New("a release names who wants it: say --by")}
		case which == casewebhook.Held{} || !slices.Contains(one[:], which):
			return usage{errors.New("a release is of one incident, of one desk, or of all: say one of --incident, --desk and --all")}
		}
		return p.withReleaser(cmd, in, func(to records.Releaser) error {
			all, err := to.Release(cmd.Context(), *by, which)
			if *jsonOut && err == nil {
				return p.stdout().JSON(append([]casewebhook.Released{}, all...))
			}
			releasedTable(p.stdout(), all)
			return err
		})
	}
	return c
}

func releasedTable(s screen.Screen, all []casewebhook.Released) {
	if len(all) == 0 {
		s.Line("nothing to release")
		return
	}
	rows := make([][]screen.Cell, len(all))
	for i, r := range all {
		name := r.Case
		if name == "" {
			name = "being opened"
		}
		rows[i] = []screen.Cell{screen.Plain(name), screen.Plain(r.Desk), screen.Plain(r.Tenant), screen.Plain(r.Title)}
	}
	s.Table([]string{"CASE", "DESK", "TENANT", "TITLE"}, rows)
}

// withReleaser finds who releases, as withBook finds the ledger: the "up" that runs on the folder, or the functions on the folder's store or
// on the Firestore that the environment names.
func (p program) withReleaser(cmd *cobra.Command, in installation, use func(records.Releaser) error) error {
	base, err := in.folder().Running()
	switch {
	case err != nil:
		return err
	case base != "":
		token, err := in.folder().Admin()
		if err != nil {
			return err
		}
		client := &http.Client{Timeout: 10 * time.Minute, Transport: &http.Transport{}} // a storm's worth of cases
		defer client.CloseIdleConnections()
		return use(records.Remote{Base: base, Token: token, Client: client})
	case site.Cloud(p.env) && !cmd.Flags().Changed("data"):
		db, err := site.OpenCloud(cmd.Context(), p.env)
		return p.withCases(cmd.Context(), in, db, err, use)
	case !in.folder().Exists():
		return usage{noInstallation(in.data)}
	}
	db, err := in.folder().OpenStore()
	return p.withCases(cmd.Context(), in, db, err, use)
}

// withCases opens the functions on a store that nothing else serves.
func (p program) withCases(ctx context.Context, in installation, db site.Stored, err error, use func(records.Releaser) error) error {
	if err != nil {
		return err
	}
	defer db.Close()
	c, err := p.load(in)
	if err != nil {
		return err
	}
	fn, letGo, err := site.OpenFunctions(ctx, site.Parts{Config: c, DB: db, Publisher: nobody{}, Log: p.logger(), Now: p.now})
	if err != nil {
		return err
	}
	defer letGo()
	return use(fn.Cases)
}
