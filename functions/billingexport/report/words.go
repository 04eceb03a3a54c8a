package report

import (
	"fmt"
	"slices"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// meanings say in plain words what a verdict means to who reads the bill. They hold no figures.
var meanings = map[bill.Code]string{
	bill.Match:           "The usage file and the usage report agree.",
	bill.WithinTolerance: "The usage file and the usage report differ by less than their rounding.",
	bill.Mismatch:        "The usage file and the usage report state different amounts.",
	bill.OnlyFile:        "The usage file has something that the usage report lacks.",
	bill.OnlyReport:      "The usage report has something that the usage file lacks: it is not in the bill.",
	bill.Truncated:       "The usage report was cut short, so that not everything could be compared.",
	bill.NoTerm:          "A subscription with a fixed term is used, but the list of subscriptions lacks it.",
	bill.NoService:       "No service is active: an empty bill is right.",
	bill.OutOfWindow:     "The hub does not report this month any more, and it was not kept.",
	bill.PeriodMismatch:  "What the hub sent is about other months.",
	bill.OutsidePeriod:   "Usage of other months was left out.",
	bill.Quarantined:     "Usage that could not be read is not in the bill. It is in the quarantine file.",
	bill.NoCurrency:      "Nobody states the currency of these amounts.",
	bill.CurrencyClash:   "The sources contradict each other about the currency.",
	bill.TwoCurrencies:   "There is more than one currency: each has a total of its own.",
	bill.BadFile:         "The usage file could not be read as a whole.",
	bill.Foreign:         "The hub sent usage of an organization that was not asked for.",
	bill.Moved:           "The figures changed while they were read.",
	bill.Denied:          "The hub refuses us the usage of this organization.",
	bill.Unreachable:     "The hub could not be asked.",
	bill.Vanished:        "The hub does not list this organization any more: it is kept as it was last seen.",
	bill.Absent:          "This organization was not exported yet.",
	bill.TooLarge:        "There are more lines than a bill can have.",
	bill.UnknownService:  "A service is not known, and counted as Other.",
	bill.TwoSkus:         "One name stands for more than one sku.",
	bill.OddBillable:     "Billed quantities are not usage less commitment, as they should be.",
	bill.Duplicates:      "Rows of the usage file are repeated. They are charged as often as they stand there.",
	bill.ExtraColumns:    "The usage file has columns that are not described. They are kept.",
}

// meaning of a verdict; of one that is newer than this package, its code.
func meaning(c bill.Code) string {
	if m, ok := meanings[c]; ok {
		return m
	}
	return "The check found " + string(c) + "."
}

// noteNames are headings.
var noteNames = map[bill.NoteCode]string{
	bill.NoteZeroUsage:   "No usage",
	bill.NoteStopped:     "Usage stopped",
	bill.NoteMoved:       "Cost moved",
	bill.NotePrice:       "Price changed",
	bill.NoteNewSku:      "New sku",
	bill.NoteVanishedSku: "Sku is gone",
}

func noteName(c bill.NoteCode) string {
	if n, ok := noteNames[c]; ok {
		return n
	}
	return string(c)
}

// findings are the verdicts that are not fine, grave ones first.
func findings(all []bill.Verdict) []bill.Verdict {
	found := slices.DeleteFunc(slices.Clone(all), func(v bill.Verdict) bool {
		return !v.Grave && (v.Code == bill.Match || v.Code == bill.WithinTolerance)
	})
	slices.SortStableFunc(found, bill.GraveFirst)
	return found
}

// banner is what a reader must know before the figures.
type banner struct{ Class, Title, Text string }

// stateBanner says what the state of a revision means and what to do. grave: a verdict of what the page is about is.
func stateBanner(s revision.State, m hub.Period, grave bool) banner {
	switch {
	case s == revision.Preliminary && grave:
		return banner{"stop", "Preliminary, with grave findings", fmt.Sprintf("VMware has not closed %s yet, and the sources contradict each other or are "+
			"incomplete. Do not bill or book these amounts: somebody must look at the findings below.", inWords(m))}
	case s == revision.Preliminary:
		return banner{"warn", "Preliminary", fmt.Sprintf("VMware has not closed %s yet, and the amounts will still change. Do not bill or book them. "+
			"The final ones come in a later revision, in %s.", inWords(m), inWords(m.Add(1)))}
	case s == revision.Unreconciled && grave:
		return banner{"stop", "Not reconciled", "The sources contradict each other or are incomplete, so these amounts may be wrong. Do not bill or book them: " +
			"somebody must look at the findings below first."}
	case s == revision.Unreconciled:
		return banner{"warn", "On hold", "Nothing is wrong with what is on this page, but the month as a whole is held back until the findings on " +
			"another tenant are settled. Do not book it yet."}
	case grave:
		return banner{"warn", "Released with findings", "The month was published although a finding below is grave. Read it before you bill or book."}
	}
	return banner{"ok", "Final so far", "The sources agree, and the month is published. VMware may add late usage to it for up to 90 days; " +
		"a later revision then states the difference."}
}

func inWords(m hub.Period) string { return m.Start().Format("January 2006") }

// stateName is the state of a revision in a word or two.
func stateName(s revision.State) string {
	switch s {
	case revision.Preliminary:
		return "preliminary"
	case revision.Unreconciled:
		return "not reconciled"
	case revision.Published:
		return "published"
	}
	return string(s)
}
