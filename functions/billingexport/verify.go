package billingexport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/focus"
	"github.com/providerdesk/providerdesk/functions/billingexport/focusfile"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// Check is one thing that was looked at.
type Check struct {
	What    string `json:"what"`              // the name of an object, or what is held against what
	Problem string `json:"problem,omitempty"` // empty: it is as it should be
	Done    int    `json:"done"`              // checks so far
	Total   int    `json:"total"`             // of all
}

// Verify reads everything that a revision names, the newest for 0, and holds it against what is said of it: every object and its checksum, the
// sums of the FOCUS files against the manifest's and the bills', the rules of FOCUS, the corrections against the revision that they start
// from, current.json. Its error is that the revision could not be read. It writes nothing but a temporary file.
func (f *Function) Verify(ctx context.Context, p hub.Period, rev int) (iter.Seq[Check], error) {
	c, err := f.find(ctx, p, rev)
	if err != nil {
		return nil, err
	}
	v := &verification{f: f, period: p, c: c, checkers: map[revision.Lens]*focus.Checker{}}
	steps := v.steps()
	return func(yield func(Check) bool) {
		for i, s := range steps {
			if !yield(Check{What: s.what, Problem: problem(s.look(ctx)), Done: i + 1, Total: len(steps)}) {
				return
			}
		}
	}, nil
}

