package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/tenants"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// applying is what "apply" was told.
type applying struct {
	webhook
	yes, wait, json bool
}

func (p program) tenantsApply() *cobra.Command {
	c := &cobra.Command{
		Use: "apply FILE|-", Short: "Bring tenants to where a file wants them", Args: cobra.ExactArgs(1), ValidArgsFunction: requestFiles,
		Long: `Show the plan, ask, and have it done. What is done is what was shown: if anything has changed meanwhile nothing is done, and the
exit code is 3. Without a terminal to ask on, --yes is needed.

It goes on whether or not somebody waits, and after a crash where it was. --wait shows how it goes until every tenant rests.`,
		Example: `  providerdesk tenants apply acme.yaml
  providerdesk tenants apply tenants.csv --yes --wait
  providerdesk tenants apply acme.yaml --yes --json | jq -r '.[].status'`,
	}
	var a applying
	a.flags(c)
	a.by(c)
	form := formFlag(c)
	c.Flags().BoolVar(&a.yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&a.wait, "wait", false, "wait until every tenant rests (default on a terminal)")
	c.Flags().BoolVar(&a.json, "json", false, "print JSON, for programs")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		a.wait = p.waits(cmd, a.wait)
		if !a.yes && (args[0] == "-" || a.json || !p.asks()) {
			return usage{errNobodyToAsk}
		}
		file, err := p.readRequest(args[0], *form)
		if err != nil {
			return err
		}
		return p.askTenants(a.webhook, func(r tenants.Remote) error { return p.apply(cmd.Context(), r, file, a) })
	}
	return c
}

func (p program) apply(ctx context.Context, r tenants.Remote, file tenants.File, a applying) error {
	all, err := r.Plan(ctx, file)
	if err != nil {
		return err
	}
	if err := p.agree(all, "Do this?", a); err != nil {
		return err
	}
	names, refused := r.Apply(ctx, file, all)
	if len(names) == 0 {
		return p.showRefused(again(refused), a.json)
	}
	err = p.afterwards(ctx, r, names, a.wait, a.json)
	if refused != nil && !a.json { // one JSON document is enough: those who are not in it were refused
		refused = p.showRefused(refused, false)
	}
	return errors.Join(refused, err)
}

// again says what to do about a failure of which nobody knows what it did.
func again(err error) error {
	if fault.Healing(err) {
		return fault.Wrap(fault.Of(err), err, "say it again, which does no harm: what was accepted is not done twice")
	}
	return err
}

// agree shows plans and asks, unless that was done before.
func (p program) agree(all []tenants.Planned, question string, a applying) error {
	blocked := blockedBy(all)
	switch {
	case !a.json:
		tenants.PrintPlans(p.stdout(), all)
	case blocked != nil:
		return errors.Join(p.stdout().JSON(all), blocked)
	}
	if blocked == nil && !a.yes && !p.agreed(question) {
		return errDeclined
	}
	return blocked
}

// showRefused shows the plans as they are now, if that is why nothing was done.
func (p program) showRefused(err error, asJSON bool) error {
	var r *tenants.Refused
	if !errors.As(err, &r) {
		return err
	}
	if asJSON {
		return errors.Join(p.stdout().JSON(r.All), err)
	}
	if plans := r.Plans(); len(plans) > 0 {
		p.stdout().Line("")
		p.stdout().Line("As it is now:")
		p.stdout().Line("")
		tenants.PrintPlans(p.stdout(), plans)
	}
	return err
}

// afterwards waits for tenants that were set going, if that is wanted, and says how they stand.
func (p program) afterwards(ctx context.Context, r tenants.Remote, names []string, wait, asJSON bool) error {
	var all []tenants.Detail
	var err error
	if wait {
		progress := p.stderr()
		if !asJSON {
			progress = p.stdout()
		}
		all, err = tenants.Follow(ctx, r, names, progress)
	} else {
		all, err = r.Details(ctx, names)
	}
	if err != nil {
		return err
	}
	if asJSON {
		if err := p.stdout().JSON(all); err != nil {
			return err
		}
	} else {
		tenants.PrintOutcome(p.stdout(), all)
	}
	if !wait {
		return nil
	}
	return outcome(all)
}

// outcome turns how tenants ended into an exit code: the worst one counts.
func outcome(all []tenants.Detail) error {
	failed := func(d tenants.Detail) bool { return d.HasFailed() }
	waits := func(d tenants.Detail) bool { return d.Waits() }
	switch {
	case slices.ContainsFunc(all, failed):
		return errors.New("not every tenant is ready: see above what to do")
	case slices.ContainsFunc(all, waits):
		return verdict{errors.New("a tenant waits for a person: see above what to do"), exitWaits}
	}
	return nil
}

var (
	errNobodyToAsk = errors.New("there is no terminal to ask on: look at the plan first, then say --yes")
	errDeclined    = verdict{errors.New("not agreed to: nothing was done"), exitRefused}
)

// waits is what --wait says, or whether there is a terminal to wait on.
func (p program) waits(cmd *cobra.Command, said bool) bool {
	return said || !cmd.Flags().Changed("wait") && screen.IsTerminal(p.out)
}

// asks reports whether there is a person to ask.
func (p program) asks() bool { return screen.IsTerminal(p.in) && screen.IsTerminal(p.out) }

// agreed asks a person.
func (p program) agreed(question string) bool {
	p.stdout().Ask(question + " Only yes will do: ")
	answer, err := bufio.NewReader(io.LimitReader(p.in, 100)).ReadString('\n')
	return err == nil && strings.TrimSpace(answer) == "yes"
}

func (p program) tenantsOffboard() *cobra.Command {
	c := &cobra.Command{
		Use: "offboard TENANT", Short: "Take back what a tenant was given", Args: cobra.ExactArgs(1),
		Long: `Show what would be taken away (people, roles, contacts, subscriptions), ask, and have it done. The organization itself stays, empty: the
hub's API has no call that removes one. Our own account and the last administrator stay, and APIs that were enabled.`,
		Example: `  providerdesk tenants offboard acme
  providerdesk tenants offboard acme --yes --wait`,
		ValidArgsFunction: p.tenantNames,
	}
	var a applying
	a.flags(c)
	a.by(c)
	c.Flags().BoolVar(&a.yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&a.wait, "wait", false, "wait until the tenant rests (default on a terminal)")
	c.Flags().BoolVar(&a.json, "json", false, "print JSON, for programs")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		a.wait = p.waits(cmd, a.wait)
		if !a.yes && (a.json || !p.asks()) {
			return usage{errNobodyToAsk}
		}
		return p.askTenants(a.webhook, func(r tenants.Remote) error { return p.offboard(cmd.Context(), r, args[0], a) })
	}
	return c
}

// offboard gets the plan by asking without naming one, which is refused with it.
func (p program) offboard(ctx context.Context, r tenants.Remote, tenant string, a applying) error {
	plan, err := r.OffboardPlan(ctx, tenant)
	if err != nil {
		return err
	}
	if err := p.agree([]tenants.Planned{plan}, "Take this away?", a); err != nil {
		return err
	}
	if err := r.Offboard(ctx, plan); err != nil {
		return p.showRefused(again(err), a.json)
	}
	return p.afterwards(ctx, r, []string{tenant}, a.wait, a.json)
}
