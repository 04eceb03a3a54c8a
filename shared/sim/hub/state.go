package hub

import (
	"slices"
	"strings"
	"time"
)

// Where the state is kept, in the folder of the options.
const (
	journalFile = "hub.jsonl"
	blobFolder  = "hub-files"
)

// change is what one request did: whole records, each new or in the place of the one with the same key.
type change struct {
	Serial      uint64        `json:"serial,omitempty"`
	Orgs        []orgRecord   `json:"orgs,omitempty"`
	Members     []member      `json:"members,omitempty"`
	Invitations []invitation  `json:"invitations,omitempty"`
	Tokens      []tokenRecord `json:"tokens,omitempty"`
	Tickets     []ticket      `json:"tickets,omitempty"`
	Files       []fileRecord  `json:"files,omitempty"`
	Restated    []restatement `json:"restated,omitempty"`
	Clock       *int64        `json:"clock,omitempty"` // how far the clock is moved, in nanoseconds
}

func (c change) empty() bool {
	return len(c.Orgs)+len(c.Members)+len(c.Invitations)+len(c.Tokens)+len(c.Tickets)+len(c.Files)+len(c.Restated) == 0 && c.Clock == nil
}

// state is everything the hub knows, built up by changes alone: live ones and those read back from the journal.
type state struct {
	serial      uint64
	orgs        table[orgRecord]
	members     table[member]
	invitations table[invitation]
	tokens      table[tokenRecord]
	tickets     table[ticket]
	files       map[string]fileRecord
	restated    map[string]restatement
	clock       time.Duration
}

// record has a key of its own.
type record interface{ key() string }

// table keeps records in the order of their creation.
type table[T record] struct {
	list []T
	at   map[string]int
}

func (t *table[T]) put(v T) {
	if i, ok := t.at[v.key()]; ok {
		t.list[i] = v
		return
	}
	if t.at == nil {
		t.at = map[string]int{}
	}
	t.at[v.key()] = len(t.list)
	t.list = append(t.list, v)
}

func (t *table[T]) get(key string) (v T, ok bool) {
	i, ok := t.at[key]
	if ok {
		v = t.list[i]
	}
	return v, ok
}

// where returns the records that fit, oldest first.
func (t *table[T]) where(fits func(T) bool) []T {
	var found []T
	for _, v := range t.list {
		if fits(v) {
			found = append(found, v)
		}
	}
	return found
}

func newState() *state {
	return &state{files: map[string]fileRecord{}, restated: map[string]restatement{}}
}

// Replay does a change of the journal again.
func (s *state) Replay(c change) error {
	s.apply(c)
	return nil
}

// uploaded are the ids of all files.
func (s *state) uploaded() map[string]bool {
	all := map[string]bool{}
	for id := range s.files {
		all[id] = true
	}
	return all
}

func (s *state) apply(c change) {
	s.serial = max(s.serial, c.Serial)
	putAll(&s.orgs, c.Orgs)
	putAll(&s.members, c.Members)
	putAll(&s.invitations, c.Invitations)
	putAll(&s.tokens, c.Tokens)
	putAll(&s.tickets, c.Tickets)
	for _, f := range c.Files {
		s.files[f.ID] = f
	}
	for _, r := range c.Restated {
		s.restated[r.key()] = r
	}
	if c.Clock != nil {
		s.clock = time.Duration(*c.Clock)
	}
}

func putAll[T record](t *table[T], all []T) {
	for _, v := range all {
		t.put(v)
	}
}

// Changes returns what rebuilds the state, in pieces, so that no line of the journal grows with it.
func (s *state) Changes() []change {
	clock := int64(s.clock)
	all := []change{{Serial: s.serial, Clock: &clock}}
	const piece = 100
	for part := range slices.Chunk(s.orgs.list, piece) {
		all = append(all, change{Orgs: part})
	}
	for part := range slices.Chunk(s.members.list, piece) {
		all = append(all, change{Members: part})
	}
	for part := range slices.Chunk(s.invitations.list, piece) {
		all = append(all, change{Invitations: part})
	}
	for part := range slices.Chunk(s.tokens.list, piece) {
		all = append(all, change{Tokens: part})
	}
	for part := range slices.Chunk(s.tickets.list, piece) {
		all = append(all, change{Tickets: part})
	}
	for _, f := range s.files {
		all = append(all, change{Files: []fileRecord{f}})
	}
	for _, r := range s.restated {
		all = append(all, change{Restated: []restatement{r}})
	}
	return all
}

// children are the tenants of a provider, oldest first.
func (s *state) children(org string) []orgRecord {
	return s.orgs.where(func(o orgRecord) bool { return o.Parent == org })
}

func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }
