// Package charge makes of a tenant's usage file what it costs: FOCUS rows, the bill, and what could not be charged.
//
// # What it guarantees
//
//   - Every row of the file is charged, outside of the month, or in quarantine; Charged counts all three. What is not known is not assumed.
//   - A cost is the product of a price and a quantity with all its digits, and a line of the bill the exact sum of its rows: the sums over a file
//     and over the bill are the same.
//   - The same file and options make the same bytes, whoever runs it, as often as he likes.
//   - Memory is bounded whatever the rows: by the lines of a bill, of which there are MaxLines at most.
//
// # How
//
// The file is read once. What rows have in common, everything but quantities and times, is looked at when it is seen first and kept
// (kind.go); of every further row only its own cells are read. Two things are not known before the end of the file:
//
//   - Whether a row that stands at the first moment of the month is the day's or the month's: in a summary view a subscription and a sku have one
//     row. Such a row is held until a second one comes, or the end (period.go).
//   - Whether a sku name has one cross reference. FOCUS wants one SkuId per SkuPriceId, so a name with two stands for both. Hardly a file
//     has one; it is then read again, knowing them (sku.go).
//
// Rows are in the order of the file, but for those that were held.
package charge

import (
	"context"
	"io"
	"math"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/focusfile"
	"github.com/providerdesk/providerdesk/functions/billingexport/focusfile/fixed"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// Limits of a bill. Rows of what is beyond them are in quarantine.
const (
	MaxLines = 100_000
	maxTexts = 64 << 20 // bytes of its lines, and of rows that are held
)

// Version changes whenever the same file and options would make other bytes.
func Version() string { return "charge-1" }

// Account is who is charged in a lens, and how much: a tenant's price is the hub's times Markup; a Markup of zero is none, as in lens provider.
type Account = revision.Account

// Options say what is charged.
type Options struct {
	Month    hub.Period
	Org      string // the tenant
	OrgName  string // where the file has none
	Master   string // the provider's organization, which is charged in lens provider
	Lenses   []Account
	Currency string // of what nobody else states one of; "": that is not charged
	Formats  []revision.Format
}

// Stated is what the hub's usage report says beside the file.
type Stated struct {
	Currencies map[string][]string // by cross reference; all of them by ""
}

// Charged is what was made.
type Charged struct {
	Files      []revision.File // in the order of lenses and formats
	Bill       revision.File
	Lines      []bill.Line    // ordered by identity
	Quarantine *revision.File // nil: nothing is in it
	Verdicts   []bill.Verdict
	Rows       int64 // that are charged
	Outside    int64 // that are of other months
}

// Charge reads the usage file of f, once, and writes what it comes to into a folder of the bucket. Without a usage file it comes to nothing, and
// the files are header-only. What is wrong with the file is in the verdicts; an error is of the bucket, or of the options.
func Charge(ctx context.Context, b blob.Bucket, f revision.Fetched, stated Stated, folder string, o Options) (Charged, error) {
	if err := o.check(); err != nil {
		return Charged{}, err
	}
	names := map[string]bool{}
	for {
		r := newRun(b, f, stated, folder, o, names)
		err := r.read(ctx)
		if err == nil && !r.skus.again {
			return r.finish(ctx)
		}
		r.out.abort()
		if err != nil {
			return Charged{}, err
		}
		names = r.skus.two
	}
}

func (o Options) check() error {
	if o.Org == "" || o.Month == (hub.Period{}) {
		return fault.New(fault.Bug, "a bill is of an organization and a month")
	}
	for _, a := range o.Lenses {
		if a.Lens != revision.Provider && a.Lens != revision.Tenant || a.Lens == revision.Provider && o.Master == "" || a.Lens == revision.Tenant && a.Issuer == "" {
			return fault.New(fault.Bug, "a lens is provider, of a master organization, or tenant, with an issuer")
		}
	}
	return nil
}

// run is one reading of a file.
type run struct {
	b      blob.Bucket
	raw    revision.Raw
	there  bool // raw is
	stated Stated
	o      Options

	start, end int64 // of the month
	book       *book
	skus       *skus
	out        *outputs
	seen       *sightings
	tally      tally
	reader     *hub.UsageReader
	lastStamp  string
}

// tally counts rows.
type tally struct {
	charged, outside, quarantined, odd, duplicate int64

	reasons     map[reason]int64
	broken      string // why the file ends before its end, or is none
	extra       []string
	first, last int64 // the earliest and the latest start of a charge period
}

func newRun(b blob.Bucket, f revision.Fetched, stated Stated, folder string, o Options, twoSkus map[string]bool) *run {
	r := &run{b: b, stated: stated, o: o, start: o.Month.Start().Unix(), end: o.Month.End().Unix(), seen: newSightings()}
	r.raw, r.there = f.Of(revision.UsageFile)
	r.skus = newSkus(twoSkus)
	r.book = newBook(o, r.skus)
	r.book.source = r.raw.Name
	r.out = newOutputs(b, folder, o)
	r.tally = tally{reasons: map[reason]int64{}, first: math.MaxInt64}
	return r
}

// source remembers whether the bucket failed, which the reader of a CSV takes for its end.
type source struct {
	blob.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

func (r *run) read(ctx context.Context) error {
	if err := r.out.open(ctx); err != nil || !r.there {
		return err
	}
	in, err := r.b.Open(ctx, r.raw.Name)
	if err != nil {
		return err
	}
	defer in.Close()
	s := &source{Reader: in}
	err = r.rows(ctx, s)
	if s.err != nil {
		return s.err
	}
	return err
}

// rows takes in all rows. A file that is none, or ends too early, is no error: what was read of it counts.
func (r *run) rows(ctx context.Context, s *source) (err error) {
	if r.reader, err = hub.NewUsageReader(s); err != nil {
		r.tally.broken = brokenness(err)
		return nil
	}
	r.book.currencies = newCurrencies(r.reader.Currency, r.stated.Currencies, r.o.Currency)
	r.tally.extra = r.reader.ExtraColumns()
	var row hub.UsageRow
	for {
		if err := r.reader.Read(&row); err != nil {
			if err != io.EOF {
				r.tally.broken = brokenness(err)
			}
			return r.releaseAll(ctx)
		}
		if err := r.row(ctx, &row); err != nil {
			return err
		}
	}
}

// brokenness is the sentence of the hub's client, which quotes nothing of the file.
func brokenness(err error) string {
	if s := fault.Public(err); s != "" {
		return s
	}
	return "the usage report cannot be read to its end"
}

// row takes in one row.
func (r *run) row(ctx context.Context, u *hub.UsageRow) error {
	at := u.Time.Unix()
	if !u.Time.IsZero() && (at < r.start || at >= r.end) {
		r.tally.outside++
		return nil
	}
	var e entry
	why := r.judge(&e, u, at)
	if why == "" {
		why = r.room(&e)
	}
	if why != "" {
		r.tally.quarantined++
		r.tally.reasons[why]++
		return r.out.quarantine(ctx, r.reader.Header, u, why)
	}
	r.count(&e, u)
	return r.settle(ctx, &e)
}

// entry is a row that is charged.
type entry struct {
	kind                    *kind
	usage, commit, billable fixed.Number
	start, end              int64 // of the charge period
	line                    int64 // of the file
	timestamp, extra        string
	opening                 bool // it stands at the first moment of the month
}

// judge says why a row cannot be charged, or "" and what is charged.
func (r *run) judge(e *entry, u *hub.UsageRow, at int64) (why reason) {
	if u.Problem != "" {
		return unreadable(u.Problem)
	}
	if e.kind = r.book.kindOf(u); e.kind.why != "" {
		return e.kind.why
	}
	if e.usage, why = quantity(u.Usage.String(), "Usage Qty"); why != "" {
		return why
	}
	if e.commit, why = quantity(u.Commit.String(), "Commit Qty"); why != "" {
		return why
	}
	if e.billable, why = quantity(u.Billable.String(), "Billable Qty"); why != "" {
		return why
	}
	if !e.kind.line.affords(e.billable) {
		return tooLong
	}
	e.start = at - (at-r.start)%day
	e.end = e.start + day
	e.opening = at == r.start
	e.line, e.timestamp = int64(u.Line), r.stamp(u.Timestamp)
	if len(u.Extra) > 0 {
		e.extra, why = extraOf(u.Extra)
	}
	return why
}

// stamp frees a timestamp from the row of the file that it is a piece of. Neighbours often have the same.
func (r *run) stamp(s string) string {
	if s != r.lastStamp {
		r.lastStamp = strings.Clone(s)
	}
	return r.lastStamp
}

const day = 24 * 60 * 60

func quantity(s, column string) (fixed.Number, reason) {
	n, err := fixed.Parse(s, scale)
	if err != nil {
		return n, inexact(column, err)
	}
	return n, ""
}

// count adds a row that is charged to its line, and counts what is odd about it.
func (r *run) count(e *entry, u *hub.UsageRow) {
	r.tally.charged++
	l := e.kind.line
	l.Rows++
	l.usage.Add(e.usage)
	l.commit.Add(e.commit)
	l.billable.Add(e.billable)
	if want := e.usage.Sub(e.commit); want.Sign() < 0 && e.billable != (fixed.Number{}) || want.Sign() >= 0 && want != e.billable {
		r.tally.odd++
	}
	if r.seen.before(e, u.Time.UnixNano()) {
		r.tally.duplicate++
	}
}

// emit writes a row in every lens.
func (r *run) emit(ctx context.Context, e *entry) error {
	if r.skus.again {
		return nil // only to find the other names that stand for two
	}
	r.tally.first = min(r.tally.first, e.start)
	r.tally.last = max(r.tally.last, e.start)
	for i := range e.kind.line.units {
		u := &e.kind.line.units[i]
		cost, _ := u.contracted.Mul(e.billable) // affordable, as was seen
		list, _ := u.list.Mul(e.billable)
		*r.out.next(i) = focusfile.Charge{
			Of: e.kind.rows[i], Start: e.start, End: e.end, Billed: cost, Contracted: cost, Effective: cost, List: list,
			Consumed: focusfile.Quantity{Number: e.usage, Valid: true}, Pricing: focusfile.Quantity{Number: e.billable, Valid: true},
			Commit: focusfile.Quantity{Number: e.commit, Valid: true}, SourceRow: e.line, Timestamp: e.timestamp, Extra: e.extra,
		}
	}
	r.out.bytes += len(e.extra)
	return r.out.full(ctx)
}

// finish writes the bill and commits everything.
func (r *run) finish(ctx context.Context) (Charged, error) {
	defer r.out.abort()
	lines := r.book.lines()
	c := Charged{Lines: make([]bill.Line, len(lines)), Rows: r.tally.charged, Outside: r.tally.outside}
	for i, l := range lines {
		c.Lines[i] = l.Line
	}
	var err error
	if c.Files, c.Quarantine, err = r.out.commit(ctx, r.describe(lines)); err != nil {
		return Charged{}, err
	}
	if c.Bill, err = writeBill(ctx, r.b, r.out.folder, r.o, c.Lines); err != nil {
		return Charged{}, err
	}
	c.Bill.Billed = billed(lines, func(l *line) decimal.Decimal { return l.Price })
	c.Verdicts = r.verdicts(lines)
	return c, nil
}

// describe returns a function that fills in what is known of a lens's files.
func (r *run) describe(lines []*line) func(i int, f *revision.File) {
	return func(i int, f *revision.File) {
		f.Billed = billed(lines, func(l *line) decimal.Decimal { return l.units[i].unit })
		if r.tally.charged > 0 {
			f.First, f.Last = time.Unix(r.tally.first, 0).UTC(), time.Unix(r.tally.last, 0).UTC()
		}
	}
}
