package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// maxStated is about how many bytes a statement may take in memory. A hundred thousand skus are less.
const maxStated = 64 << 20

// Stated is what the hub states of a tenant's month beside the usage file. The zero value states nothing.
type Stated struct {
	report, list bool // whether there is a usage report, and a list of subscriptions
	tooLarge     bool // it states more than fits: the rest was not read

	keys       map[key]sums
	canonical  map[alias]string          // of a subscription, by either of its ids
	amounts    map[place]decimal.Decimal // billable; of an organization with an empty service
	titles     map[place]string
	terms      []term            // of the report
	listed     map[id]bool       // ids in the list
	truncated  map[string]string // what is wrong, by subscription
	currencies map[string]map[string]bool
	size       int
}

// alias is an id of a subscription to a service.
type alias struct{ org, service, id string }

// id is an id of a subscription.
type id struct{ org, id string }

// term is a subscription with a term.
type term struct{ org, sid, uuid string }

func (t term) String() string {
	return fmt.Sprintf("subscription %s (%s)", plain(t.uuid), plain(t.sid))
}

func newStated() Stated {
	return Stated{
		keys: map[key]sums{}, canonical: map[alias]string{}, amounts: map[place]decimal.Decimal{}, titles: map[place]string{},
		listed: map[id]bool{}, truncated: map[string]string{}, currencies: map[string]map[string]bool{},
	}
}

// Read decodes the report and the list of subscriptions of what was fetched; what was not fetched is not stated. A stored piece that is not
// about the tenant, or is none that can be read, is fault.Invalid: reading it again does not help.
func Read(ctx context.Context, b blob.Bucket, f revision.Fetched) (Stated, error) {
	s := newStated()
	for _, p := range []struct {
		kind  revision.Kind
		there *bool
		take  func(hub.UsageItem)
	}{{revision.UsageReport, &s.report, s.reported}, {revision.Subscriptions, &s.list, s.subscribed}} {
		raw, ok := f.Of(p.kind)
		if !ok {
			continue
		}
		*p.there = true
		if err := s.read(ctx, b, raw, f.Org, p.take); err != nil {
			return Stated{}, err
		}
	}
	return s, nil
}

func (s *Stated) read(ctx context.Context, b blob.Bucket, raw revision.Raw, org string, take func(hub.UsageItem)) error {
	r, err := b.Open(ctx, raw.Name)
	if err != nil {
		return fmt.Errorf("read a stored report: %w", err)
	}
	defer r.Close()
	from := &watched{from: r}
	err = s.each(hub.ReadReport(from, "", org), take)
	switch {
	case err == nil:
		return nil
	case from.failed != nil && !errors.Is(from.failed, blob.ErrCorrupt):
		return fmt.Errorf("read a stored report: %w", from.failed)
	case errors.Is(err, hub.ErrForeign):
		return fault.New(fault.Invalid, "a stored %s is about another organization than its tenant", raw.Kind)
	}
	return fault.New(fault.Invalid, "a stored %s cannot be read", raw.Kind)
}

func (s *Stated) each(items iter.Seq2[hub.UsageItem, error], take func(hub.UsageItem)) error {
	for i, err := range items {
		if err != nil {
			return err
		}
		take(i)
		if s.size > maxStated {
			s.tooLarge = true
			return nil
		}
	}
	return nil
}

// watched knows whether reading failed, or only understanding.
type watched struct {
	from   io.Reader
	failed error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.from.Read(p)
	if err != nil && err != io.EOF {
		w.failed = err
	}
	return n, err
}

// reported takes an item of the usage report.
func (s *Stated) reported(i hub.UsageItem) {
	switch {
	case i.Subscription != nil:
		s.used(*i.Subscription)
	case i.Service != nil:
		at := place{i.Service.OrgID, i.Service.ID}
		s.titles[at] = max(s.titles[at], i.Service.Name)
		s.amount(at, i.Service.BillableAmount)
		s.grow(at.org, at.service, i.Service.Name)
	case i.Organization != nil:
		at := place{i.Organization.ID, ""}
		s.amount(at, i.Organization.BillableAmount)
		s.grow(at.org)
	}
}

