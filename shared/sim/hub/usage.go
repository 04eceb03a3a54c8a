package hub

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"net/http"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// Usage is generated, never kept: a row is a function of the seed, the organization, the month, how often that month was restated, and where in
// it the row stands. Quantities are whole numbers of 1e-9, prices of 1e-4, so that every sum and product is exact.
const (
	quantityScale = 9
	priceScale    = 4
	amountScale   = quantityScale + priceScale
)

// service is a cloud service that an organization has.
type service struct {
	ID, Name, Description string
	Subscriptions         []subscription
}

// subscription has an on-demand rate and usage, or a term and none.
type subscription struct {
	SID, UUID  string
	Term       bool
	Start, End time.Time
	Skus       []sku
}

// sku is what is used and what a unit of it costs.
type sku struct {
	Name, Description, CrossReference  string
	Datacenter, Region, Family, Serial string
	Price                              int64
	committed                          bool
	series                             int // its place among those of the organization
}

// catalogue is what an organization has ordered: two services with usage, one of them with a term, and one without a subscription.
func (s *Server) catalogue(o orgRecord, at time.Time) []service {
	if !o.Serviced {
		return nil
	}
	aws := service{s.serviceID("aws"), "VMware Cloud on AWS", "VMware Cloud on AWS - prod", []subscription{s.onDemand(o, 0), s.term(o, at)}}
	logs := service{s.serviceID("logs"), "VMware Log Intelligence", "log-intelligence", []subscription{s.onDemand(o, 1)}}
	cost := service{s.serviceID("cost"), "VMware Cost Insight", "Cost_Insight", nil}
	return []service{aws, logs, cost}
}

func (s *Server) serviceID(name string) string {
	return server.Letters(s.ids.Draw("service "+name, 0), server.Alphanumeric, 28)
}

var families = []string{"VMC-AWS", "LOG-INTELLIGENCE"}

func (s *Server) onDemand(o orgRecord, n int) subscription {
	sub := subscription{
		SID:  server.Letters(s.ids.Draw("sid "+o.ID, uint64(n)), server.Lower, 10),
		UUID: uuid(s.ids.Draw("subscription "+o.ID, uint64(n))), Start: o.Since,
	}
	for i := range s.opts.Skus {
		random := s.ids.Draw("sku "+families[n], uint64(i))
		sub.Skus = append(sub.Skus, sku{
			Name:           fmt.Sprintf("%s-%d-ON-DEMAND", families[n], i+1),
			Description:    fmt.Sprintf("%s, on demand, \"size %d\"", families[n], i+1),
			CrossReference: "XR-" + server.Letters(random, server.Alphanumeric[:36], 8), Datacenter: "US_WEST_2", Region: "A1", Family: families[n],
			Price: 1 + int64(binary.BigEndian.Uint64(random[8:])%1_000_000), committed: i%3 == 2, series: n*s.opts.Skus + i,
		})
	}
	return sub
}

// term is the running year of a term subscription.
func (s *Server) term(o orgRecord, at time.Time) subscription {
	start := o.Since
	for !start.AddDate(1, 0, 0).After(at) {
		start = start.AddDate(1, 0, 0)
	}
	return subscription{
		SID: server.Letters(s.ids.Draw("sid "+o.ID, 9), server.Lower, 10), UUID: uuid(s.ids.Draw("subscription "+o.ID, 9)), Term: true, Start: start, End: start.AddDate(1, 0, 0),
		Skus: []sku{{Name: "VMC-AWS-TERM", Description: "VMware Cloud on Amazon Web Services", CrossReference: "XR-TERM12", Datacenter: "US_WEST_2", Region: "A1", Family: families[0], Price: 51987_0000}},
	}
}

// row is one line of usage.
type row struct {
	at                      int64 // milliseconds
	usage, commit, billable int64
}

func (r *row) add(o row) {
	r.usage, r.commit, r.billable = r.usage+o.usage, r.commit+o.commit, r.billable+o.billable
}

// restatement is late usage in a month that was closed.
type restatement struct {
	Org      string    `json:"org"`
	Month    string    `json:"month"`
	Revision int       `json:"revision"`
	At       time.Time `json:"at"`
}

func (r restatement) key() string { return r.Org + "/" + r.Month }

// series are the rows of one sku in one month.
type series struct {
	sku      sku
	month    month
	n, late  int // rows, and those that a restatement brought
	seed     uint64
	revision uint64
	from, to int64 // milliseconds: what is outside has not been used, or not yet
}

func (s *Server) series(o orgRecord, k sku, m month, revision int, now time.Time) series {
	count := 2 * s.opts.Skus
	x := series{sku: k, month: m, n: s.opts.Rows / count, revision: uint64(revision), from: o.Since.UnixMilli(), to: now.UnixMilli()}
	if k.series < s.opts.Rows%count {
		x.n++
	}
	if k.series == 0 {
		x.late = revision
	}
	random := s.ids.Draw("usage "+o.ID+" "+m.String(), uint64(k.series))
	x.seed = binary.BigEndian.Uint64(random[:])
	return x
}

