package billingexport

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/store"
)

// source says whose usage is exported.
type source interface {
	Tenants(ctx context.Context) ([]Tenant, error)
}

// How often a change that somebody else was faster with is decided again, and when a sweep looks at a run that should have gone on.
const (
	tries    = 8
	patience = 10 * time.Minute
)

// ExportUsage handles one message of topic "billing-export". Of several months each is begun, whatever becomes of the others.
func (f *Function) ExportUsage(ctx context.Context, e event.Envelope) error {
	from := ledger.Source{Event: e.ID, Attempt: e.Attempt, Traceparent: e.Traceparent}
	q, err := decodeRequest(e.Data)
	if err == nil {
		err = f.export(ctx, q, f.asked(e.Published))
	}
	if err == nil || fault.Healing(err) {
		return err
	}
	_, err = f.ledger.Park(ctx, "", TopicExport+"/"+e.ID, err.Error(), e.Data, from)
	return err
}

// asked is when a request was made. Every delivery of one message has the same time.
func (f *Function) asked(published time.Time) time.Time {
	if now := f.Now(); published.IsZero() || published.After(now) {
		return now
	}
	return published
}

// Ask publishes a request, as a person makes it by hand, and returns the id of the message.
func (f *Function) Ask(ctx context.Context, q Request) (string, error) {
	if err := q.check(); err != nil {
		return "", err
	}
	if _, err := monthsOf(q, f.Config.Billing.Window, f.Now()); err != nil {
		return "", err
	}
	data, err := json.Marshal(q)
	if err != nil {
		return "", fault.Wrap(fault.Bug, err, "encode a request")
	}
	ids, err := f.Publisher.Publish(ctx, publish.Message{Topic: TopicExport, Data: data})
	if err != nil {
		return "", err
	}
	return ids[0], nil
}

func (f *Function) export(ctx context.Context, q Request, at time.Time) error {
	months, err := f.months(ctx, q)
	if err != nil {
		return err
	}
	listed := f.once(ctx)
	var errs []error
	for _, p := range months {
		if err := f.begin(ctx, p, q, at, listed); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p, err))
		}
	}
	return joined(errs)
}

// joined is all errors as one, of the kind of one that a redelivery can heal if there is one.
func joined(errs []error) error {
	for _, err := range errs {
		if fault.Healing(err) {
			return fault.Wrap(fault.Of(err), errors.Join(errs...), "export")
		}
	}
	return errors.Join(errs...)
}

// months returns the months that a request means, oldest first.
func (f *Function) months(ctx context.Context, q Request) ([]hub.Period, error) {
	l, err := monthsOf(q, f.Config.Billing.Window, f.Now())
	if err != nil {
		return nil, err
	}
	var months []hub.Period
	for _, p := range l.IfUnpublished {
		published, err := f.isPublished(ctx, p)
		if err != nil {
			return nil, err
		}
		if !published {
			months = append(months, p)
		}
	}
	return append(months, l.Always...), nil
}

// isPublished asks the bucket only if the store knows nothing.
func (f *Function) isPublished(ctx context.Context, p hub.Period) (bool, error) {
	m, err := f.readMonth(ctx, p)
	if err != nil || m.version != "" {
		return err == nil && m.Published > 0, err
	}
	_, found, err := blob.Stat(ctx, f.Bucket, revision.MonthFolder(p)+revision.CurrentFile)
	return found, err
}

// once returns a function that lists the tenants at most once, and only if it is called.
func (f *Function) once(ctx context.Context) func() ([]Tenant, error) {
	var all []Tenant
	return func() (_ []Tenant, err error) {
		if all == nil {
			all, err = f.source.Tenants(ctx)
		}
		return all, err
	}
}

// begin makes a request a run of a month, or leaves it to the run that is under way.
func (f *Function) begin(ctx context.Context, p hub.Period, q Request, at time.Time, listed func() ([]Tenant, error)) error {
	for range tries {
		m, err := f.readMonth(ctx, p)
		if err != nil {
			return err
		}
		do, reason := beginning(m, q, at)
		switch do {
		case beginJoin:
			return f.carry(ctx, m, listed)
		case beginAfter:
			err = f.remember(ctx, m, q, at)
			if err == nil {
				return nil
			}
		case beginRun:
			if err = f.start(ctx, m, q, at, reason); err == nil {
				return f.plan(ctx, m, listed)
			}
		}
		if !fault.Is(err, fault.Conflict) {
			return err
		}
	}
	return fault.New(fault.Conflict, "the run of %s changes all the time", p)
}

func (f *Function) remember(ctx context.Context, m *month, q Request, at time.Time) error {
	if m.Next != nil {
		q = m.Next.with(q)
	}
	q.Months = nil
	m.Next, m.NextRun = &q, max(m.NextRun, runName(at))
	return f.save(ctx, m, f.Now().Add(patience))
}

// start records the beginning of a run: from here on a sweep carries it on, whatever becomes of the request.
func (f *Function) start(ctx context.Context, m *month, q Request, at time.Time, reason string) error {
	m.start(q, at, reason)
	f.Log.InfoContext(ctx, "a run begins", "month", m.Month, "run", m.Run, "reason", reason)
	return f.save(ctx, m, f.Now().Add(patience))
}

