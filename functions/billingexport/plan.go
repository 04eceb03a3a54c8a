package billingexport

import (
	"context"

	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// Plan is what a request would do. Nothing of it is done.
type Plan struct {
	Months    []MonthPlan `json:"months"`
	Requests  int         `json:"requests"`  // to the hub, if nothing is in doubt
	Objects   int         `json:"objects"`   // that would be written at most
	Unchanged int         `json:"unchanged"` // that would be written if the hub says what it said the last time
}

// MonthPlan is what it would do with a month.
type MonthPlan struct {
	Month      string         `json:"month"`
	Do         string         `json:"do"` // "run", "join" or "after"
	Reason     string         `json:"reason"`
	Past       string         `json:"past,omitempty"` // the last run that is no answer to the request: the end of a later one is
	State      revision.State `json:"state"`          // of the revision at best: the month may not be closed
	Archive    bool           `json:"archive"`
	Tenants    []Tenant       `json:"tenants"`              // whose parts it would make
	Kept       int            `json:"kept"`                 // tenants that it would leave as they are
	Newest     int            `json:"newest"`               // revision, 0: none
	Current    int            `json:"current"`              // revision that current.json names, 0: none
	Next       string         `json:"next"`                 // folder of the revision that it would make if anything has changed
	Requests   []RequestPlan  `json:"requests,omitempty"`   // to the hub, for each tenant
	Partitions []string       `json:"partitions,omitempty"` // of the warehouse that it would replace if anything has changed
}

// RequestPlan is a request to the hub.
type RequestPlan struct {
	Kind  revision.Kind `json:"kind"`
	Times int           `json:"times"`
}

// asks are the requests about one tenant if nothing is in doubt: the report is asked for before and after the file.
var asks = []RequestPlan{{revision.UsageReport, 2}, {revision.UsageFile, 1}, {revision.Subscriptions, 1}}

// Plan says what a request would do now. It asks the hub for the tenants and nothing else.
func (f *Function) Plan(ctx context.Context, q Request) (Plan, error) {
	if err := q.check(); err != nil {
		return Plan{}, err
	}
	months, err := f.months(ctx, q)
	if err != nil {
		return Plan{}, err
	}
	var plan Plan
	listed := f.once(ctx)
	for _, p := range months {
		m, err := f.planMonth(ctx, p, q, listed)
		if err != nil {
			return Plan{}, err
		}
		plan.add(m, len(f.Config.Billing.Lenses))
	}
	return plan, nil
}

// add counts what a month would cost.
func (p *Plan) add(m MonthPlan, lenses int) {
	p.Months = append(p.Months, m)
	if m.Do != string(beginRun) {
		return
	}
	for _, r := range m.Requests {
		p.Requests += r.Times * len(m.Tenants)
	}
	raw, files := len(asks)+1, lenses*len(formats)+3 // a document each; bill, quarantine and document
	if m.Archive {
		raw = 0
	} else {
		p.Unchanged += len(m.Tenants) // what was fetched is noted
	}
	p.Objects += len(m.Tenants)*(raw+files+lenses) + lenses*(len(formats)+1) + 3
}

func (f *Function) planMonth(ctx context.Context, p hub.Period, q Request, listed func() ([]Tenant, error)) (MonthPlan, error) {
	plan := MonthPlan{Month: p.String(), State: revision.Published}
	m, err := f.readMonth(ctx, p)
	if err != nil {
		return plan, err
	}
	do, reason := beginning(m, q, f.Now())
	q.Archive = q.Archive || old(p, f.Now())
	plan.Do, plan.Reason, plan.Past, plan.Archive = string(do), reason, m.past(do), q.Archive
	known, _, err := f.known(ctx, p, q, listed)
	if err != nil {
		return plan, err
	}
	as := month{Request: q, Known: known}
	plan.Tenants = as.work()
	plan.Kept = len(known) - len(plan.Tenants)
	if f.Now().Before(f.Config.Billing.ClosedAt(p.Start())) {
		plan.State = revision.Preliminary
	}
	if !q.Archive {
		plan.Requests = asks
	}
	return plan, f.planRevision(ctx, p, &plan)
}

// planRevision notes what the revision would be.
func (f *Function) planRevision(ctx context.Context, p hub.Period, plan *MonthPlan) error {
	newest, err := f.newest(ctx, p)
	if err != nil {
		return err
	}
	if newest != nil {
		plan.Newest = newest.Revision
	}
	c, _, err := f.current(ctx, p)
	if err != nil {
		return err
	}
	plan.Current = c.Revision
	next, err := f.free(ctx, p)
	plan.Next = revision.Folder(p, next)
	if b := f.Config.Billing.BigQuery; b != nil {
		for _, l := range f.Config.Billing.Lenses {
			plan.Partitions = append(plan.Partitions, b.Project+"."+b.Dataset+".focus_"+l+"_current$"+p.Start().Format("200601"))
		}
	}
	return err
}
