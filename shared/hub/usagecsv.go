package hub

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Columns of the usage report, as the guide's "Download a Usage Report" lists them, but for the price, whose name holds the currency.
const (
	colOrg       = "Org Id"
	colOrgName   = "Org Name"
	colOrgStatus = "Org Status"
	colTag       = "Tag"
	colService   = "Service Id"
	colServiceNm = "Service Name"
	colSub       = "Subscription Id"
	colSku       = "Sku Name"
	colSkuText   = "Sku Description"
	colCenter    = "Datacenter"
	colTime      = "Billable Usage Timestamp"
	colPrice     = "Price ()"
	colUsage     = "Usage Qty"
	colCommit    = "Commit Qty"
	colBillable  = "Billable Qty"
	colFamily    = "Product Family"
	colSegment   = "Customer Segment"
	colCross     = "Cross Reference Sku"
)

// mandatory columns are those without which a row cannot be charged to anybody.
var mandatory = []string{colOrg, colService, colSub, colTime, colPrice, colUsage, colCommit, colBillable, colCross}

var known = append([]string{
	colOrgName, colOrgStatus, colTag, colServiceNm, colSku, colSkuText, colCenter, colFamily, colSegment,
}, mandatory...)

var priceForm = regexp.MustCompile(`^(?i:price) \((.*)\)$`)

const (
	maxLine    = 1 << 20 // bytes of one row of a file
	maxColumns = 256
)

// UsageRow is one row of the CSV. Texts are trimmed; numbers have their own digits.
type UsageRow struct {
	Line                                int // of the file, from 1, where the row begins
	OrgID, OrgName, OrgStatus, Tag      string
	ServiceID, ServiceName              string
	SubscriptionID                      string
	Sku, SkuDescription, CrossReference string
	Datacenter                          string
	Timestamp                           string    // as it stands there
	Time                                time.Time // UTC; zero if Timestamp is of no known form
	Price, Usage, Commit, Billable      json.Number
	ProductFamily, CustomerSegment      string
	Extra                               map[string]string // columns that the guide does not know, by "x_" and their name
	Problem                             string            // the first column that cannot be read, "" if all can: such a row must not be charged
	Cells                               []string          // as they were
}

// UsageReader reads the CSV of UsageFile row by row. Columns are found by their names in whatever order they come; a byte order mark and both
// line ends are read. Rows that occur twice are returned twice.
type UsageReader struct {
	Header   []string
	Currency string // in the brackets of the price's name; "" is unknown, never to be guessed
	in       *csv.Reader
	lines    *quota
	at       map[string]int
	extra    map[int]string
}

// NewUsageReader reads the header. A file that is empty, or lacks a column that is needed, or has one twice, is fault.Invalid.
func NewUsageReader(r io.Reader) (*UsageReader, error) {
	lines := &quota{from: skipMark(r), left: maxLine}
	u := &UsageReader{in: csv.NewReader(lines), lines: lines, at: map[string]int{}, extra: map[int]string{}}
	header, err := u.in.Read()
	switch {
	case err == io.EOF:
		return nil, fault.New(fault.Invalid, "the usage report is an empty file, without a header")
	case err != nil:
		return nil, csvFault(err)
	case len(header) > maxColumns:
		return nil, fault.New(fault.Invalid, "the usage report has more than %d columns", maxColumns)
	}
	u.Header = header
	return u, u.index()
}

func (u *UsageReader) index() error {
	for i, name := range u.Header {
		column, currency, ours := columnOf(name)
		if _, twice := u.at[column]; twice {
			return fault.New(fault.Invalid, "the usage report has a column twice")
		}
		u.at[column] = i
		if !ours {
			u.extra[i] = "x_" + strings.TrimSpace(name)
		}
		if column == colPrice {
			u.Currency = currency
		}
	}
	for _, name := range mandatory {
		if _, ok := u.at[name]; !ok {
			return fault.New(fault.Invalid, "the usage report has no column %q", name)
		}
	}
	return nil
}

// columnOf returns the guide's name of a column, or the name itself.
func columnOf(name string) (column, currency string, ok bool) {
	name = strings.TrimSpace(name)
	if m := priceForm.FindStringSubmatch(name); m != nil {
		return colPrice, strings.TrimSpace(m[1]), true
	}
	if i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, name) }); i >= 0 {
		return known[i], "", true
	}
	return name, "", false
}

