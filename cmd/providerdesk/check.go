package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/probe"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/shared/config"
)

func (p program) check() *cobra.Command {
	c := &cobra.Command{
		Use: "check", Short: "Check the configuration", Args: cobra.NoArgs,
		Long: `Check the configuration and say all that is wrong with it, each with the line and what to write instead.
With --live also ask each support desk, and the hub, whether what the configuration names is there. Nothing is changed there.`,
		Example: `  providerdesk check --config providerdesk.yaml
  providerdesk check --live`,
	}
	var in installation
	in.flags(c)
	live := c.Flags().Bool("live", false, "ask the support desks and the hub too")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if *live {
			return p.checkLive(cmd.Context(), in)
		}
		_, err := p.checkFile(in)
		return err
	}
	return c
}

func (p program) checkFile(in installation) (*config.Config, error) {
	c, err := p.load(in)
	if err != nil {
		return nil, err
	}
	s := p.stdout()
	s.Line("%s  %s: %s", s.Good("ok"), site.Find(in.config, in.folder(), p.env), contents(c))
	return c, nil
}

// contents is what a configuration has, in few words.
func contents(c *config.Config) string {
	all := fmt.Sprintf("%s, %s, %s", count(len(c.Desks), "desk"), count(len(c.Senders), "sender"), count(len(c.Routes), "route"))
	if o := c.Onboarding; o.Organization != "" {
		all += ", onboarding with " + count(1+len(o.Tokens), "token")
	}
	return all
}

func (p program) checkLive(ctx context.Context, in installation) error {
	if _, err := p.checkFile(in); err != nil {
		return err
	}
	c, err := p.located(in)
	if err != nil {
		return err
	}
	client, err := site.Client(c)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	bad := 0
	for _, name := range slices.Sorted(maps.Keys(c.Desks)) {
		for _, r := range probe.Desk(ctx, client, c.Endpoints.CloudSupport, c.Desks[name], classifications(c, name)) {
			if !r.OK {
				bad++
			}
			p.printResult("desk "+name, r)
		}
	}
	if c.Onboarding.Organization != "" {
		hub, err := site.Hub(ctx, c)
		if err != nil {
			return err
		}
		defer hub.Close()
		for _, r := range probe.Hub(ctx, hub, c.Onboarding) {
			if !r.OK {
				bad++
			}
			p.printResult("hub", r)
		}
	}
	if bad > 0 {
		return usage{fmt.Errorf("%s failed", count(bad, "check"))}
	}
	return nil
}

// classifications are those that a desk and its routes name.
func classifications(c *config.Config, deskName string) []string {
	names := []string{c.Desks[deskName].Classification}
	for _, r := range c.Routes {
		if r.Desk == deskName && r.Classification != "" && !slices.Contains(names, r.Classification) {
			names = append(names, r.Classification)
		}
	}
	return names
}

func (p program) printResult(name string, r probe.Result) {
	s := p.stdout()
	if r.OK {
		s.Line("%s  %s: %s", s.Good("ok"), name, r.What)
		return
	}
	s.Line("%s %s: %s: %s", s.Bad("bad"), name, r.What, r.Advice)
}

func printProblems(s screen.Screen, found config.Problems) {
	for _, f := range found {
		s.Line("%s", f.String())
	}
	s.Line("%s %s in the configuration", s.Bad("providerdesk:"), count(len(found), "problem"))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
