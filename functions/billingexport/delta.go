package billingexport

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/charge"
	"github.com/providerdesk/providerdesk/functions/billingexport/focus"
	"github.com/providerdesk/providerdesk/functions/billingexport/focusfile"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
)

// formats are those of every file of rows.
var formats = []revision.Format{revision.Parquet, revision.CSV, revision.JSONL}

// delta writes the rows that make the published revision before into this one, a file for every lens and format. The rows of a lens that was never
// there before are all of its charges; one that was left out for a while is corrected from the last published revision that has it. Where a lens's prices have changed with the configuration, what was charged is taken back and charged anew.
func (b *books) delta(ctx context.Context) (all []revision.File, err error) {
	for _, l := range revision.Lenses(b.man.Parts) {
		files, err := b.corrections(ctx, l)
		if err != nil {
			return nil, err
		}
		all = append(all, files...)
	}
	return all, nil
}

// corrections writes the files of a lens, all formats in one go over the tenants.
func (b *books) corrections(ctx context.Context, l revision.Lens) (files []revision.File, err error) {
	var out []*rowFile
	defer func() {
		for _, o := range out {
			o.to.Abort()
		}
	}()
	for _, format := range formats {
		o, err := newRowFile(ctx, b.f.Bucket, format)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	if err := b.correct(ctx, l, out); err != nil {
		return nil, err
	}
	for _, o := range out {
		name := revision.Folder(b.month.period(), b.man.Revision) + revision.DeltaFile(l, o.format)
		f, err := o.commit(ctx, b.f.Bucket, name, l)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// correct writes the rows of a lens, some tenants at a time.
func (b *books) correct(ctx context.Context, l revision.Lens, out []*rowFile) error {
	for orgs := b.changed(l); len(orgs) > 0; {
		n := b.fitting(orgs, l)
		rows := make([][]focus.Row, n)
		err := each(ctx, n, func(ctx context.Context, i int) (err error) {
			rows[i], err = b.corrected(ctx, l, orgs[i])
			return err
		})
		if err != nil {
			return err
		}
		for _, o := range out {
			for _, of := range rows {
				if err := o.write(of); err != nil {
					return err
				}
			}
		}
		orgs = orgs[n:]
	}
	return nil
}

// fitting is how many of some organizations' bills are read at a time, at least one's.
func (b *books) fitting(orgs []string, l revision.Lens) (n int) {
	for size := int64(0); n < min(len(orgs), atOnce); n++ {
		now, _ := b.man.PartOf(orgs[n])
		since, _ := b.since[l].PartOf(orgs[n])
		if size += now.Bill.Bytes + since.Bill.Bytes; n > 0 && size > largeBills {
			break
		}
	}
	return n
}

// changed are the organizations whose part is another one than it was, in order.
func (b *books) changed(l revision.Lens) (orgs []string) {
	for _, p := range slices.Concat(b.man.Parts, b.since[l].Parts) {
		now, _ := b.man.PartOf(p.Org)
		since, _ := b.since[l].PartOf(p.Org)
		if now.Digest != since.Digest {
			orgs = append(orgs, p.Org)
		}
	}
	slices.Sort(orgs)
	return slices.Compact(orgs)
}

// corrected returns the rows that make a tenant's part what it is now.
func (b *books) corrected(ctx context.Context, l revision.Lens, org string) ([]focus.Row, error) {
	now, _ := b.man.PartOf(org)
	since, _ := b.since[l].PartOf(org)
	to, charged := accountOf(now, l)
	from, wasCharged := accountOf(since, l)
	lines, err := b.f.linesIf(ctx, now, charged)
	if err != nil {
		return nil, err
	}
	old, err := b.f.linesIf(ctx, since, wasCharged)
	if err != nil {
		return nil, err
	}
	source := cmp.Or(now.Bill.Name, since.Bill.Name)
	if charged && wasCharged && to.Issuer == from.Issuer && to.Markup.Equal(from.Markup) {
		return charge.Corrections(b.options(now), l, old, lines, source), nil
	}
	return slices.Concat(charge.Corrections(b.options(since), l, old, nil, source), charge.Corrections(b.options(now), l, nil, lines, source)), nil
}

// linesIf reads the bill of a part if it is charged in a lens.
func (f *Function) linesIf(ctx context.Context, p revision.Part, charged bool) ([]bill.Line, error) {
	if !charged {
		return nil, nil
	}
	return f.lines(ctx, p)
}

// options are those with which a part was charged.
func (b *books) options(p revision.Part) charge.Options {
	o := b.f.options(job{Month: b.man.Month, Tenant: Tenant{ID: p.Org, Name: p.OrgName}})
	o.Lenses = nil
	for _, a := range p.Accounts {
		o.Lenses = append(o.Lenses, charge.Account(a))
	}
	return o
}

// rowFile is a file of rows that is being written.
type rowFile struct {
	to          blob.Writer
	rows        *focusfile.Writer
	format      revision.Format
	billed      map[string]decimal.Decimal
	first, last time.Time
}

func newRowFile(ctx context.Context, b blob.Bucket, format revision.Format) (*rowFile, error) {
	to, err := b.Create(ctx, focusfile.ContentType(format))
	if err != nil {
		return nil, err
	}
	rows, err := focusfile.NewWriter(to, format)
	if err != nil {
		to.Abort()
		return nil, err
	}
	return &rowFile{to: to, rows: rows, format: format, billed: map[string]decimal.Decimal{}}, nil
}

func (o *rowFile) write(rows []focus.Row) error {
	for _, r := range rows {
		if err := o.rows.WriteRow(r); err != nil {
			return err
		}
		o.billed[r.BillingCurrency] = o.billed[r.BillingCurrency].Add(r.BilledCost)
		if o.first.IsZero() || r.ChargePeriodStart.Before(o.first) {
			o.first = r.ChargePeriodStart
		}
		if r.ChargePeriodStart.After(o.last) {
			o.last = r.ChargePeriodStart
		}
	}
	return nil
}

func (o *rowFile) commit(ctx context.Context, b blob.Bucket, name string, l revision.Lens) (revision.File, error) {
	if err := o.rows.Close(); err != nil {
		return revision.File{}, err
	}
	f := revision.File{Name: name, Lens: l, Format: o.format, Sum: o.to.Sum(), Rows: o.rows.Rows(), Billed: amounts(o.billed), First: o.first, Last: o.last}
	_, err := blob.Once(ctx, b, o.to, name)
	return f, err
}

// amounts are sums in the order of their currencies.
func amounts(of map[string]decimal.Decimal) (all []revision.Money) {
	for _, c := range slices.Sorted(maps.Keys(of)) {
		all = append(all, revision.Money{Currency: c, Amount: of[c]})
	}
	return all
}
