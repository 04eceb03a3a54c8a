package evidence

import (
	"context"
	"encoding/json"
	"strings"

	"google.golang.org/api/logging/v2"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// logs are the entries of the resource, one a line: the severe ones first, then as many of the others as there is room for, the newest first in
// both.
func (e effect) logs(ctx context.Context, p Piece) (file, error) {
	c := e.o.Config.Evidence.Logs
	if c == nil || p.Of == nil || e.google == nil {
		return file{}, errOff
	}
	all, err := e.google.entries(ctx, p.Of.Project, p.Of.logFilter(p.From, p.To, true), c.Entries, e.most())
	if err != nil {
		return file{}, err
	}
	if rest := c.Entries - len(all); rest > 0 {
		others, err := e.google.entries(ctx, p.Of.Project, p.Of.logFilter(p.From, p.To, false), rest, e.most())
		if err != nil {
			return file{}, err
		}
		all = append(all, others...)
	}
	if len(all) == 0 {
		return file{}, fault.New(fault.Missing, "the resource has no log entries in the window")
	}
	text, err := e.lines(all)
	return file{"jsonl", "application/x-ndjson", text}, err
}

func (e effect) lines(all []*logging.LogEntry) (string, error) {
	var b strings.Builder
	for _, one := range all {
		line, err := json.Marshal(one)
		if err != nil {
			return "", fault.Wrap(fault.Invalid, err, "write a log entry")
		}
		b.WriteString(e.redactor.text(string(line)) + "\n")
	}
	return b.String(), nil
}
