package billingexport

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
	"time"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Collections of the store.
const (
	monthsIn = "exports"
	partsIn  = "exportparts"
)

// Phase is how far the run of a month is.
type Phase string

// A run goes through these in their order.
const (
	Planning  Phase = "planning"  // its parts are being recorded and announced
	Working   Phase = "working"   // its parts are being made
	Finishing Phase = "finishing" // there is no open part: the revision is decided, then written
	Resting   Phase = "resting"   // nothing is under way
)

// month is the run of a month that is under way, or was the last, as it is stored.
type month struct {
	V         int       `json:"v"`
	Month     string    `json:"month"`
	Phase     Phase     `json:"phase"`
	Run       string    `json:"run"`   // its beginning, as a name; later runs have later names
	Begun     time.Time `json:"begun"` // data as of
	Request   Request   `json:"request"`
	Reason    string    `json:"reason"`          // why it was begun
	Listed    bool      `json:"listed"`          // Known is what it will be
	Known     []Tenant  `json:"known"`           // all tenants, ordered by id
	Named     []string  `json:"named,omitempty"` // those of them that only the request names
	Next      *Request  `json:"next,omitempty"`  // asked for meanwhile, and not covered
	NextRun   string    `json:"nextRun,omitempty"`
	Lease     time.Time `json:"lease,omitzero"`   // somebody finishes it until then
	Holder    string    `json:"holder,omitempty"` // who that is, known to nobody else: leases of the same time are not the same lease
	Error     string    `json:"error,omitempty"`  // why it does not go on
	Plan      *decision `json:"plan,omitempty"`   // of Finishing, once decided
	Ended     *Ended    `json:"ended,omitempty"`  // the last run that ended
	Published int       `json:"published"`        // the newest published revision, 0 if there is none

	version store.Version // "" before the first write
}

// decision is which revision a run becomes. It is stored before the first object of the revision is written.
type decision struct {
	New      bool   `json:"new"`
	Revision int    `json:"revision"` // its number; if it is not new, that of the newest
	Newest   int    `json:"newest"`   // the revision it is compared with, 0: none
	Since    int    `json:"since"`    // the published one before it, 0: none
	Reason   string `json:"reason"`
	Before   []past `json:"before,omitempty"` // published revisions of the months before, oldest first, as the reports compare with them
}

// past is a published revision of another month.
type past struct {
	Month    string `json:"month"`
	Revision int    `json:"revision"`
}

// Ended is how a run ended.
type Ended struct {
	Run      string         `json:"run"`
	At       time.Time      `json:"at"`
	New      bool           `json:"new"`
	Revision int            `json:"revision"` // the newest one
	State    revision.State `json:"state"`
	Reason   string         `json:"reason"`
}

// period is the month as a period.
func (m *month) period() hub.Period {
	p, _ := hub.ParsePeriod(m.Month) // it was checked before it was stored
	return p
}

// asks is the request as it is carried out: what the hub does not report any more comes from the archive, whether that was asked for or not.
func (m *month) asks() Request {
	q := m.Request
	q.Archive = q.Archive || m.old()
	return q
}

// asked reports whether the run makes a tenant's part.
func (m *month) asked(org string) bool {
	return len(m.Request.Tenants) == 0 || slices.Contains(m.Request.Tenants, org)
}

// work returns the tenants whose parts the run makes.
func (m *month) work() []Tenant {
	return slices.DeleteFunc(slices.Clone(m.Known), func(t Tenant) bool { return !m.asked(t.ID) })
}

func monthKey(p hub.Period) store.Key { return store.Key{Collection: monthsIn, ID: p.String()} }

// readMonth returns what is known of a month. One that was never exported rests, and is not stored yet.
func (f *Function) readMonth(ctx context.Context, p hub.Period) (*month, error) {
	d, err := f.DB.Get(ctx, monthKey(p))
	if fault.Is(err, fault.Missing) {
		return &month{V: 1, Month: p.String(), Phase: Resting}, nil
	}
	if err != nil {
		return nil, err
	}
	return decodeMonth(d)
}

func decodeMonth(d store.Doc) (*month, error) {
	m := &month{}
	if err := json.Unmarshal(d.Data, m); err != nil {
		return nil, fault.Wrap(fault.Bug, err, "decode "+d.Key.String())
	}
	m.version = d.Version
	return m, nil
}

