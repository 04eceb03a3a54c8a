package commands

import (
	"path"
	"strings"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// outcome is what an order came to.
type outcome struct {
	post   chat.Post
	reason string // for the audit
	name   string // of the case
}

// done is the reason of an outcome that is all that was asked for.
const done = "done"

// maxReason is how much of a desk's reason is told, in characters. The rest is in the ledger.
const maxReason = 400

// outcome says what came of an order's effects: all of it is done, or what is not, and why.
func (c *Commands) outcome(o order, recs []ledger.Record) outcome {
	out := outcome{name: o.Job.Target.Name}
	var succeeded int
	var bad []string
	for i, r := range recs {
		switch {
		case r.State == ledger.Succeeded:
			succeeded++
		case r.State == ledger.Failed:
			bad = append(bad, c.part(r, i)+"refused by the desk: "+reason(r))
		default:
			bad = append(bad, c.part(r, i)+"not done yet, and waits for an operator: "+reason(r))
		}
	}
	if o.Job.Verb == Create && len(recs) > 0 && recs[0].Result != nil {
		if opened, err := c.Acts.Open.Result(recs[0]); err == nil {
			out.name = opened.ID
			out.post.Link = chat.Link{Text: "Open the case", URL: opened.Result.URL}
		}
	}
	if len(bad) == 0 {
		out.reason, out.post.Body = done, allDone(o.Job, path.Base(out.name), len(recs))
		return out
	}
	out.reason = strings.Join(bad, "; ")
	out.post.Body = "I could not " + o.Job.Short + ".\n" + strings.Join(bad, "\n")
	if succeeded > 0 {
		out.post.Body = itoa(succeeded) + " of " + itoa(len(recs)) + " parts are done: " + o.Job.Short + ".\n" + strings.Join(bad, "\n")
	}
	return out
}

// part names an effect of several.
func (c *Commands) part(r ledger.Record, n int) string {
	if r.Kind == "case.attach" {
		if a, err := c.attach.Payload(r); err == nil {
			return "File " + chat.Line(a.Name, 100) + ": "
		}
	}
	if r.Kind == "case.comment" && n > 0 {
		return "Part " + itoa(n+1) + ": "
	}
	return ""
}

func reason(r ledger.Record) string {
	text := strings.TrimSuffix(chat.Line(r.LastError, maxReason), ".")
	if text == "" {
		text = "it gives no reason"
	}
	return text + "."
}

// allDone says that everything is done.
func allDone(j *summary, number string, n int) string {
	on := "case " + number
	switch j.Verb {
	case Create:
		return "Opened " + on + " at " + j.Target.Desk + "."
	case Comment:
		if n > 1 {
			return "It is on " + on + ", in " + itoa(n) + " parts."
		}
		return "It is on " + on + "."
	case Attach:
		return "It is attached to " + on + "."
	case Priority:
		return "Done: " + j.Short + "."
	case Subscribe:
		return "They are subscribed to " + on + "."
	case Escalate:
		return "Escalated " + on + "."
	}
	return "Closed " + on + "."
}
