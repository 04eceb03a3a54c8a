package commands

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/functions/casewebhook/follow"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
)

// textsIn is the collection of texts that go to desks as files.
const textsIn = "texts"

// job is a command that is to be carried out.
type job struct {
	Order  string      `json:"order"` // names its effects: the order that asked for it
	Cmd    Command     `json:"cmd"`
	Target target      `json:"target"` // of create: the desk alone
	By     string      `json:"by"`     // who asked
	Via    string      `json:"via"`
	Second string      `json:"second,omitempty"` // who approved
	At     chat.Place  `json:"at,omitzero"`      // where it was asked for
	Files  []chat.File `json:"files,omitempty"`
	Plain  bool        `json:"plain,omitempty"` // said in a case's thread, not commanded
}

// Limits of texts, in characters.
const (
	descriptionLimit = 9_000
	commentLimit     = 10_000 // a desk takes more; but in JSON a character may take six of an effect's 64 KiB
	markerRoom       = 60     // what package act signs with
	maxParts         = 8      // of a comment; what needs more is attached
)

// work is what a job becomes: one commit.
type work struct {
	writes  []store.Write
	intents []ledger.Intent
	effects []string // those that the outcome is told of, in the order in which they are carried out
}

func (w *work) add(told bool, in ledger.Intent, err error) error {
	w.intents = append(w.intents, in)
	if told {
		w.effects = append(w.effects, in.ID())
	}
	return err
}

// name is the business name of an effect of a job.
func (j job) name(what string, n int) string { return fmt.Sprintf("chat/%s/%s/%d", j.Order, what, n) }

func (j job) target() act.Target { return act.Target{Desk: j.Target.Desk, Case: j.Target.Name} }

// work makes the effects of a job.
func (c *Commands) work(ctx context.Context, j job) (w work, err error) {
	tenant, by := j.Target.Tenant, signature(j.By, j.Via)
	switch j.Cmd.Verb {
	case Create:
		err = c.opening(ctx, j, &w)
	case Comment:
		err = c.commenting(ctx, j, &w)
	case Attach:
		err = c.attaching(j, &w, nil)
	case Priority:
		in, ierr := c.Acts.Change.Intent(tenant, j.name(Priority, 0), act.Change{Target: j.target(), Priority: j.Cmd.Priority, By: by})
		err = w.add(true, in, ierr)
	case Subscribe:
		in, ierr := c.Acts.Change.Intent(tenant, j.name(Subscribe, 0), act.Change{Target: j.target(), Subscribe: j.Cmd.Addresses, By: by})
		err = w.add(true, in, ierr)
	case Escalate:
		text := defused(j.Cmd.Text) + "\n\n" + by
		in, ierr := c.Acts.Escalate.Intent(tenant, j.name(Escalate, 0), act.Escalation{Target: j.target(), Reason: j.Cmd.Reason, Justification: text, By: by})
		err = w.add(true, in, ierr)
	case Close:
		err = c.closing(ctx, j, &w)
	default:
		err = fault.New(fault.Bug, "no work for %q", j.Cmd.Verb)
	}
	if err == nil && j.Cmd.Verb != Comment && j.Cmd.Verb != Create && j.Cmd.Verb != Close {
		err = c.nudge(ctx, j, &w)
	}
	return w, err
}

// closing closes a case, after what was said on it before: nothing can be said on a closed one.
func (c *Commands) closing(ctx context.Context, j job, w *work) error {
	k, err := c.Cases.ByName(ctx, j.Target.Desk, j.Target.Name)
	known := err == nil
	if err != nil && !fault.Is(err, fault.Missing) {
		return err
	}
	before, err := c.unfinished(ctx, k.Last)
	if err != nil {
		return err
	}
	in, err := c.Acts.End.Intent(j.Target.Tenant, j.name(Close, 0), act.Ending{Target: j.target(), By: signature(j.By, j.Via)})
	if before != "" {
		in = in.After(before)
	}
	if err = w.add(true, in, err); err != nil || !known {
		return err
	}
	write, err := k.Wanting(c.Now().UTC())
	w.writes = append(w.writes, write)
	return err
}

