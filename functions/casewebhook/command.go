package casewebhook

import (
	"context"
	"fmt"
	"strings"

	"github.com/providerdesk/providerdesk/functions/casewebhook/commands"
	"github.com/providerdesk/providerdesk/shared/event"
)

// openCommands makes the part that carries out what people ask for in chats.
func (f *Function) openCommands() (err error) {
	f.commands, err = commands.New(commands.Deps{Config: f.Config, DB: f.DB, Ledger: f.ledger, Desks: f.Desks, Acts: f.kinds.Kinds, Rooms: f.Rooms,
		Say: f.spoken, Cases: f.follow, Track: f.follow.Track, Release: f.releaseFor, Now: f.Now, Log: f.Log})
	return err
}

// Commands carries out what people ask for: for an operator's tools.
func (f *Function) Commands() *commands.Commands { return f.commands }

// CaseCommand handles one message of topic "case-commands". It returns an error only when a redelivery can heal it.
func (f *Function) CaseCommand(ctx context.Context, e event.Envelope) error {
	return f.commands.Handle(ctx, e)
}

// releaseFor releases what a person in a chat names: an incident, or all that a desk holds.
func (f *Function) releaseFor(ctx context.Context, who, deskName, id string) (string, error) {
	all, err := f.Release(ctx, who, Held{Incident: id, Desk: deskName, All: id == "" && deskName == ""})
	if err != nil || len(all) == 0 {
		return "Nothing that fires is held back.", err
	}
	lines := []string{fmt.Sprintf("%d incidents have cases of their own now:", len(all))}
	for _, r := range all[:min(len(all), 50)] {
		lines = append(lines, "- "+clip(r.Title, 120)+prefixed(": ", r.Case))
	}
	if n := len(all) - 50; n > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(lines, "\n"), nil
}
