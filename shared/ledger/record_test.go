package ledger_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Only a record with which nothing more is done may expire, and it answers for as long as it is there.
func TestExpiry(t *testing.T) {
	const keep = 45 * 24 * time.Hour
	for m, drive := range drives {
		bubble(t, func(r *rig) {
			drive(r)
			docs, err := r.db.Query(r.Context(), store.Query{Collection: ledger.Collection, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range docs {
				rec, err := r.l.Get(r.Context(), d.ID)
				if err != nil {
					t.Fatal(err)
				}
				switch terminal := rec.State.Terminal(); {
				case terminal && !d.Expire.Equal(store.Time(rec.Completed.Add(keep))):
					t.Errorf("%v: %s expires %v, completed %v", m, rec.State, d.Expire, rec.Completed)
				case !terminal && (!d.Expire.IsZero() || !rec.Completed.IsZero()):
					t.Errorf("%v: %s expires %v, completed %v", m, rec.State, d.Expire, rec.Completed)
				case rec.State == ledger.Parked && !d.Due.IsZero(), rec.State == ledger.Failed && !d.Due.IsZero():
					t.Errorf("%v: %s is due", m, rec.State)
				case !d.Due.Equal(store.Time(rec.NextAt)):
					t.Errorf("%v: due %v, next visit %v", m, d.Due, rec.NextAt)
				}
			}
		})
	}
}

func TestRedeliveryOfWhatIsOver(t *testing.T) {
	bubble(t, func(r *rig) {
		in := r.begin("marked")
		first := r.do(in)
		for _, after := range []time.Duration{time.Hour, 7 * 24 * time.Hour, 31 * 24 * time.Hour, 44 * 24 * time.Hour, 46 * 24 * time.Hour} {
			r.pass(after)
			if again := r.do(in); again.Result.ID != first.Result.ID {
				t.Errorf("after %v the result is %v", after, again.Result)
			}
		}
		r.wantCalls(1) // expired long ago, and not deleted
	})
}

// A record that is deleted between the two looks of a redelivery is met by the next one.
func TestForgottenJustNow(t *testing.T) {
	bubble(t, func(r *rig) {
		in := r.begin("marked")
		r.do(in)
		r.mem.OnGet = func(k store.Key) error { return store.Missing(k) }
		if _, err := r.l.Do(r.Context(), nil, in); !fault.Healing(err) {
			t.Errorf("a redelivery does not heal %v", err)
		}
	})
}

func TestMismatch(t *testing.T) {
	bubble(t, func(r *rig) {
		in := r.begin("marked")
		r.do(in)
		before := r.get(in)
		for range 3 {
			_, err := r.l.Do(r.Context(), nil, r.intent("marked", "one", "do something else: secret"))
			if !fault.Is(err, fault.Invalid) || !errors.Is(err, ledger.ErrMismatch) || strings.Contains(err.Error(), "secret") {
				t.Fatalf("error %v", err)
			}
		}
		after := r.get(in)
		if string(after.Payload) != string(before.Payload) || !after.Updated.Equal(before.Updated) || after.State != before.State {
			t.Error("the recorded effect is changed")
		}
		r.wantCalls(1)
	})
}

// A result of any size, and one that is no JSON, is a success; the id alone is kept.
func TestResults(t *testing.T) {
	for name, size := range map[string]int{"small": 10, "large": 100 << 10, "larger than a document": 2 << 20} {
		bubble(t, func(r *rig) {
			r.result = strings.Repeat("<", size)
			in := r.intent("audited", "one", strings.Repeat("p", 60<<10))
			r.do(in)
			rec := r.want(in, ledger.Succeeded)
			a, err := r.kinds["audited"].Result(rec)
			if err != nil || a.ID != rec.Result.ID || size == 10 && a.Result != r.result || size > 10 && a.Result != "" {
				t.Errorf("%s: result %q of %.20q, %v", name, a.ID, a.Result, err)
			}
			if n := r.size(in); n > store.MaxData/2 {
				t.Errorf("%s: the record has %d bytes", name, n)
			}
		})
	}
}

func TestIntentLimits(t *testing.T) {
	bubble(t, func(r *rig) {
		k := r.kinds["marked"]
		for name, f := range map[string]func() (ledger.Intent, error){
			"no key":       func() (ledger.Intent, error) { return k.Intent("acme", "", "x") },
			"long key":     func() (ledger.Intent, error) { return k.Intent("acme", strings.Repeat("x", 2000), "x") },
			"long tenant":  func() (ledger.Intent, error) { return k.Intent(strings.Repeat("x", 2000), "one", "x") },
			"long payload": func() (ledger.Intent, error) { return k.Intent("acme", "one", strings.Repeat("x", 64<<10)) },
		} {
			if _, err := f(); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		in, err := k.Intent("acme", "one", strings.Repeat("x", 64<<10-2))
		if err != nil {
			t.Fatal(err)
		}
		long := strings.Repeat("ü", 1<<20)
		r.do(in.Because(long).From(ledger.Source{Event: long, Traceparent: long}))
		if rec := r.want(in, ledger.Succeeded); rec.Reason == "" || rec.Source.Event == "" || strings.ContainsRune(rec.Reason, '\uFFFD') {
			t.Errorf("reason of %d bytes, source %d", len(rec.Reason), len(rec.Source.Event))
		}
	})
}

// An event that can never succeed is kept whatever it holds, once.
func TestPark(t *testing.T) {
	for name, data := range map[string][]byte{"none": nil, "binary": {0, 0xff, 0xfe, '"'}, "text": []byte("hello"), "huge": make([]byte, 5<<20)} {
		bubble(t, func(r *rig) {
			huge := strings.Repeat("x", 1<<20)
			first, err := r.l.Park(r.Context(), huge, huge, huge, data, ledger.Source{Event: huge})
			if err != nil || first.State != ledger.Parked {
				t.Fatalf("%s: %s, %v", name, first.State, err)
			}
			again, err := r.l.Park(r.Context(), huge, huge, "another reason", []byte("other"), ledger.Source{})
			if err != nil || string(again.Payload) != string(first.Payload) || again.Reason != first.Reason {
				t.Errorf("%s: parked again: %v", name, err)
			}
			if len(r.db.states) != 1 {
				t.Errorf("%s: %d records", name, len(r.db.states))
			}
			if s := r.pass(100 * 24 * time.Hour); s.Due+s.Foreign != 0 {
				t.Errorf("%s: a parked event is due", name)
			}
		})
	}
}

func TestMarker(t *testing.T) {
	form := regexp.MustCompile(`^REF[A-Z2-7]{26}$`)
	const n = 100_000
	markers, ids := make(map[string]bool, n), make(map[string]bool, n)
	for i := range n {
		id := ledger.ID("case.open", "acme", time.Duration(i).String())
		m := ledger.Marker(id)
		if !form.MatchString(m) {
			t.Fatalf("marker %q", m)
		}
		markers[m], ids[id] = true, true
	}
	if len(markers) != n || len(ids) != n {
		t.Errorf("%d markers and %d ids of %d effects", len(markers), len(ids), n)
	}
}

// The three parts of a name cannot be shifted into each other, whatever they hold.
func TestIDIsUnambiguous(t *testing.T) {
	parts := []string{"", "a", "aa", "a|", "|a", "a|b", "a/b", "/", "|", "\x00", "\x00\x00\x00\x01a", "ü"}
	ids := map[string][3]string{}
	for _, k := range parts {
		for _, tenant := range parts {
			for _, b := range parts {
				id, name := ledger.ID(k, tenant, b), [3]string{k, tenant, b}
				if other, ok := ids[id]; ok {
					t.Fatalf("%q and %q are one", name, other)
				}
				ids[id] = name
			}
		}
	}
}
