package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/tenants"
	"github.com/providerdesk/providerdesk/functions/tenantonboard"
)

func (p program) tenantsList() *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "List the tenants and where they stand", Args: cobra.NoArgs,
		Example: `  providerdesk tenants list
  providerdesk tenants list --status failed
  providerdesk tenants list --json | jq -r '.[] | select(.status != "READY").tenant'`,
	}
	var w webhook
	w.flags(c)
	status := c.Flags().String("status", "", "only tenants with this status, such as READY, INVITED, FAILED, AWAITING_TENANT_TOKEN")
	c.RegisterFlagCompletionFunc("status", fixed(tenants.Statuses()...))
	jsonOut := asJSON(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		want, err := tenants.ParseStatus(*status)
		if err != nil {
			return usage{err}
		}
		return p.askTenants(w, func(r tenants.Remote) error {
			all, err := r.List(cmd.Context(), want)
			if err != nil {
				return err
			}
			if *jsonOut {
				return p.stdout().JSON(all)
			}
			tenants.PrintList(p.stdout(), all)
			return nil
		})
	}
	return c
}

func (p program) tenantsShow() *cobra.Command {
	c := &cobra.Command{
		Use: "show TENANT", Short: "Show one tenant: its stages, steps, people, and what a person must do", Args: cobra.ExactArgs(1),
		Example: `  providerdesk tenants show acme
  providerdesk tenants show acme --drift
  providerdesk tenants show acme --audit --json | jq .audit`,
		ValidArgsFunction: p.tenantNames,
	}
	var w webhook
	w.flags(c)
	var of tenants.Of
	c.Flags().BoolVar(&of.Drift, "drift", false, "compare with what is there now")
	c.Flags().BoolVar(&of.Audit, "audit", false, "with all that was done to it, and by whom")
	jsonOut := asJSON(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return p.askTenants(w, func(r tenants.Remote) error {
			d, err := r.Detail(cmd.Context(), args[0], of)
			if err != nil {
				return err
			}
			if *jsonOut {
				return p.stdout().JSON(d)
			}
			d.Print(p.stdout())
			return nil
		})
	}
	return c
}

func (p program) tenantsRetry() *cobra.Command {
	c := &cobra.Command{
		Use: "retry TENANT", Short: "Go on with a tenant that failed", Args: cobra.ExactArgs(1),
		Long: `Go on where a tenant failed, towards what was wanted last. What is done is not done again, and nothing is taken away that the
plan which was agreed to did not name.`,
		Example: `  providerdesk tenants retry acme
  providerdesk tenants retry acme --wait`,
		ValidArgsFunction: p.tenantNames,
	}
	var w webhook
	w.flags(c)
	w.by(c)
	wait := c.Flags().Bool("wait", false, "wait until the tenant rests (default on a terminal)")
	jsonOut := asJSON(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return p.askTenants(w, func(r tenants.Remote) error {
			if err := r.Retry(cmd.Context(), args[0]); err != nil {
				return err
			}
			return p.afterwards(cmd.Context(), r, args, p.waits(cmd, *wait), *jsonOut)
		})
	}
	return c
}

// completionTime is how long a person who presses the tabulator waits.
const completionTime = 2 * time.Second

// tenantNames completes the name of a tenant from those that the server has; from none if it does not answer.
func (p program) tenantNames(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
	defer cancel()
	var names []string
	data, _ := cmd.Flags().GetString("data")
	config, _ := cmd.Flags().GetString("config")
	server, _ := cmd.Flags().GetString("server")
	err := p.askTenants(webhook{installation: installation{data, config}, server: server}, func(r tenants.Remote) error {
		all, err := r.List(ctx, tenantonboard.Status(""))
		for _, t := range all {
			if strings.HasPrefix(t.Tenant, begun) {
				names = append(names, t.Tenant)
			}
		}
		return err
	})
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