func problem(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// verification is the look at one revision.
type verification struct {
	f        *Function
	period   hub.Period
	c        committed
	checkers map[revision.Lens]*focus.Checker // one data set a lens
}

// step is one check.
type step struct {
	what string
	look func(context.Context) error
}

func (v *verification) steps() (all []step) {
	man := v.c.manifest
	for _, p := range man.Parts {
		all = append(all, v.part(p)...)
	}
	for _, l := range revision.Lenses(man.Parts) {
		all = append(all, step{"rules of FOCUS, lens " + string(l), func(context.Context) error { return v.ruled(l) }})
	}
	for _, d := range man.Delta {
		all = append(all, step{d.Name, func(ctx context.Context) error { return v.rows(ctx, d, nil, nil) }})
	}
	if man.State == revision.Published && man.Since > 0 {
		all = append(all, step{fmt.Sprintf("revision %d and the corrections add up to this one", man.Since), v.continues})
	}
	for _, o := range slices.Concat(man.Summary, man.Reports) {
		all = append(all, step{o.Name, func(ctx context.Context) error { return v.object(ctx, o.Name, o.Sum, io.Discard) }})
	}
	return append(all, step{revision.MonthFolder(v.period) + revision.CurrentFile, v.pointed})
}

func (v *verification) part(p revision.Part) (all []step) {
	if p.Digest == "" {
		return nil
	}
	for _, r := range p.Raw {
		all = append(all, step{r.Name, func(ctx context.Context) error { return v.object(ctx, r.Name, r.Sum, io.Discard) }})
	}
	all = append(all, step{p.Bill.Name, func(ctx context.Context) error { return v.object(ctx, p.Bill.Name, p.Bill.Sum, io.Discard) }})
	if p.Quarantine != nil {
		all = append(all, step{p.Quarantine.Name, func(ctx context.Context) error { return v.object(ctx, p.Quarantine.Name, p.Quarantine.Sum, io.Discard) }})
	}
	ruled := map[revision.Lens]bool{}
	for _, o := range p.Files {
		var checker *focus.Checker
		if !ruled[o.Lens] { // the formats have the same rows: one is enough
			ruled[o.Lens] = true
			checker = v.checker(o.Lens)
		}
		all = append(all, step{o.Name, func(ctx context.Context) error { return v.rows(ctx, o, &p, checker) }})
	}
	return all
}

func (v *verification) checker(l revision.Lens) *focus.Checker {
	if v.checkers[l] == nil {
		v.checkers[l] = focus.New()
	}
	return v.checkers[l]
}

var errDiffers = errors.New("its bytes are not those of the checksum")

// object reads an object and compares its checksum.
func (v *verification) object(ctx context.Context, name string, want blob.Sum, to io.Writer) error {
	r, err := v.f.Bucket.Open(ctx, name)
	if err != nil {
		return err
	}
	d := blob.NewDigest()
	_, err = io.Copy(io.MultiWriter(d, to), r)
	if err = errors.Join(err, r.Close()); err == nil && d.Sum() != want {
		return errDiffers
	}
	return err
}

// rows reads a file of rows, and holds it against what the manifest says of it and, if it is a part's, against the part's bill.
func (v *verification) rows(ctx context.Context, o revision.File, p *revision.Part, c *focus.Checker) error {
	spool, err := os.CreateTemp("", "verify-*")
	if err != nil {
		return fault.Wrap(fault.Bug, err, "make a temporary file")
	}
	defer os.Remove(spool.Name())
	defer spool.Close()
	if err := v.object(ctx, o.Name, o.Sum, spool); err != nil {
		return err
	}
	sums, err := tally(o, spool, c)
	if err != nil {
		return err
	}
	if err := equal(sums, o.Billed, "the manifest"); err != nil || p == nil {
		return err
	}
	lines, err := v.f.lines(ctx, *p)
	if err != nil {
		return err
	}
	return equal(sums, costs(priced(lines, *p, o.Lens)), "the bill")
}

// tally reads the rows of a file: their sums by currency. A checker, if there is one, looks at each.
func tally(o revision.File, r io.ReaderAt, c *focus.Checker) (map[string]decimal.Decimal, error) {
	count, sums := int64(0), map[string]decimal.Decimal{}
	for row, err := range focusfile.Read(o.Format, r, o.Bytes) {
		if err != nil {
			return nil, err
		}
		count++
		sums[row.BillingCurrency] = sums[row.BillingCurrency].Add(row.BilledCost)
		if c != nil {
			c.Add(row)
		}
	}
	if count != o.Rows {
		return nil, fmt.Errorf("it has %d rows, and the manifest says %d", count, o.Rows)
	}
	return sums, nil
}

// costs are the sums of lines by currency.
func costs(lines []bill.Line) []revision.Money {
	sums := map[string]decimal.Decimal{}
	for _, l := range lines {
		sums[l.Currency] = sums[l.Currency].Add(l.Cost)
	}
	return amounts(sums)
}

// equal compares sums to the last digit.
func equal(sums map[string]decimal.Decimal, want []revision.Money, whose string) error {
	rest := map[string]decimal.Decimal{}
	for c, d := range sums {
		rest[c] = d
	}
	for _, m := range want {
		rest[m.Currency] = rest[m.Currency].Sub(m.Amount)
	}
	for _, m := range amounts(rest) {
		if !m.Amount.IsZero() {
			return fmt.Errorf("its sum in %s is %s, and %s has %s", bill.CurrencyName(m.Currency), sums[m.Currency], whose, sums[m.Currency].Sub(m.Amount))
		}
	}
	return nil
}

func (v *verification) ruled(l revision.Lens) error {
	findings := v.checkers[l].Findings()
	if len(findings) == 0 {
		return nil
	}
	return fmt.Errorf("%d rules are broken, the first is %s, by %d rows", len(findings), findings[0].Name, findings[0].Count)
}

// continues holds the corrections against the revision that they start from.
func (v *verification) continues(ctx context.Context) error {
	since, err := v.f.sinceOf(ctx, v.period, v.c.manifest)
	if err != nil {
		return err
	}
	sums := map[revision.Lens]map[string]decimal.Decimal{}
	add := func(l revision.Lens, all []revision.Total) {
		for _, t := range all {
			if t.Lens != l {
				continue
			}
			if sums[t.Lens] == nil {
				sums[t.Lens] = map[string]decimal.Decimal{}
			}
			sums[t.Lens][t.Currency] = sums[t.Lens][t.Currency].Add(t.Amount)
		}
	}
	for l, man := range since {
		add(l, revision.Totals(man.Parts))
		add(l, revision.Totals([]revision.Part{{Files: v.c.manifest.Delta}}))
	}
	now := map[revision.Lens][]revision.Money{}
	for _, t := range revision.Totals(v.c.manifest.Parts) {
		now[t.Lens] = append(now[t.Lens], t.Money)
	}
	for _, l := range revision.Lenses(v.c.manifest.Parts) {
		if err := equal(sums[l], now[l], "this revision"); err != nil {
			return err
		}
	}
	return nil
}

// pointed looks where current.json points: to this revision, if it is the last published one, else to a later one, always to a manifest that is
// there and has the digest that it says.
func (v *verification) pointed(ctx context.Context) error {
	c, at, err := v.f.current(ctx, v.period)
	last := v.c.manifest.LastPublished()
	switch {
	case err != nil:
		return err
	case at == blob.Absent && last == 0:
		return nil
	case c.Revision < last:
		return fmt.Errorf("it names revision %d, and revision %d is published", c.Revision, last)
	}
	named, found, err := v.f.committed(ctx, v.period, c.Revision)
	switch {
	case err != nil:
		return err
	case !found || named.name != c.Manifest || named.sha256 != c.ManifestSHA256 || named.manifest.State != revision.Published:
		return errors.New("it names a manifest that is not there, not published, or another one")
	}
	return nil
}
