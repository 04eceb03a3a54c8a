package casewebhook

import (
	"context"
	"fmt"
	"strings"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Held selects incidents that fire and wait on an umbrella case. Exactly one field is set.
type Held struct {
	Incident string // the id of one
	Desk     string // all of a desk
	All      bool   // of every desk
}

// Released is an incident that has a case of its own now.
type Released struct {
	Incident string `json:"incident"`
	Title    string `json:"title"`
	Tenant   string `json:"tenant"`
	Desk     string `json:"desk"`
	Effect   string `json:"effect"`         // that opens its case
	Case     string `json:"case,omitempty"` // the desk's name of it; empty: it is being opened
}

const (
	releasedAtOnce = 10      // incidents released in one commit
	longestName    = 200     // bytes of who releases
	releasePage    = 200     // incidents read at a time
	releaseBytes   = 4 << 20 // of incidents in one commit
)

// Release opens cases of their own for incidents that a budget held back, as a person wants it: past the budget and the caps, each once
// however often and at however many places it is asked for. It is told on their umbrella case. What has ended meanwhile stays where it is.
func (f *Function) Release(ctx context.Context, who string, which Held) ([]Released, error) {
	who = strings.TrimSpace(who)
	if who == "" || len(who) > longestName {
		return nil, fault.New(fault.Invalid, "a release names who wants it, in at most %d bytes", longestName)
	}
	if err := which.check(f); err != nil {
		return nil, err
	}
	if which.Incident != "" {
		i, err := f.readIncident(ctx, which.Incident)
		if fault.Is(err, fault.Missing) {
			return nil, fault.New(fault.Missing, "no incident has the id %s", clip(which.Incident, 64))
		}
		if err != nil {
			return nil, err
		}
		return f.releaseSome(ctx, who, []incident{i})
	}
	return f.releaseAll(ctx, who, which.Desk)
}

func (h Held) check(f *Function) error {
	n := 0
	for _, set := range []bool{h.Incident != "", h.Desk != "", h.All} {
		if set {
			n++
		}
	}
	if n != 1 {
		return fault.New(fault.Invalid, "a release is of one incident, of one desk, or of all")
	}
	if err := store.CheckKey(store.Key{Collection: incidentsIn, ID: h.Incident}); h.Incident != "" && err != nil {
		return fault.New(fault.Invalid, "this is no id of an incident")
	}
	if _, ok := f.Config.Desks[h.Desk]; h.Desk != "" && !ok {
		return fault.New(fault.Missing, "the configuration has no desk of this name")
	}
	return nil
}

// releaseAll goes through what waits, page by page. Whoever is released leaves the pages, so each begins after the last one read.
func (f *Function) releaseAll(ctx context.Context, who, deskName string) (all []Released, err error) {
	for _, state := range []string{held, onList} {
		for after := ""; ; {
			docs, err := f.DB.Query(ctx, store.Query{Collection: incidentsIn, State: state, AfterID: after, Limit: releasePage})
			if err != nil {
				return all, err
			}
			some, err := selected(docs, deskName)
			if err != nil {
				return all, err
			}
			done, err := f.releaseSome(ctx, who, some)
			if all = append(all, done...); err != nil {
				return all, err
			}
			if len(docs) < releasePage {
				break
			}
			after = docs[len(docs)-1].ID
		}
	}
	return all, nil
}

func selected(docs []store.Doc, deskName string) (some []incident, err error) {
	for _, d := range docs {
		i, err := decodeIncident(d)
		if err != nil {
			return nil, err
		}
		if i.waits() && (deskName == "" || i.Desk == deskName) {
			some = append(some, i)
		}
	}
	return some, nil
}

// releaseSome releases incidents a few at a time, those of one umbrella case together.
func (f *Function) releaseSome(ctx context.Context, who string, some []incident) (all []Released, err error) {
	for len(some) > 0 {
		n := batch(some)
		done, err := f.releaseFew(ctx, who, some[:n])
		if all = append(all, done...); err != nil {
			return all, err
		}
		some = some[n:]
	}
	return all, nil
}

// batch returns how many of the first incidents go into one commit.
func batch(some []incident) int {
	size := 0
	for n, i := range some {
		if size += i.size; n > 0 && (n == releasedAtOnce || size > releaseBytes || i.Case != some[0].Case) {
			return n
		}
	}
	return len(some)
}

// releaseFew is one commit. When somebody else changed one of the incidents meanwhile, all are read again: who was released then stays so.
func (f *Function) releaseFew(ctx context.Context, who string, few []incident) ([]Released, error) {
	var err error
	for range tries {
		few = waiting(few)
		if len(few) == 0 {
			return nil, nil
		}
		var all []Released
		if all, err = f.release(ctx, who, few); !fault.Is(err, fault.Conflict) {
			return all, err
		}
		if few, err = f.readAgain(ctx, few); err != nil {
			return nil, err
		}
	}
	return nil, fault.Wrap(fault.Transient, err, "release incidents that keep changing")
}

// waiting leaves out what has ended or has a case of its own.
func waiting(few []incident) (some []incident) {
	for _, i := range few {
		if i.waits() && i.Draft != nil {
			some = append(some, i)
		}
	}
	return some
}

func (f *Function) readAgain(ctx context.Context, few []incident) ([]incident, error) {
	all := make([]incident, len(few))
	for n, i := range few {
		var err error
		if all[n], err = f.readIncident(ctx, i.id); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// release records for each incident its own case, and for all the comment on the umbrella case that tells it.
func (f *Function) release(ctx context.Context, who string, few []incident) ([]Released, error) {
	var writes []store.Write
	var intents []ledger.Intent
	all := make([]Released, len(few))
	umbrella := f.previous(ctx, few[0])
	for n, i := range few {
		open, next, err := f.ownCase(i, who, umbrella)
		if err != nil {
			return nil, err
		}
		w, err := next.write()
		if err != nil {
			return nil, err
		}
		writes, intents = append(writes, w), append(intents, open)
		all[n] = Released{Incident: i.id, Title: i.Title, Tenant: i.Tenant, Desk: next.Desk, Effect: open.ID()}
	}
	told, err := f.releasedIntents(ctx, who, few)
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		tracks, err := f.tracked(r.Tenant, r.Effect, r.Desk, nil)
		if err != nil {
			return nil, err
		}
		told = append(told, tracks...)
	}
	recs, err := f.ledger.Do(ctx, writes, append(intents, told...)...)
	f.follow.Begin(ctx, recs)
	for n := range min(len(all), len(recs)) {
		if done := recs[n].Result; done != nil {
			all[n].Case = done.ID
		}
	}
	return all, err
}

// ownCase is the case that a released incident gets, and the incident's next state.
func (f *Function) ownCase(i incident, who, umbrella string) (ledger.Intent, incident, error) {
	d, n := *i.Draft, i
	d.Description = clip(d.Description, descriptionLimit-1000) + releasedText(who, umbrella)
	n.Episode++
	n.Umbrella, n.held, n.Draft = false, false, nil
	n.Priority, n.PrioritySet, n.Theirs, n.Course, n.Calms = string(d.Priority), "", false, nil, nil
	open, err := f.kinds.Open.Intent(i.Tenant, fmt.Sprintf("%s/%d", i.id, n.Episode), act.Opening{Desk: i.Desk, Draft: d})
	n.Case = open.ID()
	return open.Because("released from an umbrella case by " + who), n, err
}

// releasedIntents tell on the umbrella case what has cases of its own now, unless people have closed it.
func (f *Function) releasedIntents(ctx context.Context, who string, few []incident) ([]ledger.Intent, error) {
	if f.closedUmbrella(ctx, few[0]) {
		return nil, nil
	}
	var names strings.Builder
	for _, i := range few {
		names.WriteString(i.id + string(i.version))
	}
	return f.commentIntents(ctx, few[0], "released/"+incidentID(names.String(), "", ""), releasedList(who, few))
}

// releasedText is what a released case's description ends with.
func releasedText(who, umbrella string) string {
	if umbrella == "" {
		return fmt.Sprintf("\n\nReleased from an alert storm by %s.", who)
	}
	return fmt.Sprintf("\n\nReleased from an alert storm by %s; it was listed on case %s.", who, umbrella)
}

// releasedList is the comment on the umbrella case.
func releasedList(who string, few []incident) string {
	p := page{left: commentLimit}
	p.line("Released by %s, each with a case of its own from now on (%d):", who, len(few))
	for _, i := range few {
		p.line("- [%s] %s, tenant %s, sender %s", i.Severity, clip(i.Title, 120), i.Tenant, i.Sender)
	}
	return clip(p.String(), commentLimit)
}
