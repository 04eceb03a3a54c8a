package commands

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/say"
	"github.com/providerdesk/providerdesk/shared/store"
)

// asksIn is the collection of questions.
const asksIn = "asks"

// standing of a question.
type standing string

const (
	waiting   standing = "waiting"  // for a yes of who asked
	approval  standing = "approval" // for that of a second person
	answered  standing = "answered" // yes, and the job is recorded
	cancelled standing = "cancelled"
	expired   standing = "expired"
)

// ask is a question: may this be done?
type ask struct {
	V       int       `json:"v"`
	Job     job       `json:"job"`
	State   standing  `json:"state"`
	Until   time.Time `json:"until"`            // of the present state
	By      string    `json:"by,omitempty"`     // who answered last
	Said    string    `json:"said,omitempty"`   // effect that asked
	Second  string    `json:"second,omitempty"` // who approved
	Created time.Time `json:"created"`

	version store.Version
}

func (a ask) open() bool { return a.State == waiting || a.State == approval }

// concerns reports whether somebody's word may answer the question.
func (a ask) concerns(verb, name string) bool {
	switch verb {
	case Approve:
		return a.State == approval && a.Job.By != name
	case Confirm:
		return a.State == waiting && a.Job.By == name
	}
	return a.Job.By == name || a.State == approval
}

// answer decides on a word about a question. Whatever is not an answer to an open one changes nothing and says so.
func answer(in input, asks []ask, c *config.Config, now time.Time) plan {
	switch {
	case len(asks) == 0 && in.loose && in.thread == nil:
		return plan{silent: true}
	case len(asks) == 0 && in.loose:
		return in.asComment(c, now)
	case len(asks) == 0:
		return says("no question", "Nothing waits for that here.")
	case len(asks) > 1:
		return says("several questions", "More than one question waits. Answer in its thread, or with its buttons.")
	case !in.who.known():
		return says("nobody the configuration knows", refusal(in.who, c, Approve, ""))
	}
	a := asks[0]
	p := a.answered(in, c, now)
	p.Desk, p.Case = a.Job.Target.Desk, a.Job.Target.Name
	return p
}

// asComment takes a word that answered nothing for what else it can be in a case's thread.
func (in input) asComment(c *config.Config, now time.Time) plan {
	in.cmd, in.plain, in.loose = Command{Verb: Comment, Text: in.words}, true, false
	if p, ok := gate(in, c); ok {
		return p
	}
	return onCase(in, facts{targets: []target{followed(*in.thread)}}, c, now)
}

func (a ask) answered(in input, c *config.Config, now time.Time) plan {
	name, verb, desk := in.who.Name, in.cmd.Verb, a.Job.Target.Desk
	does := action(a.Job.Cmd.Verb)
	switch {
	case !a.open():
		return says("it is "+string(a.State), a.over())
	case now.After(a.Until):
		a.State = expired
		return plan{Reason: "it has expired", Ask: &a, Post: &chat.Post{Body: a.over()}}
	case verb == Cancel && (name == a.Job.By || a.State == approval && in.who.Can(Approve, desk)):
		a.State, a.By = cancelled, name
		return plan{Reason: "cancelled", Ask: &a, Post: &chat.Post{Body: a.over()}}
	case verb == Approve && a.State == waiting:
		return says("not confirmed yet", a.Job.By+" has not confirmed it yet.")
	case verb == Approve && name == a.Job.By:
		return says("not a second person", "A second person must approve it: "+whoMay(c, Approve, desk, a.Job.By)+".")
	case verb == Approve && !in.who.Can(Approve, desk):
		return says("no right to approve", refusal(in.who, c, Approve, desk))
	case verb == Approve:
		return a.carried(name, "approved by "+name)
	case name != a.Job.By:
		return says("not who asked", "Only "+a.Job.By+" can answer this.")
	case a.State == approval:
		return says("a second person must approve", "It waits for the approval of a second person: "+whoMay(c, Approve, desk, a.Job.By)+".")
	case !in.who.Can(does, desk):
		return says("no right any more", refusal(in.who, c, does, desk))
	case slices.Contains(c.Chat.Second, a.Job.Cmd.Verb):
		a.State, a.By, a.Until = approval, name, now.Add(window)
		return plan{Reason: "a second person must approve", Ask: &a, Post: a.approvalPost(c)}
	}
	return a.carried("", "confirmed")
}

// carried lets the job be done.
func (a ask) carried(second, reason string) plan {
	a.State, a.By, a.Second = answered, cmp.Or(second, a.Job.By), second
	j := a.Job
	j.Second = second
	return plan{Reason: reason, Ask: &a, Job: &j}
}