// write returns the write that stores m over what was read, to be looked at by a sweep at due.
func (m *month) write(due time.Time) (store.Write, error) {
	data, err := json.Marshal(m)
	if err != nil {
		return store.Write{}, fault.Wrap(fault.Bug, err, "encode month "+m.Month)
	}
	if m.Phase == Resting && m.Next == nil {
		due = time.Time{}
	}
	d := store.Doc{Key: monthKey(m.period()), Data: data, State: string(m.Phase), Due: due}
	if m.version == "" {
		return store.Create(d), nil
	}
	return store.Replace(d, m.version), nil
}

// save stores m over what was read; fault.Conflict if somebody else has changed it meanwhile.
func (f *Function) save(ctx context.Context, m *month, due time.Time) error {
	w, err := m.write(due)
	if err != nil {
		return err
	}
	vs, err := f.DB.Commit(ctx, w)
	if err == nil {
		m.version = vs[0]
	}
	return err
}

// part is a tenant's part of a run, as it is stored.
type part struct {
	V         int           `json:"v"`
	Month     string        `json:"month"`
	Run       string        `json:"run"`
	Tenant    Tenant        `json:"tenant"`
	Begun     time.Time     `json:"begun"`
	Archive   bool          `json:"archive,omitempty"`
	Done      bool          `json:"done"`
	Lease     time.Time     `json:"lease,omitzero"`     // somebody makes it until then
	Attempts  int           `json:"attempts,omitempty"` // that were begun
	Tried     time.Time     `json:"tried,omitzero"`     // the first time
	NotBefore time.Time     `json:"notBefore,omitzero"`
	Error     string        `json:"error,omitempty"` // of the last attempt that failed
	Digest    string        `json:"digest,omitempty"`
	Verdict   *bill.Verdict `json:"verdict,omitempty"` // why nothing could be made

	version store.Version
}

func partKey(month, org string) store.Key {
	return store.Key{Collection: partsIn, ID: month + "-" + org}
}

func openParts(month string) string { return "open:" + month }
func doneParts(month string) string { return "done:" + month }

func (p *part) key() store.Key { return partKey(p.Month, p.Tenant.ID) }

func (p *part) period() hub.Period {
	m, _ := hub.ParsePeriod(p.Month)
	return m
}

func (f *Function) readPart(ctx context.Context, month, org string) (*part, error) {
	d, err := f.DB.Get(ctx, partKey(month, org))
	if err != nil {
		return nil, err
	}
	return decodePart(d)
}

func decodePart(d store.Doc) (*part, error) {
	p := &part{}
	if err := json.Unmarshal(d.Data, p); err != nil {
		return nil, fault.Wrap(fault.Bug, err, "decode "+d.Key.String())
	}
	p.version = d.Version
	return p, nil
}

// keptParts is how long a part that is done is remembered: until long after the next run has replaced it.
const keptParts = 400 * 24 * time.Hour

func (p *part) write() (store.Write, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return store.Write{}, fault.Wrap(fault.Bug, err, "encode "+p.key().String())
	}
	d := store.Doc{Key: p.key(), Data: data, State: openParts(p.Month)}
	if p.Done {
		d.State, d.Expire = doneParts(p.Month), p.Begun.Add(keptParts)
	}
	if p.version == "" {
		return store.Create(d), nil
	}
	return store.Replace(d, p.version), nil
}

func (f *Function) savePart(ctx context.Context, p *part) error {
	w, err := p.write()
	if err != nil {
		return err
	}
	vs, err := f.DB.Commit(ctx, w)
	if err == nil {
		p.version = vs[0]
	}
	return err
}

// parts returns the parts of a month in a state, in the order of their organizations.
func (f *Function) parts(ctx context.Context, state string) (all []*part, err error) {
	for d, err := range f.docs(ctx, store.Query{Collection: partsIn, State: state}) {
		if err != nil {
			return nil, err
		}
		p, err := decodePart(d)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// docs is everything that a query finds, read page by page. It ends after its first error.
func (f *Function) docs(ctx context.Context, q store.Query) iter.Seq2[store.Doc, error] {
	q.Limit = store.MaxQuery
	return func(yield func(store.Doc, error) bool) {
		for {
			docs, err := f.DB.Query(ctx, q)
			if err != nil {
				yield(store.Doc{}, err)
				return
			}
			for _, d := range docs {
				if !yield(d, nil) {
					return
				}
			}
			if len(docs) < q.Limit {
				return
			}
			q.AfterID = docs[len(docs)-1].ID
		}
	}
}

// hasOpen reports whether a part is still to be made.
func (f *Function) hasOpen(ctx context.Context, month string) (bool, error) {
	docs, err := f.DB.Query(ctx, store.Query{Collection: partsIn, State: openParts(month), Limit: 1})
	return len(docs) > 0, err
}
