// Package bill is what a tenant's month comes to: its lines, in exact decimals, and the verdicts on them. It is pure: no I/O, no clock.
package bill

import (
	"fmt"
	"slices"

	"github.com/shopspring/decimal"
)

// Line is all usage of one tenant and month that has everything but quantity and time in common. The lines of a bill are ordered by Identity.
type Line struct {
	Org            string          `json:"org"`
	OrgName        string          `json:"orgName"`
	Tag            string          `json:"tag,omitempty"`
	ServiceID      string          `json:"serviceId"`
	Service        string          `json:"service"`
	Subscription   string          `json:"subscription"` // as the usage file names it: the hub has two ids of a subscription
	Sku            string          `json:"sku"`
	CrossReference string          `json:"crossReference"`
	SkuDescription string          `json:"skuDescription,omitempty"`
	Datacenter     string          `json:"datacenter,omitempty"`
	Family         string          `json:"family,omitempty"`
	Segment        string          `json:"segment,omitempty"`
	Currency       string          `json:"currency"` // ISO 4217; "" if nobody states it
	Price          decimal.Decimal `json:"price"`    // of a unit, as the hub bills us
	Rows           int64           `json:"rows"`
	Usage          decimal.Decimal `json:"usage"`
	Commit         decimal.Decimal `json:"commit"`
	Billable       decimal.Decimal `json:"billable"`
	Cost           decimal.Decimal `json:"cost"` // Price × Billable, exact
}

// Code is a verdict's name. Strings, because they are stored and read by people.
type Code string

// The verdicts on a key: usage file against usage report against subscriptions.
const (
	Match           Code = "MATCH"
	WithinTolerance Code = "WITHIN_TOLERANCE"
	Mismatch        Code = "MISMATCH"
	OnlyFile        Code = "ONLY_CSV"
	OnlyReport      Code = "ONLY_JSON"
	Truncated       Code = "TRUNCATED"
	NoTerm          Code = "NO_TERM" // a TERM subscription of the report that the list of subscriptions lacks
)

// The verdicts on a tenant.
const (
	NoService      Code = "NO_SERVICE"      // no active service: an empty bill, which is right
	OutOfWindow    Code = "OUT_OF_WINDOW"   // the hub does not report the month any more, and no archive has it
	PeriodMismatch Code = "PERIOD_MISMATCH" // there are rows, none of them in the month
	OutsidePeriod  Code = "OUTSIDE_PERIOD"  // so many rows of other months were left out
	Quarantined    Code = "QUARANTINED"     // so many rows could not be charged; they are in the quarantine file
	NoCurrency     Code = "NO_CURRENCY"     // nobody states one
	CurrencyClash  Code = "CURRENCY_CLASH"  // file and report contradict each other
	TwoCurrencies  Code = "TWO_CURRENCIES"  // more than one, each stated: totals are apart
	BadFile        Code = "BAD_FILE"        // no header, a column missing or twice, cut short
	Foreign        Code = "FOREIGN"         // about an organization that was not asked for
	Moved          Code = "MOVED"           // the report changed while it was read, twice
	Denied         Code = "DENIED"          // the hub refuses our token
	Unreachable    Code = "UNREACHABLE"     // the hub could not be asked, for hours
	Vanished       Code = "VANISHED"        // the hub does not list the tenant any more: it is kept as it was
	Absent         Code = "ABSENT"          // the tenant is known, and this run was not asked for it: nothing is there yet
	TooLarge       Code = "TOO_LARGE"       // more lines than a bill may have
	UnknownService Code = "UNKNOWN_SERVICE" // counted as Other
	TwoSkus        Code = "TWO_SKUS"        // a sku name has two cross references: the name stands for both
	OddBillable    Code = "ODD_BILLABLE"    // so many rows where billable is not max(0, usage - commit)
	Duplicates     Code = "DUPLICATES"      // so many rows stand there more than once; they are charged as they stand
	ExtraColumns   Code = "EXTRA_COLUMNS"   // columns that the guide does not have; kept as x_
)

// Verdict is what was found out about a tenant's month or a key of it.
type Verdict struct {
	Code  Code   `json:"code"`
	Grave bool   `json:"grave"`           // the month must not be published as reconciled
	Of    string `json:"of,omitempty"`    // the key it is about, readable
	Text  string `json:"text"`            // a sentence for a person, with the figures
	Count int64  `json:"count,omitempty"` // rows, where it counts rows
}

// Grave reports whether one of the verdicts is grave.
func Grave(all []Verdict) bool {
	for _, v := range all {
		if v.Grave {
			return true
		}
	}
	return false
}

// GraveFirst orders verdicts: those that are grave before the others.
func GraveFirst(a, b Verdict) int {
	switch {
	case a.Grave == b.Grave:
		return 0
	case a.Grave:
		return -1
	}
	return 1
}

// Concise returns as many verdicts as fit so many bytes, those first that are grave, and one that counts the others, which is grave if any of them is.
func Concise(all []Verdict, room int) []Verdict {
	if size(all...) <= room {
		return all
	}
	told := slices.Clone(all)
	slices.SortStableFunc(told, GraveFirst)
	n := 0
	for room -= size(Verdict{}); n < len(told) && size(told[n]) <= room; n++ {
		room -= size(told[n])
	}
	rest := Verdict{Code: told[n].Code, Grave: told[n].Grave, Count: int64(len(told) - n),
		Text: fmt.Sprintf("%d verdicts more are in the document of the part.", len(told)-n)}
	return append(slices.Clip(told[:n]), rest)
}

// size is about how many bytes verdicts take in a document.
func size(all ...Verdict) (n int) {
	for _, v := range all {
		n += 128 + len(v.Of) + len(v.Text)
	}
	return n
}
