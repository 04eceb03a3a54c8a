package cloudsupport

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSearch(t *testing.T) {
	d := open(t, Options{Tokens: map[string]string{"token": "a@example.com", "other": "b@example.com"}})
	one := d.create("projects/acme-prod", "VM gpu-7 down", "No answer.\n\n[REFABCDEFGHIJ234567KLMNOPQRST attempt=1]", "P1")
	two := d.create("organizations/123456789012", "Bill too high", "Twice the price. Über alles!", "P2")
	d.advance(time.Hour)
	three := d.create("projects/acme-prod", "Cluster slow", "Latency", "P3")
	d.must("POST", "/v2/"+three+"/comments", `{"body":"It is the GPU again"}`)
	d.act(two, "close")
	label := map[string]string{one: "1", two: "2", three: "3"}
	tests := []struct{ query, search, list string }{ // newest first; "!" is a refusal
		{``, "321", "31"},
		{`state=OPEN`, "31", "31"},
		{`state=CLOSED`, "2", ""},
		{`state="OPEN"`, "31", "31"},
		{`priority=P1`, "1", "1"},
		{`priority=P1 OR priority=P2`, "21", "1"},
		{`state=OPEN AND (priority=P0 OR priority=P1)`, "1", "1"},
		{`state=OPEN AND priority=P2 OR priority=P3`, "3", "3"},
		{`((priority=P1) OR (priority=P3)) AND state=OPEN`, "31", "31"},
		{`creator.email="a@example.com"`, "321", "31"},
		{`creator.email=a@example.com AND state = OPEN`, "31", "31"},
		{`creator.email="b@example.com"`, "", ""},
		{`update_time>"2026-11-22T08:30:00Z"`, "32", "!"},
		{`update_time>"2026-11-22T10:00:00+01:00"`, "", "!"},
		{`REFABCDEFGHIJ234567KLMNOPQRST`, "1", "!"},
		{`"refabcdefghij234567klmnopqrst"`, "1", "!"},
		{`REFABCDEFGHIJ`, "", "!"},
		{`gpu`, "31", "!"},
		{`"gpu again"`, "3", "!"},
		{`"again gpu"`, "", "!"},
		{`gpu again`, "3", "!"},
		{`gpu AND state=OPEN AND priority=P1`, "1", "!"},
		{`"gpu-7"`, "1", "!"},
		{`über`, "2", "!"},
		{`"slow latency"`, "", "!"},
		{`"!!"`, "", "!"},
		{`"quoted \" and \\"`, "", "!"},
		{`state=open`, "!", "!"},
		{`state=NEW`, "!", "!"},
		{`state>OPEN`, "!", "!"},
		{`state!=OPEN`, "!", "!"},
		{`state==OPEN`, "!", "!"},
		{`state:OPEN`, "!", "!"},
		{`state=`, "!", "!"},
		{`=OPEN`, "!", "!"},
		{`"state"=OPEN`, "!", "!"},
		{`priority=P5`, "!", "!"},
		{`state=OPEN OR state=CLOSED`, "!", "!"},
		{`priority=P1 OR state=OPEN`, "!", "!"},
		{`priority=P1 OR (state=OPEN)`, "!", "!"},
		{`state=OPEN priority=P1`, "!", "!"},
		{`state=OPEN AND`, "!", "!"},
		{`AND state=OPEN`, "!", "!"},
		{`NOT state=OPEN`, "!", "!"},
		{`-gpu`, "!", "!"},
		{`(state=OPEN`, "!", "!"},
		{`state=OPEN)`, "!", "!"},
		{`()`, "!", "!"},
		{`"open`, "!", "!"},
		{`update_time>2026-11-22`, "!", "!"},
		{`update_time>"yesterday"`, "!", "!"},
		{`update_time<"2026-11-22T08:30:00Z"`, "!", "!"},
		{`update_time>="2026-11-22T08:30:00Z"`, "!", "!"},
		{`organization="organizations/123456789012"`, "!", "!"},
		{`project="projects/acme-prod"`, "!", "!"},
		{`displayName="VM"`, "!", "!"},
		{strings.Repeat("(", 20) + "state=OPEN" + strings.Repeat(")", 20), "!", "!"},
		{strings.Repeat("x", maxQuery+1), "!", "!"},
	}
	for _, tt := range tests {
		t.Run(tt.query[:min(len(tt.query), 60)], func(t *testing.T) {
			for path, want := range map[string]string{
				"/v2/organizations/123456789012/cases:search?query=": tt.search,
				"/v2/projects/acme-prod/cases?filter=":               tt.list,
			} {
				a := d.send("GET", path+escape(tt.query), "")
				got := "!"
				if a.status == 200 {
					got = ""
					for _, n := range names(a.json(t)) {
						got += label[n]
					}
				}
				if got != want || a.status != 200 && a.status != 400 {
					t.Errorf("%s: %q (%d), want %q", path, got, a.status, want)
				}
			}
		})
	}
}

