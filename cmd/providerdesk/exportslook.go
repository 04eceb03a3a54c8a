package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/exports"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/functions/billingexport"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

func (p program) exportsList() *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "List the months that were exported, oldest first", Args: cobra.NoArgs,
		Example: `  providerdesk exports list
  providerdesk exports list --json | jq -r '.[] | select(.published == 0) | .month'`,
	}
	var in installation
	in.flags(c)
	jsonOut := asJSON(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		return p.withExporter(cmd, in, func(e exports.Exporter) error {
			all, err := e.List(cmd.Context())
			if err != nil {
				return err
			}
			if *jsonOut {
				return p.stdout().JSON(append([]billingexport.Status{}, all...))
			}
			exports.PrintList(p.stdout(), all)
			return nil
		})
	}
	return c
}

// revisionOf checks how a revision is named.
func revisionOf(month string, rev int) (hub.Period, error) {
	if rev < 0 {
		return hub.Period{}, errors.New("--revision is a number from 1 on, or 0 for the newest")
	}
	return hub.ParsePeriod(month)
}

// shownMonth is what "show" prints for a program.
type shownMonth struct {
	Status   billingexport.Status `json:"status"`
	Revision *billingexport.Shown `json:"revision"` // null: there is none
}

func (p program) exportsShow() *cobra.Command {
	c := &cobra.Command{
		Use: "show MONTH", Short: "Show how a month stands, and a revision of it", Args: cobra.ExactArgs(1), ValidArgsFunction: p.recentMonths,
		Example: `  providerdesk exports show 2026-09
  providerdesk exports show 2026-09 --revision 1 --files
  providerdesk exports show 2026-09 --json | jq -r '.revision.manifest.parts[].files[].name'`,
	}
	var in installation
	in.flags(c)
	rev := c.Flags().Int("revision", 0, "number of the revision (default: the newest)")
	files := c.Flags().Bool("files", false, "list its files, too")
	jsonOut := asJSON(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		month, err := revisionOf(args[0], *rev)
		if err != nil {
			return usage{err}
		}
		return p.withExporter(cmd, in, func(e exports.Exporter) error {
			found, err := show(cmd.Context(), e, month, *rev)
			if err != nil {
				return err
			}
			if *jsonOut {
				return p.stdout().JSON(found)
			}
			exports.PrintStatus(p.stdout(), found.Status)
			if found.Revision != nil {
				p.stdout().Line("")
				exports.PrintRevision(p.stdout(), *found.Revision, *files)
			}
			return nil
		})
	}
	return c
}

// show asks for a month and its revision. That there is none yet is no failure, unless it was asked for by its number.
func show(ctx context.Context, e exports.Teller, month hub.Period, rev int) (found shownMonth, err error) {
	if found.Status, err = e.Status(ctx, month); err != nil {
		return found, err
	}
	v, err := e.Show(ctx, month, rev)
	switch {
	case err == nil:
		found.Revision = &v
	case rev == 0 && fault.Is(err, fault.Missing):
		err = nil
	}
	return found, err
}

func (p program) exportsVerify() *cobra.Command {
	c := &cobra.Command{
		Use: "verify MONTH", Short: "Read a revision's files again and hold them against what is said of them", Args: cobra.ExactArgs(1),
		ValidArgsFunction: p.recentMonths,
		Long: `Read everything that a revision names: every object and its checksum, the sums of the FOCUS files against the manifest's and the bills',
the rules of FOCUS, the corrections against the revision that they start from, and current.json. It reads the bucket itself, and writes nothing there.

Exit code 1 if anything is not as it should be.`,
		Example: `  providerdesk exports verify 2026-09
  providerdesk exports verify 2026-09 --revision 1 --json`,
	}
	var in installation
	in.flags(c)
	rev := c.Flags().Int("revision", 0, "number of the revision (default: the newest)")
	jsonOut := asJSON(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		month, err := revisionOf(args[0], *rev)
		if err != nil {
			return usage{err}
		}
		return p.verify(cmd.Context(), in, month, *rev, *jsonOut)
	}
	return c
}

// bucketOf is the configuration of an installation's bucket, which may be in its simulator.
func (p program) bucketOf(in installation) (*config.Config, error) {
	c, err := p.load(in)
	if err != nil {
		return nil, err
	}
	base, err := in.folder().Running()
	switch {
	case err != nil:
		return nil, err
	case c.Billing.Organization == "":
		return nil, usage{errNoBilling}
	case base != "":
		site.Redirect(c, base)
	case site.SimulatesBucket(c):
		return nil, fault.New(fault.Transient, `the bucket of %s is in its simulator, which is not running: start "providerdesk up --data %[1]s"`, in.data)
	}
	return c, nil
}

// verify reads the bucket that the configuration names, whoever serves the rest.
func (p program) verify(ctx context.Context, in installation, month hub.Period, rev int, asJSON bool) error {
	c, err := p.bucketOf(in)
	if err != nil {
		return err
	}
	f, letGo, err := site.ExportReader(ctx, c, p.now)
	if err != nil {
		return err
	}
	defer letGo()
	checks, err := f.Verify(ctx, month, rev)
	if err != nil {
		return err
	}
	got := exports.Watch(checks, p.stderr())
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Transient, err, "verify")
	}
	if asJSON {
		err = p.stdout().JSON(got)
	} else {
		for _, c := range got.Problems {
			p.stdout().Line("%s %s: %s", p.stdout().Bad("bad"), c.What, c.Problem)
		}
	}
	if n := len(got.Problems); n > 0 {
		return fmt.Errorf("%s of %d failed", count(n, "check"), got.Checks)
	}
	if !asJSON {
		p.stdout().Line("%s  %s: %s", p.stdout().Good("ok"), month.String(), count(got.Checks, "check"))
	}
	return err
}
