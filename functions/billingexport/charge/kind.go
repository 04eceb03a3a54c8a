package charge

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/focus"
	"github.com/providerdesk/providerdesk/functions/billingexport/focusfile/fixed"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// scale of prices and quantities.
const scale = focus.QuantityScale

// maxKinds are kept at a time; there may be more lines.
const maxKinds = 1 << 14

// reason is why a row is in quarantine.
type reason string

const (
	foreign    reason = "it is about another organization"
	notUTF8    reason = "a text is not UTF-8"
	noService  reason = "it names no service"
	noSku      reason = "it names no sku"
	noCurrency reason = "nobody states a currency"
	tooLong    reason = "its cost has more than 38 digits"
	tooMany    reason = "the bill has more lines than it may have"
	tooMuch    reason = "its extra columns are too long"
)

func unreadable(column string) reason { return reason(column + " cannot be read") }

func inexact(column string, err error) reason {
	switch {
	case errors.Is(err, fixed.ErrDecimals):
		return reason(column + " has more than nine decimals")
	case errors.Is(err, fixed.ErrDigits):
		return reason(column + " has more than 38 digits")
	}
	return unreadable(column)
}

// kind is what rows that differ only in quantities and time have in common, and what was found out about it.
type kind struct {
	why    reason // they cannot be charged
	line   *line
	status string
	mark   uint64       // of line and status, among all kinds
	rows   []*focus.Row // a lens each
	key    string
	next   *kind // that of the row after the last of this kind: files repeat themselves
}

// line is a line of the bill that is being added up.
type line struct {
	bill.Line
	number                  uint64
	price                   fixed.Number
	units                   []unit // a lens each
	usage, commit, billable fixed.Sum
	clash                   bool // its currency is contradicted
	group                   *group
}

// unit is what one unit costs in a lens.
type unit struct {
	unit             decimal.Decimal
	contracted, list fixed.Number
}

// affords reports whether so much has an exact cost in every lens.
func (l *line) affords(billable fixed.Number) bool {
	for i := range l.units {
		_, ok := l.units[i].contracted.Mul(billable)
		_, and := l.units[i].list.Mul(billable)
		if !ok || !and {
			return false
		}
	}
	_, ok := l.price.Mul(billable)
	return ok
}

// book is the bill that is being made.
type book struct {
	o          Options
	source     string // name of the raw file
	skus       *skus
	currencies currencies
	kinds      map[string]*kind
	known      map[lineKey]*line
	all        []*line
	groups     map[groupKey]*group
	order      []*group
	texts      int
	key        []byte
	last       *kind
}

// lineKey is everything of a line but its sums.
type lineKey struct {
	orgName, tag, serviceID, service, subscription, sku, cross, text, datacenter, family, segment, currency string
	price                                                                                                   fixed.Number
}

func newBook(o Options, s *skus) *book {
	return &book{o: o, skus: s, kinds: map[string]*kind{}, known: map[lineKey]*line{}, groups: map[groupKey]*group{}, last: &kind{}}
}

// kindOf finds the kind of a row by the cells that make it.
func (b *book) kindOf(u *hub.UsageRow) *kind {
	key := b.key[:0]
	for _, s := range [...]string{
		u.OrgID, u.OrgName, u.OrgStatus, u.Tag, u.ServiceID, u.ServiceName, u.SubscriptionID, u.Sku, u.SkuDescription, u.CrossReference,
		u.Datacenter, u.ProductFamily, u.CustomerSegment, u.Price.String(),
	} {
		key = append(key, byte(len(s)), byte(len(s)>>8), byte(len(s)>>16))
		key = append(key, s...)
	}
	b.key = key
	k := b.last.next
	if k == nil || k.key != string(key) {
		k = b.lookUp(u)
	}
	b.last.next, b.last = k, k
	return k
}

func (b *book) lookUp(u *hub.UsageRow) *kind {
	if k, ok := b.kinds[string(b.key)]; ok {
		return k
	}
	if len(b.kinds) >= maxKinds {
		clear(b.kinds)
	}
	k := b.newKind(u)
	k.key, k.next = string(b.key), k
	b.kinds[k.key] = k
	return k
}

func (b *book) newKind(u *hub.UsageRow) *kind {
	l, why := b.lineOf(u)
	if why != "" {
		return &kind{why: why}
	}
	return b.kind(l, strings.Clone(u.OrgStatus))
}

func (b *book) kind(l *line, status string) *kind {
	k := &kind{line: l, status: status, mark: stir(l.number, status)}
	for _, a := range b.o.Lenses {
		k.rows = append(k.rows, b.focusRow(l.Line, status, a))
	}
	return k
}

// stir makes a hash, the same on every machine.
func stir(hash uint64, s string) uint64 {
	for i := range len(s) {
		hash = bits.RotateLeft64(hash^uint64(s[i]), 23) * 0x9e3779b97f4a7c15
	}
	return hash
}

