package revision

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
)

// Content is the digest of what parts say: two lists with the same content are the same revision of a month.
func Content(parts []Part) string {
	type said struct {
		Org, Digest string
		Verdicts    []bill.Verdict
	}
	h := sha256.New()
	e := json.NewEncoder(h)
	for _, p := range sorted(parts) {
		_ = e.Encode(said{p.Org, p.Digest, p.Verdicts}) // strings and numbers into a hash: it cannot fail
	}
	return hex.EncodeToString(h.Sum(nil))
}

func sorted(parts []Part) []Part {
	return slices.SortedFunc(slices.Values(parts), func(a, b Part) int { return cmp.Compare(a.Org, b.Org) })
}

// Draft is what a run has found of a month: a revision without its number.
type Draft struct {
	Month  string
	Run    string
	Made   time.Time // when the run began
	Closed time.Time // when the hub has closed the month
	Parts  []Part    // of every tenant that is known
}

// State is what a revision of the draft is in.
func (d Draft) State() State {
	switch {
	case d.Made.Before(d.Closed):
		return Preliminary
	case slices.ContainsFunc(d.Parts, func(p Part) bool { return bill.Grave(p.Verdicts) }):
		return Unreconciled
	}
	return Published
}

// Manifest returns the draft as a revision, without the files of a revision.
func (d Draft) Manifest(rev, since int) Manifest {
	return Manifest{V: Version, Month: d.Month, Revision: rev, State: d.State(), Run: d.Run, Made: d.Made.UTC(), FocusVersion: FocusVersion,
		Content: Content(d.Parts), Since: since, Parts: sorted(d.Parts)}
}

// Next is what follows from a draft.
type Next struct {
	New    bool
	Since  int // the published revision before, 0 if there is none
	Reason string
}

// Decide compares a draft with the newest revision of its month, nil if there is none.
func Decide(d Draft, newest *Manifest) Next {
	switch {
	case newest == nil && len(d.Parts) == 0:
		return Next{Reason: "no tenant is known"}
	case newest == nil:
		return Next{New: true, Reason: "the first revision of the month"}
	}
	n, state := Next{Since: newest.LastPublished()}, d.State()
	switch same := newest.Content == Content(d.Parts); {
	case same && newest.State == state:
		n.Reason = fmt.Sprintf("nothing has changed since revision %d", newest.Revision)
	case same && newest.State == Published: // the clock or the configuration was set back
		n.Reason = fmt.Sprintf("nothing has changed since revision %d, which is published", newest.Revision)
	case same:
		n.New, n.Reason = true, fmt.Sprintf("revision %d was %s, and now it is %s", newest.Revision, newest.State, state)
	default:
		n.New, n.Reason = true, changes(newest.Parts, d.Parts)
	}
	return n
}

// LastPublished is the newest published revision, this one included; 0 if there is none.
func (m Manifest) LastPublished() int {
	if m.State == Published {
		return m.Revision
	}
	return m.Since
}

// changes says what is different.
func changes(before, now []Part) string {
	was := map[string]Part{}
	for _, p := range before {
		was[p.Org] = p
	}
	fresh, restated, judged := 0, 0, 0
	for _, p := range now {
		old, there := was[p.Org]
		switch delete(was, p.Org); {
		case !there:
			fresh++
		case old.Digest != p.Digest:
			restated++
		case !slices.Equal(old.Verdicts, p.Verdicts):
			judged++
		}
	}
	return tenants([]int{restated, fresh, judged, len(was)}, []string{"with other usage", "new", "with other verdicts only", "gone"})
}

// tenants says how many of each kind there are, without those of which there are none.
func tenants(counts []int, kinds []string) string {
	var parts []string
	for i, n := range counts {
		switch n {
		case 0:
		case 1:
			parts = append(parts, "1 tenant "+kinds[i])
		default:
			parts = append(parts, fmt.Sprintf("%d tenants %s", n, kinds[i]))
		}
	}
	return strings.Join(parts, ", ")
}

// Total is what a lens comes to in a currency.
type Total struct {
	Lens Lens `json:"lens"`
	Money
}

// Totals are the sums of parts by lens and currency, ordered by both. A lens has the same rows in every format.
func Totals(parts []Part) []Total {
	type key struct {
		lens     Lens
		currency string
	}
	sums := map[key]decimal.Decimal{}
	for _, p := range parts {
		for _, f := range p.OneFormat() {
			for _, m := range f.Billed {
				k := key{f.Lens, m.Currency}
				sums[k] = sums[k].Add(m.Amount)
			}
		}
	}
	var all []Total
	for _, k := range slices.SortedFunc(maps.Keys(sums), func(a, b key) int { return cmp.Or(cmp.Compare(a.lens, b.lens), cmp.Compare(a.currency, b.currency)) }) {
		all = append(all, Total{k.lens, Money{k.currency, sums[k]}})
	}
	return all
}

// OneFormat returns one file of every lens: the one whose format comes first.
func (p Part) OneFormat() []File {
	chosen := map[Lens]File{}
	for _, f := range p.Files {
		if have, ok := chosen[f.Lens]; !ok || f.Format < have.Format {
			chosen[f.Lens] = f
		}
	}
	return slices.SortedFunc(maps.Values(chosen), func(a, b File) int { return cmp.Compare(a.Lens, b.Lens) })
}

// Lenses are those that the parts of a revision have files of.
func Lenses(parts []Part) []Lens {
	seen := map[Lens]bool{}
	for _, p := range parts {
		for _, f := range p.Files {
			seen[f.Lens] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// PartOf returns the part of an organization, false if the revision has none.
func (m Manifest) PartOf(org string) (Part, bool) {
	i, ok := slices.BinarySearchFunc(m.Parts, org, func(p Part, org string) int { return cmp.Compare(p.Org, org) })
	if !ok {
		return Part{}, false
	}
	return m.Parts[i], true
}
