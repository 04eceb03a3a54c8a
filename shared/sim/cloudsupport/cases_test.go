package cloudsupport

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// What each party can do with a case in each state, and the state it is in then.
func TestStates(t *testing.T) {
	paths := map[string][]string{
		stateNew:      {},
		stateProgress: {stateProgress},
		stateAction:   {stateProgress, stateAction},
		stateSolution: {stateProgress, stateSolution},
		stateClosed:   {stateProgress, stateSolution, stateClosed},
	}
	tests := []struct {
		act  string
		want map[string]string // state before to state after; a state that is not there refuses the act
	}{
		{"desk " + stateNew, map[string]string{stateNew: stateNew}},
		{"desk " + stateProgress, map[string]string{stateNew: stateProgress, stateProgress: stateProgress, stateAction: stateProgress, stateSolution: stateProgress}},
		{"desk " + stateAction, map[string]string{stateProgress: stateAction, stateAction: stateAction, stateSolution: stateAction}},
		{"desk " + stateSolution, map[string]string{stateProgress: stateSolution, stateAction: stateSolution, stateSolution: stateSolution}},
		{"desk " + stateClosed, map[string]string{stateProgress: stateClosed, stateAction: stateClosed, stateSolution: stateClosed, stateClosed: stateClosed}},
		{"desk comment", map[string]string{stateNew: stateNew, stateProgress: stateProgress, stateAction: stateAction, stateSolution: stateSolution}},
		{"comment", map[string]string{stateNew: stateNew, stateProgress: stateProgress, stateAction: stateProgress, stateSolution: stateProgress}},
		{"attach", map[string]string{stateNew: stateNew, stateProgress: stateProgress, stateAction: stateAction, stateSolution: stateSolution}},
		{"patch", map[string]string{stateNew: stateNew, stateProgress: stateProgress, stateAction: stateAction, stateSolution: stateSolution}},
		{"escalate", map[string]string{stateNew: stateNew, stateProgress: stateProgress, stateAction: stateAction, stateSolution: stateSolution}},
		{"close", map[string]string{stateNew: stateClosed, stateProgress: stateClosed, stateAction: stateClosed, stateSolution: stateClosed}},
	}
	for _, tt := range tests {
		for from, path := range paths {
			t.Run(tt.act+" in "+from, func(t *testing.T) {
				d := open(t, Options{})
				name := d.create("projects/acme-prod", "a", "b", "P3")
				for _, state := range path {
					if a := d.reply(name, "", state); a.status != 200 {
						t.Fatalf("to %s: %s", state, a.body)
					}
				}
				a := d.act(name, tt.act)
				want, ok := tt.want[from]
				if got := d.Cases()[0].State; ok && (a.status != 200 || got != want) {
					t.Errorf("%d, state %s, want %s: %s", a.status, got, want, a.body)
				}
				if !ok && (a.status != 400 || !strings.Contains(a.body, "FAILED_PRECONDITION") || d.Cases()[0].State != from) {
					t.Errorf("%d, state %s: %s", a.status, d.Cases()[0].State, a.body)
				}
			})
		}
	}
}

func (d desk) act(name, act string) answered {
	switch act {
	case "comment":
		return d.send("POST", "/v2/"+name+"/comments", `{"body":"x"}`)
	case "attach":
		return d.send("POST", "/upload/v2/"+name+"/attachments?attachment.filename=a", "x")
	case "patch":
		return d.send("PATCH", "/v2/"+name+"?updateMask=priority", `{"priority":"P1"}`)
	case "escalate":
		return d.send("POST", "/v2/"+name+":escalate", `{"escalation":{"reason":"RESOLUTION_TIME","justification":"x"}}`)
	case "close":
		return d.send("POST", "/v2/"+name+":close", `{}`)
	case "desk comment":
		return d.reply(name, "x", "")
	}
	return d.reply(name, "", strings.TrimPrefix(act, "desk "))
}

func TestCommentsOnClosed(t *testing.T) {
	d := open(t, Options{CommentsOnClosed: true})
	name := d.create("projects/acme-prod", "a", "b", "P3")
	d.act(name, "close")
	for _, act := range []string{"comment", "attach", "desk comment"} {
		if a := d.act(name, act); a.status != 200 {
			t.Errorf("%s: %s", act, a.body)
		}
	}
	if c := d.Cases()[0]; c.State != stateClosed || len(c.Comments) != 2 || len(c.Attachments) != 1 {
		t.Errorf("%+v", c)
	}
}

// The desk's people write without an address, and only on cases that exist.
func TestDeskReplies(t *testing.T) {
	d := open(t, Options{})
	name := d.create("projects/acme-prod", "a", "b", "P3")
	if a := d.reply(name, "We look into it.", stateProgress); a.status != 200 {
		t.Fatal(a.body)
	}
	if a := d.reply(strings.TrimPrefix(name, "projects/415104041262/cases/"), "Still looking.", ""); a.status != 200 {
		t.Fatal(a.body)
	}
	list := d.must("GET", "/v2/"+name+"/comments", "")["comments"].([]any)
	newest := list[0].(map[string]any)
	creator := newest["creator"].(map[string]any)
	if len(list) != 2 || newest["body"] != "Still looking." || creator["googleSupport"] != true || creator["email"] != nil || creator["username"] != nil {
		t.Errorf("%v", list)
	}
	for what, a := range map[string]answered{
		"unknown case":  d.reply("projects/acme-prod/cases/1", "x", ""),
		"other parent":  d.reply(strings.Replace(name, "projects/415104041262", "organizations/123456789012", 1), "x", ""),
		"nothing":       d.reply(name, "", ""),
		"no such state": d.reply(name, "x", "REOPENED"),
		"unknown key":   d.send("POST", "/cases/"+name+"/reply", `{"text":"x"}`),
		"two objects":   d.send("POST", "/cases/"+name+"/reply", `{"body":"x"}{}`),
	} {
		if a.status != 400 && a.status != 404 {
			t.Errorf("%s: %d", what, a.status)
		}
	}
	if n := len(d.Cases()[0].Comments); n != 2 {
		t.Errorf("%d comments", n)
	}
}

