package tenantonboard

import (
	"context"
	"encoding/json"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/desk/google"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
)

// TestSagaMutants takes one safety device away at a time. The oracle must notice, or it proves nothing.
func TestSagaMutants(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // a bubble runs one goroutine at a time
	for _, m := range []struct {
		name   string
		change func(*player)
		trials []trial
		want   []sort
	}{
		{"no look before a second creation", withStore(func(db store.DB) store.DB { return forgetful{db} }),
			doubtful("commit_then_drop", "commit_then_status:503"), []sort{twin, double}},
		{"the journal is written after the request", withStore(func(db store.DB) store.DB { return unmarked{db} }),
			dying("commit_then_drop", "commit_then_status:503"), []sort{twin, double}},
		{"an executed request that was answered 5xx is sent again", credulous, doubtful("commit_then_status:500", "commit_then_status:503"), []sort{twin, double}},
		{"no settle window", settledAtOnce, doubtful("late:2m", "late_drop:2m"), []sort{twin, double}},
		{"an undo that does not wait for what is unknown", hasty, undoing("commit_then_drop", "late:2m", "garbage"), []sort{early, orphan}},
	} {
		killed, sorts := 0, map[sort]int{}
		for _, tr := range m.trials {
			p := play(t, tr, m.change)
			for kind := range p.wrong {
				sorts[kind]++
			}
			if len(p.wrong) > 0 {
				killed++
			}
			if p := play(t, tr, alike(tr)); len(p.wrong) > 0 {
				t.Errorf("%s: without the mutation %+v: %v", m.name, tr, p.wrong)
			}
		}
		t.Logf("%-56s killed by %2d of %d scenarios: %v", m.name, killed, len(m.trials), sorts)
		for _, kind := range m.want {
			if sorts[kind] == 0 {
				t.Errorf("mutant %q: nobody notices %q", m.name, kind)
			}
		}
	}
}

// created are the ops that make something which the remote would make twice.
var created = map[origin][]string{
	fromNothing: {"tenants.create", "users.add", "cases.create"},
	fromSome:    {"organizations.supportEventSubscriptions.create", "users.add", "cases.create"},
}

// doubtful are trials that leave open whether something was created.
func doubtful(faults ...string) (all []trial) {
	for _, o := range []origin{fromNothing, fromSome} {
		for _, op := range created[o] {
			for _, fault := range faults {
				all = append(all, trial{origin: o, op: op, fault: fault, times: 1})
			}
		}
	}
	return all
}

// dying are the same with a death before the outcome is recorded.
func dying(faults ...string) []trial {
	all := doubtful(faults...)
	for i := range all {
		all[i].crash = ledger.Called
	}
	return all
}

// undoing are the same of a run that is to be undone.
func undoing(faults ...string) []trial {
	all := doubtful(faults...)
	for i := range all {
		all[i].undo = true
	}
	return all
}

// withStore puts something between the function and its store.
func withStore(wrap func(store.DB) store.DB) func(*player) {
	return func(p *player) { p.deps = func(d *Deps) { d.DB = wrap(d.DB) } }
}

func settledAtOnce(p *player) { p.deps = func(d *Deps) { d.Ledger.Settle = -1 } }

// hasty sees what is unknown as failed, and meets the trial's fault on its way forward, not on its way back.
func hasty(p *player) {
	p.deps = func(d *Deps) { d.DB = impatient{d.DB} }
	forwards(p)
}

func forwards(p *player) { p.onward = true }

// alike plays a trial as a mutant does, without the mutation.
func alike(tr trial) func(*player) {
	if tr.undo {
		return forwards
	}
	return nil
}

// forgetful takes every doubt for a refusal: what was begun is begun again, without a look.
type forgetful struct{ store.DB }

func (f forgetful) Commit(ctx context.Context, all ...store.Write) ([]store.Version, error) {
	for i, w := range all {
		if w.Doc.State == string(ledger.Unknown) {
			all[i].Doc = relabelled(w.Doc, ledger.Pending)
		}
	}
	return f.DB.Commit(ctx, all...)
}

// unmarked writes every mark as if no call had been permitted.
type unmarked struct{ store.DB }

func (u unmarked) Commit(ctx context.Context, all ...store.Write) ([]store.Version, error) {
	for i, w := range all {
		if w.Doc.State == string(ledger.Calling) {
			all[i].Doc = relabelled(w.Doc, ledger.Pending)
		}
	}
	return u.DB.Commit(ctx, all...)
}

// relabelled is a record of the ledger in another state, and without a doubt.
func relabelled(d store.Doc, s ledger.State) store.Doc {
	var r map[string]any
	if json.Unmarshal(d.Data, &r) == nil {
		r["state"], r["doubts"] = s, 0
		d.Data, _ = json.Marshal(r)
	}
	d.State = string(s)
	return d
}

// impatient shows the saga what is unknown as failed; the ledger sees it as it is.
type impatient struct{ store.DB }

func (m impatient) Get(ctx context.Context, k store.Key) (store.Doc, error) {
	d, err := m.DB.Get(ctx, k)
	if d.State == string(ledger.Unknown) && follows() {
		d = relabelled(d, ledger.Failed)
	}
	return d, err
}

// follows reports whether the saga asks how far its work is.
func follows() bool {
	pcs := make([]uintptr, 20)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		f, more := frames.Next()
		if strings.HasSuffix(f.Function, "tenantonboard.(*Function).follow") {
			return true
		}
		if !more {
			return false
		}
	}
}

// credulous is shown every 5xx of the hub and the desk as a refusal for want of capacity.
func credulous(p *player) {
	p.deps = func(d *Deps) {
		token := p.hub.TokenFor(p.master(), allRoles(p.hub)...)
		var err error
		d.Hub, err = hub.New(hub.Options{Endpoint: "https://hub.test/api", Organization: p.master(), Base: glossed{p.hub.Transport()}, Backoff: time.Millisecond,
			InFlight: 16, Token: func(context.Context, string) (string, error) { return token, nil }})
		p.must(err)
		support, err := gapi.Client(gapi.Options{Base: glossed{p.desk.Transport()}, Token: gapi.StaticToken("t"), Backoff: time.Millisecond})
		p.must(err)
		d.Cases = func(parent string) (desk.Desk, error) {
			return google.New(google.Options{Parent: parent, HTTP: support})
		}
	}
}

type glossed struct{ http.RoundTripper }

func (g glossed) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := g.RoundTripper.RoundTrip(r)
	if err == nil && resp.StatusCode >= 500 && r.Method == http.MethodPost {
		resp.StatusCode = http.StatusTooManyRequests
	}
	return resp, err
}
