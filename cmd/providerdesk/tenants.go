package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/outbox"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/tenants"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// The exit codes that only these commands have.
const (
	exitRefused = 3
	exitWaits   = 4
)

const aboutTenants = `Take tenants in: say in a file how they should be, see what stands between that and what is there, and let it be done.

Exit codes: 0 done: every tenant is READY, INVITED or OFFBOARDED; 1 failed; 2 the file, the configuration or the command line is
wrong; 3 nothing was done, because a plan is blocked, has changed, or was not agreed to; 4 a tenant waits for a person.`

func (p program) tenants() *cobra.Command {
	c := group("tenants", "Take tenants in, and see where they stand", `  providerdesk tenants plan acme.yaml
  providerdesk tenants apply acme.yaml
  providerdesk tenants list --status failed
  providerdesk tenants show acme --drift`,
		p.tenantsPlan(), p.tenantsApply(), p.tenantsList(), p.tenantsShow(), p.tenantsRetry(), p.tenantsOffboard())
	c.Long = aboutTenants
	return c
}

// verdict is an error with an exit code of its own.
type verdict struct {
	error
	code int
}

func (v verdict) Unwrap() error { return v.error }

// webhook is the flags that say which TenantWebhook a command asks.
type webhook struct {
	installation
	server, who string
}

func (w *webhook) flags(c *cobra.Command) {
	w.installation.flags(c)
	c.Flags().StringVar(&w.server, "server", "", "base URL of the server (default: the one that runs on the data folder)")
}

// by adds the flag for the audit trail.
func (w *webhook) by(c *cobra.Command) {
	c.Flags().StringVar(&w.who, "who", "", "who does this, for the tenant's history (default: $USER)")
}

// askTenants finds the webhook and hands it to use. It is shown what the configuration says that it wants.
func (p program) askTenants(w webhook, use func(tenants.Remote) error) error {
	c, err := p.load(w.installation)
	if err != nil {
		return err
	}
	if c.Onboarding.Organization == "" {
		return usage{fault.New(fault.Missing, "the configuration takes no tenants in: it has no section onboarding")}
	}
	base, err := p.server(w.server, w.installation)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: 3 * time.Minute, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	identity, _ := p.env(outbox.IdentityToken)
	user, _ := p.env("USER")
	err = use(tenants.Remote{
		Outbox: outbox.Outbox{Base: base, Client: client, Now: p.now, Identity: identity}, Auth: c.Onboarding.Auth, By: cmp.Or(w.who, user),
	})
	return refused(err)
}

// refused gives what was not agreed to, and what is wrong with a file, their exit codes.
func refused(err error) error {
	switch {
	case errors.As(err, new(tenants.Problems)):
		return usage{err}
	case errors.As(err, new(*tenants.Refused)):
		return verdict{err, exitRefused}
	}
	return err
}

// forms are the types of request files by their endings.
var forms = map[string]string{".yaml": "application/yaml", ".yml": "application/yaml", ".json": "application/json", ".csv": "text/csv"}

// readRequest reads a request file. What comes on standard input is YAML, of which JSON is a part, unless the form says CSV.
func (p program) readRequest(name, form string) (tenants.File, error) {
	f := tenants.File{Name: name}
	if name == "-" {
		f.Name = "standard input"
	}
	ending := strings.ToLower(filepath.Ext(name))
	if form != "" {
		ending = "." + form
	}
	if name == "-" && form == "" {
		ending = ".yaml"
	}
	var ok bool
	if f.Type, ok = forms[ending]; !ok {
		return f, usage{fmt.Errorf("%s: what form does it have? Say --form yaml, json or csv", name)}
	}
	var err error
	f.Data, err = p.read(name)
	return f, err
}

// formFlag adds the flag for a file whose name does not tell its form.
func formFlag(c *cobra.Command) *string {
	form := c.Flags().String("form", "", "form of the file: yaml, json or csv (default: by its name; standard input: yaml)")
	c.RegisterFlagCompletionFunc("form", fixed("yaml", "json", "csv"))
	return form
}

func requestFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"yaml", "yml", "json", "csv"}, cobra.ShellCompDirectiveFilterFileExt
}

func (p program) tenantsPlan() *cobra.Command {
	c := &cobra.Command{
		Use: "plan FILE|-", Short: "Show what applying a file would do", Args: cobra.ExactArgs(1), ValidArgsFunction: requestFiles,
		Long: `Look at what is there and show what stands between that and what the file wants. Nothing is changed.

  +  is created      -  is taken away
  ~  is changed      !  stands in the way of all of it

Drift is what differs and is left alone. The plan's digest is its fingerprint: "apply" does what was shown, or nothing.`,
		Example: `  providerdesk tenants plan acme.yaml
  providerdesk tenants plan tenants.csv --json
  providerdesk tenants plan - < acme.yaml`,
	}
	var w webhook
	w.flags(c)
	form := formFlag(c)
	jsonOut := asJSON(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		file, err := p.readRequest(args[0], *form)
		if err != nil {
			return err
		}
		return p.askTenants(w, func(r tenants.Remote) error {
			all, err := r.Plan(cmd.Context(), file)
			if err != nil {
				return err
			}
			if *jsonOut {
				err = p.stdout().JSON(all)
			} else {
				tenants.PrintPlans(p.stdout(), all)
			}
			return errors.Join(err, blockedBy(all))
		})
	}
	return c
}

// blockedBy is the error of plans that cannot be applied.
func blockedBy(all []tenants.Planned) error {
	if n := tenants.Sum(all).Blocked; n > 0 {
		return verdict{fmt.Errorf("%s in the way, marked ! above", count(n, "thing")), exitRefused}
	}
	return nil
}