// over says how a question ended.
func (a ask) over() string {
	switch a.State {
	case answered:
		return "This was answered by " + a.By + " already. Nothing more is done."
	case cancelled:
		return "Cancelled by " + a.By + ". Nothing was done: " + a.Job.short() + "."
	}
	return "Nobody answered in time, so nothing was done: " + a.Job.short() + ". Give the command again if it is still wanted."
}

func (a ask) buttons(yes, action string) []chat.Button {
	return []chat.Button{{Text: yes, Action: action, Value: a.Job.Order, Danger: true}, {Text: "Cancel", Action: actionCancel, Value: a.Job.Order}}
}

// question is the message that asks for a yes.
func (a ask) question(c *config.Config) *chat.Post {
	body := a.Job.By + " wants to " + a.Job.long() + "\n\nOnly " + a.Job.By + " can confirm it, within 15 minutes."
	if slices.Contains(c.Chat.Second, a.Job.Cmd.Verb) {
		body += " Then a second person must approve it: " + whoMay(c, Approve, a.Job.Target.Desk, a.Job.By) + "."
	}
	return &chat.Post{Title: "Confirm?", Body: body, Buttons: a.buttons("Confirm", actionConfirm)}
}

func (a ask) approvalPost(c *config.Config) *chat.Post {
	body := a.Job.By + " wants to " + a.Job.long() + "\n\nA second person must approve it within 15 minutes: " + whoMay(c, Approve, a.Job.Target.Desk, a.Job.By) + "."
	return &chat.Post{Title: "Approve?", Body: body, Buttons: a.buttons("Approve", actionApprove)}
}

// settledPost is what the message of a question shows once it needs no answer any more: what it was about, and how it ended.
func (a ask) settledPost() chat.Post {
	title := "Nobody answered"
	switch {
	case a.State == approval:
		title = "Confirmed by " + a.By
	case a.State == cancelled:
		title = "Cancelled by " + a.By
	case a.State == answered && a.Second != "":
		title = "Approved by " + a.Second
	case a.State == answered:
		title = "Confirmed by " + a.By
	}
	return chat.Post{Title: title, Body: a.Job.By + " wanted to " + a.Job.long()}
}

// settled takes the buttons away from the message that asked, if it is there or may come to be.
func (c *Commands) settled(ctx context.Context, a ask) ([]ledger.Intent, error) {
	if a.Said == "" {
		return nil, nil
	}
	rec, err := c.Ledger.Get(ctx, a.Said)
	if err != nil || rec.State == ledger.Failed || rec.State == ledger.Parked {
		return nil, unlessMissing(err)
	}
	in, err := c.edit.Intent("", "chat/"+a.Job.Order+"/"+string(a.State), say.Editing{Marker: rec.Marker, Post: a.settledPost()})
	return []ledger.Intent{in.Following(rec)}, err
}

// remembered is how long what was asked is kept: longer than any topic can replay, and than the effects are.
const remembered = 60 * 24 * time.Hour

func (a ask) write() (store.Write, error) {
	data, err := json.Marshal(a)
	if err != nil {
		return store.Write{}, fault.Wrap(fault.Bug, err, "encode question "+a.Job.Order)
	}
	d := store.Doc{Key: store.Key{Collection: asksIn, ID: a.Job.Order}, Data: data, Expire: a.Created.Add(remembered)}
	if a.open() {
		d.State, d.Due = sameSpace(a.Job.At), a.Until
	}
	if a.version == "" {
		return store.Create(d), nil
	}
	return store.Replace(d, a.version), nil
}

// askOf returns a question. The id comes from outside.
func (c *Commands) askOf(ctx context.Context, id string) (ask, error) {
	k := store.Key{Collection: asksIn, ID: id}
	if err := store.CheckKey(k); err != nil {
		return ask{}, err
	}
	d, err := c.DB.Get(ctx, k)
	if err != nil {
		return ask{}, err
	}
	return decodeAsk(d)
}

// openAsks are the questions that wait in a space.
func (c *Commands) openAsks(ctx context.Context, at chat.Place) ([]ask, error) {
	docs, err := c.DB.Query(ctx, store.Query{Collection: asksIn, State: sameSpace(at), Limit: store.MaxQuery})
	if err != nil {
		return nil, err
	}
	return decodeAsks(docs)
}

func decodeAsks(docs []store.Doc) ([]ask, error) {
	all := make([]ask, len(docs))
	for i, d := range docs {
		var err error
		if all[i], err = decodeAsk(d); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func decodeAsk(d store.Doc) (ask, error) {
	var a ask
	if err := json.Unmarshal(d.Data, &a); err != nil {
		return a, fault.Wrap(fault.Bug, err, "decode "+d.Key.String())
	}
	a.version = d.Version
	return a, nil
}
