package records

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/providerdesk/providerdesk/shared/ledger"
)

// Status is a ledger in numbers.
type Status struct {
	Records       int                             `json:"records"`
	Kinds         map[string]map[ledger.State]int `json:"kinds"`            // how many records of a kind are in a state
	Oldest        *Brief                          `json:"oldest,omitempty"` // of what is not finished and could be
	OldestSeconds int64                           `json:"oldestSeconds"`    // its age; 0 when everything is finished
	Parked        []Brief                         `json:"parked"`           // wait for a person, oldest first
	Approvals     []Brief                         `json:"approvals"`        // wait for somebody to approve them
	Duplicates    int                             `json:"duplicates"`       // objects at remotes that were made beside the one that is kept
	Twins         []Brief                         `json:"twins"`            // records that have such, of the last day
}

// Brief is a record in one line.
type Brief struct {
	ID      string       `json:"id"`
	Kind    string       `json:"kind"`
	State   ledger.State `json:"state"`
	Tenant  string       `json:"tenant,omitempty"`
	Created time.Time    `json:"created"`
	Reason  string       `json:"reason,omitempty"`
}

// lately is for how long somebody must be told of what was made twice. It is undone by itself as far as that can be; somebody must see that it was.
const lately = 24 * time.Hour

// NeedsPerson reports whether anything goes no further without somebody, or must be seen by somebody.
func (s Status) NeedsPerson() bool { return len(s.Parked)+len(s.Approvals)+len(s.Twins) > 0 }

// unfinished are the states of what is still to come, or waits for a person.
var unfinished = []ledger.State{ledger.Pending, ledger.Calling, ledger.Unknown, ledger.Parked}

// ReadStatus reads every record, or only those that are not finished, which are few: then nothing is known of duplicates.
func ReadStatus(ctx context.Context, b Book, now time.Time, onlyUnfinished bool) (Status, error) {
	s := Status{Kinds: map[string]map[ledger.State]int{}, Parked: []Brief{}, Approvals: []Brief{}, Twins: []Brief{}}
	states := []ledger.State{""}
	if onlyUnfinished {
		states = unfinished
	}
	for _, state := range states {
		if err := s.read(ctx, b, state, now); err != nil {
			return s, err
		}
	}
	if s.Oldest != nil {
		s.OldestSeconds = max(0, int64(now.Sub(s.Oldest.Created)/time.Second))
	}
	for _, list := range [][]Brief{s.Parked, s.Approvals, s.Twins} {
		slices.SortFunc(list, func(a, b Brief) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) })
	}
	return s, nil
}

func (s *Status) read(ctx context.Context, b Book, state ledger.State, now time.Time) error {
	for after := ""; ; {
		page, err := b.List(ctx, state, after, pageSize)
		if err != nil {
			return err
		}
		for _, r := range page {
			s.add(r, now)
		}
		if len(page) < pageSize {
			return nil
		}
		after = page[len(page)-1].ID
	}
}

func (s *Status) add(r ledger.Record, now time.Time) {
	s.Records++
	if s.Kinds[r.Kind] == nil {
		s.Kinds[r.Kind] = map[ledger.State]int{}
	}
	s.Kinds[r.Kind][r.State]++
	one := Brief{ID: r.ID, Kind: r.Kind, State: r.State, Tenant: r.Tenant, Created: r.Created, Reason: cmp.Or(r.LastError, r.Reason)}
	switch {
	case r.State == ledger.Parked:
		s.Parked = append(s.Parked, one)
	case r.AwaitsApproval():
		s.Approvals = append(s.Approvals, one)
	case !r.State.Terminal() && !r.Earliest.After(now) && (s.Oldest == nil || r.Created.Before(s.Oldest.Created)):
		s.Oldest = &one
	}
	if s.Duplicates += len(r.Duplicates); len(r.Duplicates) > 0 && now.Sub(r.Updated) < lately {
		s.Twins = append(s.Twins, one)
	}
}
