package billingexport

import (
	"context"
	"time"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Status is how a month stands.
type Status struct {
	Month     string       `json:"month"`
	Phase     Phase        `json:"phase"`
	Run       string       `json:"run,omitempty"`
	Begun     time.Time    `json:"begun,omitzero"`
	Reason    string       `json:"reason,omitempty"`
	Tenants   int          `json:"tenants"` // of the run
	Done      int          `json:"done"`    // of those
	Published int          `json:"published"`
	Next      *Request     `json:"next,omitempty"` // asked for, to be run after this one
	Ended     *Ended       `json:"ended,omitempty"`
	Error     string       `json:"error,omitempty"` // why it does not go on
	Open      []PartStatus `json:"open,omitempty"`
}

// PartStatus is how a part stands that is not made yet.
type PartStatus struct {
	Tenant
	Attempts int       `json:"attempts"`
	Since    time.Time `json:"since,omitzero"`
	Next     time.Time `json:"next,omitzero"`
	Error    string    `json:"error,omitempty"`
}

// Status returns how a month stands; fault.Missing if it was never asked for.
func (f *Function) Status(ctx context.Context, p hub.Period) (Status, error) {
	m, err := f.readMonth(ctx, p)
	if err != nil {
		return Status{}, err
	}
	if m.version == "" {
		return Status{}, fault.New(fault.Missing, "%s was never exported", p)
	}
	s := m.status()
	if m.Phase != Working && m.Phase != Planning {
		s.Done = s.Tenants
		return s, nil
	}
	done, err := f.parts(ctx, doneParts(m.Month))
	if err != nil {
		return s, err
	}
	for _, d := range done {
		if d.Run == m.Run {
			s.Done++
		}
	}
	open, err := f.parts(ctx, openParts(m.Month))
	for _, o := range open {
		s.Open = append(s.Open, PartStatus{Tenant: o.Tenant, Attempts: o.Attempts, Since: o.Tried, Next: o.NotBefore, Error: o.Error})
	}
	return s, err
}

func (m *month) status() Status {
	return Status{Month: m.Month, Phase: m.Phase, Run: m.Run, Begun: m.Begun, Reason: m.Reason, Tenants: len(m.work()), Published: m.Published, Next: m.Next,
		Ended: m.Ended, Error: m.Error}
}

// List returns all months that were ever asked for, oldest first, without their parts.
func (f *Function) List(ctx context.Context) (all []Status, err error) {
	for d, err := range f.docs(ctx, store.Query{Collection: monthsIn}) {
		if err != nil {
			return nil, err
		}
		m, err := decodeMonth(d)
		if err != nil {
			return nil, err
		}
		s := m.status()
		if m.Phase == Resting || m.Phase == Finishing {
			s.Done = s.Tenants
		}
		all = append(all, s)
	}
	return all, nil
}

// Shown is a revision as a person looks at it.
type Shown struct {
	Manifest revision.Manifest `json:"manifest"`
	Name     string            `json:"name"`
	SHA256   string            `json:"sha256"`
	Current  int               `json:"current"` // the revision that current.json names, 0: none
	Totals   []revision.Total  `json:"totals"`
	Delta    []revision.Total  `json:"delta,omitempty"`
	Grave    []Finding         `json:"grave,omitempty"`
}

// Finding is a verdict on a tenant.
type Finding struct {
	Tenant
	bill.Verdict
}

// Show returns a revision, the newest for 0.
func (f *Function) Show(ctx context.Context, p hub.Period, rev int) (Shown, error) {
	c, err := f.find(ctx, p, rev)
	if err != nil {
		return Shown{}, err
	}
	current, _, err := f.current(ctx, p)
	if err != nil {
		return Shown{}, err
	}
	s := Shown{Manifest: c.manifest, Name: c.name, SHA256: c.sha256, Current: current.Revision, Totals: revision.Totals(c.manifest.Parts),
		Delta: revision.Totals([]revision.Part{{Files: c.manifest.Delta}})}
	for _, part := range c.manifest.Parts {
		for _, v := range part.Verdicts {
			if v.Grave {
				s.Grave = append(s.Grave, Finding{Tenant{ID: part.Org, Name: part.OrgName}, v})
			}
		}
	}
	return s, nil
}

// find returns a revision that must be there, the newest for 0.
func (f *Function) find(ctx context.Context, p hub.Period, rev int) (committed, error) {
	if rev == 0 {
		newest, err := f.newest(ctx, p)
		if err != nil {
			return committed{}, err
		}
		if newest == nil {
			return committed{}, fault.New(fault.Missing, "%s has no revision", p)
		}
		rev = newest.Revision
	}
	c, found, err := f.committed(ctx, p, rev)
	if err == nil && !found {
		err = fault.New(fault.Missing, "%s has no revision %d", p, rev)
	}
	return c, err
}