// known returns all tenants of a month, ordered by id: those that are listed, and those that were asked for and are not, which are named too.
func (f *Function) known(ctx context.Context, p hub.Period, q Request, listed func() ([]Tenant, error)) (all []Tenant, named []string, err error) {
	if q.Archive {
		all, err = f.archived(ctx, p)
	} else {
		all, err = listed()
	}
	if err != nil {
		return nil, nil, err
	}
	all = slices.Clone(all)
	for i, t := range all {
		all[i] = Tenant{t.ID, short(t.Name, maxName), short(t.Status, maxName)}
	}
	for _, id := range q.Tenants {
		if !slices.ContainsFunc(all, func(t Tenant) bool { return t.ID == id }) {
			all, named = append(all, Tenant{ID: id}), append(named, id)
		}
	}
	slices.SortFunc(all, func(a, b Tenant) int { return cmp.Compare(a.ID, b.ID) })
	all = slices.CompactFunc(all, func(a, b Tenant) bool { return a.ID == b.ID })
	if len(all) > maxTenants {
		return nil, nil, fault.New(fault.Invalid, "a month has at most %d tenants, not %d", maxTenants, len(all))
	}
	return all, named, nil
}

// archived returns the tenants of whom something was fetched, and those of the newest revision, with the names that they have there.
func (f *Function) archived(ctx context.Context, p hub.Period) (all []Tenant, err error) {
	newest, err := f.newest(ctx, p)
	if err != nil {
		return nil, err
	}
	if newest != nil {
		for _, part := range newest.Parts {
			all = append(all, Tenant{ID: part.Org, Name: part.OrgName})
		}
	}
	prefix := strings.TrimSuffix(revision.RawPrefix(p, ""), "/")
	for after := ""; ; {
		page, err := f.Bucket.List(ctx, prefix, after, 1)
		if err != nil || len(page) == 0 {
			return all, err
		}
		org, _, _ := strings.Cut(strings.TrimPrefix(page[0].Name, prefix), "/")
		if !slices.ContainsFunc(all, func(t Tenant) bool { return t.ID == org }) {
			all = append(all, Tenant{ID: org})
		}
		after = revision.RawPrefix(p, org) + "~" // after all that is below the organization
	}
}

// carry takes on what the run of a month can do now.
func (f *Function) carry(ctx context.Context, m *month, listed func() ([]Tenant, error)) error {
	if m.Phase == Planning {
		return f.plan(ctx, m, listed)
	}
	return f.finish(ctx, m.period())
}

// plan notes who the tenants are, records the parts of a run and announces them. It may be repeated, and done by several at once.
func (f *Function) plan(ctx context.Context, m *month, listed func() ([]Tenant, error)) error {
	if !m.Listed {
		known, named, err := f.known(ctx, m.period(), m.asks(), listed)
		if err != nil {
			return err
		}
		m.Known, m.Named, m.Listed, m.Error = known, named, true, ""
		if err := f.save(ctx, m, f.Now().Add(patience)); err != nil {
			return err
		}
	}
	open, err := f.lay(ctx, m)
	if err != nil {
		return err
	}
	if err := f.announceParts(ctx, open); err != nil {
		return err
	}
	m.Phase = Working
	if err := f.save(ctx, m, f.Now().Add(patience)); err != nil && !fault.Is(err, fault.Conflict) {
		return err
	}
	return f.finish(ctx, m.period())
}

// perCommit are the parts that are written at once.
const perCommit = store.MaxWrites - 1

// lay makes the parts of a run durable, and returns those that are open.
func (f *Function) lay(ctx context.Context, m *month) (open []*part, err error) {
	have := map[string]*part{}
	for _, state := range []string{doneParts(m.Month), openParts(m.Month)} {
		there, err := f.parts(ctx, state)
		if err != nil {
			return nil, err
		}
		for _, p := range there {
			have[p.Tenant.ID] = p
		}
	}
	writes, open, err := m.lay(have)
	if err != nil {
		return nil, err
	}
	for chunk := range slices.Chunk(writes, perCommit) {
		if _, err := f.DB.Commit(ctx, chunk...); err != nil {
			return nil, err
		}
	}
	return open, nil
}

// lay returns what must be written so that the parts in the store are those of the run. fault.Conflict: a later run has laid its own.
func (m *month) lay(have map[string]*part) (writes []store.Write, open []*part, err error) {
	for _, p := range have {
		if p.Run > m.Run {
			return nil, nil, fault.New(fault.Conflict, "run %s of %s is over", m.Run, m.Month)
		}
	}
	for _, t := range m.work() {
		p := have[t.ID]
		delete(have, t.ID)
		if p == nil || p.Run != m.Run {
			fresh := &part{V: 1, Month: m.Month, Run: m.Run, Tenant: t, Begun: m.Begun, Archive: m.asks().Archive}
			if p != nil {
				fresh.version = p.version
			}
			w, err := fresh.write()
			if err != nil {
				return nil, nil, err
			}
			p, writes = fresh, append(writes, w)
		}
		if !p.Done {
			open = append(open, p)
		}
	}
	for _, p := range have { // of another run, and nobody's any more
		if !p.Done {
			writes = append(writes, store.Delete(p.key(), p.version))
		}
	}
	return writes, open, nil
}

// perPublish are the messages that are published at once.
const perPublish = 100

func (f *Function) announceParts(ctx context.Context, open []*part) error {
	for chunk := range slices.Chunk(open, perPublish) {
		msgs := make([]publish.Message, len(chunk))
		for i, p := range chunk {
			data, err := json.Marshal(task{Month: p.Month, Org: p.Tenant.ID, Run: p.Run})
			if err != nil {
				return fault.Wrap(fault.Bug, err, "encode a task")
			}
			msgs[i] = publish.Message{Topic: TopicTenant, Data: data}
		}
		if _, err := f.Publisher.Publish(ctx, msgs...); err != nil {
			return err
		}
	}
	return nil
}
