package follow_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/follow"
)

// receiver verifies Standard Webhooks by itself, and answers as it is told.
type receiver struct {
	testing.TB
	mu      sync.Mutex
	answers []int // then 200
	after   string
	got     []received
	ids     map[string]int
}

type received struct {
	id   string
	at   time.Time
	body string
	path string
}

func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	body, err := io.ReadAll(req.Body)
	req.Body.Close()
	if err != nil {
		return nil, err
	}
	r.serve(rec, req, body)
	resp := rec.Result()
	resp.Request = req
	return resp, nil
}

func (r *receiver) serve(w http.ResponseWriter, req *http.Request, body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id, stamp, signature := req.Header.Get("webhook-id"), req.Header.Get("webhook-timestamp"), req.Header.Get("webhook-signature")
	key, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		r.Error(err)
	}
	mac := hmac.New(sha256.New, key)
	io.WriteString(mac, id+"."+stamp+"."+string(body))
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); signature != want {
		r.Errorf("signature %q, want %q", signature, want)
	}
	at, err := strconv.ParseInt(stamp, 10, 64)
	if age := time.Since(time.Unix(at, 0)); err != nil || age > 5*time.Minute || age < -time.Second {
		r.Errorf("timestamp %q", stamp)
	}
	if req.Method != http.MethodPost || len(body) >= 20_000 || req.Header.Get("Content-Type") != "application/cloudevents+json" || req.Header.Get("Authorization") != "" {
		r.Errorf("%s %s, %d bytes", req.Method, req.Header.Get("Content-Type"), len(body))
	}
	r.got = append(r.got, received{id, time.Now(), string(body), req.URL.String()})
	status := http.StatusOK
	if len(r.answers) > 0 {
		status, r.answers = r.answers[0], r.answers[1:]
	}
	if status < 300 {
		r.ids[id]++
	}
	if r.after != "" {
		w.Header().Set("Retry-After", r.after)
	}
	w.Header().Set("Location", "https://internal.example/steal")
	w.WriteHeader(status)
}

const hooks = `
webhooks:
  - {name: crm, url: "https://crm.example/hooks/cases?key=v", secret: env:WEBHOOK}
`

// told is a world with a receiver and one case, followed.
func hooked(t *testing.T, after string, answers ...int) (*world, *receiver, string) {
	r := &receiver{TB: t, ids: map[string]int{}, after: after}
	w := newWorld(t, setup{top: hooks, network: r})
	name := w.open(1)
	w.minutes(2 * time.Minute)
	if len(r.got) != 1 || !strings.Contains(r.got[0].body, "case.followed") {
		t.Fatalf("received %+v", r.got)
	}
	r.got, r.answers = nil, answers
	return w, r, name
}

// Whatever a receiver answers: a success is told once, everything else is tried again with the same id, never elsewhere.
func TestWebhookAnswers(t *testing.T) {
	for _, tt := range []struct {
		answers []int
		after   string
		sends   int
		least   time.Duration // between the first two
	}{
		{[]int{200}, "", 1, 0},
		{[]int{204}, "", 1, 0},
		{[]int{302, 200}, "", 2, 0},
		{[]int{400, 200}, "", 2, 0},
		{[]int{404, 401, 200}, "", 3, 0},
		{[]int{500, 502, 504, 200}, "", 4, 0},
		{[]int{429, 200}, "600", 2, 10 * time.Minute},
		{[]int{503, 200}, "1800", 2, 30 * time.Minute},
		{[]int{503, 200}, "", 2, 10 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			w, r, name := hooked(t, tt.after, tt.answers...)
			w.reply(name, "hello", "")
			w.minutes(3 * time.Hour)
			if len(r.got) != tt.sends {
				t.Fatalf("%v: %d sends, want %d", tt.answers, len(r.got), tt.sends)
			}
			for _, g := range r.got {
				if g.id != r.got[0].id || r.ids[g.id] != 1 || g.body != r.got[0].body || g.path != "https://crm.example/hooks/cases?key=v" {
					t.Errorf("%v: sent %+v after %+v", tt.answers, g, r.got[0])
				}
			}
			if tt.sends > 1 && r.got[1].at.Sub(r.got[0].at) < tt.least {
				t.Errorf("%v: tried again after %v", tt.answers, r.got[1].at.Sub(r.got[0].at))
			}
		})
	}
}

// A receiver that answers 410 gets nothing more, and the operator one alarm.
func TestWebhookGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, name := hooked(t, "", 410)
		for range 3 {
			w.reply(name, "hello", "")
			w.minutes(15 * time.Minute)
		}
		if len(r.got) != 1 {
			t.Errorf("%d sends after 410", len(r.got)-1)
		}
		got := w.slack.threads(alarms)
		if len(got) != 1 || !strings.Contains(got[0].root.Body, "crm") || strings.Contains(got[0].root.Body, "key=v") {
			t.Errorf("alarms %+v", got)
		}
		if strings.Contains(w.log.String(), "key=v") || strings.Contains(w.log.String(), "MfKQ9") {
			t.Error("the log tells the address or the secret")
		}
	})
}

// Every change is an event, on the topic and at the receiver alike, and small enough whatever somebody writes.
func TestActivity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, name := hooked(t, "")
		w.activities()
		w.reply(name, strings.Repeat("<\u2028é\x01", 3200), "IN_PROGRESS_GOOGLE_SUPPORT")
		w.call("t", http.MethodPatch, "/v2/"+name+"?updateMask=priority", `{"priority":"P1"}`)
		w.call("t", http.MethodPost, "/v2/"+name+":escalate", `{"escalation":{"reason":"RESOLUTION_TIME","justification":"j"}}`)
		w.minutes(15 * time.Minute)
		want := []string{"commented", "state", "priority", "escalated"}
		got := w.activities()
		if len(got) != len(want) || len(r.got) != len(want) {
			t.Fatalf("%d events on the topic, %d received, want %d", len(got), len(r.got), len(want))
		}
		for i, e := range got {
			var same map[string]any
			if err := json.Unmarshal([]byte(r.got[i].body), &same); err != nil {
				t.Fatal(err)
			}
			data, _ := e["data"].(map[string]any)
			if e["type"] != "com.providerdesk.case."+want[i]+".v1" || e["specversion"] != "1.0" || e["subject"] != name || e["source"] != "/providerdesk/desks/google" || data["title"] != "Incident 1" {
				t.Errorf("event %v", e)
			}
			if same["id"] != e["id"] || same["type"] != e["type"] || r.got[i].id == e["id"] {
				t.Errorf("received %v, published %v", same["id"], e["id"])
			}
		}
		if data := got[0]["data"].(map[string]any); data["cut"] != true || data["byDesk"] != true || data["author"] != "Google Cloud Support" {
			t.Errorf("the comment is %v", data)
		}
	})
}

// A publisher that is away loses nothing.
func TestActivityWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, name := hooked(t, "")
		w.activities()
		w.bus.Down = http.ErrServerClosed
		w.reply(name, "hello", "")
		w.minutes(40 * time.Minute)
		w.bus.Down = nil
		w.minutes(30 * time.Minute)
		got := slices.DeleteFunc(w.activities(), func(e map[string]any) bool { return e["type"] != follow.TypeCommented })
		if len(got) != 1 {
			t.Errorf("%d events, want 1", len(got))
		}
	})
}
