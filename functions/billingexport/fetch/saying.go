package fetch

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/shared/hub"
)

// saying is what a report says, whatever the order in which it says it, when it was made and how it writes its numbers: the sum of the digests of
// its statements. It is compared with ==.
type saying struct {
	usage bool // some quantity or amount is not zero
	sum   [4]uint64
}

func (s *saying) add(i hub.UsageItem) {
	switch {
	case i.Organization != nil:
		o := *i.Organization
		o.Created, o.Updated = time.Time{}, time.Time{}
		s.numbers(&o.Amount, &o.BillableAmount)
		s.state("organization", o)
	case i.Service != nil:
		v := *i.Service
		s.numbers(&v.Amount, &v.BillableAmount)
		s.state("service", v)
	default:
		s.subscription(*i.Subscription)
	}
}

// subscription states the skus one by one, so that their order is nothing.
func (s *saying) subscription(u hub.Subscription) {
	skus := u.Skus
	u.Skus = nil
	s.state("subscription", u)
	for _, k := range skus {
		price := k.UnitPrice
		s.numbers(&k.TotalUsage, &k.TotalCommit, &k.TotalBillable)
		s.usage = s.usage || len(k.Usage) > 0
		k.UnitPrice = exact(price)
		s.state("sku", []any{u.OrgID, u.ServiceID, u.ID, u.UUID, k})
	}
}

// numbers writes numbers in one form, and notes usage.
func (s *saying) numbers(all ...*json.Number) {
	for _, n := range all {
		*n = exact(*n)
		s.usage = s.usage || *n != "" && *n != "0"
	}
}

// exact is a number to nine places, in one form: a hub that adds up floats may do so in another order each time.
func exact(n json.Number) json.Number {
	d, err := decimal.NewFromString(n.String())
	if err != nil {
		return ""
	}
	text := d.Round(9).String()
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return json.Number(text)
}

func (s *saying) state(what string, v any) {
	text, err := json.Marshal([]any{what, v})
	if err != nil { // a raw part that is no JSON: unreachable, it was decoded
		text = []byte(what)
	}
	digest := sha256.Sum256(text)
	for i := range s.sum {
		s.sum[i] += binary.BigEndian.Uint64(digest[8*i:])
	}
}
