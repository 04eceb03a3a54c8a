package reconcile

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/shared/hub"
)

const tenant = "tenant-1"

// A report as the hub sends it, to be written as JSON.
type (
	orgJSON struct {
		ID       string        `json:"orgId"`
		Billable json.Number   `json:"orgBillableUsageAmount,omitempty"`
		Services []serviceJSON `json:"services"`
	}
	serviceJSON struct {
		ID            string             `json:"serviceDefId"`
		Name          string             `json:"serviceName"`
		Billable      json.Number        `json:"serviceBillableUsageAmount,omitempty"`
		Subscriptions []subscriptionJSON `json:"subscriptions"`
	}
	subscriptionJSON struct {
		SID  string   `json:"sid"`
		UUID string   `json:"subscriptionUuid"`
		Type string   `json:"subscriptionType"`
		Data dataJSON `json:"skuData"`
	}
	dataJSON struct {
		Skus []skuJSON `json:"skus"`
		Size int       `json:"pageSize"`
	}
	skuJSON struct {
		Cross    string      `json:"crossReferenceSku"`
		Currency string      `json:"currency,omitempty"`
		Usage    json.Number `json:"totalUsageQuantity,omitempty"`
		Commit   json.Number `json:"totalCommitQuantity,omitempty"`
		Billable json.Number `json:"totalBillableUsageQuantity,omitempty"`
	}
)

