package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/tenants"
)

// program is the command with everything it touches of the process that it runs in.
type program struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) (string, bool)
	place    *time.Location // of the times it shows
	now      func() time.Time
}

// The exit codes, as the help documents them.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

const about = `providerdesk turns alerts into support cases, once each, takes tenants in, and exports their usage.

Exit codes: 0 done, 1 failed, 2 the configuration or the command line is wrong. "tenants" and "exports" have more.`

// usage is an error of the command line or the configuration.
type usage struct{ error }

func (u usage) Unwrap() error { return u.error }

// run carries out the command line and returns the exit code.
func (p program) run(ctx context.Context, args []string) int {
	started := false
	root := p.command(&started)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	p.explain(cmd, err, started)
	var v verdict
	if errors.As(err, &v) {
		return v.code
	}
	if !started || errors.As(err, new(usage)) || errors.As(err, new(site.ConfigError)) {
		return exitUsage
	}
	return exitFailed
}

// explain writes why the command failed. Cobra's own errors come before a command has started: those are about the command line.
func (p program) explain(cmd *cobra.Command, err error, started bool) {
	s := p.stderr()
	if found, ok := problemsOf(err); ok {
		printProblems(s, found)
		return
	}
	if found, ok := tenants.ProblemsOf(err); ok {
		found.Print(s)
		return
	}
	s.Line("%s %s", s.Bad("providerdesk:"), err)
	if !started {
		s.Line("See %s --help.", cmd.CommandPath())
	}
}

// command builds the tree. It sets started once the command line is understood.
func (p program) command(started *bool) *cobra.Command {
	root := &cobra.Command{
		Use:   "providerdesk",
		Short: "Alerts become support cases, tenants are taken in, usage is exported; each once",
		Long:  about,
		Example: `  providerdesk demo                       see what it does, in a few seconds
  providerdesk up                         run everything on this machine
  providerdesk ledger list --state parked what waits for a person`,
		Args:              cobra.NoArgs,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: func(*cobra.Command, []string) error { *started = true; return nil },
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	root.AddCommand(p.up(), p.demo(), p.check(), p.route(), p.send(), p.cases(), p.tenants(), p.exports(), p.ledger(), p.version())
	return root
}

// group is a command that only has commands below it.
func group(use, short, example string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Example: example, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(commands...)
	return c
}

func (p program) stdout() screen.Screen { return screen.New(p.out, p.env, p.place) }
func (p program) stderr() screen.Screen { return screen.New(p.err, p.env, p.place) }

// place is the flags that say which installation a command is about.
type installation struct{ data, config string }

const defaultData = ".providerdesk"

func (in *installation) flags(c *cobra.Command) {
	c.Flags().StringVar(&in.data, "data", defaultData, "folder of the installation")
	c.Flags().StringVar(&in.config, "config", "", "configuration file (default $PROVIDERDESK_CONFIG, then config.yaml in the data folder)")
	c.MarkFlagDirname("data")
	c.MarkFlagFilename("config", "yaml", "yml")
}

// asJSON adds the flag for programs.
func asJSON(c *cobra.Command) *bool { return c.Flags().Bool("json", false, "print JSON, for programs") }
