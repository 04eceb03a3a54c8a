package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
)

// maxListed is how many verdicts are told one by one.
const maxListed = 200

// findings are collected in any order. What agrees is only counted.
type findings struct {
	matched int64
	found   []bill.Verdict
}

func (f *findings) find(v bill.Verdict) { f.found = append(f.found, v) }

// listed returns the worst findings, one that counts the rest, and one that counts what agrees.
func (f *findings) listed() []bill.Verdict {
	slices.SortFunc(f.found, func(a, b bill.Verdict) int {
		return cmp.Or(bill.GraveFirst(a, b), cmp.Compare(a.Of, b.Of), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Text, b.Text))
	})
	out := f.found[:min(len(f.found), maxListed)]
	if rest := f.found[len(out):]; len(rest) > 0 {
		out = append(slices.Clone(out), summed(rest))
	}
	if f.matched > 0 {
		out = append(out, bill.Verdict{Code: bill.Match, Count: f.matched, Text: fmt.Sprintf("Sums in which file and report agree: %d.", f.matched)})
	}
	return out
}

// summed is one verdict for many, which are ordered: its code is that of the first, so that of a grave one if there is any.
func summed(rest []bill.Verdict) bill.Verdict {
	var codes []bill.Code
	count := map[bill.Code]int{}
	for _, v := range rest {
		if count[v.Code]++; count[v.Code] == 1 {
			codes = append(codes, v.Code)
		}
	}
	slices.Sort(codes)
	texts := make([]string, len(codes))
	for i, c := range codes {
		texts[i] = fmt.Sprintf("%d %s", count[c], c)
	}
	return bill.Verdict{Code: rest[0].Code, Grave: rest[0].Grave, Count: int64(len(rest)), Text: "More that are not listed: " + strings.Join(texts, ", ") + "."}
}
