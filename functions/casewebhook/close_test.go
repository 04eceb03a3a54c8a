package casewebhook_test

import (
	"net/http"
	"path"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
)

const closing = `  - {when: "true", desk: google, priority: P2, resolve: {do: close, after: 10m}}`

// What happens in the quiet period decides whether the case of an incident that is over is closed.
func TestClosePolicy(t *testing.T) {
	began := func(w *world) alert.Alert { return firing("a", time.Now().Add(-time.Hour)) }
	for _, tt := range []struct {
		name      string
		meanwhile func(w *world, a alert.Alert)
		closed    bool
		comments  int
	}{
		{"nothing", func(*world, alert.Alert) {}, true, 1},
		{"it fires again", func(w *world, a alert.Alert) { w.file(group("eu", firing("a", time.Now()))) }, false, 2},
		{"it fires again and ends again", func(w *world, a alert.Alert) {
			b := firing("a", time.Now())
			w.file(group("eu", b))
			time.Sleep(time.Minute)
			w.file(group("eu", ended(b, time.Now())))
		}, true, 3},
		{"a repeat of its end", func(w *world, a alert.Alert) { w.file(group("eu", a)) }, true, 1},
		{"a person comments", func(w *world, a alert.Alert) {
			w.person(http.MethodPost, "/v2/"+w.one().name+"/comments", `{"body":"I am looking at it."}`)
		}, false, 2},
		{"the desk comments", func(w *world, a alert.Alert) {
			w.call(http.MethodPost, "/cases/"+path.Base(w.one().name)+"/reply", `{"body":"We are looking at it."}`)
		}, false, 2},
		{"a person closes it", func(w *world, a alert.Alert) { w.person(http.MethodPost, "/v2/"+w.one().name+":close", "{}") }, true, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, setup{routes: closing, sim: cloudsupport.Options{Tokens: map[string]string{"t": cloudsupport.DefaultCaller, "p": "person@example.com"}}})
				a := began(w)
				w.file(group("eu", a))
				a = ended(a, time.Now())
				w.file(group("eu", a))
				w.sweepFor(9 * time.Minute)
				if c := w.one(); c.state == "CLOSED" {
					t.Fatal("closed within the quiet period")
				}
				tt.meanwhile(w, a)
				w.sweepFor(20 * time.Minute)
				c := w.one()
				if closed := c.state == "CLOSED"; closed != tt.closed || len(c.comments) != tt.comments {
					t.Errorf("closed %v with %d comments, want %v with %d", closed, len(c.comments), tt.closed, tt.comments)
				}
				for s, n := range w.states() {
					if s != "case.open SUCCEEDED" && s != "case.comment SUCCEEDED" && s != "case.close SUCCEEDED" {
						t.Errorf("%d effects are %s", n, s)
					}
				}
			})
		})
	}
}

// People closed the case before its alert ended: nothing is said on it, and no effect fails.
func TestEndOnAClosedCase(t *testing.T) {
	w := newWorld(t, setup{routes: closing})
	a := firing("a", time.Now().Add(-time.Hour))
	w.file(group("eu", a))
	w.call(http.MethodPost, "/v2/"+w.one().name+":close", "{}")
	w.file(group("eu", ended(a, time.Now())))
	if got := w.states(); len(got) != 1 || got["case.open SUCCEEDED"] != 1 {
		t.Errorf("effects %v", got)
	}
}