func (o orgJSON) text(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal([]orgJSON{o})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// statement reads a report and, unless it is empty, a list of subscriptions.
func statement(t *testing.T, report, list string) Stated {
	t.Helper()
	s := newStated()
	s.report, s.list = true, list != ""
	if err := s.each(hub.ReadReport(strings.NewReader(report), "", tenant), s.reported); err != nil {
		t.Fatal(err)
	}
	if list == "" {
		return s
	}
	if err := s.each(hub.ReadReport(strings.NewReader(list), "", tenant), s.subscribed); err != nil {
		t.Fatal(err)
	}
	return s
}

func d(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// line is 2 a unit.
func line(service, subscription, cross, usage, commit, billable string) bill.Line {
	return bill.Line{
		Org: tenant, ServiceID: service, Service: "The " + service, Subscription: subscription, CrossReference: cross, Currency: "USD", Rows: 1, Price: d("2"),
		Usage: d(usage), Commit: d(commit), Billable: d(billable), Cost: d("2").Mul(d(billable)),
	}
}

func sku(cross string, usage, commit, billable json.Number) skuJSON {
	return skuJSON{cross, "USD", usage, commit, billable}
}

func sub(skus ...skuJSON) subscriptionJSON {
	return subscriptionJSON{"sid-1", "uuid-1", "ON_DEMAND", dataJSON{skus, len(skus)}}
}

func org(amount json.Number, subs ...subscriptionJSON) orgJSON {
	return orgJSON{tenant, amount, []serviceJSON{{"s", "Service", amount, subs}}}
}

// codes are verdicts in short: the code, ! if grave, the count.
func codes(all []bill.Verdict) (out []string) {
	for _, v := range all {
		c := string(v.Code)
		if v.Grave {
			c += "!"
		}
		out = append(out, fmt.Sprintf("%s %d", c, v.Count))
	}
	return out
}

func TestJudge(t *testing.T) {
	term := subscriptionJSON{"sid-t", "uuid-t", "TERM", dataJSON{nil, 0}}
	one := []bill.Line{line("s", "uuid-1", "x", "3", "1", "2")}
	tests := []struct {
		what  string
		lines []bill.Line
		org   orgJSON
		list  string
		want  []string
		text  string // in the first verdict
	}{
		{"equal, to the last digit", one, org("4", sub(sku("x", "3", "1", "2"))), "", []string{"MATCH 3"}, "3"},
		{"numbers in another form", one, org("4.00", sub(sku("x", "3.000", "1e0", "0.2E+1"))), "", []string{"MATCH 3"}, ""},
		{"the other id of the subscription", []bill.Line{line("s", "sid-1", "x", "3", "1", "2")}, org("4", sub(sku("x", "3", "1", "2"))), "", []string{"MATCH 3"}, ""},
		{"either id", []bill.Line{line("s", "sid-1", "x", "1", "1", "0.5"), line("s", "uuid-1", "x", "2", "0", "1.5")}, org("4", sub(sku("x", "3", "1", "2"))), "", []string{"MATCH 3"}, ""},
		{"a sku in two pieces", one, org("4", sub(sku("x", "1", "1", "0.5"), sku("x", "2", "0", "1.5"))), "", []string{"MATCH 3"}, ""},
		{"beyond nine places is nothing", one, org("4", sub(sku("x", "3.0000000001", "1", "2"))), "", []string{"MATCH 3"}, ""},
		{"a float", []bill.Line{line("s", "uuid-1", "x", "0.3", "0", "0.3")}, org("0.6", sub(sku("x", "0.30000000000000004", "0", "0.3000000003"))), "", []string{"MATCH 3"}, ""},
		{"a millionth", []bill.Line{line("s", "uuid-1", "x", "1000000", "0", "1000000")}, org("2000000", sub(sku("x", "1000001", "0", "1000000"))), "", []string{"WITHIN_TOLERANCE 1", "MATCH 2"}, "Usage: file 1000000, report 1000001, difference -1."},
		{"more than a millionth", []bill.Line{line("s", "uuid-1", "x", "1000000", "0", "1000000")}, org("2000000", sub(sku("x", "1000001.1", "0", "1000000"))), "", []string{"MISMATCH! 1", "MATCH 2"}, "difference -1.1"},
		{"one mismatch is as bad as two", one, org("4", sub(sku("x", "3.000001", "1", "1"))), "", []string{"MISMATCH! 1", "MATCH 2"}, "Billable"},
		{"nothing against something", one, org("4", sub(sku("x", "3", "0", "2"))), "", []string{"MISMATCH! 1", "MATCH 2"}, "Commit: file 1, report 0"},
		{"a quantity that is not stated", one, org("4", sub(sku("x", "3", "", "2"))), "", []string{"MISMATCH! 1", "MATCH 2"}, "Commit"},
		{"amounts", one, org("5", sub(sku("x", "3", "1", "2"))), "", []string{"MISMATCH! 0", "MISMATCH! 0", "MATCH 1"}, "Billable amount: file 4, report 5"},
		{"amounts within a millionth", one, org("4.000001", sub(sku("x", "3", "1", "2"))), "", []string{"WITHIN_TOLERANCE 0", "WITHIN_TOLERANCE 0", "MATCH 1"}, ""},
		{"an amount that is not stated", one, org("", sub(sku("x", "3", "1", "2"))), "", []string{"MISMATCH! 0", "MISMATCH! 0", "MATCH 1"}, "report 0"},
		{"only in the file", append(one, line("s", "uuid-1", "y", "1", "0", "0")), org("4", sub(sku("x", "3", "1", "2"))), "", []string{"ONLY_CSV! 1", "MATCH 3"}, "usage 1"},
		{"only in the file, unused", append(one, line("s", "uuid-1", "y", "0", "0", "0")), org("4", sub(sku("x", "3", "1", "2"))), "", []string{"MATCH 4"}, ""},
		{"only in the report", one, org("4", sub(sku("x", "3", "1", "2"), sku("y", "1", "1", "0"))), "", []string{"ONLY_JSON! 0", "MATCH 3"}, "commit 1"},
		{"only in the report, unused", one, org("4", sub(sku("x", "3", "1", "2"), sku("y", "0", "0.0", ""))), "", []string{"MATCH 3"}, ""},
		{"another service", []bill.Line{line("z", "uuid-1", "x", "3", "1", "2")}, org("4", sub(sku("x", "3", "1", "2"))), "", []string{"MISMATCH! 0", "ONLY_JSON! 0", "MISMATCH! 0", "ONLY_CSV! 1", "MATCH 1"}, ""},
		{"skus left out", one, org("4", subscriptionJSON{"sid-1", "uuid-1", "ON_DEMAND", dataJSON{[]skuJSON{sku("x", "3", "1", "2")}, 2}}), "", []string{"TRUNCATED! 0", "MATCH 3"}, "2 announced, 1 sent"},
		{"a term that is listed", one, org("4", sub(sku("x", "3", "1", "2")), term), org("", term).list(t), []string{"MATCH 3"}, ""},
		{"a term that is listed by one id", one, org("4", sub(sku("x", "3", "1", "2")), term), org("", subscriptionJSON{SID: "sid-t"}).list(t), []string{"MATCH 3"}, ""},
		{"a term that is not", one, org("4", sub(sku("x", "3", "1", "2")), term), "[]", []string{"NO_TERM 0", "MATCH 3"}, "term"},
		{"a term without a list", one, org("4", sub(sku("x", "3", "1", "2")), term), "", []string{"MATCH 3"}, ""},
		{"an empty month", nil, org("0.0", sub(sku("x", "0", "0", "0"))), "", nil, ""},
		{"no ids at all", []bill.Line{line("s", "", "", "3", "1", "2")}, org("4", subscriptionJSON{Data: dataJSON{[]skuJSON{sku("", "3", "1", "2")}, 1}}), "", []string{"MATCH 3"}, ""},
		{"a blank id is not the sid of another", []bill.Line{line("s", "", "x", "3", "1", "2")}, org("4", subscriptionJSON{UUID: "u", Data: dataJSON{[]skuJSON{sku("x", "3", "1", "2")}, 1}}), "", []string{"ONLY_CSV! 1", "ONLY_JSON! 0", "MATCH 2"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			got := Judge(tt.lines, statement(t, tt.org.text(t), tt.list))
			if !slices.Equal(codes(got), tt.want) {
				t.Fatalf("got  %q\nwant %q\n%+v", codes(got), tt.want, got)
			}
			if len(got) > 0 && !strings.Contains(got[0].Text, tt.text) {
				t.Errorf("%q does not say %q", got[0].Text, tt.text)
			}
		})
	}
}

// list is the tree as the list of subscriptions has it.
func (o orgJSON) list(t *testing.T) string { return o.text(t) }

// Amounts of two currencies are not added, so they are not compared; quantities are.
func TestTwoCurrencies(t *testing.T) {
	euro := line("s", "uuid-1", "x", "1", "0", "1")
	euro.Currency = "EUR"
	lines := []bill.Line{line("s", "uuid-1", "x", "1", "0", "1"), euro}
	if got := codes(Judge(lines, statement(t, org("4711", sub(sku("x", "2", "0", "2"))).text(t), ""))); !slices.Equal(got, []string{"MATCH 1"}) {
		t.Errorf("%q", got)
	}
	if got := codes(Judge(lines, statement(t, org("4", sub(sku("x", "3", "0", "2"))).text(t), ""))); !slices.Equal(got, []string{"MISMATCH! 2"}) {
		t.Errorf("%q", got)
	}
}

func TestNothingStated(t *testing.T) {
	lines := []bill.Line{line("s", "u", "x", "1", "0", "1"), line("s", "u", "y", "1", "0", "1")}
	for _, tt := range []struct {
		lines []bill.Line
		s     Stated
		want  []string
	}{
		{nil, Stated{}, nil},
		{lines, Stated{}, []string{"ONLY_CSV! 2"}},
		{nil, Stated{report: true, tooLarge: true}, []string{"TOO_LARGE! 0"}},
	} {
		if got := codes(Judge(tt.lines, tt.s)); !slices.Equal(got, tt.want) {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
	if got := (Stated{}).Currencies(); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// However much is wrong, the worst two hundred are told and the rest is counted, as gravely as it is.
func TestManyFindings(t *testing.T) {
	for _, tt := range []struct {
		off   string // by which every quantity of 250 differs
		grave int    // of them, with more than a millionth
		want  bill.Code
	}{{"1000000.5", 0, bill.WithinTolerance}, {"1000000.5", 100, bill.WithinTolerance}, {"1000000.5", 230, bill.Mismatch}} {
		var lines []bill.Line
		var skus []skuJSON
		for i := range 250 {
			x := fmt.Sprintf("x%03d", i)
			lines = append(lines, line("s", "uuid-1", x, "1000000", "0", "0"))
			usage := json.Number(tt.off)
			if i < tt.grave {
				usage = "7"
			}
			skus = append(skus, sku(x, usage, "0", "0"))
		}
		got := Judge(lines, statement(t, org("0", sub(skus...)).text(t), ""))
		rest := got[len(got)-1]
		graves := len(slices.DeleteFunc(slices.Clone(got), func(v bill.Verdict) bool { return !v.Grave }))
		if len(got) != maxListed+1 || rest.Count != 50 || rest.Code != tt.want || rest.Grave != (tt.want == bill.Mismatch) || !strings.Contains(rest.Text, string(rest.Code)) {
			t.Errorf("%+v: %d verdicts, the rest is %+v", tt, len(got), rest)
		}
		if want := min(tt.grave, maxListed); graves < want {
			t.Errorf("%d grave ones listed, want %d", graves, want)
		}
	}
}

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{"a b": "a b", "a\x00b\n\u202e": "a?b??", strings.Repeat("é", 100): strings.Repeat("é", 64) + "…", "\xff": "\ufffd"} {
		if got := plain(in); got != want {
			t.Errorf("plain(%q) = %q", in, got)
		}
	}
}

// A world is a bill and the report that agrees with it.
type world struct {
	lines []bill.Line
	org   orgJSON
}

func random(r *rand.Rand) world {
	w := world{org: orgJSON{ID: tenant}}
	whole := decimal.Zero
	for s := range 1 + r.IntN(3) {
		service, amount := serviceJSON{ID: fmt.Sprintf("service-%d", s)}, decimal.Zero
		for u := range 1 + r.IntN(3) {
			in := subscriptionJSON{fmt.Sprintf("sid-%d-%d", s, u), fmt.Sprintf("uuid-%d-%d", s, u), "ON_DEMAND", dataJSON{}}
			for k := range 1 + r.IntN(4) {
				usage, commit, billable := quantity(r), quantity(r), quantity(r)
				l := bill.Line{
					Org: tenant, ServiceID: service.ID, Subscription: []string{in.SID, in.UUID}[r.IntN(2)], CrossReference: fmt.Sprintf("x-%d", k),
					Currency: "USD", Rows: 1, Price: quantity(r), Usage: usage, Commit: commit, Billable: billable,
				}
				l.Cost = l.Price.Mul(billable)
				amount = amount.Add(l.Cost)
				w.lines = append(w.lines, l)
				in.Data.Skus = append(in.Data.Skus, sku(l.CrossReference, num(usage), num(commit), num(billable)))
			}
			in.Data.Size = len(in.Data.Skus)
			service.Subscriptions = append(service.Subscriptions, in)
		}
		service.Billable = num(amount)
		whole = whole.Add(amount)
		w.org.Services = append(w.org.Services, service)
	}
	w.org.Billable = num(whole)
	return w
}

// quantity has up to nine places and anything from a billionth to thousands.
func quantity(r *rand.Rand) decimal.Decimal {
	return decimal.New(1+r.Int64N([]int64{10, 1e6, 1e13}[r.IntN(3)]), -9)
}

func num(v decimal.Decimal) json.Number { return json.Number(v.String()) }

// Whatever quantity of whichever side is off by one unit of the ninth place is seen, under its own key and with the code that the distance
// deserves; that lines come in another order, in pieces, padded, or that the report is reordered, is not.
func TestPerturbed(t *testing.T) {
	seen := map[bill.Code]int{}
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := random(r)
		s := statement(t, w.org.text(t), "")
		same := codes(Judge(w.lines, s))
		if len(same) != 1 || !strings.HasPrefix(same[0], "MATCH ") {
			t.Fatalf("seed %d: a consistent pair is %q", seed, same)
		}
		if got := Judge(disguised(r, w.lines), statement(t, shuffled(r, w.org).text(t), "")); !slices.Equal(codes(got), same) {
			t.Fatalf("seed %d: the same in another form is %+v", seed, got)
		}
		lines, i := slices.Clone(w.lines), r.IntN(len(w.lines))
		at := []*decimal.Decimal{&lines[i].Usage, &lines[i].Commit, &lines[i].Billable}[r.IntN(3)]
		before := *at
		*at = at.Add(decimal.New(1-2*r.Int64N(2), -9))
		got := Judge(lines, s)
		want := bill.WithinTolerance
		if decimal.New(1, -9).GreaterThan(decimal.Max(before, *at).Mul(decimal.New(1, -6))) {
			want = bill.Mismatch
		}
		if len(got) != 2 || got[0].Code != want || got[0].Grave != (want == bill.Mismatch) || !strings.Contains(got[0].Of, lines[i].CrossReference) {
			t.Fatalf("seed %d: %s became %s: %+v", seed, before, *at, got)
		}
		seen[want]++
	}
	t.Logf("400 consistent pairs, 400 in another form: no finding; 400 perturbed: %v", seen)
	if seen[bill.Mismatch] == 0 || seen[bill.WithinTolerance] == 0 {
		t.Error("the quantities do not cover both sides of the tolerance")
	}
}

// disguised is the same bill: lines cut into pieces, in another order, with spaces around every id.
func disguised(r *rand.Rand, lines []bill.Line) []bill.Line {
	var out []bill.Line
	for _, l := range lines {
		l.Org, l.ServiceID, l.Subscription, l.CrossReference = " "+l.Org, l.ServiceID+"\t", " "+l.Subscription+" ", l.CrossReference+" "
		first := l
		first.Usage, first.Commit, first.Billable = quantity(r), quantity(r), quantity(r)
		first.Cost = first.Price.Mul(first.Billable)
		l.Usage, l.Commit, l.Billable, l.Cost = l.Usage.Sub(first.Usage), l.Commit.Sub(first.Commit), l.Billable.Sub(first.Billable), l.Cost.Sub(first.Cost)
		out = append(out, first, l)
	}
	r.Shuffle(len(out), reflect.Swapper(out))
	return out
}

// shuffled is the same report in another order.
func shuffled(r *rand.Rand, o orgJSON) orgJSON {
	o.Services = slices.Clone(o.Services)
	r.Shuffle(len(o.Services), reflect.Swapper(o.Services))
	for i := range o.Services {
		subs := slices.Clone(o.Services[i].Subscriptions)
		r.Shuffle(len(subs), reflect.Swapper(subs))
		for k := range subs {
			subs[k].Data.Skus = slices.Clone(subs[k].Data.Skus)
			r.Shuffle(len(subs[k].Data.Skus), reflect.Swapper(subs[k].Data.Skus))
		}
		o.Services[i].Subscriptions = subs
	}
	return o
}
