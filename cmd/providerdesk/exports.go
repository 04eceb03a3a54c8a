package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/exports"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/records"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/functions/billingexport"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/platform"
	"github.com/providerdesk/providerdesk/shared/publish"
)

const aboutExports = `Export usage: every tenant's month as raw files, as FOCUS rows and as reports, reconciled, and stated anew when the hub
changes its mind.

A month is written like 2026-09. Exit codes: 0 done; 1 failed; 2 the configuration or the command line is wrong; 4 a month waits
for a person: a verdict on it is grave.`

func (p program) exports() *cobra.Command {
	c := group("exports", "Export the usage of tenants, and see what was exported", `  providerdesk exports plan
  providerdesk exports run 2026-09 --wait
  providerdesk exports list
  providerdesk exports show 2026-09 --files
  providerdesk exports verify 2026-09`,
		p.exportsPlan(), p.exportsRun(), p.exportsList(), p.exportsShow(), p.exportsVerify())
	c.Long = aboutExports
	return c
}

// wanted is the flags that make a request.
type wanted struct {
	installation
	billingexport.Request
}

func (w *wanted) flags(c *cobra.Command) {
	w.installation.flags(c)
	c.Flags().StringSliceVar(&w.Tenants, "tenant", nil, "id of an organization (may be repeated; default: all)")
	c.Flags().BoolVar(&w.Archive, "archive", false, "from what was fetched before, without asking the hub")
}

// of is the request for some months.
func (w *wanted) of(months []string) (billingexport.Request, error) {
	q := w.Request
	q.Months = months
	for _, m := range months {
		if _, err := hub.ParsePeriod(m); err != nil {
			return q, usage{err}
		}
	}
	return q, nil
}

func (p program) exportsPlan() *cobra.Command {
	c := &cobra.Command{
		Use: "plan [MONTH...]", Short: "Show what an export would do", Args: cobra.ArbitraryArgs, ValidArgsFunction: p.recentMonths,
		Long: `Show which months and tenants an export would look at, what it would ask the hub, and what it would write. Nothing is done.

Without a month those that are due: the last closed one and those before it that the hub may still restate.`,
		Example: `  providerdesk exports plan
  providerdesk exports plan 2026-09 2026-10 --json
  providerdesk exports plan 2026-02 --archive`,
	}
	var w wanted
	w.flags(c)
	jsonOut := asJSON(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		w.By, _ = p.env("USER") // as "run" would
		q, err := w.of(args)
		if err != nil {
			return err
		}
		if err := p.hasHub(cmd, w.installation); err != nil {
			return err
		}
		return p.withExporter(cmd, w.installation, func(e exports.Exporter) error {
			plan, err := e.Plan(cmd.Context(), q)
			if err != nil {
				return wrong(err)
			}
			if *jsonOut {
				return p.stdout().JSON(plan)
			}
			exports.PrintPlan(p.stdout(), plan)
			return nil
		})
	}
	return c
}

// wrong gives a request that cannot be, its exit code.
func wrong(err error) error {
	if fault.Is(err, fault.Invalid) {
		return usage{err}
	}
	return err
}

// recentMonths completes the months that the hub reports.
func (p program) recentMonths(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var all []string
	for i := range hub.Window + 1 {
		all = append(all, hub.PeriodOf(p.now()).Add(-i).String())
	}
	return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// withExporter finds the exporter that a command is about: the "up" that runs on the folder, or the function on the Firestore that the
// environment names, or on the folder's store.
func (p program) withExporter(cmd *cobra.Command, in installation, use func(exports.Exporter) error) error {
	base, err := in.folder().Running()
	switch {
	case err != nil:
		return err
	case base != "":
		if c, err := p.load(in); err == nil && c.Billing.Organization == "" {
			return usage{errNoBilling}
		}
		token, err := in.folder().Admin()
		if err != nil {
			return err
		}
		client := &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{}}
		defer client.CloseIdleConnections()
		return use(exports.Remote{Remote: records.Remote{Base: base, Token: token, Client: client}})
	case site.Cloud(p.env) && !cmd.Flags().Changed("data"):
		to, err := platform.Publisher(cmd.Context())
		if err != nil {
			return err
		}
		db, err := site.OpenCloud(cmd.Context(), p.env)
		return p.withExports(cmd.Context(), in, db, to, err, use)
	case !in.folder().Exists():
		return usage{noInstallation(in.data)}
	}
	db, err := in.folder().OpenStore()
	return p.withExports(cmd.Context(), in, db, nobody{}, err, use)
}

// withExports opens the function on a store that nothing else serves.
func (p program) withExports(ctx context.Context, in installation, db site.Stored, to publish.Publisher, err error, use func(exports.Exporter) error) error {
	if err != nil {
		return err
	}
	defer db.Close()
	c, err := p.load(in)
	if err != nil {
		return err
	}
	if c.Billing.Organization == "" {
		return usage{errNoBilling}
	}
	fn, letGo, err := site.OpenFunctions(ctx, site.Parts{Config: c, DB: db, Publisher: to, Log: p.logger(), Now: p.now})
	if err != nil {
		return err
	}
	defer letGo()
	return use(fn.Exports)
}

var errNoBilling = errors.New("the configuration exports no usage: it has no section billing")
