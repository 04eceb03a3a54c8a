package hub

import (
	"encoding/json"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// number is a JSON number with all its digits.
type number string

func (n number) MarshalJSON() ([]byte, error) { return []byte(n), nil }

// The tree of the guide's usage report and subscriptions.
type wireReport struct {
	Created  int64            `json:"createTimestamp"`
	Updated  int64            `json:"updateTimestamp"`
	OrgID    string           `json:"orgId"`
	OrgName  string           `json:"orgName"`
	Services []wireServiceUse `json:"services"`
	Usage    number           `json:"orgUsageAmount"`
	Billable number           `json:"orgBillableUsageAmount"`
}

type wireServiceUse struct {
	ID            string             `json:"serviceDefId"`
	Name          string             `json:"serviceName"`
	Description   string             `json:"serviceDescription"`
	Usage         number             `json:"serviceUsageAmount"`
	Billable      number             `json:"serviceBillableUsageAmount"`
	Subscriptions []wireSubscription `json:"subscriptions"`
}

type wireSubscription struct {
	SID  string `json:"sid"`
	UUID string `json:"subscriptionUuid"`
	Skus struct {
		Skus     []wireSku `json:"skus"`
		PageSize int       `json:"pageSize"`
	} `json:"skuData"`
	Start       int64  `json:"subscriptionStartTime"`
	End         int64  `json:"subscriptionEndTime"`
	Anniversary int64  `json:"anniversaryBillingTime"`
	Status      string `json:"status"`
	Type        string `json:"subscriptionType"`
}

type wireSku struct {
	Description    string     `json:"skuDescription"`
	CrossReference string     `json:"crossReferenceSku"`
	Geo            string     `json:"geo"`
	Region         string     `json:"regionCode"`
	Currency       string     `json:"currency"`
	PaymentType    string     `json:"paymentType"`
	UnitPrice      string     `json:"unitPrice"`
	Family         string     `json:"productFamily"`
	Segment        string     `json:"customerSegment"`
	Offer          *wireOffer `json:"offerInfo,omitempty"`
	Usage          []struct{} `json:"usage"`
	TotalUsage     number     `json:"totalUsageQuantity"`
	TotalCommit    number     `json:"totalCommitQuantity"`
	TotalBillable  number     `json:"totalBillableUsageQuantity"`
}

type wireOffer struct {
	Name            string `json:"offerName"`
	Version         string `json:"version"`
	Term            string `json:"commitmentTerm"`
	TermUnit        string `json:"commitmentTermUOM"`
	ServiceType     string `json:"serviceType"`
	TypeDescription string `json:"serviceTypeDescription"`
	Segment         string `json:"customerSegment"`
	Geo             string `json:"geo"`
	Region          string `json:"regionCode"`
	Currency        string `json:"currency"`
	Quantity        int    `json:"quantity"`
}

const (
	currency = "USD"
	segment  = "COMMERCIAL"
	geo      = "US"
)

func splitSet(list string) map[string]bool {
	set := map[string]bool{}
	for _, v := range strings.Split(list, ",") {
		set[strings.TrimSpace(v)] = true
	}
	return set
}

// usageReport sums up the same rows that the file has.
func (tx *tx) usageReport(rq *request) (reply, error) {
	w, err := tx.window(rq)
	if err != nil {
		return reply{}, err
	}
	return jsonArray(w.scope.orgs, func(o orgRecord) any { return w.report(o) }), nil
}

// listSubscriptions lists the terms: those of the provider, unless tenants are asked for.
func (tx *tx) listSubscriptions(rq *request) (reply, error) {
	if rq.org.Type != typeProvider {
		return reply{}, denied("The organization is no provider.")
	}
	sc, err := tx.scope(rq, rq.is("allTenants") || tx.switches.SubscriptionsAllTenants)
	if err != nil {
		return reply{}, err
	}
	w := window{s: tx.Server, scope: sc, switches: tx.switches, at: rq.at, terms: true}
	return jsonArray(sc.orgs, func(o orgRecord) any { return w.report(o) }), nil
}

// jsonArray makes its elements while they are read.
func jsonArray(orgs []orgRecord, element func(orgRecord) any) reply {
	i := 0
	next := func(b []byte) ([]byte, bool) {
		if i == 0 {
			b = append(b, '[')
		}
		if i < len(orgs) {
			if i > 0 {
				b = append(b, ',')
			}
			data, err := json.Marshal(element(orgs[i]))
			if err != nil {
				return b, false // unreachable: the elements are ours
			}
			b = append(b, data...)
		}
		if i++; i >= len(orgs) {
			return append(b, ']'), false
		}
		return b, true
	}
	return reply{Status: http.StatusOK, Header: http.Header{"Content-Type": {jsonType}}, Stream: &rows{next: next}}
}

// window is a question about usage, detached from the state: it is answered while the answer is read.
type window struct {
	s         *Server
	scope     scope
	period    period
	switches  Switches
	at        time.Time
	summary   bool
	terms     bool // subscriptions with a term instead of those with usage
	revisions map[string]restatement
}

func (tx *tx) window(rq *request) (*window, error) {
	p, err := tx.period(rq)
	if err != nil {
		return nil, err
	}
	sc, err := tx.scope(rq, true)
	if err != nil {
		return nil, err
	}
	w := &window{
		s: tx.Server, scope: sc, period: p, switches: tx.switches, at: rq.at,
		summary: rq.is("detailView") != tx.switches.DetailViewInverted, revisions: map[string]restatement{},
	}
	for _, o := range sc.orgs {
		for m := p.first; m < p.end; m++ {
			key := restatement{Org: o.ID, Month: m.String()}.key()
			if r, ok := tx.state.restated[key]; ok {
				w.revisions[key] = r
			}
		}
	}
	return w, nil
}

func (w *window) series(o orgRecord, k sku, m month) series {
	r := w.revisions[restatement{Org: o.ID, Month: m.String()}.key()]
	return w.s.series(o, k, m, r.Revision, w.at)
}

func (w *window) report(o orgRecord) wireReport {
	out := wireReport{OrgID: o.ID, OrgName: o.Details.DisplayName, Services: []wireServiceUse{}}
	out.Created, out.Updated = w.generated(o)
	usage, billable := new(big.Int), new(big.Int)
	for _, s := range w.s.catalogue(o, w.at) {
		if !w.scope.has(s.ID) {
			continue
		}
		su, u, b := w.service(o, s)
		out.Services = append(out.Services, su)
		usage.Add(usage, u)
		billable.Add(billable, b)
	}
	out.Usage, out.Billable = w.amount(usage), w.amount(billable)
	return out
}

// generated is when the report was made, which stays the same while the data do.
func (w *window) generated(o orgRecord) (created, updated int64) {
	at := o.Created
	if !w.terms {
		at = w.period.end.start().Add(4 * 24 * time.Hour)
		if at.After(w.at) {
			at = w.period.first.start()
		}
	}
	created, updated = at.UnixMilli(), at.UnixMilli()
	for _, r := range w.revisions {
		if r.Org == o.ID {
			updated = max(updated, r.At.UnixMilli())
		}
	}
	return created, updated
}

func (w *window) service(o orgRecord, s service) (su wireServiceUse, usage, billable *big.Int) {
	su = wireServiceUse{ID: s.ID, Name: s.Name, Description: s.Description, Subscriptions: []wireSubscription{}}
	usage, billable = new(big.Int), new(big.Int)
	for _, sub := range s.Subscriptions {
		if sub.Term != w.terms {
			continue
		}
		ws := wireSubscription{SID: sub.SID, UUID: sub.UUID, Start: sub.Start.UnixMilli(), Status: "ACTIVE", Type: "ON_DEMAND"}
		if sub.Term {
			ws.End, ws.Type = sub.End.UnixMilli(), "TERM"
		}
		ws.Skus.Skus = []wireSku{}
		for _, k := range sub.Skus {
			total := w.total(o, k)
			ws.Skus.Skus = append(ws.Skus.Skus, w.sku(s, sub, k, total))
			price := big.NewInt(k.Price)
			usage.Add(usage, new(big.Int).Mul(price, big.NewInt(total.usage)))
			billable.Add(billable, new(big.Int).Mul(price, big.NewInt(total.billable)))
		}
		ws.Skus.PageSize = len(ws.Skus.Skus)
		if w.switches.TruncateSkus {
			ws.Skus.Skus = ws.Skus.Skus[:len(ws.Skus.Skus)/2]
		}
		su.Subscriptions = append(su.Subscriptions, ws)
	}
	su.Usage, su.Billable = w.amount(usage), w.amount(billable)
	return su, usage, billable
}

func (w *window) total(o orgRecord, k sku) (total row) {
	if w.terms {
		return total
	}
	for m := w.period.first; m < w.period.end; m++ {
		x := w.series(o, k, m)
		sum, _ := x.sum()
		total.add(sum)
	}
	return total
}

func (w *window) sku(s service, sub subscription, k sku, total row) wireSku {
	out := wireSku{
		Description: k.Description, CrossReference: k.CrossReference, Geo: geo, Region: k.Region, Currency: currency,
		UnitPrice: string(decimal(nil, k.Price, priceScale)), Family: k.Family, Segment: segment, Usage: []struct{}{},
		TotalUsage: w.quantity(total.usage), TotalCommit: w.quantity(total.commit), TotalBillable: w.quantity(total.billable),
	}
	if sub.Term {
		out.Offer = &wireOffer{
			Name: s.Name, Version: "1.0", Term: "12", TermUnit: "MONTHS", ServiceType: k.Family, TypeDescription: k.Description,
			Segment: segment, Geo: geo, Region: k.Region, Currency: currency, Quantity: 1,
		}
	}
	return out
}

func (w *window) quantity(v int64) number {
	return w.number(string(decimal(nil, v, quantityScale)))
}

func (w *window) amount(v *big.Int) number { return w.number(bigDecimal(v, amountScale)) }

// number is the exact decimal, or what a floating-point number makes of it.
func (w *window) number(exact string) number {
	if w.switches.JSONNumbers != "float64" {
		return number(exact)
	}
	f, err := strconv.ParseFloat(exact, 64)
	if err != nil {
		return number(exact)
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return number(text)
}
