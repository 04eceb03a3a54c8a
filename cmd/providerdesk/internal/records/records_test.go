package records_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/records"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/run"
	"github.com/providerdesk/providerdesk/shared/signature"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

const token = "the-operator"

// newLedger returns a ledger with n parked events.
func newLedger(t *testing.T, n int) *ledger.Ledger {
	t.Helper()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l := ledger.New(storetest.NewMemory(time.Now), ledger.Options{Now: func() time.Time { at = at.Add(time.Second); return at }})
	for i := range n {
		if _, err := l.Park(t.Context(), "acme", fmt.Sprintf("event-%d", i), "nobody can read it", []byte("{}"), ledger.Source{}); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// remote serves a book and returns it as a client sees it.
func remote(t *testing.T, b records.Book, clientToken string) records.Remote {
	t.Helper()
	v, err := signature.Bearer(token)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	records.Serve(mux, b, run.Options{Verify: v})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return records.Remote{Base: srv.URL, Token: clientToken, Client: srv.Client()}
}

// books are the same ledger asked directly and over HTTP: every test below holds for both.
func books(t *testing.T, n int, f func(t *testing.T, b records.Book, l *ledger.Ledger)) {
	t.Run("direct", func(t *testing.T) { l := newLedger(t, n); f(t, l, l) })
	t.Run("remote", func(t *testing.T) { l := newLedger(t, n); f(t, remote(t, l, token), l) })
}

func TestFindTakesAnUnambiguousPrefix(t *testing.T) {
	books(t, 300, func(t *testing.T, b records.Book, l *ledger.Ledger) {
		all, err := l.List(t.Context(), "", "", 1000)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range all {
			p := shortest(all, i)
			got, err := records.Find(t.Context(), b, p)
			if err != nil || got.ID != r.ID {
				t.Fatalf("Find(%q) = %s, %v; want %s", p, got.ID, err, r.ID)
			}
			if _, err := records.Find(t.Context(), b, p[:len(p)-1]); !fault.Is(err, fault.Invalid) {
				t.Fatalf("Find(%q) = %v, want it to be ambiguous", p[:len(p)-1], err)
			}
		}
	})
}

// shortest is the shortest prefix that only the i-th of the sorted records has.
func shortest(all []ledger.Record, i int) string {
	for n := 1; ; n++ {
		p := all[i].ID[:n]
		if !slices.ContainsFunc(all, func(r ledger.Record) bool { return r.ID != all[i].ID && strings.HasPrefix(r.ID, p) }) {
			return p
		}
	}
}

func TestFindRefuses(t *testing.T) {
	books(t, 1, func(t *testing.T, b records.Book, l *ledger.Ledger) {
		all, err := l.List(t.Context(), "", "", 10)
		if err != nil {
			t.Fatal(err)
		}
		other := "0"
		if all[0].ID[0] == '0' {
			other = "1"
		}
		for id, want := range map[string]fault.Kind{
			"":                        fault.Invalid,
			"XYZ":                     fault.Invalid,
			"../../secrets":           fault.Invalid,
			strings.Repeat("a", 65):   fault.Invalid,
			other:                     fault.Missing,
			strings.Repeat(other, 64): fault.Missing,
		} {
			if _, err := records.Find(t.Context(), b, id); !fault.Is(err, want) {
				t.Errorf("Find(%q) = %v, want a fault of kind %s", id, err, want)
			}
		}
	})
}

func TestSelect(t *testing.T) {
	books(t, 450, func(t *testing.T, b records.Book, _ *ledger.Ledger) {
		for name, tc := range map[string]struct {
			want records.Want
			n    int
			more bool
		}{
			"more than a page":         {records.Want{Limit: 1000}, 450, false},
			"exactly all":              {records.Want{Limit: 450}, 450, false},
			"one less":                 {records.Want{Limit: 449}, 449, true},
			"of a state":               {records.Want{State: ledger.Parked, Limit: 500}, 450, false},
			"of another state":         {records.Want{State: ledger.Failed, Limit: 500}, 0, false},
			"of a kind":                {records.Want{Kind: ledger.KindEvent, Limit: 10}, 10, true},
			"of a kind that is not it": {records.Want{Kind: "case.open", Limit: 10}, 0, false},
		} {
			got, more, err := records.Select(t.Context(), b, tc.want)
			if err != nil || len(got) != tc.n || more != tc.more {
				t.Errorf("%s: %d records, more %v, %v; want %d, %v", name, len(got), more, err, tc.n, tc.more)
			}
			if !slices.IsSortedFunc(got, func(a, b ledger.Record) int { return a.Created.Compare(b.Created) }) {
				t.Errorf("%s: not in the order in which they were made", name)
			}
		}
	})
}

func TestDecide(t *testing.T) {
	books(t, 1, func(t *testing.T, b records.Book, l *ledger.Ledger) {
		r := only(t, l)
		d, err := records.Words{Verdict: ledger.Veto, Who: " anna@example.com ", Note: "opened by hand"}.Decision()
		if err != nil {
			t.Fatal(err)
		}
		got, err := b.Decide(t.Context(), r.ID, d)
		if err != nil || got.State != ledger.Failed {
			t.Fatalf("decided: %s, %v", got.State, err)
		}
		kept := only(t, l).Decisions
		if len(kept) != 1 || kept[0].Who != "anna@example.com" || kept[0].Note != "opened by hand" || kept[0].At.IsZero() {
			t.Errorf("the record keeps %+v", kept)
		}
		if _, err := b.Decide(t.Context(), r.ID, d); !fault.Is(err, fault.Conflict) {
			t.Errorf("a second veto: %v, want a conflict", err)
		}
	})
}

func only(t *testing.T, l *ledger.Ledger) ledger.Record {
	t.Helper()
	all, err := l.List(t.Context(), "", "", 10)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d records, %v", len(all), err)
	}
	return all[0]
}

func TestWordsThatAreNoDecision(t *testing.T) {
	for name, w := range map[string]records.Words{
		"no verdict":              {Who: "anna"},
		"another verdict":         {Verdict: "delete", Who: "anna"},
		"nobody":                  {Verdict: ledger.Veto, Who: "  "},
		"adopt nothing":           {Verdict: ledger.Adopt, Who: "anna"},
		"an object with approval": {Verdict: ledger.Approve, Who: "anna", Object: "projects/1/cases/2"},
		"a long note":             {Verdict: ledger.Veto, Who: "anna", Note: strings.Repeat("x", 2001)},
	} {
		if _, err := w.Decision(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheServerLetsNobodyElseIn(t *testing.T) {
	l := newLedger(t, 1)
	id := only(t, l).ID
	for _, guess := range []string{"", "wrong", token + "x"} {
		b := remote(t, l, guess)
		_, get := b.Get(t.Context(), id)
		_, list := b.List(t.Context(), "", "", 10)
		_, decide := b.Decide(t.Context(), id, ledger.Decision{Who: "eve", Verdict: ledger.Veto})
		for what, err := range map[string]error{"get": get, "list": list, "decide": decide} {
			if !fault.Is(err, fault.Denied) {
				t.Errorf("%s with token %q: %v, want it refused", what, guess, err)
			}
		}
	}
	if r := only(t, l); r.State != ledger.Parked {
		t.Errorf("the record is %s", r.State)
	}
}

func TestTheServerRefusesWhatItDoesNotUnderstand(t *testing.T) {
	l := newLedger(t, 1)
	b := remote(t, l, token)
	id := only(t, l).ID
	for name, tc := range map[string]struct {
		method, path, body string
		status             int
	}{
		"a state that is none":    {"GET", "/api/ledger?state=lost", "", 400},
		"a limit that is none":    {"GET", "/api/ledger?limit=0", "", 400},
		"a limit that is large":   {"GET", "/api/ledger?limit=1001", "", 400},
		"a decision that is text": {"POST", "/api/ledger/" + id + "/decision", "veto", 400},
		"an unknown member":       {"POST", "/api/ledger/" + id + "/decision", `{"verdict":"veto","who":"a","force":true}`, 400},
		"two values":              {"POST", "/api/ledger/" + id + "/decision", `{"verdict":"veto","who":"a"}{}`, 400},
		"nobody's decision":       {"POST", "/api/ledger/" + id + "/decision", `{"verdict":"veto"}`, 400},
		"a large decision":        {"POST", "/api/ledger/" + id + "/decision", strings.Repeat(" ", 17<<10), 413},
		"no record":               {"POST", "/api/ledger/" + strings.Repeat("0", 64) + "/decision", `{"verdict":"veto","who":"a"}`, 404},
		"another method":          {"DELETE", "/api/ledger/" + id, "", 405},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), tc.method, b.Base+tc.path, strings.NewReader(tc.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+token)
			resp, err := b.Client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != tc.status {
				t.Errorf("answered %d, want %d", resp.StatusCode, tc.status)
			}
		})
	}
	if r := only(t, l); r.State != ledger.Parked || len(r.Decisions) != 0 {
		t.Errorf("the record is %s with %d decisions", r.State, len(r.Decisions))
	}
}

func TestStatesInAnyCase(t *testing.T) {
	for in, want := range map[string]ledger.State{"": "", "parked": ledger.Parked, "PARKED": ledger.Parked, "Unknown": ledger.Unknown} {
		if got, err := records.ParseState(in); err != nil || got != want {
			t.Errorf("ParseState(%q) = %q, %v", in, got, err)
		}
	}
	if _, err := records.ParseState("lost"); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "pending, calling, unknown") {
		t.Errorf("a state that is none: %v", err)
	}
}

// The remote's records are the ledger's own JSON: stable names for programs.
func TestRemoteRecordsAreWhole(t *testing.T) {
	l := newLedger(t, 1)
	want := only(t, l)
	got, err := remote(t, l, token).Get(context.Background(), want.ID)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(want)
	b, _ := json.Marshal(got)
	if string(a) != string(b) {
		t.Errorf("got %s\nwant %s", b, a)
	}
}