func (s *Stated) amount(at place, n json.Number) { s.amounts[at] = s.amounts[at].Add(number(n)) }

// used takes a subscription of the report. Several entries of a key are added up.
func (s *Stated) used(u hub.Subscription) {
	name := s.subscription(u)
	for _, k := range u.Skus {
		at := key{u.OrgID, u.ServiceID, name, k.CrossReference}
		s.keys[at] = s.keys[at].add(sums{number(k.TotalUsage), number(k.TotalCommit), number(k.TotalBillable), 0})
		s.grow(at.org, at.service, at.subscription, at.sku)
	}
	if strings.EqualFold(u.Type, "TERM") {
		s.terms = append(s.terms, term{u.OrgID, u.ID, u.UUID})
		s.grow(u.OrgID, u.ID, u.UUID)
	}
	s.skus(u)
}

// subscription makes both ids of a subscription known and returns the canonical one.
func (s *Stated) subscription(u hub.Subscription) string {
	name := u.UUID
	if name == "" {
		name = u.ID
	}
	for _, id := range []string{name, u.ID} {
		at := alias{u.OrgID, u.ServiceID, id}
		if _, taken := s.canonical[at]; id != "" && (!taken || id == name) {
			s.canonical[at] = name
		}
		s.grow(at.org, at.service, at.id)
	}
	return name
}

// subscribed takes an item of the list of subscriptions.
func (s *Stated) subscribed(i hub.UsageItem) {
	u := i.Subscription
	if u == nil {
		return
	}
	for _, name := range []string{u.ID, u.UUID} {
		if name != "" {
			s.listed[id{u.OrgID, name}] = true
			s.grow(u.OrgID, name)
		}
	}
	s.skus(*u)
}

// skus notes what either list says of skus: their currencies, and whether they are all.
func (s *Stated) skus(u hub.Subscription) {
	if u.Truncated() {
		of := term{u.OrgID, u.ID, u.UUID}.String()
		s.truncated[of] = fmt.Sprintf("%d announced, %d sent", u.PageSize, len(u.Skus))
		s.grow(of)
	}
	for _, k := range u.Skus {
		for _, c := range []string{k.Currency, k.Offer.Currency} {
			s.currency(k.CrossReference, c)
			s.currency("", c)
		}
	}
}

func (s *Stated) currency(sku, code string) {
	code = strings.ToUpper(strings.TrimSpace(code))
	if code == "" || s.currencies[sku][code] {
		return
	}
	if s.currencies[sku] == nil {
		s.currencies[sku] = map[string]bool{}
	}
	s.currencies[sku][code] = true
	s.grow(sku, code)
}

// grow counts what is kept, with what a map takes beside the texts.
func (s *Stated) grow(texts ...string) {
	s.size += 128
	for _, t := range texts {
		s.size += len(t)
	}
}

// Currencies returns the currencies that are stated, by cross reference, and all of them by "". Each list is ordered.
func (s Stated) Currencies() map[string][]string {
	out := map[string][]string{}
	for sku, set := range s.currencies {
		out[sku] = slices.Sorted(maps.Keys(set))
	}
	return out
}

// keyOf is the key of a line of the bill.
func (s Stated) keyOf(l bill.Line) key {
	k := key{strings.TrimSpace(l.Org), strings.TrimSpace(l.ServiceID), strings.TrimSpace(l.Subscription), strings.TrimSpace(l.CrossReference)}
	if name, ok := s.canonical[alias{k.org, k.service, k.subscription}]; ok {
		k.subscription = name
	}
	return k
}

// number reads what the hub's client found to be a number; none is zero, so that it agrees only with no usage.
func number(n json.Number) decimal.Decimal {
	d, err := decimal.NewFromString(n.String())
	if err != nil {
		return decimal.Zero
	}
	return d
}
