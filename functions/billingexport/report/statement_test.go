package report

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
)

func TestCosts(t *testing.T) {
	now := []bill.Line{euros("vmc/a", "2", "3"), euros("vmc/b", "0.1", "0.1"), charge("CHF", "vmc/a", "1", "1"), euros("log/a", "1", "1")}
	before := []bill.Line{euros("vmc/a", "2", "1"), euros("cost/a", "4", "1")}
	var got []string
	for _, c := range Costs(now, before) {
		got = append(got, fmt.Sprintf("%s %s %s %s", c.Currency, c.Service, c.Before, c.Now))
	}
	if want := "CHF vmc 0 1, EUR cost 4 0, EUR log 0 1, EUR vmc 2 6.01"; strings.Join(got, ", ") != want {
		t.Errorf("got %q", got)
	}
}

// A message names what moved most, of every currency in turn, and the tenants that somebody must look at; it stays short.
func TestSummaryOfManyTenants(t *testing.T) {
	s := Statement{Month: october, Revision: 4, Since: 3, State: revision.Published, AsOf: asOfDay}
	for i := range 200 {
		one := Tenant{Org: fmt.Sprint("org-", i), OrgName: fmt.Sprintf("%03d %s", i, strings.Repeat("long ", 100)), Compared: i != 150}
		one.Costs = Costs([]bill.Line{euros("vmc/a", fmt.Sprint(i), "1"), charge("CHF", "log/b", "1", fmt.Sprint(i))}, nil)
		if i >= 100 && i < 110 {
			one.Verdicts = []bill.Verdict{{Code: bill.Match}, {Code: bill.Denied, Grave: true}}
		}
		s.Tenants = append(s.Tenants, one)
	}
	p := Summary(s)
	if len(p.Body) > 1500 {
		t.Errorf("the body has %d bytes", len(p.Body))
	}
	for _, want := range []string{"• 199 long", "CHF +199.00", "EUR +199.00", "CHF +198.00", "• 100 long", "• 104 long", "• and 5 more tenants", meaning(bill.Denied), "findings are grave"} {
		if !strings.Contains(p.Body, want) {
			t.Errorf("%q is not in %s", want, p.Body)
		}
	}
	for _, none := range []string{"EUR +198.00", "• 105 long"} {
		if strings.Contains(p.Body, none) {
			t.Errorf("%q is in %s", none, p.Body)
		}
	}
}

// The state that a message tells, in the words of what to do.
func TestSummaryTellsTheState(t *testing.T) {
	grave := []Tenant{{Verdicts: []bill.Verdict{{Code: bill.BadFile, Grave: true}}}}
	for _, c := range []struct {
		s    Statement
		want string
	}{
		{Statement{State: revision.Preliminary}, "not closed"},
		{Statement{State: revision.Unreconciled, Tenants: grave}, "contradict each other"},
		{Statement{State: revision.Published}, "The sources agree."},
		{Statement{State: revision.Published, Since: 2}, "restates revision 2"},
		{Statement{State: revision.Published, Since: 2, Tenants: grave}, "findings are grave"},
	} {
		c.s.Month = october
		if body := Summary(c.s).Body; !strings.Contains(body, c.want) {
			t.Errorf("%s: %q is not in %s", c.s.State, c.want, body)
		}
	}
}

// What a change of totals is about: a tenant whose month before is unknown is in the total but not in the change.
func TestTotalsAreComparedWithWhatIsKnown(t *testing.T) {
	s := statement()
	if got, want := s.totalText("EUR"), "EUR 5,311.25, −299.25 (−18.6 %)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for i := range s.Tenants {
		s.Tenants[i].Compared = false
	}
	if got, want := s.totalText("EUR"), "EUR 5,311.25"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// summary.csv is read back with all digits, and no cell is a formula.
func TestCSVIsReadBack(t *testing.T) {
	s := statement()
	s.Tenants[0].OrgName = "Line\r\nbreak, \"quoted\""
	for _, formula := range []string{"=1", "+1", "-1", "@x", "\t=1", "\r=1", "\x00=1", "\u202e=1"} {
		s.Tenants = append(s.Tenants, Tenant{Org: "o", OrgName: formula, Costs: []Cost{{Service: formula, Now: dec("0.000000000000000001"), Before: dec("-1")}}, Compared: true})
	}
	var b bytes.Buffer
	if err := CSV(&b, s); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		for _, cell := range row[:8] {
			if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@\t\r\x00") {
				t.Errorf("row %d: the cell %q is a formula", i, cell)
			}
		}
	}
	if last := rows[len(rows)-1]; last[8] != "-1" || last[9] != "0.000000000000000001" || rows[1][5] != `Line break, "quoted"` || len(rows) != 14 {
		t.Errorf("%d rows, the last %q", len(rows), last)
	}
}
