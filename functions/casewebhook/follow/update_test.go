package follow_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/follow"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
)

// stranger opens a case that this system knows nothing of.
func (w *world) stranger(n int) (name string) {
	w.Helper()
	var found struct {
		CaseClassifications []struct{ ID string }
	}
	query := "/v2/caseClassifications:search?query=" + url.QueryEscape(`display_name:"*Compute Engine*"`)
	if err := json.Unmarshal(w.call("p", http.MethodGet, query, ""), &found); err != nil || len(found.CaseClassifications) == 0 {
		w.Fatalf("no classification: %v", err)
	}
	body := fmt.Sprintf(`{"displayName":"Foreign %d","description":"d","priority":"P3","timeZone":"+00:00","classification":{"id":%q}}`, n, found.CaseClassifications[0].ID)
	var c struct{ Name string }
	if err := json.Unmarshal(w.call("p", http.MethodPost, "/v2/projects/acme-prod/cases", body), &c); err != nil {
		w.Fatal(err)
	}
	return c.Name
}

// What is no case, or nobody's, is acknowledged and counted, whatever it says.
func TestHostileEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{desk: inSlack})
		w.open(1)
		w.minutes(2 * time.Minute)
		before := w.reads()
		hostile := []event.Envelope{
			{}, {Data: []byte(strings.Repeat("x", 1<<20))},
			desksEvent("", ""), desksEvent("CASE_UPDATED", "projects/415104041262/cases/999999"), desksEvent("CASE_UPDATED", "projects/../cases/1"),
			desksEvent("COMMENT_CREATED", "projects/p/cases/1/comments/"+strings.Repeat("9", 5000)), desksEvent(strings.Repeat("COMMENT", 1e5), "projects/p/cases/1"),
			desksEvent("x", "organizations/1/cases/1/../../../secrets"), desksEvent("x", "projects/p\n/cases/1"), desksEvent("\x00", "\xff\xfe"),
		}
		for _, e := range hostile {
			if err := w.CaseUpdate(t.Context(), e); err != nil {
				t.Errorf("%.60q: %v", e.Attributes, err)
			}
		}
		if w.Ignored() != int64(len(hostile)) || w.reads() != before {
			t.Errorf("%d of %d counted, %d calls", w.Ignored(), len(hostile), w.reads()-before)
		}
	})
}

// An event may call the parent by its id, the resource by a full name, and name the comment itself.
func TestFormsOfEvents(t *testing.T) {
	for _, form := range []string{"//cloudsupport.googleapis.com/%s", "%s", "projects/acme-prod/cases/%[2]s", "%s/comments/123"} {
		for _, kind := range []string{"COMMENT_CREATED", "case.comment.added", "", "whatever"} {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, setup{desk: inSlack})
				name := w.open(1)
				w.minutes(2 * time.Minute)
				w.reply(name, "answer", "")
				resource := fmt.Sprintf(strings.ReplaceAll(form, "%s", "%[1]s"), name, name[strings.LastIndex(name, "/")+1:])
				if err := w.CaseUpdate(t.Context(), desksEvent(kind, resource)); err != nil {
					t.Fatal(err)
				}
				if got := w.thread(w.slack, cases).bodies(); len(got) != 1 {
					t.Errorf("%s %s: told %q", kind, resource, got)
				}
			})
		}
	}
}

// small makes every page of a listing hold ten, as the API does when nobody asks for more.
type small struct{ http.RoundTripper }

func (s small) RoundTrip(r *http.Request) (*http.Response, error) {
	q := r.URL.Query()
	if q.Has("pageSize") {
		q.Set("pageSize", "10")
		r = r.Clone(r.Context())
		r.URL.RawQuery = q.Encode()
	}
	return s.RoundTripper.RoundTrip(r)
}

// With updates.all the cases that others opened are followed: all eleven of them with ten on a page, by the tick, and a new one by its first
// event. What was said before is not told.
func TestStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := setup{desk: inSlack + "\n    updates: {all: true, every: 10m}"}
		w := newWorld(t, s)
		s.wire = small{w.sim.Transport()}
		w.replica(s)
		w.subscribe()
		var names []string
		for i := range 11 {
			names = append(names, w.stranger(i))
			w.reply(names[i], "an old answer", "")
			for range 12 {
				w.reply(names[i], "and more", "")
				time.Sleep(time.Second)
			}
		}
		w.lose()
		time.Sleep(time.Hour)
		w.minutes(2 * time.Minute)
		all := w.slack.threads(cases)
		if len(all) != 11 {
			t.Fatalf("%d of 11 are followed", len(all))
		}
		for _, th := range all {
			if len(th.posts) > 0 {
				t.Errorf("told of the past: %q", th.bodies())
			}
		}
		name := w.stranger(11)
		w.reply(name, "hello", "")
		w.push()
		all = w.slack.threads(cases)
		if len(all) != 12 || !slices.Equal(all[11].bodies(), []string{vendor + ": hello"}) {
			t.Errorf("%d threads, the last %+v", len(all), all[len(all)-1].bodies())
		}
		if err := w.CaseUpdate(t.Context(), desksEvent("x", "projects/another/cases/1")); err != nil || w.Ignored() != 1 {
			t.Errorf("the case of another parent: %v, %d ignored", err, w.Ignored())
		}
	})
}

