package tenantonboard

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
	simgoogle "github.com/providerdesk/providerdesk/shared/sim/google"
	"github.com/providerdesk/providerdesk/shared/store"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

// origin is what is there before a tenant is onboarded.
type origin string

const (
	fromNothing origin = "fresh"   // the tenant has no organization; Google's side is a project
	fromSome    origin = "settled" // the organization is there with some people, and outdated; Google's side is an organization
)

const night = "request.time.getHours() < 6"

// tenant is the one that an origin leads to.
func (o origin) tenant() Tenant {
	t := acme()
	t.Users = append(t.Users, User{Email: "carl@lorem.com", Roles: []string{"tenant_user", "tenant_billing_user"}})
	g := t.Google
	g.Members = append(g.Members, Member{Member: "group:held@acme.example", Roles: []string{editor}})
	g.Contacts = append(g.Contacts, Contact{Email: "kept@acme.example", Categories: []string{"ALL"}, Language: "en"},
		Contact{Email: "other@acme.example", Categories: []string{"BILLING"}, Language: "fr"})
	g.Readable = []string{"servicehealth"}
	if o == fromSome {
		g.Parent, g.APIs, g.SupportEvents = acmeOrg, nil, acmeTopic
	}
	return t
}

// policies are the bindings that are there already: two that nobody wants, one of them conditional, and one that is wanted.
func policies() map[string][]simgoogle.Binding {
	all := []simgoogle.Binding{
		{Role: editor, Members: []string{"group:held@acme.example", "user:old@acme.example"}},
		{Role: editor, Members: []string{"group:ops@acme.example"}, Condition: &simgoogle.Condition{Title: "night", Expression: night}},
		{Role: "roles/owner", Members: []string{"user:boss@acme.example"}},
	}
	return map[string][]simgoogle.Binding{"projects/415104041262": all, acmeOrg: all}
}

// seed makes what an origin has.
func (p *player) seed() {
	p.Helper()
	ctx := p.Context()
	for _, c := range []contact{{"kept@acme.example", []string{"ALL"}, "en"}, {"other@acme.example", []string{"TECHNICAL"}, "en"}, {"old@acme.example", []string{"ALL"}, "en"}} {
		_, _, err := p.Cloud.AddContact(ctx, p.wanted.Google.Parent, c.cloud())
		p.must(err)
	}
	if p.trial.origin != fromSome {
		return
	}
	d := p.draft(p.wanted)
	d.City = "Lyon"
	o, err := p.Hub.CreateTenant(ctx, p.master(), d)
	p.must(err)
	for role, user := range map[string][]hub.User{
		hub.TenantAdmin: {{Username: "admin@lorem.com"}, {Username: "old@lorem.com"}},
		hub.TenantUser:  {{Username: "anna@acme.example"}, {Username: "carl@lorem.com"}},
	} {
		_, err = p.Hub.AddUsers(ctx, o.ID, hub.AddUsers{Users: user, Roles: []string{role}})
		p.must(err)
	}
}

// player plays one trial in a world.
type player struct {
	*world
	trial  trial
	wanted Tenant
	before sight
	s      *onboarding // at its rest

	mu      sync.Mutex
	armed   bool
	armedAt map[string]int // calls of each op before
	passed  map[ledger.Point]bool
	crash   ledger.Point // the next death
	onward  bool         // the fault of an undoing is met on the way forward
	died    bool         // and nobody has started it anew

	history *history // instead of one fault; see TestSagaSeeds
	minutes int      // that passed

	deaths, parked, retried int
	wrong                   map[sort]string
}

func newPlay(t *testing.T, tr trial, change func(*player)) *player {
	t.Helper()
	c, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	p := &player{trial: tr, wanted: tr.origin.tenant(), passed: map[ledger.Point]bool{}, crash: tr.crash, wrong: map[sort]string{}}
	p.world = newWorld(t, setup{config: c, google: simgoogle.Options{Policies: policies()},
		db: watched{storetest.NewMemory(time.Now), p.turnedRound}})
	if change != nil {
		change(p)
	}
	if tr.undo {
		p.wanted.OnFailure = Undo
	}
	p.seed()
	p.before = p.look()
	return p
}

// run plays until the tenant rests for good.
func (p *player) run() {
	p.Helper()
	p.apply(p.wanted, Onboarding)
	if p.trial.undo {
		p.must(p.desk.ArmFault("cases.close", "status:403", 1))
	} else {
		p.armFault()
	}
	if p.onward {
		p.spoil(p.trial.op, p.trial.fault, p.trial.times)
		p.trial.op = ""
	}
	if p.history != nil {
		p.history.strike(p, 0)
	}
	p.restart() // what is delivered to is another process than that which was asked
	p.rest()
	p.resolve()
}

// leave plays a tenant that was set up without a fault, and leaves with the trial's.
func (p *player) leave() {
	p.Helper()
	p.apply(p.wanted, Onboarding)
	p.rest()
	p.apply(p.wanted, Offboarding)
	p.armFault()
	p.restart()
	p.rest()
	p.resolve()
}

// resolve does what a person does for a tenant that has failed: once.
func (p *player) resolve() {
	p.Helper()
	if p.s.Status != Failed {
		return
	}
	if p.decide() == 0 && p.history == nil && !strings.HasPrefix(p.trial.fault, "status:4") {
		p.bad(other, "gave up: "+p.s.Waiting)
	}
	p.retry()
}

