//go:build unix && !race

package exports

import (
	"flag"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/e2e/installed"
	"github.com/providerdesk/providerdesk/shared/emulator"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/proctest"
	"github.com/providerdesk/providerdesk/shared/sim/chat"
)

func TestMain(m *testing.M) {
	dir, err := installed.BuildWithClock()
	if err != nil {
		panic(err)
	}
	if err := flag.Set("test.parallel", "2"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// moment is when the process is killed: while a remote holds a request that has come in whole.
type moment struct {
	name string
	installed.Moment
}

func (m moment) String() string {
	switch {
	case m.Sent > 0:
		return m.name + ", while it is received"
	case m.Executed:
		return m.name + ", executed"
	}
	return m.name + ", lost"
}

// ask is a request to the hub, upload one that makes an object in the bucket, of whose name it says a part.
func ask(name, end string, nth, sent int) moment {
	return moment{name, installed.Moment{Method: http.MethodGet, Ends: []string{end}, Nth: nth, Sent: sent}}
}

func upload(says string, executed bool) moment {
	return moment{"upload of " + says, installed.Moment{Method: http.MethodPost, Ends: []string{"/b/" + bucketName + "/o"}, Says: says, Executed: executed}}
}

func call(name, method, end, says string, executed bool) moment {
	return moment{name, installed.Moment{Method: method, Ends: []string{end}, Says: says, Executed: executed}}
}

// first are the moments of a month's first revision, in the order in which they come: until the parts are made several tenants are under way.
var first = []moment{
	ask("tenants.list", "/tenants", 2, 0), // the first one is by the command, which plans
	ask("usage-report", "/usage-report", 0, 700),
	ask("usage-report/file", "/usage-report/file", 0, 100_000),
	upload("/usage.csv/", false),
	upload("/usage.csv/", true),
	ask("subscriptions", "/subscriptions", 0, 0),
	upload("/fetched/", true),
	upload("/focus.provider.parquet", false),
	upload("/bill.json", true),
	upload("/part.json", false),
	upload("/part.json", true), // between parts
	upload("/reports/", true),
	upload("/summary.csv", false),
	upload("/manifest.json", false),
	upload("/manifest.json", true),
	upload("/current.json", false),
	upload("/current.json", true),
	call("load job", http.MethodPost, "/jobs", "", true),
	call("message", http.MethodPost, "/chat.postMessage", "", true),
}

// second are those of a later one, with corrections. What follows from a revision is done in its order the first time, load jobs before the message,
// and side by side after a death: so the message is the last, and one death comes before it.
var second = []moment{
	upload("/part.json", true),
	upload("/delta.provider.parquet", true),
	upload("/delta.tenant.parquet", false),
	upload("/manifest.json", true),
	upload("/current.json", true),
	call("look at a load job", http.MethodGet, "", "/jobs/be_", false),
	call("message", http.MethodPost, "/chat.postMessage", "", false),
}

// TestKilledWhileAMonthIsExported tells the story once without a death, and once on each backend with the process killed at every moment.
func TestKilledWhileAMonthIsExported(t *testing.T) {
	today := time.Now().UTC().Truncate(time.Hour)
	month := hub.PeriodOf(today).Add(-2) // the hub has closed it, on whatever day this runs
	embedded := []string{"FIRESTORE_EMULATOR_HOST=", "PUBSUB_EMULATOR_HOST="}
	want := map[int]map[string]string{}
	undisturbed := openRemotes(t, today)
	began := time.Now()
	tell(t, undisturbed, install(t, undisturbed, month, embedded), today, nil, nil, func(revision int) { want[revision] = undisturbed.objects(t) })
	t.Logf("undisturbed: %d objects in %.1f s", len(want[2]), time.Since(began).Seconds())

	for name, emulated := range map[string]bool{"in the folder": false, "on the emulators": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env, project, host := embedded, freshProject(), ""
			if emulated {
				host = emulator.PubSub(t) // skips where there is no emulator
				env = []string{"FIRESTORE_EMULATOR_HOST=" + emulator.Firestore(t), "PUBSUB_EMULATOR_HOST=" + host, "GOOGLE_CLOUD_PROJECT=" + project}
			}
			began := time.Now()
			r := openRemotes(t, today)
			s := install(t, r, month, env)
			if emulated {
				r.listen(t, host, project)
			}
			tell(t, r, s, today, first, second, func(revision int) {
				for _, d := range differences(r.objects(t), want[revision]) {
					t.Errorf("after revision %d: %s", revision, d)
				}
			})
			if emulated {
				r.countEvents(t)
			}
			_, h := r.hub.Calls()
			_, g := r.storage.Calls()
			t.Logf("%d kills in %.0f s: 2 revisions of %d tenants, %d objects as in the undisturbed story; %d usage files asked for, %d uploads", s.Kills,
				time.Since(began).Seconds(), len(r.hub.Organizations())-1, len(want[2]), h["usage.file"], g["storage.objects.insert"])
		})
	}
}

