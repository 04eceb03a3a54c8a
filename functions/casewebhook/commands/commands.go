// Package commands is what people do with cases from a chat, and other systems in a person's name: create, comment, attach, list, show,
// priority, subscribe, escalate, close, report, release. The words are the same on every platform and for every desk.
//
// # The way of the data
//
//	topic "case-commands" -> decode -> understand -> look -> decide -> record -> effects -> the outcome is told
//
// decode.go, understand.go and decide.go are pure. What decide returns is recorded in one commit: the order, the audit entry, the question
// that was asked or answered, the case's place in line, and the effects. An order is named by the event, and the effects by the order. So
// a redelivery finds either nothing or the order; two replicas that handle one event at once collide on the order, and the later one finds
// it. When every effect of an order has ended, its outcome is recorded together with the messages that tell it.
//
// # Keys owned
//
//	orders/<hash of event>     what was asked and which effects it became; due until its outcome is told
//	asks/<order>               a question with buttons; state <hash of space> and due at its end while it is open
//	texts/<order>              a text that goes to a desk as a file
//	audit/<time>-<order>-...   who did what: one entry when it was asked, one with its outcome; never changed
//
// Effects: case.attach and chat.edit are registered here; the others are those of packages act and say.
//
// # Guaranteed
//
//   - What was asked is done once, and its outcome told once, whatever repeats, crashes and times out (see shared/ledger for what a remote
//     that executes requests very late can do). A second click, or a click on a question that was answered or has expired, does nothing
//     and says so. The buttons of a question are taken away when it is over.
//   - Comments from chats reach a followed case in the order in which they were handled: each waits for the one before it, and a close for
//     the last of them.
//   - Nothing that people wrote is cut: a long comment is split, a very long one attached; what is longer still is refused with a sentence.
//   - Who acts is known by an id, never by a name. Rights are those of the configuration at the moment of the act; a second person's approval
//     is that of another person, whatever platform either is on.
//   - What people write cannot be taken for a mark of ours: words that look like markers are broken up.
//   - What a desk refuses or cannot do is told with its reason. That a comment from a case's thread is on the case goes without saying.
//
// # Not promised
//
// That a change which is in doubt is not overtaken by a close, and refused then; that a comment passes one before it that waits for a person (it is parked, and that is said); that an order whose effect a person
// releases later is told again; order on a case that nobody follows, or between systems; the age of a list: it is what the desk says at
// the moment. The audit is in the order of the clocks of those who wrote it, so an entry may appear a moment before one that was read already.
package commands

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"strconv"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/functions/casewebhook/follow"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/say"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Cases is what is known of followed cases. A case that is not followed is fault.Missing; while it is open whether a thread is a case's,
// ByThread is fault.Transient.
type Cases interface {
	ByName(ctx context.Context, deskName, name string) (follow.Case, error)
	ByThread(ctx context.Context, at chat.Place) (follow.Case, error)
	ByID(ctx context.Context, id string) (follow.Case, error) // that a button is about
}

// Deps is what the commands need.
type Deps struct {
	Config *config.Config
	DB     store.DB
	Ledger *ledger.Ledger
	Desks  act.Desks
	Acts   act.Kinds
	Rooms  say.Rooms
	Say    say.Kind
	Cases  Cases
	Now    func() time.Time
	Log    *slog.Logger

	// Track returns the effect that follows the case which the effect opening opens, and tells it in rooms. Nil: it is not followed.
	Track func(tenant, opening string, rooms []chat.Place) (ledger.Intent, error)
	// Release files what a desk's budget held back: the incident with an id, or all of a desk. It must not harm when it is repeated. What it
	// returns is told. Nil: nothing is held.
	Release func(ctx context.Context, who, deskName, incident string) (string, error)
}

// Commands carries out what is asked. It is safe for concurrent use.
type Commands struct {
	Deps
	attach act.AttachKind
	edit   say.EditKind
}

// New returns commands and registers their effects on the ledger.
func New(d Deps) (*Commands, error) {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	c := &Commands{Deps: d}
	var err error
	if c.attach, err = act.RegisterAttach(d.Ledger, d.Desks, c.fetch); err != nil {
		return nil, err
	}
	c.edit, err = say.RegisterEdit(d.Ledger, d.Rooms)
	return c, err
}

// tries is how often one delivery decides again because somebody else changed what it had read.
const tries = 20

