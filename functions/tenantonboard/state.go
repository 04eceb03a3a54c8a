package tenantonboard

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
)

// tenantsIn is the collection of onboardings.
const tenantsIn = "tenants"

// Status says how far a tenant is.
type Status string

// A tenant goes through these in their order; what nobody asked for is passed over.
const (
	Fresh          Status = "NEW"
	TenantCreated  Status = "TENANT_CREATED"
	UsersAdded     Status = "USERS_ADDED"
	GoogleAPIs     Status = "GCP_APIS"
	GoogleIAM      Status = "GCP_IAM"
	GoogleContacts Status = "GCP_CONTACTS"
	SupportEvents  Status = "SUPPORT_EVENTS"
	SupportTested  Status = "SUPPORT_TEST_CLOSED"
	Checked        Status = "CHECKED"
	Invited        Status = "INVITED" // all is set up; somebody has not accepted yet
	Ready          Status = "READY"

	AwaitingToken Status = "AWAITING_TENANT_TOKEN" // a person makes an API token; Waiting says which
	Failed        Status = "FAILED"                // Waiting says why; retry goes on
	Undone        Status = "UNDONE"                // what the run made is taken back
	Offboarded    Status = "OFFBOARDED"
)

// resting are the statuses in which nothing is carried on by itself.
func (s Status) resting() bool {
	return slices.Contains([]Status{Invited, Ready, Failed, Undone, Offboarded}, s)
}

// Mode is what a run does.
type Mode string

// The modes.
const (
	Onboarding  Mode = "onboarding"
	Undoing     Mode = "undoing"
	Offboarding Mode = "offboarding"
)

// onboarding is what is known of a tenant, as it is stored.
type onboarding struct {
	V         int       `json:"v"`
	Wanted    Tenant    `json:"wanted"`
	Plan      Plan      `json:"plan"` // as it was accepted
	By        string    `json:"by"`   // who applied it
	Run       int       `json:"run"`
	Mode      Mode      `json:"mode"`
	Status    Status    `json:"status"`
	Failed    Stage     `json:"failed,omitempty"`  // the stage that failed
	Waiting   string    `json:"waiting,omitempty"` // what a person should do, a sentence
	Begun     time.Time `json:"begun"`
	Changed   time.Time `json:"changed"`
	Work      []work    `json:"work,omitempty"` // of this run, in the order in which it was begun
	Org       string    `json:"org,omitempty"`  // id of the organization
	Tested    bool      `json:"tested,omitempty"`
	Following []invitee `json:"following,omitempty"` // see invitations.go
	Links     int       `json:"links"`               // of the audit trail
	LastLink  string    `json:"lastLink,omitempty"`  // its hash

	At     Stage `json:"at,omitempty"`     // the stage that is under way; those before it have ended in this run
	UndoAt int   `json:"undoAt,omitempty"` // Work from here on takes back what is before it

	lines   []string
	version store.Version // "" before the first write
}

// work is one step that was begun.
type work struct {
	Step   Step         `json:"step"`
	Effect string       `json:"effect"` // id of its record in the ledger
	State  ledger.State `json:"state"`  // as last seen
	Result Result       `json:"result,omitzero"`
	Error  string       `json:"error,omitempty"`
}

// open reports whether the work has not ended.
func (w work) open() bool {
	return w.State != ledger.Succeeded && w.State != ledger.Failed && w.State != ledger.Parked && w.State != ledger.Compensated
}

// refused returns whom the remote refused in this run, and why.
func (s *onboarding) refused() map[string]string {
	all := map[string]string{}
	for _, w := range s.Work {
		for subject, why := range w.Result.Refused {
			all[subject] = why
		}
	}
	return all
}

// some names the first few of those who were refused.
func some(refused map[string]string) string {
	all := slices.Sorted(maps.Keys(refused))
	if len(all) > 3 {
		all = append(all[:3], "…")
	}
	return strings.Join(all, ", ")
}

// refusing is the first stage in which somebody or something was refused.
func (s *onboarding) refusing() Stage {
	for _, w := range s.Work {
		if len(w.Result.Refused) > 0 {
			return w.Step.Stage
		}
	}
	return ""
}

// times is how often a step was begun in this run.
func (s *onboarding) times(id string) (n int) {
	for _, w := range s.Work {
		if w.Step.ID == id {
			n++
		}
	}
	return n
}

// note says something for the audit trail with the next write.
func (s *onboarding) note(line string) { s.lines = append(s.lines, line) }

// patience is how long a turn may take before a sweep takes the tenant on; awaited is how often a missing token is tried again.
const (
	patience = 2 * time.Minute
	awaited  = 15 * time.Minute
	keptRuns = 400 * 24 * time.Hour // an offboarded tenant is remembered
)

// read returns what is known of a tenant, or an error of kind fault.Missing.
func (f *Function) read(ctx context.Context, tenant string) (*onboarding, error) {
	d, err := f.DB.Get(ctx, store.Key{Collection: tenantsIn, ID: tenant})
	if err != nil {
		return nil, err
	}
	return decodeOnboarding(d)
}

func decodeOnboarding(d store.Doc) (*onboarding, error) {
	s := &onboarding{}
	if err := json.Unmarshal(d.Data, s); err != nil {
		return nil, fault.Wrap(fault.Bug, err, "decode "+d.Key.String())
	}
	s.version = d.Version
	return s, nil
}

// writes returns the writes that store s over what was read, with its link of the audit trail.
func (s *onboarding) writes(now time.Time) ([]store.Write, error) {
	s.Changed = now
	link, err := s.link(now)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(s)
	if err != nil {
		return nil, fault.Wrap(fault.Bug, err, "encode tenant "+s.Wanted.Key)
	}
	d := store.Doc{Key: store.Key{Collection: tenantsIn, ID: s.Wanted.Key}, Data: data, State: string(s.Status), Due: s.due(now)}
	if s.Status == Offboarded {
		d.Expire = now.Add(keptRuns)
	}
	w := store.Create(d)
	if s.version != "" {
		w = store.Replace(d, s.version)
	}
	return append([]store.Write{w}, link...), nil
}

// due returns when a sweep should look at the tenant.
func (s *onboarding) due(now time.Time) time.Time {
	switch {
	case s.Status == AwaitingToken:
		return now.Add(awaited)
	case s.Status.resting():
		return time.Time{}
	}
	return now.Add(patience)
}
