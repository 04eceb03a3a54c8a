package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/records"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/publish"
)

// shortID is how much of an id a table shows: enough for "ledger show".
const shortID = 12

func recordsTable(s screen.Screen, list []ledger.Record) {
	if len(list) == 0 {
		s.Line("no records")
		return
	}
	rows := make([][]screen.Cell, len(list))
	for i, r := range list {
		rows[i] = []screen.Cell{
			screen.Plain(r.ID[:min(shortID, len(r.ID))]), screen.Plain(r.Kind), recordState(s, r.State), screen.Plain(strconv.Itoa(r.Attempt)),
			screen.Plain(s.Time(r.Updated)), screen.Plain(essence(r)),
		}
	}
	s.Table([]string{"ID", "KIND", "STATE", "CALLS", "UPDATED", "RESULT OR REASON"}, rows)
}

// essence is the one thing to know of a record: what came of it, or why nothing did yet.
func essence(r ledger.Record) string {
	switch {
	case r.Result != nil:
		return r.Result.ID
	case r.LastError != "":
		return r.LastError
	}
	return cmp.Or(r.Reason, r.Business)
}

func recordState(s screen.Screen, state ledger.State) screen.Cell {
	cell := screen.Plain(string(state))
	switch state {
	case ledger.Parked, ledger.Failed, ledger.Unknown:
		cell.Paint = s.Bad
	case ledger.Succeeded:
		cell.Paint = s.Good
	}
	return cell
}

func (p program) printRecord(r ledger.Record, asJSON bool) error {
	s := p.stdout()
	if asJSON {
		return s.JSON(r)
	}
	s.Facts([][2]string{
		{"id", r.ID}, {"kind", r.Kind}, {"state", string(r.State)}, {"tenant", r.Tenant}, {"about", r.Business}, {"why", r.Reason},
		{"result", resultID(r.Result)}, {"duplicates", duplicates(r)}, {"last error", r.LastError}, {"marker", r.Marker}, {"waits for", r.After},
		{"event", r.Source.Event}, {"created", s.Time(r.Created)}, {"updated", s.Time(r.Updated)}, {"next visit", some(s, r.NextAt)},
		{"completed", some(s, r.Completed)},
	}...)
	printAttempts(s, r.Attempts)
	for _, d := range r.Decisions {
		s.Line("")
		s.Line("%s  %s by %s", s.Bold(s.Time(d.At)), strings.TrimSpace(string(d.Verdict)+" "+resultID(d.Object)), d.Who)
		s.Text(d.Note, "  ")
	}
	s.Line("")
	s.Text(payload(r), "")
	return nil
}

func printAttempts(s screen.Screen, attempts []ledger.Attempt) {
	if len(attempts) == 0 {
		return
	}
	rows := make([][]screen.Cell, len(attempts))
	for i, a := range attempts {
		rows[i] = []screen.Cell{
			screen.Plain(strconv.Itoa(a.N)), screen.Plain(s.Time(a.Started)), screen.Plain(a.Took.Round(time.Millisecond).String()),
			screen.Plain(cmp.Or(string(a.Outcome), "open")), screen.Plain(a.Error),
		}
	}
	s.Line("")
	s.Table([]string{"CALL", "STARTED", "TOOK", "OUTCOME", "ERROR"}, rows)
}

func some(s screen.Screen, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return s.Time(t)
}

func resultID(d *ledger.Done) string {
	if d == nil {
		return ""
	}
	return d.ID
}

func duplicates(r ledger.Record) string {
	ids := make([]string, len(r.Duplicates))
	for i, d := range r.Duplicates {
		ids[i] = d.ID
	}
	return strings.Join(ids, ", ")
}

// payload is what was to be done, for a person. A parked event is bytes of any kind, kept as base64.
func payload(r ledger.Record) string {
	var event []byte
	if r.Kind == ledger.KindEvent && json.Unmarshal(r.Payload, &event) == nil {
		return indented(event)
	}
	return indented(r.Payload)
}

func indented(data []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, data, "", "  ") != nil {
		return string(data)
	}
	return b.String()
}

func stateWords() []string {
	words := make([]string, len(ledger.States))
	for i, s := range ledger.States {
		words[i] = strings.ToLower(string(s))
	}
	return words
}

func verdictWords() []string {
	words := make([]string, len(records.Verdicts))
	for i, v := range records.Verdicts {
		words[i] = string(v)
	}
	return words
}

// fixed completes a flag from a list.
func fixed(words ...string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

func noInstallation(folder string) error {
	return fault.New(fault.Missing, `there is no installation in %s: start "providerdesk up", or name another folder with --data`, folder)
}

// nobody publishes nothing: a command that looks at a ledger has no bus.
type nobody struct{}

func (nobody) Publish(context.Context, ...publish.Message) ([]string, error) {
	return nil, fault.Unsent(fault.Wrap(fault.Transient, fmt.Errorf("no bus runs here"), "publish"))
}
