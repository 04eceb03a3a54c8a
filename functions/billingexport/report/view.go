package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
)

// How many notes and findings a page has; what is beyond is counted.
const (
	mostNotes    = 20
	mostFindings = 30
)

// head is what every page begins with.
type head struct {
	Month, Machine string // in words, and as 2026-10
	Lens           revision.Lens
	Issuer         string
	Revision       int
	State, AsOf    string
	Disclaimer     string
	Banners        []banner
}

// pageView is a Page, ready to be set.
type pageView struct {
	head
	Org, Name     string
	Before        string // the month before, in words
	Compared      bool   // it is known
	Unread        bool   // that there is nothing says nothing: a verdict is grave
	Partial       string // of a page over tenants: of whom it is known
	Totals        []totalView
	Chapters      []chapter
	SinceRevision int // 0: there is none
	Notes         []noteView
	MoreNotes     int
	Findings      []findingView
	MoreFindings  int
	Files         []fileView
	Named         []string // files of the part, where their sums are not given
}

// totalView is what a currency comes to.
type totalView struct {
	Currency string
	Cost     money
	Change   *change
}

// chapter is all there is to say about one currency.
type chapter struct {
	ID, Currency      string
	Unstated          bool // nobody states the currency
	Services, Places  groups
	Lines             lines
	Trend             *trend   // nil: no month before is known
	Changes, Restated *changes // nil: nothing to compare with
	Differs           money    // what was restated
}

type noteView struct {
	Name, Of, Text string
}

type findingView struct {
	Grave             bool
	Code, Of, Meaning string
	Text              string // with figures; not for tenants
	Count             string // rows
}

type fileView struct {
	Name, Rows, Bytes, SHA256 string
	Billed                    []money
}

func (p Page) view() pageView {
	months := p.known()
	before, compared := months[p.Month.Add(-1)]
	v := pageView{
		head: p.head(), Org: p.Org, Name: cmp.Or(p.OrgName, p.Org), Before: inWords(p.Month.Add(-1)), Compared: compared, Unread: bill.Grave(p.Verdicts),
		SinceRevision: p.SinceRevision, Notes: notesOf(p.Notes), Findings: p.findings(), Files: filesOf(p.Files), Named: p.named(),
	}
	v.MoreNotes, v.MoreFindings = len(p.Notes)-len(v.Notes), len(findings(p.Verdicts))-len(v.Findings)
	for i, c := range currencies(p.Lines, before, p.Since) {
		v.Totals = append(v.Totals, totalOf(c, sum(of(c, p.Lines)), sum(of(c, before)), compared))
		v.Chapters = append(v.Chapters, p.chapter("c"+strconv.Itoa(i), c, of(c, before)))
	}
	v.Banners = append(v.Banners, v.restated(p.State)...)
	return v
}

func (p Page) head() head {
	return head{
		Month: inWords(p.Month), Machine: p.Month.String(), Lens: p.Lens, Issuer: p.Issuer, Revision: p.Revision,
		State: stateName(p.State), AsOf: asOf(p.AsOf), Disclaimer: disclaimer(p.Lens, p.Issuer),
		Banners: []banner{stateBanner(p.State, p.Month, bill.Grave(p.Verdicts))},
	}
}

// asOf is a moment with its zone.
func asOf(t time.Time) string { return t.Format("2006-01-02 15:04 -07:00") }

func disclaimer(l revision.Lens, issuer string) string {
	const late = "VMware may write usage back into a month for up to 90 days, and charges it with its next order"
	if l == revision.Tenant {
		return "This is not VMware's invoice. It is the usage that VMware's hub reports, at the prices of " + name(issuer) + ". " + late + "."
	}
	return "This is not VMware's invoice. It is the usage that VMware's hub reports, at the prices that it states. " + late +
		", so an invoice may differ."
}

// currencies of all the lines, in order; one that nobody states is the last.
func currencies(bills ...[]bill.Line) (all []string) {
	for _, lines := range bills {
		for _, l := range lines {
			if !slices.Contains(all, l.Currency) {
				all = append(all, l.Currency)
			}
		}
	}
	slices.SortFunc(all, func(a, b string) int {
		if a == "" || b == "" {
			return cmp.Compare(b, a)
		}
		return cmp.Compare(a, b)
	})
	return all
}

func totalOf(currency string, now, before decimal.Decimal, compared bool) totalView {
	v := totalView{Currency: currencyName(currency), Cost: total(currency, now)}
	if compared {
		c := changed(currency, before, now)
		v.Change = &c
	}
	return v
}

// chapter of a currency. before is nil if the month before is not known.
func (p Page) chapter(id, currency string, before []bill.Line) chapter {
	now, since := of(currency, p.Lines), of(currency, p.Since)
	c := chapter{
		ID: id, Currency: currencyName(currency), Unstated: currency == "", Lines: largest(currency, now), Trend: p.trend(currency, id),
		Services: grouped("Service", currency, now, before, service), Places: grouped("Datacenter", currency, now, before, datacenter),
	}
	if before != nil {
		d := changesOf(currency, p.Month.Add(-1).String(), p.Month.String(), before, now)
		c.Changes = &d
	}
	if p.SinceRevision > 0 {
		d := changesOf(currency, "Revision "+strconv.Itoa(p.SinceRevision), "Now", since, now)
		c.Restated, c.Differs = &d, changed(currency, sum(since), sum(now)).money
	}
	return c
}

// restated is the banner of a month that was published with other figures.
func (v pageView) restated(s revision.State) []banner {
	var by []string
	for _, c := range v.Chapters {
		if c.Restated != nil && !c.Restated.None() {
			by = append(by, c.Currency+"\u00a0"+c.Differs.Text)
		}
	}
	if len(by) == 0 {
		return nil
	}
	text := fmt.Sprintf("Revision %d was published with other figures. The difference is %s; what it consists of is listed below.", v.SinceRevision, strings.Join(by, ", "))
	if s == revision.Published {
		text += " If that revision is booked or billed, book the difference, not the month again."
	}
	return []banner{{"warn", "Restated", text}}
}

func notesOf(all []bill.Note) (views []noteView) {
	for _, n := range all[:min(len(all), mostNotes)] {
		views = append(views, noteView{noteName(n.Code), n.Of, n.Text})
	}
	return views
}

func (p Page) findings() (views []findingView) {
	found := findings(p.Verdicts)
	for _, v := range found[:min(len(found), mostFindings)] {
		f := findingView{Grave: v.Grave, Code: string(v.Code), Of: v.Of, Meaning: meaning(v.Code)}
		if p.Lens != revision.Tenant {
			f.Text = v.Text
		}
		if v.Count > 0 {
			f.Count = bill.Exact(decimal.NewFromInt(v.Count))
		}
		views = append(views, f)
	}
	return views
}

func filesOf(files []revision.File) (views []fileView) {
	for _, f := range files {
		v := fileView{Name: f.Name, Rows: bill.Exact(decimal.NewFromInt(f.Rows)), Bytes: bill.Exact(decimal.NewFromInt(f.Bytes)), SHA256: f.SHA256}
		for _, m := range f.Billed {
			v.Billed = append(v.Billed, precise(m.Currency, m.Amount))
		}
		views = append(views, v)
	}
	return views
}

func (p Page) named() (names []string) {
	if len(p.Files) > 0 {
		return nil
	}
	for _, f := range []revision.Format{revision.Parquet, revision.CSV, revision.JSONL} {
		names = append(names, revision.FocusFile(p.Lens, f))
	}
	return names
}
