package main

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/exports"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/functions/billingexport"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// exportRun is what "run" was told.
type exportRun struct {
	wanted
	wait, json bool
}

func (p program) exportsRun() *cobra.Command {
	c := &cobra.Command{
		Use: "run [MONTH...]", Short: "Export months, or what is due", Args: cobra.ArbitraryArgs, ValidArgsFunction: p.recentMonths,
		Long: `Ask for an export. It goes on whether or not somebody waits, and after a crash where it was. A month that has not changed makes no new
revision. --wait shows how it goes until every month has ended, and says how each stands.`,
		Example: `  providerdesk exports run
  providerdesk exports run 2026-09 --tenant 73338bcc-17e0-4480-9d25-f654532a1ee0 --wait
  providerdesk exports run 2026-02 --archive --json`,
	}
	var r exportRun
	r.flags(c)
	c.Flags().StringVar(&r.By, "by", "", "who asks (default: $USER)")
	c.Flags().BoolVar(&r.wait, "wait", false, "wait until every month has ended (default on a terminal)")
	c.Flags().BoolVar(&r.json, "json", false, "print JSON, for programs")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		user, _ := p.env("USER")
		r.By, r.wait = cmp.Or(r.By, user), p.waits(cmd, r.wait)
		q, err := r.of(args)
		if err != nil {
			return err
		}
		if err := p.hasBus(cmd, r.installation); err != nil {
			return err
		}
		c, err := p.load(r.installation)
		if err != nil {
			return err
		}
		return p.withExporter(cmd, r.installation, func(e exports.Exporter) error { return p.export(cmd.Context(), e, q, r, c.Billing.Tenants) })
	}
	return c
}

// hasBus makes sure that somebody can take a request.
func (p program) hasBus(cmd *cobra.Command, in installation) error {
	if site.Cloud(p.env) && !cmd.Flags().Changed("data") {
		return nil
	}
	base, err := in.folder().Running()
	switch {
	case err != nil || base != "":
		return err
	case !in.folder().Exists():
		return usage{noInstallation(in.data)}
	}
	return fault.New(fault.Transient, `nothing runs on %s: start "providerdesk up --data %[1]s"`, in.data)
}

// hasHub makes sure that the hub can be asked: one that is simulated is there while it runs.
func (p program) hasHub(cmd *cobra.Command, in installation) error {
	err := p.hasBus(cmd, in)
	if !fault.Is(err, fault.Transient) {
		return err
	}
	if c, unread := p.load(in); unread == nil && !site.SimulatesHub(c) {
		return nil
	}
	return err
}

// asked is what "run" prints for a program that does not wait.
type asked struct {
	ID     string   `json:"id"`
	Months []string `json:"months"`
}

func (p program) export(ctx context.Context, e exports.Exporter, q billingexport.Request, r exportRun, named []string) error {
	plan, err := e.Plan(ctx, q)
	if err != nil {
		return wrong(err)
	}
	if err := errors.Join(strangers(plan, q.Tenants, named), archived(plan, q.Archive)); err != nil {
		return err
	}
	months, err := exports.Await(plan)
	if err != nil {
		return err
	}
	id, err := e.Ask(ctx, q)
	switch {
	case err != nil:
		return wrong(err)
	case !r.wait && r.json:
		return p.stdout().JSON(asked{id, names(months)})
	case !r.wait:
		p.stdout().Line("asked for %s: see providerdesk exports list", count(len(months), "month"))
		return nil
	}
	progress := p.stderr()
	if !r.json {
		progress = p.stdout()
	}
	all, err := exports.Follow(ctx, e, months, progress)
	if err != nil {
		return err
	}
	if r.json {
		err = p.stdout().JSON(all)
	} else {
		exports.PrintList(p.stdout(), all)
	}
	return errors.Join(err, stands(all))
}

// strangers refuses tenants that nobody knows: a slip of the pen would be in every revision of the month from then on.
func strangers(plan billingexport.Plan, wanted, named []string) error {
	for _, m := range plan.Months {
		for _, t := range m.Tenants {
			if !m.Archive && t.Name == "" && t.Status == "" && slices.Contains(wanted, t.ID) && !slices.Contains(named, t.ID) {
				return usage{fault.New(fault.Missing, "the hub lists no tenant %s: correct --tenant, or add it to billing.tenants if our token may not list it", t.ID)}
			}
		}
	}
	return nil
}

// archived refuses months that only the archive has, unless that was meant, and those that it has nothing of.
func archived(plan billingexport.Plan, wanted bool) error {
	for _, m := range plan.Months {
		switch {
		case m.Archive && !wanted:
			return usage{fault.New(fault.Invalid, "the hub does not report %s any more: say --archive to make it from what was fetched before", m.Month)}
		case m.Archive && len(m.Tenants) == 0:
			return fault.New(fault.Missing, "nothing was ever fetched of %s: there is nothing to make it from", m.Month)
		}
	}
	return nil
}

func names(months []exports.Awaited) []string {
	all := []string{}
	for _, m := range months {
		all = append(all, m.Month.String())
	}
	return all
}

// stands turns how months ended into an exit code.
func stands(all []billingexport.Status) error {
	if slices.ContainsFunc(all, func(s billingexport.Status) bool { return s.Ended != nil && s.Ended.State == revision.Unreconciled }) {
		return verdict{errors.New("a month does not add up: providerdesk exports show says why"), exitWaits}
	}
	return nil
}
