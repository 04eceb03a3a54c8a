package billingexport

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/providerdesk/providerdesk/functions/billingexport/report"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/functions/billingexport/warehouse"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/say"
	"github.com/providerdesk/providerdesk/shared/store"
)

// kinds are the effects of this function: what follows from a revision.
type kinds struct {
	announce ledger.Kind[Exported, told]
	spoken   say.Kind
	load     warehouse.Kind // of a function that has a warehouse
}

func (k *kinds) register(l *ledger.Ledger, f *Function) (err error) {
	if k.announce, err = ledger.Register(l, ledger.Spec{Kind: "export.announce", Class: ledger.Keyed}, ledger.Effect[Exported, told](announceEffect{f})); err != nil {
		return err
	}
	if k.spoken, err = say.Register(l, f.Rooms); err != nil || f.Warehouse == nil {
		return err
	}
	k.load, err = warehouse.Register(l, f.Warehouse)
	return err
}

// Exported is a message of topic "billing-exported": a revision is there. It may come more than once, always with the same id.
type Exported struct {
	ID             string           `json:"id"`
	Month          string           `json:"month"`
	Revision       int              `json:"revision"`
	State          revision.State   `json:"state"`
	Since          int              `json:"since"` // the published revision before, 0: none
	Manifest       string           `json:"manifest"`
	ManifestSHA256 string           `json:"manifestSha256"`
	Made           time.Time        `json:"made"` // data as of
	Totals         []revision.Total `json:"totals"`
	Reason         string           `json:"reason"`
}

type told struct{}

type announceEffect struct{ f *Function }

func (e announceEffect) Call(ctx context.Context, p Exported, _ ledger.Token) (ledger.Act[told], error) {
	data, err := json.Marshal(p)
	if err != nil {
		return ledger.Act[told]{}, fault.Unsent(fault.Wrap(fault.Bug, err, "encode an event"))
	}
	ids, err := e.f.Publisher.Publish(ctx, publish.Message{Topic: TopicDone, Data: data, Attributes: map[string]string{
		"id": p.ID, "month": p.Month, "state": string(p.State)}})
	if err != nil {
		return ledger.Act[told]{}, err
	}
	return ledger.Act[told]{ID: ids[0]}, nil
}

// Find finds nothing: a topic cannot be asked, and telling it again with the same id does no harm.
func (e announceEffect) Find(context.Context, Exported, ledger.Token, bool) ([]ledger.Act[told], error) {
	return nil, nil
}

// rest ends a run: in one commit the month rests, and what follows from a new revision is recorded.
func (f *Function) rest(ctx context.Context, m *month, c committed, said []report.Statement) error {
	intents, err := f.follows(ctx, m, c, said)
	if err != nil {
		return err
	}
	m.Ended = &Ended{Run: m.Run, At: f.Now().UTC(), New: m.Plan.New, Revision: c.manifest.Revision, State: c.manifest.State, Reason: m.Plan.Reason}
	m.Phase, m.Plan, m.Lease, m.Holder, m.Error, m.Published = Resting, nil, time.Time{}, "", "", c.manifest.LastPublished()
	w, err := m.write(f.Now())
	if err != nil {
		return err
	}
	with := []store.Write{w}
	if f.rules.separate {
		if _, err := f.DB.Commit(ctx, with...); err != nil {
			return err
		}
		with = nil
	}
	if _, err := f.ledger.Do(ctx, with, intents...); err != nil {
		return err
	}
	f.ended(ctx, m)
	if m.Next == nil {
		return nil
	}
	next, err := f.readMonth(ctx, m.period())
	if err != nil {
		return err
	}
	return f.again(ctx, next)
}

// follows returns the effects that follow from a new revision and are not recorded yet.
func (f *Function) follows(ctx context.Context, m *month, c committed, said []report.Statement) ([]ledger.Intent, error) {
	if !m.Plan.New {
		return nil, nil
	}
	var all []ledger.Intent
	for _, make := range []func(context.Context, *month, committed, []report.Statement) ([]ledger.Intent, error){f.announcing, f.loading, f.saying} {
		intents, err := make(ctx, m, c, said)
		if err != nil {
			return nil, err
		}
		all = append(all, intents...)
	}
	var fresh []ledger.Intent
	for _, in := range all {
		_, err := f.ledger.Get(ctx, in.ID())
		switch {
		case fault.Is(err, fault.Missing):
			fresh = append(fresh, in.Because(m.Plan.Reason))
		case err != nil:
			return nil, err
		}
	}
	return fresh, nil
}

// business names a revision.
func business(month string, rev int) string { return fmt.Sprintf("%s/%d", month, rev) }

func (f *Function) announcing(_ context.Context, m *month, c committed, _ []report.Statement) ([]ledger.Intent, error) {
	man := c.manifest
	id := business(man.Month, man.Revision)
	in, err := f.kinds.announce.Intent("", id, Exported{ID: id, Month: man.Month, Revision: man.Revision, State: man.State, Since: man.Since, Manifest: c.name,
		ManifestSHA256: c.sha256, Made: man.Made, Totals: revision.Totals(man.Parts), Reason: m.Plan.Reason})
	return []ledger.Intent{in}, err
}

// saying tells the configured rooms. What was said when the revision was made is put together again if somebody else made it.
func (f *Function) saying(ctx context.Context, m *month, c committed, said []report.Statement) (all []ledger.Intent, err error) {
	if len(f.Config.Billing.Rooms) == 0 {
		return nil, nil
	}
	if said == nil {
		b, err := f.open(ctx, m, &c.manifest)
		if err != nil {
			return nil, err
		}
		if said, err = b.reports(ctx, nil); err != nil {
			return nil, err
		}
	}
	if len(said) == 0 {
		return nil, nil // nobody has a file: there is no tenant
	}
	for _, room := range f.Config.Billing.Rooms {
		for _, at := range []chat.Place{{Platform: chat.Slack, Space: room.Slack}, {Platform: chat.Google, Space: room.Google}} {
			if at.Space == "" {
				continue
			}
			in, err := f.sayingAt(at, c, said[0])
			if err != nil {
				return nil, err
			}
			all = append(all, in)
		}
	}
	return all, nil
}

// sayingAt is one message: what does not fit it is in the reports.
func (f *Function) sayingAt(at chat.Place, c committed, s report.Statement) (ledger.Intent, error) {
	post := report.Summary(s)
	if room, ok := f.Rooms[at.Platform]; ok {
		post = room.Pages(post)[0]
	}
	return f.kinds.spoken.Intent("", "export/"+business(c.manifest.Month, c.manifest.Revision)+"/"+string(at.Platform)+"/"+at.Space, say.Saying{At: at, Post: post})
}

// loading loads a published revision into the warehouse, lens by lens.
func (f *Function) loading(ctx context.Context, m *month, c committed, _ []report.Statement) (all []ledger.Intent, err error) {
	if f.Warehouse == nil || c.manifest.State != revision.Published {
		return nil, nil
	}
	for _, l := range revision.Lenses(c.manifest.Parts) {
		intents, err := f.kinds.load.Intents(ctx, m.period(), l, c.manifest.Revision)
		if err != nil {
			return nil, err
		}
		all = append(all, intents...)
	}
	return all, nil
}
