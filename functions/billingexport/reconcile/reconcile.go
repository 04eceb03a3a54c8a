// Package reconcile holds what a tenant's month came to against what the hub says it comes to: the bill, which was made of the usage file, against
// the usage report and the list of subscriptions.
//
// [Read] decodes the stored report and list into what matters of them, in bounded memory. [Judge] is pure: bill and statement in, verdicts out.
// What is compared:
//
//	per organization, service, subscription and cross reference   usage, commit and billable quantity, exact at nine places
//	per service, and in all                                       the billable amount
//	subscriptions                                                 complete (pageSize), and listed if they have a term
//
// Figures that are not equal but within a millionth of each other are WITHIN_TOLERANCE: the hub may have written a float. Everything further
// apart is MISMATCH, which is grave, as is usage that only one side knows. A key without any usage on either side is no finding.
//
// A subscription has two ids, sid and subscriptionUuid, and the file does not say which one it uses: either is followed. Amounts are compared
// where the bill has one currency, because amounts of two are never added; the hub's own sum of them means nothing.
//
// Not promised: to find what file and report both leave out. There is no float in this package.
package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
)

// key is what file and report both know usage by. All of it is trimmed; the subscription is the canonical id.
type key struct{ org, service, subscription, sku string }

// sums are the quantities of a key.
type sums struct {
	usage, commit, billable decimal.Decimal
	rows                    int64
}

func (s sums) add(o sums) sums {
	return sums{s.usage.Add(o.usage), s.commit.Add(o.commit), s.billable.Add(o.billable), s.rows + o.rows}
}

func (s sums) zero() bool { return s.usage.IsZero() && s.commit.IsZero() && s.billable.IsZero() }

// Judge compares a bill with what was stated. The verdicts are ordered: what is grave first, MATCH last; they are the same for the same facts in
// whatever order.
func Judge(lines []bill.Line, s Stated) []bill.Verdict {
	switch {
	case s.tooLarge:
		return []bill.Verdict{{Code: bill.TooLarge, Grave: true, Text: "The usage report states more than can be compared."}}
	case !s.report && len(lines) == 0:
		return nil
	case !s.report:
		return []bill.Verdict{{Code: bill.OnlyFile, Grave: true, Text: "There is no usage report to hold the usage file against.", Count: rowsOf(lines)}}
	}
	j := judge{stated: s, charged: chargedOf(lines, s)}
	j.quantities()
	j.amounts()
	j.subscriptions()
	return j.findings.listed()
}

func rowsOf(lines []bill.Line) (n int64) {
	for _, l := range lines {
		n += l.Rows
	}
	return n
}

// charged is the bill by what it is compared by.
type charged struct {
	keys   map[key]sums
	costs  map[place]cost
	titles map[place]string
}

// cost is what a service or, with an empty service, an organization comes to.
type cost struct {
	amount   decimal.Decimal
	currency string
	mixed    bool // more than one currency: the amount means nothing
}

// place is a service of an organization.
type place struct{ org, service string }

func chargedOf(lines []bill.Line, s Stated) charged {
	c := charged{map[key]sums{}, map[place]cost{}, map[place]string{}}
	for _, l := range lines {
		k := s.keyOf(l)
		c.keys[k] = c.keys[k].add(sums{l.Usage, l.Commit, l.Billable, l.Rows})
		at := place{k.org, k.service}
		c.spend(at, l)
		c.spend(place{k.org, ""}, l)
		c.titles[at] = max(c.titles[at], strings.TrimSpace(l.Service))
	}
	return c
}

func (c charged) spend(at place, l bill.Line) {
	have, there := c.costs[at]
	have.mixed = have.mixed || there && have.currency != l.Currency
	have.currency = l.Currency
	have.amount = have.amount.Add(l.Cost)
	c.costs[at] = have
}

// judge is one comparison.
type judge struct {
	stated  Stated
	charged charged
	findings
}

func (j *judge) quantities() {
	for k, ours := range j.charged.keys {
		theirs, both := j.stated.keys[k]
		switch {
		case both:
			j.compare(k, ours, theirs)
		case ours.zero():
			j.matched++
		default:
			j.find(bill.Verdict{Code: bill.OnlyFile, Grave: true, Of: j.name(k), Count: ours.rows, Text: "The usage report does not have it. File: " + ours.text() + "."})
		}
	}
	for k, theirs := range j.stated.keys {
		if _, both := j.charged.keys[k]; !both && !theirs.zero() {
			j.find(bill.Verdict{Code: bill.OnlyReport, Grave: true, Of: j.name(k), Text: "The usage file does not have it. Report: " + theirs.text() + "."})
		}
	}
}

func (s sums) text() string {
	return fmt.Sprintf("usage %s, commit %s, billable %s", s.usage, s.commit, s.billable)
}

func (j *judge) compare(k key, ours, theirs sums) {
	var figures []figure
	for _, f := range []figure{{"Usage", ours.usage, theirs.usage}, {"Commit", ours.commit, theirs.commit}, {"Billable", ours.billable, theirs.billable}} {
		if f.verdict() != bill.Match {
			figures = append(figures, f)
		}
	}
	j.differ(j.name(k), ours.rows, figures)
}

// differ notes the figures of a thing that are not equal as one finding, as bad as the worst of them.
func (j *judge) differ(of string, rows int64, figures []figure) {
	if len(figures) == 0 {
		j.matched++
		return
	}
	v := bill.Verdict{Code: bill.WithinTolerance, Of: of, Count: rows}
	var texts []string
	for _, f := range figures {
		if f.verdict() == bill.Mismatch {
			v.Code, v.Grave = bill.Mismatch, true
		}
		texts = append(texts, f.text())
	}
	v.Text = strings.Join(texts, " ")
	j.find(v)
}

func (j *judge) amounts() {
	all := maps.Clone(j.stated.amounts)
	for at := range j.charged.costs {
		all[at] = j.stated.amounts[at]
	}
	for at, theirs := range all {
		ours := j.charged.costs[at]
		f := figure{"Billable amount", ours.amount, theirs}
		switch {
		case ours.mixed, ours.amount.IsZero() && theirs.IsZero():
		case f.verdict() == bill.Match:
			j.matched++
		default:
			j.differ(j.title(at), 0, []figure{f})
		}
	}
}

func (j *judge) subscriptions() {
	for _, of := range slices.Sorted(maps.Keys(j.stated.truncated)) {
		j.find(bill.Verdict{Code: bill.Truncated, Grave: true, Of: of, Text: "The hub counts other skus than it sent: " + j.stated.truncated[of] + "."})
	}
	if !j.stated.list {
		return
	}
	for _, t := range j.stated.terms {
		if !j.stated.listed[id{t.org, t.uuid}] && !j.stated.listed[id{t.org, t.sid}] {
			j.find(bill.Verdict{Code: bill.NoTerm, Of: t.String(), Text: "The report has it as a subscription with a term, the list of subscriptions lacks it."})
		}
	}
}

// name is a key for people.
func (j *judge) name(k key) string {
	return fmt.Sprintf("%s, subscription %s, sku %s", j.title(place{k.org, k.service}), plain(k.subscription), plain(k.sku))
}

func (j *judge) title(at place) string {
	switch {
	case at.service == "":
		return "all services"
	case j.stated.titles[at] != "":
		return plain(j.stated.titles[at])
	case j.charged.titles[at] != "":
		return plain(j.charged.titles[at])
	}
	return "service " + plain(at.service)
}