// A closed case has a last look, leaves the rota, and comes back on an event.
func TestClosedCases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{desk: inSlack, sim: cloudsupport.Options{CommentsOnClosed: true}})
		w.subscribe()
		name := w.open(1)
		w.minutes(2 * time.Minute)
		w.call("t", http.MethodPost, "/v2/"+name+":close", "{}")
		w.minutes(40 * time.Minute)
		before := w.reads()
		w.minutes(6 * time.Hour)
		if got := w.reads() - before; got != 0 {
			t.Errorf("%d calls for a closed case", got)
		}
		th := w.thread(w.slack, cases)
		if !slices.Equal(th.bodies(), []string{"State: new → closed:"}) || len(th.root.Buttons) != 0 {
			t.Errorf("told %q, buttons %v", th.bodies(), th.root.Buttons)
		}
		w.lose()
		w.reply(name, "one thing more", "")
		w.push()
		if got := w.thread(w.slack, cases).bodies(); len(got) != 2 {
			t.Errorf("told %q", got)
		}
		before = w.reads()
		w.minutes(30 * time.Minute)
		w.minutes(time.Hour)
		if got := w.reads() - before; got == 0 || got > 12 {
			t.Errorf("%d calls after it came back", got)
		}
	})
}

// A desk that does not answer keeps its cases from being looked at, and no other desk's; every open case is looked at every updates.every.
func TestRota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{desk: inSlack + "\n    updates: {every: 30m}"})
		for i := range 120 { // more than a tick looks at
			w.open(i)
		}
		w.minutes(10 * time.Minute)
		_, before := w.sim.Calls()
		w.minutes(30 * time.Minute)
		_, after := w.sim.Calls()
		if got := after["cases.get"] - before["cases.get"]; got < 119 || got > 130 {
			t.Errorf("%d looks in half an hour, want 120", got)
		}
		if err := w.sim.ArmFault("cases.get", "status:500", 100000); err != nil {
			t.Fatal(err)
		}
		_, before = w.sim.Calls()
		w.minutes(2 * time.Hour)
		_, after = w.sim.Calls()
		if got := after["cases.get"] - before["cases.get"]; got > 120*12 {
			t.Errorf("%d looks at a desk that does not answer", got)
		}
		w.sim.ClearFaults()
		tick, err := w.Tick(t.Context())
		if err != nil || tick.Failed > 0 {
			t.Errorf("%+v, %v", tick, err)
		}
	})
}

// A subscription that fails is told of once, and once when it works again.
func TestSubscriptionFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failure error
		w := newWorld(t, setup{desk: inSlack + "\n    updates: {organization: organizations/123456789012, every: 5m}", sim: cloudsupport.Options{
			Publish: func(context.Context, string, map[string]string, []byte) error { return failure }}})
		w.subscribe()
		name := w.open(1)
		told := func() (all []string) {
			for _, th := range w.slack.threads(alarms) {
				if strings.Contains(th.root.Body, "Desk google") {
					all = append(all, th.root.Body)
				}
			}
			return all
		}
		w.minutes(20 * time.Minute)
		if got := told(); len(got) != 0 {
			t.Fatalf("alarms although all works: %q", got)
		}
		for i, f := range []error{cloudsupport.ErrPermissionDenied, nil, cloudsupport.ErrTopicNotFound} {
			failure = f
			w.reply(name, fmt.Sprint("answer ", i), "")
			w.minutes(time.Hour)
			if got := told(); len(got) != i+1 {
				t.Fatalf("after %v: alarms %q", f, got)
			}
		}
		got := told()
		if !strings.Contains(got[0], "PERMISSION_DENIED") || !strings.Contains(got[1], "works again") || !strings.Contains(got[2], "TOPIC_NOT_FOUND") {
			t.Errorf("alarms %q", got)
		}
		n := 0
		for _, a := range w.activities() {
			if a["type"] == follow.TypeAlarm {
				n++
			}
		}
		if n < 3 || !strings.Contains(w.log.String(), `"level":"ERROR","msg":"alarm"`) {
			t.Errorf("%d alarms on the topic, log %s", n, w.log.String())
		}
		if got := strings.Count(w.log.String(), `"event":"subscription.failing","desk":"google"`); got != 2 { // not when it works again
			t.Errorf("%d lines of subscription.failing", got)
		}
	})
}

// A sender that is silent for its heartbeat is told of once, and once when it is heard again. An alert costs no write of its own.
func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{desk: inSlack})
		hear := func(name string) {
			if err := w.Heard(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		w.db.Reset()
		for range 3600 {
			hear("prom")
			hear("calm")
			hear("nobody")
			time.Sleep(time.Second)
		}
		if got := w.db.Counts(); got.Writes > 11 {
			t.Errorf("an hour of alerts costs %d writes", got.Writes)
		}
		w.minutes(58 * time.Minute)
		if got := w.slack.threads(alarms); len(got) != 0 {
			t.Fatalf("alarms too early: %+v", got)
		}
		w.minutes(5 * time.Hour)
		if got := w.slack.threads(alarms); len(got) != 1 || !strings.Contains(got[0].root.Body, "prom") {
			t.Fatalf("alarms %+v", got)
		}
		hear("prom")
		w.minutes(2 * time.Minute)
		if got := w.slack.threads(alarms); len(got) != 2 || !strings.Contains(got[1].root.Body, "heard again") {
			t.Fatalf("alarms %+v", got)
		}
		w.minutes(3 * time.Hour)
		if got := w.slack.threads(alarms); len(got) != 3 {
			t.Errorf("a second silence: alarms %+v", got)
		}
		if got := strings.Count(w.log.String(), `"event":"sender.silent","sender":"prom"`); got != 2 { // not when it is heard again
			t.Errorf("%d lines of sender.silent", got)
		}
	})
}
