package google

import (
	"errors"
	"maps"
	"slices"
	"time"
)

// journalFile is where the state is kept, in the folder of the options.
const journalFile = "google.jsonl"

// The records are what the server keeps and writes to its journal.

// serviceRecord is a service in a project that was touched.
type serviceRecord struct {
	Project string    `json:"project"` // number
	Name    string    `json:"name"`
	Enabled bool      `json:"enabled,omitempty"`
	Used    time.Time `json:"used,omitzero"`
}

// operationRecord is a long-running operation of Service Usage.
type operationRecord struct {
	Name     string    `json:"name"`
	Project  string    `json:"project"` // number
	Answer   string    `json:"answer"`  // the message that it ends with
	Services []string  `json:"services"`
	Also     []string  `json:"also,omitempty"` // services that change with them
	Enable   bool      `json:"enable,omitempty"`
	Polls    int       `json:"polls,omitempty"` // that still find it unfinished
	Due      time.Time `json:"due"`
	Done     bool      `json:"done,omitempty"`
	Failed   bool      `json:"failed,omitempty"`
}

// policyRecord is the policy of a resource. Its etag is made of the serial.
type policyRecord struct {
	Resource string        `json:"resource"`
	Serial   uint64        `json:"serial,omitempty"`
	Bindings []Binding     `json:"bindings,omitempty"`
	Audit    []auditConfig `json:"audit,omitempty"`
}

type contactRecord struct {
	Parent     string    `json:"parent"`
	ID         int       `json:"id"`
	Email      string    `json:"email"`
	Language   string    `json:"language"`
	Categories []string  `json:"categories"`
	Validated  time.Time `json:"validated"`
	Tests      int       `json:"tests,omitempty"` // test messages sent
	Deleted    bool      `json:"deleted,omitempty"`
}

// change is what one request does to the state: records to insert or replace, all together or not at all. It is also a line of the journal.
type change struct {
	Serial     uint64            `json:"serial,omitempty"` // the last number that an id was made of
	Services   []serviceRecord   `json:"services,omitempty"`
	Operations []operationRecord `json:"operations,omitempty"`
	Policies   []policyRecord    `json:"policies,omitempty"`
	Contacts   []contactRecord   `json:"contacts,omitempty"`
}

func (c change) empty() bool {
	return len(c.Services)+len(c.Operations)+len(c.Policies)+len(c.Contacts) == 0
}

type serviceKey struct{ project, name string }

// state is everything that requests read and change. Contacts stay where they are, deleted or not: an id is never given twice.
type state struct {
	serial     uint64
	services   map[serviceKey]serviceRecord
	operations map[string]operationRecord
	policies   map[string]policyRecord
	contacts   map[string][]contactRecord // by parent; the index is the id
}

func newState() *state {
	return &state{
		services: map[serviceKey]serviceRecord{}, operations: map[string]operationRecord{},
		policies: map[string]policyRecord{}, contacts: map[string][]contactRecord{},
	}
}

// Replay does a change of the journal again. It refuses one that the state cannot be at: somebody edited the journal.
func (s *state) Replay(c change) error {
	if !s.fits(c) {
		return errors.New("a contact out of its order")
	}
	s.apply(c)
	return nil
}

func (s *state) apply(c change) {
	s.serial = max(s.serial, c.Serial)
	for _, r := range c.Services {
		s.services[serviceKey{r.Project, r.Name}] = r
	}
	for _, r := range c.Operations {
		s.operations[r.Name] = r
	}
	for _, r := range c.Policies {
		s.policies[r.Resource] = r
	}
	for _, r := range c.Contacts {
		if r.ID == len(s.contacts[r.Parent]) {
			s.contacts[r.Parent] = append(s.contacts[r.Parent], r)
		} else {
			s.contacts[r.Parent][r.ID] = r
		}
	}
}

// fits says whether the ids of contacts go on where the state ends.
func (s *state) fits(c change) bool {
	next := map[string]int{}
	for _, r := range c.Contacts {
		n := max(next[r.Parent], len(s.contacts[r.Parent]))
		if r.ID < 0 || r.ID > n {
			return false
		}
		next[r.Parent] = max(n, r.ID+1)
	}
	return true
}

// Changes returns what rebuilds the state, in lines that do not grow with it.
func (s *state) Changes() []change {
	all := []change{{Serial: s.serial, Services: slices.Collect(maps.Values(s.services)), Operations: slices.Collect(maps.Values(s.operations))}}
	for _, r := range s.policies {
		all = append(all, change{Policies: []policyRecord{r}})
	}
	for _, list := range s.contacts {
		all = append(all, change{Contacts: list})
	}
	return all
}

func (tx *tx) putService(r serviceRecord) { tx.change.Services = append(tx.change.Services, r) }

func (tx *tx) putOperation(r operationRecord) { tx.change.Operations = append(tx.change.Operations, r) }

func (tx *tx) putPolicy(r policyRecord) { tx.change.Policies = append(tx.change.Policies, r) }

func (tx *tx) putContact(r contactRecord) { tx.change.Contacts = append(tx.change.Contacts, r) }

// timestamp writes a time as Google does: UTC with microseconds.
func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}