// nudge lets a followed case be looked at soon, so that what was done shows.
func (c *Commands) nudge(ctx context.Context, j job, w *work) error {
	k, err := c.Cases.ByName(ctx, j.Target.Desk, j.Target.Name)
	if fault.Is(err, fault.Missing) {
		return nil
	}
	if err != nil {
		return err
	}
	write, err := k.Wanting(c.Now().UTC())
	w.writes = append(w.writes, write)
	return err
}

// opening makes a case. What its description has no room for goes with it as a file.
func (c *Commands) opening(ctx context.Context, j job, w *work) error {
	text, by := defused(cmp.Or(j.Cmd.Text, j.Cmd.Title)), signature(j.By, j.Via)
	long := ""
	if parts := desk.Split(text, descriptionLimit); len(parts) > 1 {
		long, text = text, parts[0]+"\n\n(The whole text is attached as a file.)"
	}
	d := c.Config.Desks[j.Target.Desk]
	open, err := c.Acts.Open.Intent(j.Target.Tenant, j.name(Create, 0), act.Opening{Desk: j.Target.Desk, Draft: desk.Draft{
		Title: defused(j.Cmd.Title), Description: text + "\n\n" + by, Priority: j.Cmd.Priority, Classification: d.Classification, Subscribers: d.Subscribers,
		TimeZone: d.TimeZone, Language: d.Language, Test: d.TestCases}})
	if err = w.add(true, open, err); err != nil {
		return err
	}
	if long != "" {
		if err := c.attachText(j, w, &open, "description.txt", long); err != nil {
			return err
		}
	}
	if err := c.attaching(j, w, &open); err != nil || c.Track == nil {
		return err
	}
	track, err := c.Track(j.Target.Tenant, open.ID(), c.rooms(j))
	return w.add(false, track.After(open.ID()), err)
}

// rooms are where a new case is told: where it was asked for, and its desk's.
func (c *Commands) rooms(j job) []chat.Place {
	all := follow.Places(c.Config.Desks[j.Target.Desk].Rooms)
	here := chat.Place{Platform: j.At.Platform, Space: j.At.Space}
	if here.Space != "" && !slices.Contains(all, here) {
		all = append([]chat.Place{here}, all...)
	}
	return all
}

// commenting makes comments of a text, one for each part that the desk takes, in line behind what was said on the case before.
func (c *Commands) commenting(ctx context.Context, j job, w *work) error {
	d, err := c.Desks.Desk(j.Target.Desk)
	if err != nil {
		return err
	}
	text, head := defused(j.Cmd.Text), signature(j.By, j.Via)
	room := min(d.CommentLimit(), commentLimit) - markerRoom - utf8.RuneCountInString(head) - len(", part 9 of 9:\n\n")
	parts := desk.Split(text, room)
	if len(parts) > maxParts {
		if err := c.attachText(j, w, nil, "comment.txt", text); err != nil {
			return err
		}
		parts = []string{"(A text of " + itoa(utf8.RuneCountInString(text)) + " characters, attached as the file comment.txt.)"}
	}
	if err := c.inLine(ctx, j, w, head, parts); err != nil {
		return err
	}
	return c.attaching(j, w, nil)
}

// inLine makes the comments, each after the one before. On a followed case the first waits for the last one that was said, and the case notes
// where they come from.
func (c *Commands) inLine(ctx context.Context, j job, w *work, head string, parts []string) error {
	k, err := c.Cases.ByName(ctx, j.Target.Desk, j.Target.Name)
	known := err == nil
	if err != nil && !fault.Is(err, fault.Missing) {
		return err
	}
	before, err := c.unfinished(ctx, k.Last)
	if err != nil {
		return err
	}
	for n, part := range parts {
		body := head + ":\n\n" + part
		if len(parts) > 1 {
			body = fmt.Sprintf("%s, part %d of %d:\n\n%s", head, n+1, len(parts), part)
		}
		in, err := c.Acts.Comment.Intent(j.Target.Tenant, j.name(Comment, n), act.Comment{Target: j.target(), Body: body, By: head})
		if before != "" {
			in = in.After(before)
		}
		if err = w.add(true, in, err); err != nil {
			return err
		}
		before = in.ID()
		k.Spoken = append(slices.Clip(k.Spoken), follow.Spoken{Marker: ledger.Marker(in.ID()), From: j.At})
		k.Last = before
	}
	if !known {
		return nil
	}
	write, err := k.Wanting(c.Now().UTC())
	w.writes = append(w.writes, write)
	return err
}

