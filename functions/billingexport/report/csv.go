package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// CSV writes summary.csv: a line for every tenant, service, currency and lens, with all digits. cost_before is empty where the month before is
// not known. A name that a spreadsheet would take for a formula has an apostrophe before it.
func CSV(w io.Writer, statements ...Statement) error {
	c := csv.NewWriter(w)
	rows := [][]string{{"month", "revision", "state", "lens", "org", "org_name", "service", "currency", "cost_before", "cost"}}
	for _, s := range statements {
		for _, t := range s.Tenants {
			rows = append(rows, s.rows(t)...)
		}
	}
	return fault.Wrap(fault.Transient, c.WriteAll(rows), "write summary.csv")
}

func (s Statement) rows(t Tenant) (rows [][]string) {
	for _, c := range t.Costs {
		before := ""
		if t.Compared {
			before = c.Before.String()
		}
		rows = append(rows, []string{
			s.Month.String(), strconv.Itoa(s.Revision), string(s.State), string(s.Lens),
			cell(t.Org), cell(t.OrgName), cell(c.Service), cell(c.Currency), before, c.Now.String(),
		})
	}
	return rows
}

// cell is a text that no spreadsheet computes.
func cell(s string) string {
	if s = name(s); strings.HasPrefix(s, "=") || strings.HasPrefix(s, "+") || strings.HasPrefix(s, "-") || strings.HasPrefix(s, "@") {
		return "'" + s
	}
	return s
}