func TestPatch(t *testing.T) {
	tests := []struct {
		what, mask, body string
		title, priority  string
		subscribers      int
	}{
		{"by mask", "priority", `{"priority":"P1","displayName":"x"}`, "a", "P1", 1},
		{"by mask in the old spelling", "display_name,subscriber_email_addresses", `{"displayName":"x","subscriberEmailAddresses":["a@b.c","d@e.f"]}`, "x", "P3", 2},
		{"list cleared by mask", "subscriberEmailAddresses", `{}`, "a", "P3", 0},
		{"without a mask all is replaced", "", `{"displayName":"x","priority":"P0"}`, "x", "P0", 0},
		{"the description stays", "", `{"displayName":"x","priority":"P0","description":"changed"}`, "x", "P0", 0},
	}
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			d := open(t, Options{})
			name := d.create("projects/acme-prod", "a", "b", "P3")
			d.advance(time.Minute)
			d.must("PATCH", "/v2/"+name+"?updateMask="+tt.mask, tt.body)
			c := d.Cases()[0]
			if c.DisplayName != tt.title || c.Priority != tt.priority || len(c.Subscribers) != tt.subscribers || c.Description != "b" {
				t.Errorf("%+v", c)
			}
			if c.Updated.Sub(c.Created) != time.Minute {
				t.Errorf("updated %v", c.Updated)
			}
		})
	}
}

// Ids follow from the seed and the requests, and from nothing else.
func TestIdsFollowTheSeed(t *testing.T) {
	run := func(seed uint64) []string {
		d := open(t, Options{Seed: seed})
		var all []string
		for range 50 {
			all = append(all, d.create("projects/acme-prod", "a", "b", "P3"))
		}
		return append(all, d.classID(computeEngine))
	}
	one, same, other := run(1), run(1), run(2)
	if !slices.Equal(one, same) || slices.Equal(one, other) {
		t.Error("the seed does not decide")
	}
	slices.Sort(one)
	if len(slices.Compact(one)) != 51 {
		t.Error("ids repeat")
	}
}

func TestClassifications(t *testing.T) {
	d := open(t, Options{})
	search := func(query string) int {
		total, token := 0, ""
		for {
			v := d.must("GET", "/v2/caseClassifications:search?pageSize=7&query="+escape(query)+"&pageToken="+token, "")
			list, _ := v["caseClassifications"].([]any)
			total += len(list)
			if token, _ = v["nextPageToken"].(string); token == "" {
				return total
			}
		}
	}
	for query, want := range map[string]int{
		"":                                                   len(catalogue),
		`display_name:"*Compute Engine*"`:                    2,
		`displayName:"*Compute Engine"`:                      1,
		`displayName="Billing > *"`:                          5,
		`displayName:"` + computeEngine + `"`:                1,
		`displayName:"Compute Engine"`:                       0,
		`displayName:"*compute engine*"`:                     0,
		`displayName:"Tech*Cloud*SQL"`:                       1,
		`id="` + d.classID(computeEngine) + `"`:              1,
		`displayName:"*Cloud*" AND displayName:"Technical*"`: 14,
	} {
		if got := search(query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	for _, query := range []string{`name:"x"`, `Compute`, `displayName>"a"`, `displayName:"a" displayName:"b"`, `displayName:`} {
		if a := d.send("GET", "/v2/caseClassifications:search?query="+escape(query), ""); a.status != 400 {
			t.Errorf("%s: %d", query, a.status)
		}
	}
}

// A classification goes out of use: at once, or after six months.
func TestClassificationsRetire(t *testing.T) {
	for _, tt := range []struct {
		do              string
		now, later, new bool // does the old id still create, does it after half a year, is there a new id
	}{{"hide", true, false, false}, {"expire", false, false, false}, {"rotate", false, false, true}} {
		t.Run(tt.do, func(t *testing.T) {
			d := open(t, Options{})
			old := d.draft("a", "b", "P3")
			a := d.send("POST", "/classifications", fmt.Sprintf(`{"displayName":%q,"do":%q}`, computeEngine, tt.do))
			if a.status != 200 || (a.json(t)["id"] != "") != tt.new {
				t.Fatal(a.body)
			}
			if tt.new && d.classID(computeEngine) != a.json(t)["id"] {
				t.Error("the new id is not listed")
			}
			creates := func() bool { return d.send("POST", "/v2/projects/acme-prod/cases", old).status == 200 }
			if creates() != tt.now {
				t.Errorf("creates: %v", !tt.now)
			}
			if d.advance(retired); creates() != tt.later {
				t.Errorf("creates later: %v", !tt.later)
			}
		})
	}
	d := open(t, Options{})
	for _, body := range []string{`{"displayName":"none","do":"hide"}`, fmt.Sprintf(`{"displayName":%q,"do":"x"}`, computeEngine)} {
		if a := d.send("POST", "/classifications", body); a.status != 404 && a.status != 400 {
			t.Errorf("%s: %d", body, a.status)
		}
	}
}
