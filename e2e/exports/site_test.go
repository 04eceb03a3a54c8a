//go:build unix && !race

package exports

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/e2e/installed"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/proctest"
	"github.com/providerdesk/providerdesk/shared/publish/pubsub"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
)

// configuration of the installation. URL is where the remotes are.
const configuration = `
ledger: {settle: 1m, call_timeout: 5s}
push: {bearer: env:EXPORTS_CALLER} # of functions on their own; an installation makes one for its bus
desks:
  google: {kind: google, parent: projects/acme-prod, classification: "Technical Issue > Compute > Compute Engine"}
senders:
  - {name: prod-alertmanager, source: alertmanager, tenant: acme, auth: {bearer: env:EXPORTS_CALLER}}
routes:
  - {when: "true", desk: google, priority: P3}
chat:
  slack: {signing_secret: env:EXPORTS_CALLER, token: env:EXPORTS_CALLER, team: T0DESK, bot_user: U0DESKBOT}
billing:
  organization: ` + simhub.Provider + `
  token: env:EXPORTS_HUB
  bucket: gs://` + bucketName + `/export
  lenses: [provider, tenant]
  issuer: Acme Cloud GmbH
  markup: 1.15
  bigquery: {project: acme-prod, dataset: billing, location: EU}
  rooms: [{slack: C0CASES}]
endpoints:
  cloudsupport: URL/desk
  hub: URL/hub/api
  storage: URL/storage
  bigquery: URL/bigquery
  slack: URL/chat/slack/api
`

// freshProject names one that nobody else uses.
func freshProject() string { return "exports-" + strings.ToLower(rand.Text()[:12]) }

func constant(token string) func(context.Context, string) (string, error) {
	return func(context.Context, string) (string, error) { return token, nil }
}

// perDeath is how much later it is for everybody after a death: longer than what was under way is left to who did it.
const perDeath = 13 * time.Minute

// site is an installation that exports usage.
type site struct {
	*installed.Site
	remotes *remotes
	month   hub.Period
}

// install makes an installation and starts it.
func install(t *testing.T, r *remotes, month hub.Period, env []string) *site {
	t.Helper()
	env = append(env, "EXPORTS_CALLER=caller-"+rand.Text(), "EXPORTS_HUB="+r.token())
	return &site{installed.Start(t, proctest.FreeAddress(t), strings.ReplaceAll(configuration, "URL", r.url), env...), r, month}
}

// listen subscribes to topic billing-exported on the emulator. The topic is there since the installation has started.
func (r *remotes) listen(t *testing.T, host, project string) {
	t.Helper()
	p, err := pubsub.OpenEmulator(t.Context(), project, host)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Ensure(t.Context(), pubsub.Spec{Subscriptions: []pubsub.Subscription{
		{Name: "everybody", Topic: "billing-exported", URL: r.url + "/exported", AckDeadline: 30 * time.Second},
	}}); err != nil {
		t.Fatal(err)
	}
}

// status is how a month stands.
type status struct {
	Phase string
	Next  *json.RawMessage
	Ended *struct {
		Run      string
		Revision int
		State    string
	}
}

// status asks; what is not there yet, or does not answer, is the zero value.
func (s *site) status() (st status) {
	if s.Get("/api/exports/"+s.month.String(), s.Secret("admin"), &st) != nil {
		return status{}
	}
	return st
}

// ask asks for the month, however often that takes: the process may be killed while it is asked.
func (s *site) ask(died <-chan struct{}) {
	s.Helper()
	var said []byte
	for range 5 {
		out, err := s.Command(s.Context(), "exports", "run", s.month.String(), "--by", "e2e").CombinedOutput()
		if err == nil {
			return
		}
		said = out
		select {
		case <-died:
			return // the message came first
		default:
		}
	}
	s.Fatalf("the month is not asked for: %s", said)
}

// later is what time it is for everybody after a death.
func (s *site) later() {
	s.Ahead += perDeath
	s.remotes.ahead.Store(int64(s.Ahead))
}

// killedAt starts the process and waits until it dies at a moment. A request that the process before it has sent may come late, and kill nobody.
func (s *site) killedAt(m moment, died <-chan struct{}, before int) {
	s.Helper()
	limit := time.NewTimer(4 * time.Minute)
	defer limit.Stop()
	for {
		s.Restart()
		select {
		case <-died:
		case <-limit.C:
			s.Fatalf("the moment never comes: %s; the month is %+v, not done: %v", m, s.status(), s.Unfinished())
		}
		if s.Kills > before {
			return
		}
		died = s.remotes.Await(m.Moment, s.Kill)
	}
}

// exported has the month exported, with the process killed at each of the moments, one after the other, and waits until all is done.
func (s *site) exported(revision int, moments []moment) {
	s.Helper()
	for i, m := range moments {
		kills := s.Kills
		died := s.remotes.Await(m.Moment, s.Kill)
		if i == 0 {
			s.ask(died)
		}
		s.killedAt(m, died, kills)
		s.later()
	}
	s.Restart()
	if len(moments) == 0 {
		s.ask(nil)
	}
	s.untilDone(revision)
}

// untilDone waits until a revision is there and all that follows from it has happened.
func (s *site) untilDone(revision int) {
	s.Helper()
	limit := time.NewTimer(4 * time.Minute)
	defer limit.Stop()
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	for {
		st := s.status()
		if st.Phase == "resting" && st.Next == nil && st.Ended != nil && st.Ended.Revision == revision && len(s.Unfinished()) == 0 {
			if st.Ended.State != "published" {
				s.Fatalf("revision %d is %s", revision, st.Ended.State)
			}
			return
		}
		select {
		case <-look.C:
		case <-limit.C:
			s.Fatalf("not done: %+v; effects %v", st, s.Unfinished())
		}
	}
}

// total is a sum of a revision.
type total struct {
	Lens, Currency string
	Amount         decimal.Decimal
}

// shown is a revision as "exports show" prints it for a program.
type shown struct {
	Revision struct {
		Current       int
		Totals, Delta []total
		Grave         []any
	}
}

func (s *site) show(revision int) (got shown) {
	s.Helper()
	out := s.output("exports", "show", s.month.String(), "--revision", fmt.Sprint(revision), "--json")
	if err := json.Unmarshal(out, &got); err != nil {
		s.Fatalf("%v in %s", err, out)
	}
	return got
}

// output is what a command says that must succeed.
func (s *site) output(args ...string) []byte {
	s.Helper()
	out, err := s.Command(s.Context(), args...).Output()
	if err != nil {
		s.Fatalf("%v: %v\n%s%s", args, err, out, stderr(err))
	}
	return out
}

func stderr(err error) []byte {
	if e, ok := err.(*exec.ExitError); ok {
		return e.Stderr
	}
	return nil
}