// row is the i-th; false if it lies outside.
func (x *series) row(i int) (row, bool) {
	begin, end := x.month.start().UnixMilli(), (x.month + 1).start().UnixMilli()
	r := row{at: end - 1}
	h := mix(x.seed + uint64(i))
	if i < x.n {
		r.at = begin + (end-begin)*int64(i)/int64(x.n)
	}
	if x.revision > 0 && i%10 == 0 {
		h = mix(h ^ x.revision)
	}
	if r.at < x.from || r.at >= x.to {
		return r, false
	}
	r.usage = quantity(h)
	if x.sku.committed {
		r.commit = quantity(mix(h))
	}
	r.billable = max(0, r.usage-r.commit)
	return r, true
}

func (x *series) len() int { return x.n + x.late }

// sum is all rows in one, as of the beginning of the month; false without any.
func (x *series) sum() (total row, any bool) {
	total.at = x.month.start().UnixMilli()
	for i := range x.len() {
		if r, ok := x.row(i); ok {
			total.add(r)
			any = true
		}
	}
	return total, any
}

// mix spreads the bits (SplitMix64).
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// quantity is below ten, with no, three, six or nine decimal places.
func quantity(h uint64) int64 {
	v := int64((h >> 8) % 10_000_000_000)
	step := []int64{1_000_000_000, 1_000_000, 1_000, 1}[h&3]
	return v / step * step
}

// scope is what a request for usage or subscriptions is about.
type scope struct {
	orgs     []orgRecord
	services map[string]bool // nil: all
}

// scope finds the organizations. A report for the provider overrides tenantId; without either it is about all tenants that have a service.
func (tx *tx) scope(rq *request, allTenants bool) (sc scope, err error) {
	if list := rq.Query.Get("serviceIds"); list != "" {
		sc.services = splitSet(list)
	}
	id := rq.Query.Get("tenantId")
	switch {
	case rq.org.Type == typeTenant && id == "", rq.org.Type == typeProvider && rq.is("providerReport"):
		sc.orgs = []orgRecord{rq.org}
	case id != "":
		o, err := tx.tenant(rq, id)
		if err != nil {
			return sc, err
		}
		sc.orgs = []orgRecord{o}
	case allTenants:
		sc.orgs = tx.servicedTenants(rq)
		return sc, nil
	default:
		sc.orgs = []orgRecord{rq.org}
	}
	if !sc.orgs[0].Serviced {
		return sc, tx.noService()
	}
	return sc, nil
}

func (tx *tx) servicedTenants(rq *request) []orgRecord {
	return tx.state.orgs.where(func(o orgRecord) bool { return o.Parent == rq.org.ID && o.Serviced })
}

func (sc scope) has(serviceID string) bool { return sc.services == nil || sc.services[serviceID] }

// Restate brings late usage into a month that is over: some of its quantities change and a row is added.
func (s *Server) Restate(orgID, monthText string) error {
	s.Settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := s.begin(s.opts.Now().Add(s.state.clock))
	o, ok := s.state.orgs.get(orgID)
	if !ok {
		return notFound()
	}
	t, err := time.Parse("2006-01", monthText)
	if err != nil || !o.Serviced || monthOf(t) < monthOf(o.Since.UTC()) || monthOf(t) >= monthOf(tx.at) {
		return invalid("month", "The value must be a month that is over and has usage, such as 2026-09.")
	}
	r := restatement{Org: orgID, Month: monthText}
	r.Revision, r.At = s.state.restated[r.key()].Revision+1, tx.at
	if r.Revision > 1000 {
		return fail(http.StatusConflict, "CONFLICT", "The month was restated a thousand times.")
	}
	tx.change.Restated = append(tx.change.Restated, r)
	return tx.commit()
}

// decimal appends v / 10^scale, with no more places than it has and at least one.
func decimal(b []byte, v int64, scale int) []byte {
	if v < 0 {
		b, v = append(b, '-'), -v
	}
	unit := int64(1)
	for range scale {
		unit *= 10
	}
	b = fmt.Appendf(b, "%d.", v/unit)
	rest, places := v%unit, scale
	for places > 1 && rest%10 == 0 {
		rest, places = rest/10, places-1
	}
	return fmt.Appendf(b, "%0*d", places, rest)
}

// bigDecimal does the same for an amount.
func bigDecimal(v *big.Int, scale int) string {
	text := fmt.Sprintf("%0*d", scale+1, v)
	whole, rest := text[:len(text)-scale], text[len(text)-scale:]
	for len(rest) > 1 && rest[len(rest)-1] == '0' {
		rest = rest[:len(rest)-1]
	}
	return whole + "." + rest
}
