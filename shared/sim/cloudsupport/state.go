package cloudsupport

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// Where the state is kept, in the folder of the options.
const (
	journalFile = "cloudsupport.jsonl"
	blobFolder  = "cloudsupport-attachments"
)

// state is everything the desk knows, built up by changes alone: live ones and those read back from the journal.
type state struct {
	serial   uint64
	cases    []*dossier // in the order of creation
	byNumber map[string]*dossier
	subs     []subscriptionRecord
	classes  []classRecord
	words    map[string][]*dossier // an inverted index: the cases that have ever held a word, by seq
}

// dossier is one case with what hangs on it.
type dossier struct {
	caseRecord
	seq         int // 1 for the first case
	comments    []commentRecord
	attachments []attachmentRecord
	past        []caseRecord // earlier versions that a lagging search may still see, oldest first
}

func newState() *state {
	return &state{byNumber: map[string]*dossier{}, words: map[string][]*dossier{}}
}

// Replay lets a search see what the journal holds: its lag does not outlive the process.
func (s *state) Replay(c change) error {
	for _, r := range c.Cases {
		if r.Number == "" {
			return errors.New("a case without a number")
		}
	}
	s.apply(c, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
	return nil
}

// attached are the ids of all attachments.
func (s *state) attached() map[string]bool {
	all := map[string]bool{}
	for _, d := range s.cases {
		for _, a := range d.attachments {
			all[a.ID] = true
		}
	}
	return all
}

// apply does a change. Versions of a case from before seen are forgotten, but for the last of them.
func (s *state) apply(c change, seen time.Time) {
	s.serial = max(s.serial, c.Serial)
	for _, r := range c.Cases {
		s.putCase(r, seen)
	}
	for _, r := range c.Comments {
		if d := s.byNumber[r.Case]; d != nil {
			d.comments = append(d.comments, r)
			s.addWords(d, r.Body)
		}
	}
	for _, r := range c.Attachments {
		if d := s.byNumber[r.Case]; d != nil {
			d.attachments = append(d.attachments, r)
		}
	}
	for _, r := range c.Subscriptions {
		s.subs = put(s.subs, r, func(o subscriptionRecord) bool { return o.name() == r.name() })
	}
	s.subs = slices.DeleteFunc(s.subs, func(r subscriptionRecord) bool { return slices.Contains(c.Expunged, r.name()) })
	for _, r := range c.Classes {
		s.classes = put(s.classes, r, func(o classRecord) bool { return o.ID == r.ID })
	}
}

// put replaces the element that is the same, or appends.
func put[T any](list []T, v T, same func(T) bool) []T {
	if i := slices.IndexFunc(list, same); i >= 0 {
		list[i] = v
		return list
	}
	return append(list, v)
}

func (s *state) putCase(r caseRecord, seen time.Time) {
	d := s.byNumber[r.Number]
	if d == nil {
		d = &dossier{seq: len(s.cases) + 1}
		s.cases = append(s.cases, d)
		s.byNumber[r.Number] = d
	} else {
		d.past = append(d.past, d.caseRecord)
		for len(d.past) > 1 && !d.past[1].Updated.After(seen) {
			d.past = d.past[1:]
		}
	}
	d.caseRecord = r
	s.addWords(d, r.Title+"\n"+r.Description)
}

func (s *state) addWords(d *dossier, text string) {
	for _, w := range words(text) {
		list := s.words[w]
		i, found := slices.BinarySearchFunc(list, d.seq, func(o *dossier, seq int) int { return o.seq - seq })
		if !found {
			s.words[w] = slices.Insert(list, i, d)
		}
	}
}

// Changes returns what rebuilds the state, a case a change so that no line of the journal grows with the state.
func (s *state) Changes() []change {
	all := []change{{Serial: s.serial, Subscriptions: s.subs, Classes: s.classes}}
	for _, d := range s.cases {
		all = append(all, change{Cases: []caseRecord{d.caseRecord}, Comments: d.comments, Attachments: d.attachments})
	}
	return all
}

// find returns the case of a resource name whose parent has been resolved.
func (s *state) find(parent, number string) *dossier {
	if d := s.byNumber[number]; d != nil && d.Parent == parent {
		return d
	}
	return nil
}

func (s *state) class(id string) *classRecord {
	for i := range s.classes {
		if s.classes[i].ID == id {
			return &s.classes[i]
		}
	}
	return nil
}

// sortedClasses are the listed classifications by name.
func (s *state) sortedClasses() []classRecord {
	var all []classRecord
	for _, c := range s.classes {
		if !c.Hidden {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b classRecord) int { return strings.Compare(a.Name+"\x00"+a.ID, b.Name+"\x00"+b.ID) })
	return all
}