// lineOf judges what a row has in common with others, and finds its line.
func (b *book) lineOf(u *hub.UsageRow) (*line, reason) {
	if u.OrgID != b.o.Org {
		return nil, foreign
	}
	key := lineKey{
		orgName: cmp.Or(u.OrgName, b.o.OrgName), tag: u.Tag, serviceID: u.ServiceID, service: cmp.Or(u.ServiceName, u.ServiceID), subscription: u.SubscriptionID,
		sku: u.Sku, cross: u.CrossReference, text: u.SkuDescription, datacenter: u.Datacenter, family: u.ProductFamily, segment: u.CustomerSegment,
	}
	for _, s := range append(key.texts(), u.OrgStatus) {
		if !utf8.ValidString(s) {
			return nil, notUTF8
		}
	}
	switch {
	case key.service == "":
		return nil, noService
	case key.sku == "" && key.cross == "":
		return nil, noSku
	}
	var err error
	if key.price, err = fixed.Parse(u.Price.String(), scale); err != nil {
		return nil, inexact("Price", err)
	}
	var clash bool
	if key.currency, clash = b.currencies.of(key.cross); key.currency == "" {
		return nil, noCurrency
	}
	if l, ok := b.known[key]; ok {
		return l, ""
	}
	return b.newLine(key, clash)
}

func (k *lineKey) texts() []string {
	return []string{k.orgName, k.tag, k.serviceID, k.service, k.subscription, k.sku, k.cross, k.text, k.datacenter, k.family, k.segment}
}

// clone frees the texts from the row of the file that they are pieces of.
func (k lineKey) clone() lineKey {
	for _, s := range []*string{&k.orgName, &k.tag, &k.serviceID, &k.service, &k.subscription, &k.sku, &k.cross, &k.text, &k.datacenter, &k.family, &k.segment} {
		*s = strings.Clone(*s)
	}
	return k
}

func (b *book) newLine(k lineKey, clash bool) (*line, reason) {
	if !b.take(k.texts()) || len(b.all) == MaxLines {
		return nil, tooMany
	}
	k = k.clone()
	l := &line{number: uint64(len(b.all)) + 1, price: k.price, clash: clash, Line: bill.Line{
		Org: b.o.Org, OrgName: k.orgName, Tag: k.tag, ServiceID: k.serviceID, Service: k.service, Subscription: k.subscription, Sku: k.sku,
		CrossReference: k.cross, SkuDescription: k.text, Datacenter: k.datacenter, Family: k.family, Segment: k.segment, Currency: k.currency,
		Price: k.price.Decimal(scale),
	}}
	for _, a := range b.o.Lenses {
		u := unit{unit: unitPrice(a, l.Price), list: l.price}
		var err error
		if u.contracted, err = fixed.From(u.unit, scale); err != nil {
			return nil, tooLong
		}
		l.units = append(l.units, u)
	}
	b.skus.note(l.Sku, l.CrossReference)
	b.known[k] = l
	b.all = append(b.all, l)
	l.group = b.groupOf(l)
	return l, ""
}

// take reports whether there is room for more texts, and takes it.
func (b *book) take(texts []string) bool {
	size := 0
	for _, s := range texts {
		size += len(s)
	}
	if b.texts+size > maxTexts {
		return false
	}
	b.texts += size
	return true
}

// lines returns those that anything was charged on, added up, ordered by identity and then by what is not part of it.
func (b *book) lines() []*line {
	all := slices.DeleteFunc(slices.Clone(b.all), func(l *line) bool { return l.Rows == 0 })
	ids := make(map[*line]string, len(all))
	for _, l := range all {
		l.Usage, l.Commit, l.Billable = l.usage.Decimal(scale), l.commit.Decimal(scale), l.billable.Decimal(scale)
		l.Cost = l.Price.Mul(l.Billable)
		ids[l] = l.Identity()
	}
	slices.SortFunc(all, func(x, y *line) int {
		return cmp.Or(cmp.Compare(ids[x], ids[y]), cmp.Compare(x.OrgName, y.OrgName), cmp.Compare(x.Tag, y.Tag), cmp.Compare(x.Service, y.Service),
			cmp.Compare(x.SkuDescription, y.SkuDescription), cmp.Compare(x.Family, y.Family), cmp.Compare(x.Segment, y.Segment))
	})
	return all
}

// billed sums lines up by currency, at a price.
func billed(lines []*line, price func(*line) decimal.Decimal) (all []revision.Money) {
	sums := map[string]decimal.Decimal{}
	for _, l := range lines {
		sums[l.Currency] = sums[l.Currency].Add(price(l).Mul(l.Billable))
	}
	for currency, sum := range sums {
		all = append(all, revision.Money{Currency: currency, Amount: sum})
	}
	slices.SortFunc(all, func(a, b revision.Money) int { return cmp.Compare(a.Currency, b.Currency) })
	return all
}

// maxExtra is how long x_Extra may be.
const maxExtra = 64 << 10

// extraOf writes the cells of columns that the guide does not have as one JSON object, in the order of their names; "" if all are empty.
func extraOf(cells map[string]string) (string, reason) {
	filled := make(map[string]string, len(cells))
	for name, cell := range cells {
		if !utf8.ValidString(cell) || !utf8.ValidString(name) {
			return "", notUTF8
		}
		if cell != "" {
			filled[name] = cell
		}
	}
	if len(filled) == 0 {
		return "", ""
	}
	s := object(filled)
	if len(s) > maxExtra {
		return "", tooMuch
	}
	return s, ""
}

// object writes a flat JSON object.
func object(members map[string]string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(members) != nil { // of texts: never
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}
