package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/logs"
)

func (p program) up() *cobra.Command {
	c := &cobra.Command{
		Use: "up", Short: "Run everything on this machine", Args: cobra.NoArgs,
		Long: `Run the functions, a durable store and bus, and simulators of the support desk, the hub and Google Cloud on this machine.

The first start writes a working configuration to the data folder and says on standard error what to paste into Alertmanager, and how to take
two tenants in.
"ready http://ADDR" appears on standard output when it answers. An interrupt or SIGTERM ends it in good order; after kill -9 a
new start on the same folder goes on where it was.`,
		Example: `  providerdesk up
  providerdesk up --addr 127.0.0.1:0 --data /var/lib/providerdesk
  providerdesk up --config providerdesk.yaml`,
	}
	var in installation
	in.flags(c)
	addr := c.Flags().String("addr", "127.0.0.1:8080", "address to listen on; port 0 takes a free one")
	sweep := c.Flags().Duration("sweep-every", time.Minute, "time between two calls of SweepCases, and of SweepTenants")
	c.Flags().MarkHidden("sweep-every")
	c.RunE = func(cmd *cobra.Command, _ []string) error { return p.serve(cmd.Context(), in, *addr, *sweep) }
	return c
}

func (p program) serve(ctx context.Context, in installation, addr string, sweep time.Duration) error {
	if sweep <= 0 {
		return usage{errors.New("--sweep-every must be above zero")}
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return usage{errors.New("--addr must be HOST:PORT")}
	}
	s, err := site.Open(ctx, site.Options{
		Folder: site.Folder(in.data), Config: in.config, Addr: addr, SweepEvery: sweep,
		Env: p.env, Log: p.logger(), Now: p.now, Advice: func(text string) { p.stderr().Text(text, "") },
	})
	if err != nil {
		return opening(err, in.data)
	}
	if !site.IsLoopback(host) {
		p.stderr().Line("Other machines can reach %s: whoever does can use the simulators.", addr)
	}
	p.stdout().Line("ready %s", s.URL())
	err = s.Wait(ctx)
	return errors.Join(err, s.Close(ctx))
}

// opening says what a person can do about a folder that is taken.
func opening(err error, folder string) error {
	if fault.Is(err, fault.Conflict) {
		return fault.New(fault.Conflict, "%s is in use by another providerdesk: end that one, or name another folder with --data", folder)
	}
	return err
}

// logger writes lines for a person on a terminal, JSON otherwise.
func (p program) logger() *slog.Logger {
	o := logs.Options{Service: "providerdesk", Version: buildVersion()}
	if screen.IsTerminal(p.err) {
		return logs.NewText(p.err, o, p.stderr().IsRich())
	}
	return logs.New(p.err, o)
}