// The index stays behind; get and list do not.
func TestSearchLags(t *testing.T) {
	d := open(t, Options{SearchLag: time.Minute})
	find := func(query string) int {
		return len(names(d.must("GET", "/v2/projects/acme-prod/cases:search?query="+escape(query), "")))
	}
	expect := func(when string, want map[string]int) {
		t.Helper()
		for query, n := range want {
			if got := find(query); got != n {
				t.Errorf("%s: %s finds %d, want %d", when, query, got, n)
			}
		}
	}
	name := d.create("projects/acme-prod", "alpha", "beta", "P3")
	d.must("GET", "/v2/"+name, "")
	if n := len(names(d.must("GET", "/v2/projects/acme-prod/cases", ""))); n != 1 {
		t.Errorf("listed %d", n)
	}
	expect("at once", map[string]int{"alpha": 0, "": 0})
	d.advance(59 * time.Second)
	expect("just before", map[string]int{"alpha": 0})
	d.advance(time.Second)
	expect("after the lag", map[string]int{"alpha": 1, "beta": 1, "": 1})
	d.must("PATCH", "/v2/"+name+"?updateMask=displayName", `{"displayName":"gamma"}`)
	d.advance(30 * time.Second)
	d.must("POST", "/v2/"+name+"/comments", `{"body":"delta"}`)
	expect("after a change", map[string]int{"alpha": 1, "gamma": 0, "delta": 0})
	d.advance(30 * time.Second)
	expect("the title is in", map[string]int{"alpha": 0, "gamma": 1, "delta": 0})
	d.advance(30 * time.Second)
	expect("the comment is in", map[string]int{"alpha": 0, "gamma": 1, "delta": 1})

	if err := d.ArmFault("cases.search", "search_lag:1h", 0); err != nil {
		t.Fatal(err)
	}
	expect("with a longer lag", map[string]int{"gamma": 0, "beta": 0})
	d.ClearFaults()
	expect("with the old lag", map[string]int{"gamma": 1})
}

// Pages are stable while cases are added, and a token is good for its own listing only.
func TestPages(t *testing.T) {
	d := open(t, Options{})
	for i := range 25 {
		d.create("projects/acme-prod", fmt.Sprint("case ", i), "b", "P3")
	}
	for _, listing := range []string{"cases?", "cases:search?", "cases?filter=state=OPEN&", "cases:search?query=case&"} {
		path := "/v2/projects/acme-prod/" + listing
		want := names(d.must("GET", path+"pageSize=100", ""))
		first := d.must("GET", path, "")
		token := first["nextPageToken"].(string)
		d.create("projects/acme-prod", "case in between", "b", "P3")
		second := d.must("GET", path+"pageSize=100&pageToken="+token, "")
		if got := append(names(first), names(second)...); len(names(first)) != 10 || !slices.Equal(got, want) || second["nextPageToken"] != nil {
			t.Errorf("%s: pages of %d and %d, want the same %d in order", listing, len(names(first)), len(names(second)), len(want))
		}
		for _, other := range []string{
			"/v2/organizations/123456789012/cases?pageToken=" + token,
			"/v2/projects/acme-prod/cases?filter=priority=P3&pageToken=" + token,
			path + "pageToken=" + token[1:],
			path + "pageToken=" + token + "A",
		} {
			if a := d.send("GET", other, ""); a.status != 400 {
				t.Errorf("%s: %d", other, a.status)
			}
		}
	}
	if n := len(names(d.must("GET", "/v2/projects/acme-prod/cases?pageSize=5000", ""))); n != 29 {
		t.Errorf("%d on one page", n)
	}
	if a := d.send("GET", "/v2/projects/acme-prod/cases?pageSize=0", ""); len(names(a.json(t))) != 10 {
		t.Error("a page of none is not the default page")
	}
}
