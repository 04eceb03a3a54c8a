package hub

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// maxElement is the most bytes of one subscription with its skus, which is what a report is read by.
const maxElement = 16 << 20

// UsageItem is one node of the tree that Usage and Subscriptions return. Exactly one of its fields is set.
type UsageItem struct {
	Subscription *Subscription
	Service      *ServiceUsage
	Organization *OrganizationUsage
}

// OrganizationUsage is an organization of a report, less its services. Amounts are "" if the hub sent none that can be read.
type OrganizationUsage struct {
	ID, Name         string
	Created, Updated time.Time // of the report
	Amount           json.Number
	BillableAmount   json.Number
}

// ServiceUsage is a service of an organization, less its subscriptions.
type ServiceUsage struct {
	OrgID                 string
	ID, Name, Description string
	Amount                json.Number
	BillableAmount        json.Number
}

// Subscription is a subscription to a service with all its skus.
type Subscription struct {
	OrgID, OrgName, ServiceID, ServiceName string
	ID, UUID                               string // sid and subscriptionUuid
	Start, End, Anniversary                time.Time
	Status                                 string // ACTIVE, ...
	Type                                   string // ON_DEMAND, TERM
	Skus                                   []Sku
	PageSize                               int // the hub's own count of skus, -1 if it sent none
}

// Truncated reports whether the hub says that there are more or fewer skus than it sent. The guide has no way to ask for the rest.
func (s Subscription) Truncated() bool { return s.PageSize >= 0 && s.PageSize != len(s.Skus) }

// Sku is a priced article. Numbers have the hub's own digits; "" is none that can be read.
type Sku struct {
	Name, Description, CrossReference string
	Geo, Region, Currency             string
	PaymentType                       string
	ProductFamily, CustomerSegment    string
	UnitPrice                         json.Number
	Offer                             Offer
	Usage                             []json.RawMessage // the guide shows none
	TotalUsage                        json.Number
	TotalCommit                       json.Number
	TotalBillable                     json.Number
}

// Offer is what a sku was bought under.
type Offer struct {
	Name, Version                     string
	Term, TermUnit                    string // "12" "MONTHS"
	ServiceType, Description, Segment string
	Geo, Region, Currency             string
	Quantity                          json.Number
}

// used reports whether the item shows any usage.
func (i UsageItem) used() bool {
	switch {
	case i.Organization != nil:
		return !zero(i.Organization.Amount) || !zero(i.Organization.BillableAmount)
	case i.Service != nil:
		return !zero(i.Service.Amount) || !zero(i.Service.BillableAmount)
	}
	return slices.ContainsFunc(i.Subscription.Skus, func(s Sku) bool {
		return !zero(s.TotalUsage) || !zero(s.TotalCommit) || !zero(s.TotalBillable) || len(s.Usage) > 0
	})
}

// zero reports whether a number is none or has no digit but 0 before its exponent.
func zero(n json.Number) bool {
	digits, _, _ := strings.Cut(strings.ToLower(n.String()), "e")
	return !strings.ContainsAny(digits, "123456789")
}

var errStop = errors.New("no more is wanted")

// tree reads a report as it arrives. In whatever order the members of an object come, an item is given out with its parents' ids: children
// that come before the id of their parent are kept until it is known.
type tree struct {
	in      *quota
	foreign func(org string) bool
	yield   func(UsageItem) bool
}

// readTree reads a whole report and closes it.
func readTree(f io.ReadCloser, doing string, foreign func(string) bool, yield func(UsageItem) bool) error {
	defer f.Close()
	in := &quota{from: f, left: maxElement}
	t := &tree{in: in, foreign: foreign, yield: yield}
	d := json.NewDecoder(in)
	err := t.array(d, t.organization)
	if err == nil {
		_, err = d.Token()
		if err == nil {
			err = errors.New("something after the end")
		}
	}
	return treeFault(err, doing)
}

// treeFault keeps what is classified and says nothing of what could not be decoded.
func treeFault(err error, doing string) error {
	var f *fault.Error
	switch {
	case err == io.EOF, errors.Is(err, errStop):
		return nil
	case errors.As(err, &f):
		return err
	case errors.Is(err, ErrForeign):
		return foreign(doing)
	}
	return unreadable("report", doing)
}

func (t *tree) organization(d *json.Decoder) error {
	var org OrganizationUsage
	o := object{}
	err := t.object(d, o, "services", "orgId", func(d *json.Decoder) error {
		return t.array(d, func(d *json.Decoder) error { return t.service(d, o.text("orgId"), o.text("orgName")) })
	})
	if err != nil {
		return err
	}
	org = OrganizationUsage{
		ID: o.text("orgId"), Name: o.text("orgName"), Created: o.time("createTimestamp"), Updated: o.time("updateTimestamp"),
		Amount: o.number("orgUsageAmount"), BillableAmount: o.number("orgBillableUsageAmount"),
	}
	return t.give(org.ID, UsageItem{Organization: &org})
}