// tell is the story: a month is exported; then late usage changes it, and a tenant appears that nobody knew; it is exported again.
func tell(t *testing.T, r *remotes, s *site, today time.Time, first, second []moment, each func(revision int)) {
	t.Helper()
	s.exported(1, first)
	s.check(1)
	each(1)
	r.restate(t, s.month)
	r.lateTenant(t, today, s.month)
	s.exported(2, second)
	s.check(2)
	each(2)
	s.addsUp()
}

// check counts what is there after a revision.
func (s *site) check(revision int) {
	s.Helper()
	if _, manifests, moves := s.remotes.written(s.T); manifests != revision || moves != revision {
		s.Errorf("after revision %d: %d manifests, current.json written %d times", revision, manifests, moves)
	}
	got := s.show(revision)
	if got.Revision.Current != revision || len(got.Revision.Totals) != 2 || len(got.Revision.Grave) != 0 {
		s.Errorf("revision %d is shown as %+v", revision, got)
	}
	for _, lens := range []string{"provider", "tenant"} {
		current, ledger := s.remotes.sum(s.T, "focus_"+lens+"_current"), s.remotes.sum(s.T, "focus_"+lens+"_ledger")
		for _, want := range got.Revision.Totals {
			if want.Lens == lens && (!current.Equal(want.Amount) || !ledger.Equal(want.Amount)) {
				s.Errorf("revision %d, lens %s, comes to %s; in BigQuery current is %s, ledger %s", revision, lens, want.Amount, current, ledger)
			}
		}
	}
	told := 0
	for _, m := range s.remotes.chat.Messages(chat.Slack, chat.Channel, "") {
		if m.Bot && strings.Contains(m.Text, "Usage of ") {
			told++
		}
	}
	if told != revision {
		s.Errorf("after revision %d the room has %d messages", revision, told)
	}
	if kinds := s.CheckLedger(); kinds["export.announce"] != revision || kinds["export.load"] != 2*revision || kinds["chat.post"] != revision {
		s.Errorf("after revision %d the ledger has %v", revision, kinds)
	}
	for rev := range revision {
		s.output("exports", "verify", s.month.String(), "--revision", string('1'+rune(rev)))
	}
}

// sum is what a table comes to in dollars.
func (r *remotes) sum(t *testing.T, table string) (sum decimal.Decimal) {
	t.Helper()
	view, err := r.bigquery.Table("billing." + table)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range view.Partitions {
		sum = sum.Add(p.Billed["USD"])
	}
	return sum
}

// addsUp: the first revision and the corrections of the second are the second, in both lenses, and something was corrected.
func (s *site) addsUp() {
	s.Helper()
	sums := map[string]decimal.Decimal{}
	one, two := s.show(1), s.show(2)
	for _, t := range append(one.Revision.Totals, two.Revision.Delta...) {
		sums[t.Lens] = sums[t.Lens].Add(t.Amount)
	}
	for i, t := range two.Revision.Totals {
		if !t.Amount.Equal(sums[t.Lens]) || t.Amount.Equal(one.Revision.Totals[i].Amount) {
			s.Errorf("lens %s: revision 1 and its corrections are %s, revision 2 is %s", t.Lens, sums[t.Lens], t.Amount)
		}
	}
}

// countEvents: each revision was told once. Pub/Sub may deliver a message twice; its id says so.
func (r *remotes) countEvents(t *testing.T) {
	t.Helper()
	proctest.Until(t, "two events", func() bool { return len(r.heard()) == 2 })
	for revision, ids := range r.heard() {
		if len(ids) != 1 {
			t.Errorf("revision %d was told %d times: %v", revision, len(ids), ids)
		}
	}
}
