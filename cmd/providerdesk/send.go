package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/outbox"
	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// maxSent is the most bytes of an alert that are read; the server takes less.
const maxSent = 16 << 20

// letter is what "send" was told.
type letter struct {
	installation
	source, file, sender, server string
	pubsub                       bool
}

func (p program) send() *cobra.Command {
	c := &cobra.Command{
		Use: "send SOURCE FILE", Short: "Send an alert as a monitoring system would", Args: cobra.ExactArgs(2),
		Long: `Post the notification in FILE ("-" is standard input) to the address of a sender, with the credentials that the
configuration has for that sender. It prints the ids of the messages that the notification became.

SOURCE is the format that the sender is configured with: ` + strings.Join(alert.Sources(), ", ") + `.`,
		Example: `  providerdesk send alertmanager notification.json
  providerdesk send monitoring - --sender cloud-monitoring < incident.json
  providerdesk send monitoring incident.json --pubsub`,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return alert.Sources(), cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveDefault
		},
	}
	var l letter
	l.flags(c)
	c.Flags().StringVar(&l.sender, "sender", "", "the sender's name in the configuration (default: the first of the source)")
	c.Flags().StringVar(&l.server, "server", "", "base URL of the server (default: the one that runs on the data folder)")
	c.Flags().BoolVar(&l.pubsub, "pubsub", false, "send on the subscription of a sender that has one, not to a webhook")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		l.source, l.file = args[0], args[1]
		got, err := p.post(cmd.Context(), l)
		for _, id := range got.IDs {
			p.stdout().Line("%s", id)
		}
		if got.Note != "" {
			p.stderr().Line("%s", got.Note)
		}
		return err
	}
	return c
}

func (p program) post(ctx context.Context, l letter) (outbox.Receipt, error) {
	if !slices.Contains(alert.Sources(), l.source) {
		return outbox.Receipt{}, usage{fmt.Errorf("the source is one of %s, not %q", strings.Join(alert.Sources(), ", "), l.source)}
	}
	c, err := p.load(l.installation)
	if err != nil {
		return outbox.Receipt{}, err
	}
	s, err := pick(c.Senders, l)
	if err != nil {
		return outbox.Receipt{}, usage{err}
	}
	body, err := p.read(l.file)
	if err != nil {
		return outbox.Receipt{}, err
	}
	base, err := p.server(l.server, l.installation)
	if err != nil {
		return outbox.Receipt{}, err
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	out := outbox.Outbox{Base: base, Client: client, Now: p.now}
	if !l.pubsub {
		return out.Send(ctx, s, body)
	}
	token, err := l.folder().Admin()
	if err != nil {
		return outbox.Receipt{}, err
	}
	return out.Publish(ctx, s, body, token)
}

// pick finds the sender that a letter is from.
func pick(all []config.Sender, l letter) (config.Sender, error) {
	for _, s := range all {
		reachable := s.Auth != (config.Auth{})
		if l.pubsub {
			reachable = s.Subscription != ""
		}
		switch {
		case l.sender == "" && s.Source == l.source && reachable:
			return s, nil
		case l.sender == "" || s.Name != l.sender:
		case s.Source != l.source:
			return s, fault.New(fault.Invalid, "sender %s sends %s, not %s", s.Name, s.Source, l.source)
		case !reachable && l.pubsub:
			return s, fault.New(fault.Invalid, "sender %s has no subscription: leave out --pubsub", s.Name)
		case !reachable:
			return s, fault.New(fault.Invalid, "sender %s has no webhook: send with --pubsub", s.Name)
		default:
			return s, nil
		}
	}
	if l.sender != "" {
		return config.Sender{}, fault.New(fault.Missing, "the configuration has no sender %q", l.sender)
	}
	return config.Sender{}, fault.New(fault.Missing, "the configuration has no sender of source %s for this way", l.source)
}

// read reads a file, or standard input for "-".
func (p program) read(file string) ([]byte, error) {
	in := p.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, usage{err}
		}
		defer f.Close()
		in = f
	}
	body, err := io.ReadAll(io.LimitReader(in, maxSent+1))
	if err == nil && len(body) > maxSent {
		err = errors.New("it is too large to send")
	}
	return body, err
}
