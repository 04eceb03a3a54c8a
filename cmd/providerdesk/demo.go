package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/story"
)

func (p program) demo() *cobra.Command {
	c := &cobra.Command{
		Use: "demo", Short: "Show what it does, in a few seconds", Args: cobra.NoArgs,
		Long: `Run everything in a temporary folder against a simulated support desk and show the whole story: an alert becomes a case,
repeats and lost answers do not make a second one. Every figure is read from the desk and the ledger and compared with what it
must be; a difference is exit code 1.`,
		Example: `  providerdesk demo`,
	}
	c.RunE = func(cmd *cobra.Command, _ []string) error { return p.tell(cmd.Context()) }
	return c
}

// tell runs the story on a site of its own, which nothing in the environment changes.
func (p program) tell(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "providerdesk-demo-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p.env = without(p.env, "PROVIDERDESK_CONFIG", "FIRESTORE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST", "GOOGLE_CLOUD_PROJECT")
	clock := &story.Clock{}
	p.now = clock.Now
	s, err := site.Open(ctx, site.Options{
		Folder: site.Folder(dir), Addr: "127.0.0.1:0", SweepEvery: 24 * time.Hour, // the story sweeps itself
		Env: p.env, Log: slog.New(slog.DiscardHandler), Now: p.now, Advice: func(string) {},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close(ctx)) }()
	teller := story.Story{Site: s, Clock: clock, Screen: p.stdout(), Command: func(ctx context.Context, args ...string) error {
		if code := p.run(ctx, append(args, "--data", dir)); code != exitOK {
			return fmt.Errorf("%v ended with exit code %d", args, code)
		}
		return nil
	}}
	return teller.Tell(ctx)
}

// without hides variables of the environment.
func without(env func(string) (string, bool), names ...string) func(string) (string, bool) {
	hidden := map[string]bool{}
	for _, n := range names {
		hidden[n] = true
	}
	return func(name string) (string, bool) {
		if hidden[name] {
			return "", false
		}
		return env(name)
	}
}
