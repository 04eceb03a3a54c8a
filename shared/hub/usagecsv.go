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
	"strconv"
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
	readAhead  = 64 << 10 // bytes
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
	Problem                             string            // the first column that cannot be read, "" if all can: such a row must not be charged
	Extra                               map[string]string // columns that the guide does not know, by "x_" and their name; valid until the next row
	Cells                               []string          // as they were; valid until the next row
}

// UsageReader reads the CSV of UsageFile row by row. Columns are found by their names in whatever order they come; a byte order mark and both
// line ends are read. Rows that occur twice are returned twice.
type UsageReader struct {
	Header   []string
	Currency string // in the brackets of the price's name; "" is unknown, never to be guessed
	in       *csv.Reader
	lines    *quota
	at       places
	extra    []extraColumn
	values   map[string]string // of the extra columns, in the last row
}

// places are where the guide's columns stand in a row, -1 for one that does not.
type places struct {
	org, orgName, orgStatus, tag, service, serviceName, subscription, sku, skuDescription, crossReference, datacenter,
	timestamp, price, usage, commit, billable, family, segment int
}

type extraColumn struct {
	name string
	at   int
}

// NewUsageReader reads the header. A file that is empty, or lacks a column that is needed, or has one twice, is fault.Invalid.
func NewUsageReader(r io.Reader) (*UsageReader, error) {
	lines := &quota{from: skipMark(r), left: maxLine}
	u := &UsageReader{in: csv.NewReader(bufio.NewReaderSize(lines, readAhead)), lines: lines}
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
	u.in.ReuseRecord = true
	return u, u.index()
}

func (u *UsageReader) index() error {
	at := map[string]int{}
	for i, name := range u.Header {
		column, currency, ours := columnOf(name)
		if _, twice := at[column]; twice {
			return fault.New(fault.Invalid, "the usage report has a column twice")
		}
		at[column] = i
		if !ours {
			u.extra = append(u.extra, extraColumn{"x_" + strings.TrimSpace(name), i})
		}
		if column == colPrice {
			u.Currency = currency
		}
	}
	for _, name := range mandatory {
		if _, ok := at[name]; !ok {
			return fault.New(fault.Invalid, "the usage report has no column %q", name)
		}
	}
	u.at = placesOf(at)
	if len(u.extra) > 0 {
		u.values = make(map[string]string, len(u.extra))
	}
	return nil
}

func placesOf(at map[string]int) places {
	place := func(column string) int {
		if i, ok := at[column]; ok {
			return i
		}
		return -1
	}
	return places{
		org: place(colOrg), orgName: place(colOrgName), orgStatus: place(colOrgStatus), tag: place(colTag), service: place(colService),
		serviceName: place(colServiceNm), subscription: place(colSub), sku: place(colSku), skuDescription: place(colSkuText),
		crossReference: place(colCross), datacenter: place(colCenter), timestamp: place(colTime), price: place(colPrice), usage: place(colUsage),
		commit: place(colCommit), billable: place(colBillable), family: place(colFamily), segment: place(colSegment),
	}
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

// ExtraColumns are the names in Extra, in the order of the header.
func (u *UsageReader) ExtraColumns() (names []string) {
	for _, c := range u.extra {
		names = append(names, c.name)
	}
	return names
}

// Next returns the next row, io.EOF after the last. A broken file is fault.Transient: it may have been cut short.
func (u *UsageReader) Next() (UsageRow, error) {
	var r UsageRow
	err := u.Read(&r)
	return r, err
}

// Read is Next into a row, which is filled in place: it is large. After an error it is as it was.
func (u *UsageReader) Read(r *UsageRow) error {
	u.lines.left = maxLine
	cells, err := u.in.Read()
	if err != nil {
		return csvFault(err)
	}
	u.fill(r, cells)
	r.Line, _ = u.in.FieldPos(0)
	return nil
}

func (u *UsageReader) fill(r *UsageRow, cells []string) {
	at := &u.at
	*r = UsageRow{
		OrgID: cellAt(cells, at.org), OrgName: cellAt(cells, at.orgName), OrgStatus: cellAt(cells, at.orgStatus), Tag: cellAt(cells, at.tag),
		ServiceID: cellAt(cells, at.service), ServiceName: cellAt(cells, at.serviceName), SubscriptionID: cellAt(cells, at.subscription),
		Sku: cellAt(cells, at.sku), SkuDescription: cellAt(cells, at.skuDescription), CrossReference: cellAt(cells, at.crossReference),
		Datacenter: cellAt(cells, at.datacenter), Timestamp: cellAt(cells, at.timestamp), ProductFamily: cellAt(cells, at.family),
		CustomerSegment: cellAt(cells, at.segment), Cells: cells, Extra: u.values,
		Price: usageNumber(cellAt(cells, at.price)), Usage: usageNumber(cellAt(cells, at.usage)),
		Commit: usageNumber(cellAt(cells, at.commit)), Billable: usageNumber(cellAt(cells, at.billable)),
	}
	for _, c := range u.extra {
		u.values[c.name] = cells[c.at]
	}
	var known bool
	r.Time, known = UsageTime(r.Timestamp)
	r.Problem = r.judge(known)
}

// cellAt is a cell, trimmed. Most have nothing to trim, which their ends show.
func cellAt(cells []string, i int) string {
	if i < 0 {
		return ""
	}
	s := cells[i]
	if s == "" || isInk(s[0]) && isInk(s[len(s)-1]) {
		return s
	}
	return strings.TrimSpace(s)
}

func isInk(c byte) bool { return c > ' ' && c < 0x7f }

// judge returns the first column that must have a form and has not.
func (r *UsageRow) judge(timeKnown bool) string {
	switch {
	case r.OrgID == "":
		return colOrg
	case !timeKnown:
		return colTime
	case r.Price == "":
		return colPrice
	case r.Usage == "":
		return colUsage
	case r.Commit == "":
		return colCommit
	case r.Billable == "":
		return colBillable
	}
	return ""
}

// usageNumber is numberOf, which it asks about all but the plainest numbers.
func usageNumber(s string) json.Number {
	if isPlainNumber(s) {
		return json.Number(s)
	}
	return numberOf(s)
}

// isPlainNumber: at most 38 digits with at most one point among them, not at an end.
func isPlainNumber(s string) bool {
	if len(s) == 0 || len(s) > 38 || s[0] == '.' || s[len(s)-1] == '.' {
		return false
	}
	points := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			points++
		case c < '0' || c > '9':
			return false
		}
	}
	return points <= 1
}

// UsageTime reads a billable usage timestamp: an epoch of 10, 13 or 16 digits (seconds, milliseconds, microseconds), RFC 3339, or a date with
// or without a time in UTC. ok is false for anything else: 10/1/18 is two dates.
func UsageTime(s string) (t time.Time, ok bool) {
	if isDigits(s) {
		return epochDigits(s)
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func epochDigits(s string) (time.Time, bool) {
	switch len(s) {
	case 10, 13, 16:
		n, err := strconv.ParseInt(s, 10, 64)
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
	b := bufio.NewReaderSize(r, readAhead)
	if mark, _ := b.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		b.Discard(3) // cannot fail: they were peeked
	}
	return b
}
