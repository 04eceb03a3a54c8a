package billingexport

import (
	"bytes"
	"context"
	"io"
	"slices"
	"sync"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/charge"
	"github.com/providerdesk/providerdesk/functions/billingexport/report"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// books are the revisions that one is written from.
type books struct {
	f      *Function
	month  *month
	man    *revision.Manifest
	since  map[revision.Lens]*revision.Manifest // what each lens is compared with; nil: there is nothing
	before []revision.Manifest                  // only who was charged what
	large  sync.RWMutex                         // tenants with large bills are read one after the other
}

// furnish writes the objects of a revision and notes them in its manifest. All that it reads was decided before, so everybody who furnishes it
// writes the same bytes.
func (f *Function) furnish(ctx context.Context, m *month, man *revision.Manifest) ([]report.Statement, error) {
	b, err := f.open(ctx, m, man)
	if err != nil {
		return nil, err
	}
	if man.State == revision.Published && b.since != nil {
		if man.Delta, err = b.delta(ctx); err != nil {
			return nil, err
		}
	}
	said, err := b.reports(ctx, f.Bucket)
	if err != nil {
		return nil, err
	}
	return said, b.summary(ctx, said)
}

// open reads the manifests that a revision is compared with.
func (f *Function) open(ctx context.Context, m *month, man *revision.Manifest) (*books, error) {
	b := &books{f: f, month: m, man: man}
	if man.Since > 0 {
		var err error
		if b.since, err = f.sinceOf(ctx, m.period(), *man); err != nil {
			return nil, err
		}
	}
	if m.Plan == nil {
		return b, nil
	}
	for _, past := range m.Plan.Before { // one after the other: each may be large
		p, err := hub.ParsePeriod(past.Month)
		if err != nil {
			return nil, err
		}
		before, err := f.revision(ctx, p, past.Revision)
		if err != nil {
			return nil, err
		}
		b.before = append(b.before, charges(before))
	}
	return b, nil
}

// charges is what is kept of a revision of another month: who was charged what.
func charges(man revision.Manifest) revision.Manifest {
	out := revision.Manifest{Month: man.Month}
	for _, p := range man.Parts {
		out.Parts = append(out.Parts, revision.Part{Org: p.Org, Digest: p.Digest, Accounts: p.Accounts, Bill: p.Bill})
	}
	return out
}

// sinceOf returns what the lenses of a revision are compared with: the published revision before, and for a lens that was left out there the last
// one that has it, if any has.
func (f *Function) sinceOf(ctx context.Context, p hub.Period, man revision.Manifest) (map[revision.Lens]*revision.Manifest, error) {
	last, err := f.revision(ctx, p, man.Since)
	if err != nil {
		return nil, err
	}
	of := map[revision.Lens]*revision.Manifest{}
	for _, l := range revision.Lenses(man.Parts) {
		of[l] = &last
		for since := last; ; {
			if slices.Contains(revision.Lenses(since.Parts), l) {
				of[l] = &since
				break
			}
			if since.Since == 0 {
				break
			}
			if since, err = f.revision(ctx, p, since.Since); err != nil {
				return nil, err
			}
		}
	}
	return of, nil
}

// revision reads a revision that must be there.
func (f *Function) revision(ctx context.Context, p hub.Period, rev int) (revision.Manifest, error) {
	c, found, err := f.committed(ctx, p, rev)
	if err == nil && !found {
		err = fault.New(fault.Missing, "there is no revision %d of %s", rev, p)
	}
	return c.manifest, err
}

// A report looks back as far as the bills of a tenant are no larger than maxBills together. Tenants whose bills are larger than largeBills are
// read one at a time.
const (
	maxBills   = 64 << 20
	largeBills = 1 << 20
)

// account is what the books hold of one tenant.
type account struct {
	revision.Part
	now    []bill.Line
	since  map[revision.Lens][]bill.Line // in the prices of the lens
	before []bill.Past
	parts  []revision.Part // of before
}

// read reads the bills of a tenant, newest first as far as they fit.
func (b *books) read(ctx context.Context, p revision.Part) (a account, err error) {
	a.Part = p
	if a.now, err = b.f.lines(ctx, p); err != nil {
		return a, err
	}
	if a.since, err = b.readSince(ctx, p.Org); err != nil {
		return a, err
	}
	room := int64(maxBills) - p.Bill.Bytes
	for _, man := range slices.Backward(b.before) {
		part, _ := man.PartOf(p.Org)
		if room -= part.Bill.Bytes; room < 0 {
			break
		}
		month, err := hub.ParsePeriod(man.Month)
		if err != nil {
			return a, err
		}
		lines, err := b.f.lines(ctx, part)
		if err != nil {
			return a, err
		}
		a.before, a.parts = append(a.before, bill.Past{Month: month, Lines: lines}), append(a.parts, part)
	}
	slices.Reverse(a.before)
	slices.Reverse(a.parts)
	return a, nil
}

// readSince reads what a tenant was charged before, in every lens; the lenses have one bill, as a rule.
func (b *books) readSince(ctx context.Context, org string) (map[revision.Lens][]bill.Line, error) {
	charged, read := map[revision.Lens][]bill.Line{}, map[string][]bill.Line{}
	for l, man := range b.since {
		since, _ := man.PartOf(org)
		lines, done := read[since.Digest]
		if !done {
			var err error
			if lines, err = b.f.lines(ctx, since); err != nil {
				return nil, err
			}
			read[since.Digest] = lines
		}
		charged[l] = append([]bill.Line{}, priced(lines, since, l)...)
	}
	return charged, nil
}

// lines reads the bill of a part; a part of which nothing could be made has none.
func (f *Function) lines(ctx context.Context, p revision.Part) ([]bill.Line, error) {
	if p.Digest == "" {
		return nil, nil
	}
	return charge.ReadBill(ctx, f.Bucket, p.Bill)
}

// hold keeps memory bounded while a tenant's bills are read.
func (b *books) hold(p revision.Part) (release func()) {
	size := p.Bill.Bytes
	for _, man := range b.before {
		part, _ := man.PartOf(p.Org)
		size += part.Bill.Bytes
	}
	if size > largeBills {
		b.large.Lock()
		return b.large.Unlock
	}
	b.large.RLock()
	return b.large.RUnlock
}

// reports writes a page per tenant and lens and one over all tenants of a lens, and returns what they say. Without a bucket nothing is written.
func (b *books) reports(ctx context.Context, to blob.Bucket) ([]report.Statement, error) {
	said := b.statements()
	pages := make([][]revision.File, len(b.man.Parts))
	err := each(ctx, len(b.man.Parts), func(ctx context.Context, i int) (err error) {
		defer b.hold(b.man.Parts[i])()
		pages[i], err = b.pages(ctx, to, i, said)
		return err
	})
	if err != nil || to == nil {
		return said, err
	}
	b.man.Reports = slices.Concat(pages...)
	for _, s := range said {
		f, err := b.put(ctx, revision.OverviewFile(s.Lens), s.Lens, html, func(w io.Writer) error { return report.Overview(w, s) })
		if err != nil {
			return nil, err
		}
		b.man.Reports = append(b.man.Reports, f)
	}
	return said, nil
}

// statements are those of every lens, with room for the tenants.
func (b *books) statements() (said []report.Statement) {
	for _, l := range revision.Lenses(b.man.Parts) {
		said = append(said, report.Statement{Month: b.month.period(), Lens: l, Issuer: b.issuer(l), Revision: b.man.Revision, Since: b.man.Since,
			State: b.man.State, AsOf: b.man.Made, Tenants: make([]report.Tenant, len(b.man.Parts))})
	}
	return said
}

// pages writes the pages of the i-th tenant and notes them in the statements.
func (b *books) pages(ctx context.Context, to blob.Bucket, i int, said []report.Statement) (files []revision.File, err error) {
	a, err := b.read(ctx, b.man.Parts[i])
	if err != nil {
		return nil, err
	}
	for n, s := range said {
		page := b.page(a, s.Lens)
		said[n].Tenants[i] = b.tenant(page)
		if to == nil {
			continue
		}
		f, err := b.put(ctx, revision.ReportFile(s.Lens, a.Org), s.Lens, html, func(w io.Writer) error { return report.Write(w, page) })
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

const html = "text/html; charset=utf-8"

func (b *books) issuer(l revision.Lens) string {
	if l == revision.Tenant {
		return b.f.Config.Billing.Issuer
	}
	return ""
}

// page is what a tenant's report says in a lens.
func (b *books) page(a account, l revision.Lens) report.Page {
	p := report.Page{Month: b.month.period(), Org: a.Org, OrgName: a.OrgName, Lens: l, Issuer: b.issuer(l), Revision: b.man.Revision, State: b.man.State,
		AsOf: b.man.Made, Lines: priced(a.now, a.Part, l), Since: a.since[l], SinceRevision: b.man.Since, Verdicts: a.Verdicts}
	if p.OrgName == "" && len(a.now) > 0 { // nobody lists it: as its usage has it
		p.OrgName = a.now[0].OrgName
	}
	for i, past := range a.before {
		past.Lines = priced(past.Lines, a.parts[i], l)
		p.Before = append(p.Before, past)
	}
	if a.Digest != "" {
		p.Notes = slices.DeleteFunc(bill.Notes(p.Lines, p.Before), func(n bill.Note) bool { return n.Code == bill.NoteZeroUsage && !b.active(a.Org) })
	}
	for _, f := range a.Files {
		if f.Lens == l {
			p.Files = append(p.Files, f)
		}
	}
	return p
}

// active reports whether a tenant is meant to use something, as far as is known.
func (b *books) active(org string) bool {
	i := slices.IndexFunc(b.month.Known, func(t Tenant) bool { return t.ID == org })
	return i >= 0 && (b.month.Known[i].Status == "" || b.month.Known[i].Status == "ACTIVE")
}

// tenant is a page's line in the overview.
func (b *books) tenant(p report.Page) report.Tenant {
	t := report.Tenant{Org: p.Org, OrgName: p.OrgName, Verdicts: p.Verdicts, Notes: p.Notes}
	var last []bill.Line
	if n := len(p.Before); n > 0 && p.Before[n-1].Month == p.Month.Add(-1) {
		last, t.Compared = p.Before[n-1].Lines, true
	}
	t.Costs = report.Costs(p.Lines, last)
	return t
}

// priced returns lines in the prices of a lens; a part that has no such lens has none.
func priced(lines []bill.Line, p revision.Part, l revision.Lens) []bill.Line {
	a, ok := accountOf(p, l)
	if !ok {
		return nil
	}
	out := slices.Clone(lines)
	for i := range out {
		out[i].Price, out[i].Cost = charge.Price(a, out[i])
	}
	return out
}

func accountOf(p revision.Part, l revision.Lens) (charge.Account, bool) {
	i := slices.IndexFunc(p.Accounts, func(a revision.Account) bool { return a.Lens == l })
	if i < 0 {
		return charge.Account{}, false
	}
	return charge.Account(p.Accounts[i]), true
}

// summary writes summary.csv.
func (b *books) summary(ctx context.Context, said []report.Statement) error {
	f, err := b.put(ctx, revision.SummaryFile, "", "text/csv; charset=utf-8", func(w io.Writer) error { return report.CSV(w, said...) })
	b.man.Summary = []revision.File{f}
	return err
}

// put writes a small object into the folder of the revision.
func (b *books) put(ctx context.Context, name string, l revision.Lens, contentType string, write func(io.Writer) error) (revision.File, error) {
	var data bytes.Buffer
	if err := write(&data); err != nil {
		return revision.File{}, err
	}
	f := revision.File{Name: revision.Folder(b.month.period(), b.man.Revision) + name, Lens: l, Sum: blob.SumOf(data.Bytes())}
	_, err := blob.PutOnce(ctx, b.f.Bucket, contentType, f.Name, data.Bytes())
	return f, err
}