// unfinished returns the effect if it may still be carried out by itself. One that a person must look at holds nothing up.
func (c *Commands) unfinished(ctx context.Context, effect string) (string, error) {
	if effect == "" {
		return "", nil
	}
	rec, err := c.Ledger.Get(ctx, effect)
	if err != nil {
		return "", unlessMissing(err)
	}
	if rec.State == ledger.Parked || rec.State.Terminal() {
		return "", nil
	}
	return effect, nil
}

// attaching makes an effect of each file. opened is the case that they go to, nil if it is there.
func (c *Commands) attaching(j job, w *work, opened *ledger.Intent) error {
	for n, f := range j.Files {
		a := act.Attaching{Name: f.Name, Type: f.Type, From: j.At.Platform, File: f, By: signature(j.By, j.Via)}
		if err := c.attachIntent(j, w, opened, n, a); err != nil {
			return err
		}
	}
	return nil
}

// attachText puts a text on a case as a file.
func (c *Commands) attachText(j job, w *work, opened *ledger.Intent, file, text string) error {
	data, err := json.Marshal(text)
	if err != nil {
		return fault.Wrap(fault.Bug, err, "encode a text")
	}
	w.writes = append(w.writes, store.Create(store.Doc{Key: store.Key{Collection: textsIn, ID: j.Order}, Data: data, Expire: c.Now().UTC().Add(remembered)}))
	a := act.Attaching{Name: file, Type: "text/plain; charset=utf-8", Text: j.Order, By: signature(j.By, j.Via)}
	return c.attachIntent(j, w, opened, maxFiles, a)
}

func (c *Commands) attachIntent(j job, w *work, opened *ledger.Intent, n int, a act.Attaching) error {
	if opened == nil {
		a.Target = j.target()
	}
	in, err := c.attach.Intent(j.Target.Tenant, j.name(Attach, n), a)
	if opened != nil {
		in = in.After(opened.ID())
	}
	return w.add(true, in, err)
}

var markerForm = regexp.MustCompile(`REF[A-Z2-7]{26,}`)

// defused breaks up what looks like a marker: who quotes one must not make a text that is taken for the one it marks.
func defused(text string) string {
	return markerForm.ReplaceAllStringFunc(text, func(word string) string { return strings.ReplaceAll(word, "REF", "REF ") })
}

// short says what a job does.
func (j job) short() string {
	switch j.Cmd.Verb {
	case Create:
		return "open a " + string(j.Cmd.Priority) + " case at " + j.Target.Desk
	case Priority:
		return "set case " + j.Target.number() + " to " + string(j.Cmd.Priority)
	case Comment:
		return "comment on case " + j.Target.number()
	case Attach:
		return "attach to case " + j.Target.number()
	case Subscribe:
		return "subscribe " + strings.Join(j.Cmd.Addresses, ", ") + " to case " + j.Target.number()
	}
	return j.Cmd.Verb + " case " + j.Target.number()
}

// long says it with what it is about.
func (j job) long() string {
	text := j.short() + " at " + j.Target.Desk
	switch {
	case j.Cmd.Verb == Create:
		text = j.short() + ": " + chat.Line(j.Cmd.Title, maxTitle)
	case j.Target.Title != "":
		text += ": " + chat.Line(j.Target.Title, maxTitle)
	}
	if j.Cmd.Reason != "" {
		text += "\nReason: " + j.Cmd.Reason
	}
	if j.Cmd.Text != "" {
		text += "\n" + chat.Clip(j.Cmd.Text, 1000, func(rune) int { return 1 })
	}
	return text
}