// Handle handles one message of Topic. It returns an error only when a redelivery can heal it. What can never succeed is parked with its reason.
func (c *Commands) Handle(ctx context.Context, e event.Envelope) error {
	from := ledger.Source{Event: e.ID, Attempt: e.Attempt, Traceparent: e.Traceparent}
	m, err := Decode(e.Data)
	for range tries {
		if err != nil {
			break
		}
		if err = c.step(ctx, m, from); err == nil || !fault.Is(err, fault.Conflict) {
			break
		}
		if err = ctx.Err(); err == nil {
			continue
		}
	}
	switch {
	case err == nil:
		return nil
	case fault.Is(err, fault.Conflict):
		return fault.Wrap(fault.Transient, err, "decide on what keeps changing")
	case fault.Healing(err):
		return err
	}
	return c.park(ctx, e, from, err)
}

// park records a message that can never succeed, so that it can be acknowledged.
func (c *Commands) park(ctx context.Context, e event.Envelope, from ledger.Source, why error) error {
	reason := fault.Public(why)
	if reason == "" {
		reason = why.Error()
	}
	_, err := c.Ledger.Park(ctx, "", Topic+"/"+e.ID, reason, e.Data, from)
	return err
}

// step reads, decides and records, once.
func (c *Commands) step(ctx context.Context, m Message, from ledger.Source) error {
	in := c.input(m)
	var err error
	if in.thread, err = c.threadCase(ctx, in.at, m.Chat); err != nil {
		return err
	}
	if err = in.understand(m); err != nil || in.silent {
		return err
	}
	known, err := c.order(ctx, in.order)
	if err == nil {
		return c.finish(ctx, known) // a redelivery: whatever is left to do of it is done
	}
	if !fault.Is(err, fault.Missing) {
		return err
	}
	p, ok := gate(in, c.Config)
	if !ok {
		f, err := c.look(ctx, in)
		if err != nil {
			return err
		}
		p = decide(in, f, c.Config, c.Now().UTC())
	}
	if p.silent {
		return nil
	}
	return c.record(ctx, in, p, from)
}

// threadCase returns the case that a thread, or a button in it, is about; nil if it is about none.
func (c *Commands) threadCase(ctx context.Context, at chat.Place, e *chat.Event) (*follow.Case, error) {
	var k follow.Case
	var err error
	switch {
	case e != nil && isOfCase(*e):
		k, err = c.Cases.ByID(ctx, e.Value)
	case at.Thread != "":
		k, err = c.Cases.ByThread(ctx, at)
	default:
		return nil, nil
	}
	if fault.Is(err, fault.Missing) || fault.Is(err, fault.Invalid) {
		return nil, nil
	}
	return &k, err
}

// input names an act and who did it. What is asked is not understood yet.
func (c *Commands) input(m Message) input {
	if r := m.Request; r != nil {
		return input{order: hashed("request", r.Sender, r.ID), who: personByEmail(c.Config, r.By, r.Sender), when: c.Now().UTC(), system: true,
			desk: r.Desk, tenant: r.Tenant, confirmed: r.Confirmed}
	}
	e := m.Chat
	in := input{order: hashed("chat", string(e.Place.Platform), e.ID), who: personByID(c.Config, e.Place.Platform, e.Person), at: e.Place, when: e.At,
		files: e.Files}
	if in.when.IsZero() {
		in.when = c.Now().UTC()
	}
	return in
}

// fetch writes the content of a file that goes to a desk.
func (c *Commands) fetch(ctx context.Context, a act.Attaching, w io.Writer) error {
	if a.Text == "" {
		room, err := c.Rooms.Room(a.From)
		if err != nil {
			return err
		}
		return room.Download(ctx, a.File, act.MaxFile, w)
	}
	d, err := c.DB.Get(ctx, store.Key{Collection: textsIn, ID: a.Text})
	if err != nil {
		return err
	}
	var text string
	if err := json.Unmarshal(d.Data, &text); err != nil {
		return fault.Wrap(fault.Bug, err, "decode "+d.Key.String())
	}
	_, err = io.WriteString(w, text)
	return err
}

// hashed makes an id of parts. No two lists have one id: each part goes in with its length.
func hashed(parts ...string) string {
	h := sha256.New()
	for _, s := range parts {
		io.WriteString(h, strconv.Itoa(len(s))+":"+s)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func itoa(n int) string { return strconv.Itoa(n) }