// Next returns the next row, io.EOF after the last. A broken file is fault.Transient: it may have been cut short.
func (u *UsageReader) Next() (UsageRow, error) {
	u.lines.left = maxLine
	cells, err := u.in.Read()
	if err != nil {
		return UsageRow{}, csvFault(err)
	}
	line, _ := u.in.FieldPos(0)
	row := u.row(cells)
	row.Line = line
	return row, nil
}

func (u *UsageReader) row(cells []string) UsageRow {
	cell := func(column string) string {
		if i, ok := u.at[column]; ok {
			return strings.TrimSpace(cells[i])
		}
		return ""
	}
	r := UsageRow{
		OrgID: cell(colOrg), OrgName: cell(colOrgName), OrgStatus: cell(colOrgStatus), Tag: cell(colTag), ServiceID: cell(colService),
		ServiceName: cell(colServiceNm), SubscriptionID: cell(colSub), Sku: cell(colSku), SkuDescription: cell(colSkuText),
		CrossReference: cell(colCross), Datacenter: cell(colCenter), Timestamp: cell(colTime), ProductFamily: cell(colFamily),
		CustomerSegment: cell(colSegment), Cells: cells,
	}
	for i, name := range u.extra {
		if r.Extra == nil {
			r.Extra = map[string]string{}
		}
		r.Extra[name] = cells[i]
	}
	r.judge(cell)
	return r
}

// judge reads what must have a form, and notes the first column that has not.
func (r *UsageRow) judge(cell func(string) string) {
	problem := func(column string, bad bool) {
		if bad && r.Problem == "" {
			r.Problem = column
		}
	}
	var ok bool
	r.Time, ok = UsageTime(r.Timestamp)
	problem(colOrg, r.OrgID == "")
	problem(colTime, !ok)
	for column, into := range map[string]*json.Number{colPrice: &r.Price, colUsage: &r.Usage, colCommit: &r.Commit, colBillable: &r.Billable} {
		*into = numberOf(cell(column))
	}
	problem(colPrice, r.Price == "")
	problem(colUsage, r.Usage == "")
	problem(colCommit, r.Commit == "")
	problem(colBillable, r.Billable == "")
}

var digits = regexp.MustCompile(`^[0-9]+$`)

// UsageTime reads a billable usage timestamp: an epoch of 10, 13 or 16 digits (seconds, milliseconds, microseconds), RFC 3339, or a date with
// or without a time in UTC. ok is false for anything else: 10/1/18 is two dates.
func UsageTime(s string) (t time.Time, ok bool) {
	if digits.MatchString(s) {
		return epochDigits(s)
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

func epochDigits(s string) (time.Time, bool) {
	switch len(s) {
	case 10, 13, 16:
		n, err := json.Number(strings.TrimLeft(s, "0")).Int64()
		if err != nil {
			return time.Time{}, false
		}
		return Epoch(n)
	}
	return time.Time{}, false
}

// View says how granular the rows of a report are. The zero value has seen nothing.
type View struct{ seen map[[4]string]bool }

// Add looks at a row. It returns true as soon as an organization, a subscription and a sku have had two rows: the report is a detailed one.
func (v *View) Add(r UsageRow) (detailed bool) {
	if v.seen == nil {
		v.seen = map[[4]string]bool{}
	}
	key := [4]string{r.OrgID, r.SubscriptionID, r.CrossReference, r.Sku}
	if v.seen[key] {
		return true
	}
	v.seen[key] = true
	return false
}

// csvFault says where a file broke, not what stands there.
func csvFault(err error) error {
	var f *fault.Error
	var p *csv.ParseError
	switch {
	case err == io.EOF, errors.As(err, &f):
		return err
	case errors.As(err, &p):
		return fault.New(fault.Transient, "the usage report is no CSV at line %d", p.Line)
	}
	return fault.New(fault.Transient, "the usage report cannot be read to its end")
}

func skipMark(r io.Reader) io.Reader {
	b := bufio.NewReader(r)
	if mark, _ := b.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		b.Discard(3) // cannot fail: they were peeked
	}
	return b
}
