package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/shared/config"
)

func (p program) check() *cobra.Command {
	c := &cobra.Command{
		Use: "check", Short: "Check the configuration", Args: cobra.NoArgs,
		Long: `Check the configuration and say all that is wrong with it, each with the line and what to write instead.
With --live also ask everything remote that it names whether it is there and may be used: desks, chats, the hub, where usage goes, and, where
GOOGLE_CLOUD_PROJECT is set, APIs, the database and topics. It only reads, and changes nothing anywhere. Each question is answered with pass, fail or
"cannot tell", and with what to do. What it says of rights is about the account that runs it: to ask as a function does, impersonate its
account (gcloud auth application-default login --impersonate-service-account) and name the function with --function.

Exit codes with --live: 0 nothing fails, 1 nothing fails and something did not answer, 2 something fails.`,
		Example: `  providerdesk check --config providerdesk.yaml
  providerdesk check --live
  providerdesk check --live --function casewebhook --json`,
	}
	var in installation
	in.flags(c)
	live := c.Flags().Bool("live", false, "ask everything remote too")
	only := c.Flags().String("function", "", "with --live: only what this function needs: "+strings.Join(functionNames, ", "))
	c.RegisterFlagCompletionFunc("function", fixed(functionNames...))
	jsonOut := c.Flags().Bool("json", false, "with --live: print JSON, for programs")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		switch {
		case !*live && (*jsonOut || *only != ""):
			return usage{errors.New("--json and --function are for --live")}
		case *only != "" && !slices.Contains(functionNames, *only):
			return usage{errors.New("a function is " + strings.Join(functionNames, ", "))}
		case *live && *jsonOut:
			return p.checkLive(cmd.Context(), in, *only, true)
		}
		if _, err := p.checkFile(in); err != nil || !*live {
			return err
		}
		return p.checkLive(cmd.Context(), in, *only, false)
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