// retry begins a run with healthy remotes, which must get there.
func (p *player) retry() {
	p.Helper()
	p.heal()
	p.retried++
	if err := p.Retry(p.Context(), p.wanted.Key, "a-test"); err != nil {
		p.bad(other, "retry: "+err.Error())
		return
	}
	if p.rest(); !slices.Contains([]Status{Invited, Ready, Offboarded}, p.s.Status) {
		p.bad(other, "after a retry: "+string(p.s.Status)+": "+p.s.Waiting)
	}
}

// decide releases what is parked, and sees it to its end.
func (p *player) decide() (n int) {
	p.Helper()
	p.heal()
	for _, w := range p.s.Work {
		if w.State != ledger.Parked {
			continue
		}
		n++
		_, err := p.Ledger().Decide(p.Context(), w.Effect, ledger.Decision{Who: "a-test", Verdict: ledger.Approve})
		p.must(err)
	}
	for range 26 * 60 {
		if n == 0 || p.quiet() {
			break
		}
		p.minute()
	}
	p.parked += n
	return n
}

// rest delivers the tenant's message until it is taken, and sweeps every minute until the tenant rests.
func (p *player) rest() {
	p.Helper()
	for range 10 {
		if p.deliverOnce() == nil {
			break
		}
		pass(10 * time.Second)
	}
	for range 26 * 60 {
		if p.rests() {
			p.linger()
			return
		}
		p.minute()
	}
	p.bad(other, "does not come to rest: "+string(p.s.Status)+": "+p.s.Waiting+p.journal(p.s))
}

func (p *player) deliverOnce() error {
	if p.history != nil && p.history.twice {
		return p.deliverTwice()
	}
	return p.living(func() error { return p.OnboardTenant(p.Context(), message(p.wanted.Key)) })
}

func (p *player) rests() bool {
	p.Helper()
	s, err := p.read(p.Context(), p.wanted.Key)
	p.must(err)
	p.s = s
	return s.Status.resting() && p.quiet()
}

// linger lets what is late arrive, and the audits be made.
func (p *player) linger() {
	for range 3 {
		pass(20 * time.Minute)
		p.minute()
	}
}

func (p *player) minute() {
	pass(time.Minute)
	if p.minutes++; p.history != nil {
		p.history.strike(p, p.minutes)
	}
	_ = p.living(func() error { _, err := p.sweep(p.Context()); return err })
}

var errCrashed = errors.New("the process crashed")

// living does what a process may die of, and starts the next one when it has.
func (p *player) living(do func() error) (err error) {
	defer func() {
		if got := recover(); got != nil {
			if got != any(errCrashed) {
				panic(got)
			}
			err = errCrashed
		}
		p.mu.Lock()
		died := p.died
		p.died = false
		p.mu.Unlock()
		if died {
			p.restart()
		}
	}()
	return do()
}

func (p *player) restart() { p.open(p.at) }

// at is called at every point of the ledger, and dies at the first that the trial names after the fault was met.
func (p *player) at(point ledger.Point) {
	p.mu.Lock()
	met := p.armed && p.met()
	if met {
		p.passed[point] = true
	}
	dies := met && p.crash == point || p.history != nil && p.history.kills()
	if dies {
		p.crash, p.died = "", true
		p.deaths++
	}
	p.mu.Unlock()
	if dies {
		panic(errCrashed)
	}
}

// met reports whether a remote has spoiled a call as the trial wants it.
func (p *player) met() bool {
	a, _ := p.hub.Calls()
	for _, c := range slices.Backward(a) {
		if c.Op == p.trial.op && c.Fault == p.trial.fault {
			return true
		}
	}
	b, _ := p.google.Calls()
	for _, c := range slices.Backward(b) {
		if c.Op == p.trial.op && c.Fault == p.trial.fault {
			return true
		}
	}
	d, _ := p.desk.Calls()
	return slices.ContainsFunc(d, func(c cloudsupport.Call) bool { return c.Op == p.trial.op && c.Fault == p.trial.fault })
}

// armFault makes the remotes spoil calls from now on.
func (p *player) armFault() {
	p.armed, p.armedAt = true, p.counts()
	if p.trial.op != "" {
		p.spoil(p.trial.op, p.trial.fault, p.trial.times)
	}
}

// spoil arms a fault at the remote that has the op.
func (p *player) spoil(op, fault string, times int) {
	if p.hub.ArmFault(op, fault, times) == nil || p.google.ArmFault(op, fault, times) == nil {
		return
	}
	if err := p.desk.ArmFault(op, fault, times); err != nil {
		p.bad(other, err.Error()) // not Fatal: a turn of the function stands around us
	}
}

// turnedRound is called before the commit that begins an undoing.
func (p *player) turnedRound() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.trial.undo && !p.armed {
		p.armFault()
		if p.history != nil {
			p.history.strike(p, atUndo)
		}
	}
}

func (p *player) heal() {
	if p.history != nil {
		p.history.over = true
	}
	p.hub.ClearFaults()
	p.google.ClearFaults()
	p.desk.ClearFaults()
}

// counts are the calls of all remotes.
func (p *player) counts() map[string]int {
	_, all := p.hub.Calls()
	_, more := p.google.Calls()
	maps.Copy(all, more)
	_, more = p.desk.Calls()
	maps.Copy(all, more)
	return all
}

// watched tells of the commit that turns a run round.
type watched struct {
	store.DB
	turned func()
}

func (d watched) Commit(ctx context.Context, all ...store.Write) ([]store.Version, error) {
	for _, w := range all {
		if w.Doc.Key.Collection == tenantsIn && strings.Contains(string(w.Doc.Data), `"mode":"undoing"`) {
			d.turned()
		}
	}
	return d.DB.Commit(ctx, all...)
}
