package charge

import (
	"cmp"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/functions/billingexport/focus"
)

// currencies says in which currency a sku is: that of the file's header, else that of the usage report, else the configured one. What is no
// code of a national currency states none.
type currencies struct {
	header     string
	stated     map[string][]string
	configured string
}

func newCurrencies(header string, stated map[string][]string, configured string) currencies {
	c := currencies{header: currency(header), configured: currency(configured), stated: map[string][]string{}}
	for cross, all := range stated {
		for _, s := range all {
			if code := currency(s); code != "" && !slices.Contains(c.stated[cross], code) {
				c.stated[cross] = append(c.stated[cross], code)
			}
		}
	}
	return c
}

func currency(s string) string {
	if s = strings.ToUpper(strings.TrimSpace(s)); focus.IsCurrency(s) {
		return s
	}
	return ""
}

// of returns a sku's currency, "" if nobody states one, and whether file and report contradict each other on it. A report that has two for the
// sku states none of them. What is configured is for what nobody else states, and contradicts nobody.
func (c currencies) of(cross string) (code string, clash bool) {
	report := c.reported(cross)
	single := ""
	if len(report) == 1 {
		single = report[0]
	}
	code = cmp.Or(c.header, single, c.configured)
	return code, single != "" && single != code || len(report) > 1
}

// reported returns what the report states about a sku: of one that it does not have, the only currency that it has at all.
func (c currencies) reported(cross string) []string {
	if own := c.stated[cross]; cross != "" && len(own) > 0 {
		return own
	}
	if all := c.stated[""]; len(all) == 1 {
		return all
	}
	return nil
}
