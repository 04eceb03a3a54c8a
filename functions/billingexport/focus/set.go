package focus

import "strings"

// setRules hold over all rows together: what was said of a key first is what has to be said of it always.
func setRules(limit int) []rule {
	return []rule{
		one("SkuPriceId-C-008", skuPriceID, "must have one SkuId over the whole data set", limit,
			func(r *Row) (key, string) { return key{r.SkuPriceId}, r.SkuId }),
		one("ServiceName-C-005", serviceName, "must have one ServiceCategory over the whole data set", limit,
			func(r *Row) (key, string) { return key{r.ServiceName}, r.ServiceCategory }),
		one("ServiceName-C-008", serviceName, "must have one ServiceSubcategory of its category over the whole data set", limit,
			func(r *Row) (key, string) { return key{r.ServiceName, r.ServiceCategory}, r.ServiceSubcategory }),
		one("BillingCurrency-C-005", billingCurrency, "must be one for an invoice", limit,
			func(r *Row) (key, string) {
				if r.InvoiceId == "" {
					return key{}, ""
				}
				return key{r.InvoiceIssuerName, r.InvoiceId}, r.BillingCurrency
			}),
	}
}

type key [2]string

// memory is what was said first. It has room for so many bytes of texts; what comes later is counted as unchecked, not forgotten in silence.
type memory struct {
	first     map[key]string
	room      int
	unchecked int64
}

// one makes a rule that a key has one value. Nulls say nothing.
func one(name string, column int, says string, limit int, of func(*Row) (key, string)) rule {
	m := &memory{first: map[key]string{}, room: limit}
	return rule{name: name, column: column, says: says, memory: m, broken: func(r *Row) bool { return m.contradicts(of(r)) }}
}

func (m *memory) contradicts(k key, value string) bool {
	if k[0] == "" || value == "" {
		return false
	}
	if first, ok := m.first[k]; ok {
		return first != value
	}
	size := len(k[0]) + len(k[1]) + len(value)
	if size > m.room {
		m.unchecked++
		return false
	}
	m.room -= size
	m.first[key{strings.Clone(k[0]), strings.Clone(k[1])}] = strings.Clone(value)
	return false
}