func (t *tree) service(d *json.Decoder, orgID, orgName string) error {
	o := object{}
	err := t.object(d, o, "subscriptions", "serviceDefId", func(d *json.Decoder) error {
		return t.array(d, func(d *json.Decoder) error {
			s, err := t.subscription(d)
			s.OrgID, s.OrgName, s.ServiceID, s.ServiceName = orgID, orgName, o.text("serviceDefId"), o.text("serviceName")
			if err != nil {
				return err
			}
			return t.give(orgID, UsageItem{Subscription: &s})
		})
	})
	if err != nil {
		return err
	}
	return t.give(orgID, UsageItem{Service: &ServiceUsage{
		OrgID: orgID, ID: o.text("serviceDefId"), Name: o.text("serviceName"), Description: o.text("serviceDescription"),
		Amount: o.number("serviceUsageAmount"), BillableAmount: o.number("serviceBillableUsageAmount"),
	}})
}

func (t *tree) subscription(d *json.Decoder) (Subscription, error) {
	var raw json.RawMessage
	if err := t.decode(d, &raw); err != nil {
		return Subscription{}, err
	}
	o, ok := objectOf(raw)
	if !ok {
		return Subscription{}, errors.New("no subscription")
	}
	s := Subscription{
		ID: o.text("sid"), UUID: o.text("subscriptionUuid"), Start: o.time("subscriptionStartTime"), End: o.time("subscriptionEndTime"),
		Anniversary: o.time("anniversaryBillingTime"), Status: o.text("status"), Type: o.text("subscriptionType"), PageSize: -1,
	}
	data := o.object("skuData")
	if n, ok := data.integer("pageSize"); ok {
		s.PageSize = max(n, 0)
	}
	for _, raw := range data.list("skus") {
		sku, ok := objectOf(raw)
		if !ok {
			return Subscription{}, errors.New("no sku")
		}
		s.Skus = append(s.Skus, skuOf(sku))
	}
	return s, nil
}

func skuOf(o object) Sku {
	f := o.object("offerInfo")
	return Sku{
		Name: o.text("skuName", "name"), Description: o.text("skuDescription"), CrossReference: o.text("crossReferenceSku"),
		Geo: o.text("geo"), Region: o.text("regionCode"), Currency: o.text("currency"), PaymentType: o.text("paymentType"),
		ProductFamily: o.text("productFamily"), CustomerSegment: o.text("customerSegment"), UnitPrice: o.number("unitPrice"),
		Offer: Offer{
			Name: f.text("offerName"), Version: f.text("version"), Term: f.text("commitmentTerm"), TermUnit: f.text("commitmentTermUOM"),
			ServiceType: f.text("serviceType"), Description: f.text("serviceTypeDescription"), Segment: f.text("customerSegment"),
			Geo: f.text("geo"), Region: f.text("regionCode"), Currency: f.text("currency"), Quantity: f.number("quantity"),
		},
		Usage: o.list("usage"), TotalUsage: o.number("totalUsageQuantity"), TotalCommit: o.number("totalCommitQuantity"),
		TotalBillable: o.number("totalBillableUsageQuantity"),
	}
}

// give hands an item out. Nothing of an organization that was not asked for is handed out.
func (t *tree) give(org string, i UsageItem) error {
	switch {
	case org == "":
		return errors.New("no organization")
	case t.foreign(org):
		return ErrForeign
	case !t.yield(i):
		return errStop
	}
	return nil
}

// array reads an array, element by element; null is an empty one.
func (t *tree) array(d *json.Decoder, element func(*json.Decoder) error) error {
	begin, err := t.token(d)
	if err != nil || begin == nil {
		return err
	}
	if begin != json.Delim('[') {
		return errors.New("no array")
	}
	for d.More() {
		if err := element(d); err != nil {
			return err
		}
	}
	_, err = t.token(d)
	return err
}

// object reads the members of an object into o, but streams one of them, which needs the id to be known.
func (t *tree) object(d *json.Decoder, o object, streamed, id string, children func(*json.Decoder) error) error {
	var early json.RawMessage
	if begin, err := t.token(d); err != nil || begin != json.Delim('{') {
		return errors.Join(err, errors.New("no object"))
	}
	for d.More() {
		name, err := t.token(d)
		if err != nil {
			return err
		}
		var raw json.RawMessage
		switch {
		case name == streamed && o.text(id) != "":
			err = children(d)
		case name == streamed:
			err = t.decode(d, &early)
		default:
			err = t.decode(d, &raw)
			o[name.(string)] = raw
		}
		if err != nil {
			return err
		}
	}
	if _, err := t.token(d); err != nil || early == nil {
		return err
	}
	return children(json.NewDecoder(bytes.NewReader(early)))
}

func (t *tree) token(d *json.Decoder) (json.Token, error) {
	t.in.left = maxElement
	token, err := d.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return token, err
}

func (t *tree) decode(d *json.Decoder, raw *json.RawMessage) error {
	t.in.left = maxElement
	err := d.Decode(raw)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// quota ends a report in which one element is too long for the memory.
type quota struct {
	from io.Reader
	left int
}

func (q *quota) Read(p []byte) (int, error) {
	if q.left <= 0 {
		return 0, errors.New("too long")
	}
	n, err := q.from.Read(p[:min(len(p), q.left)])
	q.left -= n
	return n, err
}
