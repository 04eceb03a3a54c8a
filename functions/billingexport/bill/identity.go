package bill

import "strconv"

// Identity is what stays the same when a line is stated again: who is charged for what, where, in which currency and at which price. Names,
// tags and descriptions are not in it: they may change without anything being charged otherwise.
func (l Line) Identity() string {
	var id []byte
	for _, s := range []string{l.Org, l.ServiceID, l.Subscription, l.CrossReference, l.Sku, l.Datacenter, l.Currency, l.Price.String()} {
		id = strconv.AppendQuote(id, s)
	}
	return string(id)
}
