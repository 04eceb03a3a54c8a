package billingexport

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/blob/blobtest"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/publish/publishtest"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
	"github.com/providerdesk/providerdesk/shared/store"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const settings = `
ledger: {settle: 15m, call_timeout: 30s}
push: {bearer: env:PUSH_TOKEN}
desks:
  google: {kind: google, parent: projects/acme-prod, classification: "Technical Issue > Compute > Compute Engine"}
senders:
  - {name: prom, source: alertmanager, tenant: acme, auth: {bearer: env:PUSH_TOKEN}}
routes:
  - {when: "true", desk: google, priority: P3}
billing:
  organization: ` + simhub.Provider + `
  token: env:HUB_TOKEN
  bucket: gs://acme-usage/export
  lenses: [provider, tenant]
  issuer: Acme Cloud
  markup: "1.15"
`

// october is the month that most tests are about; the clock begins when it has been closed.
var (
	october = hub.Period{Year: 2026, Month: time.October}
	morning = time.Date(2026, time.November, 6, 6, 0, 0, 0, time.UTC)
)

// world is the function's surroundings: a simulated hub, a store, a bucket and a bus, which outlive its processes.
type world struct {
	testing.TB
	config *config.Config
	hub    *simhub.Server
	db     *storetest.Memory
	bucket *blobtest.Memory
	bus    *publishtest.Kept
	change func(*Function)       // what every process does otherwise than usual
	deps   func(*process, *Deps) // what it gets
	habit  habit                 // of the bus

	p     *process // that messages are delivered to
	queue []delivery
	last  int // the number of messages

	mu        sync.Mutex
	commits   map[string]int // of objects, by name
	wrong     []string
	current   map[string]int // the revision that current.json of a month names
	pointed   []string       // each move of it
	announced map[string]string
	deaths    int
	hidden    map[string]bool // tenants that the hub does not list
	step      int             // of the script
	delivered delivery        // the latest
}

// habit is how the bus delivers.
type habit struct {
	twice    bool // every message
	backward bool // the latest first
}

func newWorld(t testing.TB, o simhub.Options) *world {
	t.Helper()
	time.Sleep(time.Until(morning)) // virtual
	if o.Switches.TokenScope == "" {
		o.Switches.TokenScope = "tenants"
	}
	w := &world{TB: t, db: storetest.NewMemory(time.Now), bucket: blobtest.NewMemory(), commits: map[string]int{}, current: map[string]int{},
		announced: map[string]string{}, hidden: map[string]bool{}, bus: &publishtest.Kept{Topics: []string{TopicExport, TopicTenant, TopicDone}, Subscription: "projects/p/subscriptions/s"}}
	var err error
	w.hub, err = simhub.New(o)
	w.must(err)
	t.Cleanup(func() { w.hub.Close() })
	w.config, err = config.Parse("providerdesk.yaml", []byte(settings), func(string) (string, bool) { return "a-token-of-the-test", true })
	w.must(err)
	w.bucket.Hook = w.committed
	w.start()
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// complain notes what breaks a promise.
func (w *world) complain(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// committed watches every object that gets a name: the promises of the bucket are kept at every moment, not only in the end.
func (w *world) committed(point string) error {
	name, done := strings.CutPrefix(point, "after ")
	if !done {
		return nil
	}
	w.mu.Lock()
	w.commits[name]++
	n := w.commits[name]
	w.mu.Unlock()
	switch {
	case strings.HasSuffix(name, "/"+revision.CurrentFile):
		w.moved(name)
	case n > 1:
		w.complain("%s was written %d times", name, n)
	case strings.HasSuffix(name, "/"+revision.ManifestFile):
		w.sealed(name)
	}
	return nil
}

// moved looks at current.json after each move.
func (w *world) moved(name string) {
	data, _, err := blob.ReadAll(context.Background(), w.bucket, name, revision.MaxCurrent)
	w.must(err)
	c, err := revision.DecodeCurrent(data)
	w.must(err)
	w.mu.Lock()
	before := w.current[c.Month]
	w.current[c.Month] = c.Revision
	w.pointed = append(w.pointed, fmt.Sprintf("%s/%d", c.Month, c.Revision))
	w.mu.Unlock()
	if c.Revision <= before {
		w.complain("current.json of %s went from %d to %d", c.Month, before, c.Revision)
	}
	if data, _, err = blob.ReadAll(context.Background(), w.bucket, c.Manifest, revision.MaxManifest); err != nil || blob.SumOf(data).SHA256 != c.ManifestSHA256 {
		w.complain("current.json of %s names a manifest that is not there", c.Month)
		return
	}
	if man, err := revision.DecodeManifest(data); err != nil || man.State != revision.Published {
		w.complain("current.json of %s names a revision that is not published", c.Month)
	}
}

// sealed looks whether everything is there when a manifest is.
func (w *world) sealed(name string) {
	data, _, err := blob.ReadAll(context.Background(), w.bucket, name, revision.MaxManifest)
	w.must(err)
	man, err := revision.DecodeManifest(data)
	w.must(err)
	for _, f := range filesOf(man) {
		o, found, err := blob.Stat(context.Background(), w.bucket, f.Name)
		if err != nil || !found || o.CRC32C != f.CRC32C || o.Bytes != f.Bytes {
			w.complain("%s names %s, which is not there", name, f.Name)
		}
	}
	if len(man.Reports) == 0 && len(revision.Lenses(man.Parts)) > 0 || len(man.Summary) == 0 {
		w.complain("%s has no reports or no summary", name)
	}
	if man.State == revision.Published && man.Since > 0 && len(man.Delta) == 0 {
		w.complain("%s has no corrections", name)
	}
}

func filesOf(man revision.Manifest) (all []revision.File) {
	all = slices.Concat(man.Delta, man.Summary, man.Reports)
	for _, p := range man.Parts {
		if p.Digest != "" {
			all = append(all, p.Bill)
		}
		all = append(all, p.Files...)
	}
	return all
}

// process is one process of the function. When it dies, nothing that it does has any effect any more.
type process struct {
	*Function
	w        *world
	mu       sync.Mutex
	dead     bool
	begun    int          // writes, so far
	writes   int          // of those that were done
	fatal    int          // it dies after that write; 0: none
	point    ledger.Point // or there,
	nth      int          // that time
	points   map[ledger.Point]int
	before   func(n int)    // is called before each write
	operated map[string]int // operations, by kind
}

func (w *world) start() *process {
	w.Helper()
	p := &process{w: w, points: map[ledger.Point]int{}, operated: map[string]int{}}
	token := w.hub.TokenFor(simhub.Provider, allRoles(w.hub)...)
	client, err := hub.New(hub.Options{Endpoint: "https://hub.test/api", Organization: simhub.Provider, Base: mortalHub{p, w.hub.Transport()},
		Token: func(context.Context, string) (string, error) { return token, nil }, Backoff: time.Millisecond, InFlight: 16})
	w.must(err)
	d := Deps{Config: w.config, DB: mortalDB{p, w.db}, Publisher: mortalBus{p, w.bus}, Hub: client, Bucket: mortalBucket{p, w.bucket},
		Ledger: ledger.Options{Crash: p.passing}, Log: slog.New(slog.DiscardHandler)}
	if w.deps != nil {
		w.deps(p, &d)
	}
	p.Function, err = New(d)
	w.must(err)
	p.source = partial{w, p.source}
	if w.change != nil {
		w.change(p.Function)
	}
	w.p = p
	return p
}

// partial lists the tenants that are not hidden.
type partial struct {
	w *world
	source
}

func (s partial) Tenants(ctx context.Context) ([]Tenant, error) {
	all, err := s.source.Tenants(ctx)
	return slices.DeleteFunc(all, func(t Tenant) bool { return s.w.hidden[t.ID] }), err
}

func allRoles(s *simhub.Server) (roles []string) {
	for _, t := range s.Tokens() {
		if t.OrgID == simhub.Provider && len(t.Roles) > len(roles) {
			roles = t.Roles
		}
	}
	return roles
}

var errDead = fault.New(fault.Transient, "the process is dead")

func (p *process) alive(what string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		return errDead
	}
	p.operated[what]++
	return nil
}

func (p *process) passing(at ledger.Point) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		return
	}
	p.points[at]++
	if at == p.point && p.points[at] == p.nth {
		p.die()
	}
}

func (p *process) die() {
	p.dead = true
	p.w.mu.Lock()
	p.w.deaths++
	p.w.mu.Unlock()
}

// write does a write of a process, after which it may be dead.
func (p *process) write(what string, do func() error) error {
	if err := p.alive(what); err != nil {
		return err
	}
	p.mu.Lock()
	p.begun++
	n, before := p.begun, p.before
	p.mu.Unlock()
	if before != nil {
		before(n)
	}
	err := do()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writes++
	if p.writes == p.fatal && !p.dead {
		p.die()
	}
	if p.dead {
		return errDead
	}
	return err
}

type mortalDB struct {
	p  *process
	db store.DB
}

func (m mortalDB) Get(ctx context.Context, key store.Key) (store.Doc, error) {
	if err := m.p.alive("store reads"); err != nil {
		return store.Doc{}, err
	}
	return m.db.Get(ctx, key)
}

func (m mortalDB) Query(ctx context.Context, q store.Query) ([]store.Doc, error) {
	if err := m.p.alive("store queries"); err != nil {
		return nil, err
	}
	return m.db.Query(ctx, q)
}

func (m mortalDB) Commit(ctx context.Context, writes ...store.Write) (v []store.Version, err error) {
	err = m.p.write("store commits", func() error {
		v, err = m.db.Commit(ctx, writes...)
		return err
	})
	return v, err
}

type mortalBus struct {
	p   *process
	bus publish.Publisher
}

func (m mortalBus) Publish(ctx context.Context, msgs ...publish.Message) (ids []string, err error) {
	err = m.p.write("publishes", func() error {
		ids, err = m.bus.Publish(ctx, msgs...)
		return err
	})
	return ids, err
}

type mortalBucket struct {
	p *process
	b blob.Bucket
}

func (m mortalBucket) Create(ctx context.Context, contentType string) (blob.Writer, error) {
	if err := m.p.alive("writers"); err != nil {
		return nil, err
	}
	w, err := m.b.Create(ctx, contentType)
	return mortalWriter{w, m.p}, err
}

func (m mortalBucket) Open(ctx context.Context, name string) (blob.Reader, error) {
	if err := m.p.alive("object reads"); err != nil {
		return nil, err
	}
	r, err := m.b.Open(ctx, name)
	return r, err
}

func (m mortalBucket) List(ctx context.Context, prefix, after string, limit int) ([]blob.Object, error) {
	if err := m.p.alive("object lists"); err != nil {
		return nil, err
	}
	return m.b.List(ctx, prefix, after, limit)
}

type mortalWriter struct {
	blob.Writer
	p *process
}

func (m mortalWriter) Commit(ctx context.Context, name string, at blob.Generation) (o blob.Object, err error) {
	err = m.p.write("object writes", func() error {
		o, err = m.Writer.Commit(ctx, name, at)
		return err
	})
	return o, err
}

type mortalHub struct {
	p    *process
	base http.RoundTripper
}

func (m mortalHub) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := m.p.alive("hub calls"); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	return m.base.RoundTrip(r)
}

// delivery is a message that is to be delivered, again until it is acknowledged or dead.
type delivery struct {
	topic string
	event.Envelope
	due time.Time
}

// attempts are how often the bus delivers before it gives up.
const attempts = 6

// ask puts a request on the bus.
func (w *world) ask(text string) {
	w.last++
	w.enqueue(TopicExport, event.Envelope{ID: fmt.Sprintf("ask-%d", w.last), Type: event.Published, Data: []byte(text), Published: time.Now().UTC()})
}

func (w *world) enqueue(topic string, e event.Envelope) {
	e.Attempt = 1
	d := delivery{topic, e, time.Now()}
	w.queue = append(w.queue, d)
	if w.habit.twice {
		w.queue = append(w.queue, d)
	}
}

// collect takes in what was published.
func (w *world) collect() {
	for _, e := range w.bus.Take(TopicTenant) {
		w.enqueue(TopicTenant, e)
	}
	for _, e := range w.bus.Take(TopicDone) {
		id := e.Attributes["id"]
		if before, told := w.announced[id]; told && before != string(e.Data) {
			w.complain("%s was announced with other words", id)
		}
		w.announced[id] = string(e.Data)
	}
}

// next takes a message that is due off the queue.
func (w *world) next() (delivery, bool) {
	due := func(d delivery) bool { return !d.due.After(time.Now()) }
	i := slices.IndexFunc(w.queue, due)
	if w.habit.backward {
		for n, d := range slices.Backward(w.queue) {
			if due(d) {
				i = n
				break
			}
		}
	}
	if i < 0 {
		return delivery{}, false
	}
	d := w.queue[i]
	w.queue = slices.Delete(w.queue, i, i+1)
	return d, true
}

// deliver delivers a message to a process, and puts it back if it is refused.
func (w *world) deliver(p *process, d delivery) error {
	handle := p.ExportTenantUsage
	if d.topic == TopicExport {
		handle = p.ExportUsage
	}
	w.delivered = d
	err := handle(w.Context(), d.Envelope)
	if err != nil && d.Attempt < attempts {
		d.due = time.Now().Add(min(10*time.Second<<d.Attempt, 10*time.Minute))
		d.Attempt++
		w.queue = append(w.queue, d)
	}
	return err
}

// settle delivers and sweeps until nothing is under way. A process that has died is started anew.
func (w *world) settle() {
	w.Helper()
	for minute := range 3 * 24 * 60 {
		for {
			w.collect()
			d, ok := w.next()
			if !ok {
				break
			}
			_ = w.deliver(w.p, d)
			w.revive()
		}
		if len(w.queue) == 0 && w.quiet() {
			return
		}
		time.Sleep(time.Minute)
		if _, err := w.p.sweep(w.Context()); err != nil && minute > 3*24*60-3 {
			w.Log(err)
		}
		w.revive()
	}
	w.Fatalf("it does not come to rest: %d messages, %s", len(w.queue), w.standing())
}

func (w *world) revive() {
	if w.p.dead {
		w.start()
	}
}

// quiet reports whether every month rests and every effect has ended.
func (w *world) quiet() bool {
	f := w.p
	months, err := f.List(w.Context())
	w.must(err)
	for _, m := range months {
		if m.Phase != Resting || m.Next != nil {
			return false
		}
	}
	for _, state := range []ledger.State{ledger.Pending, ledger.Calling, ledger.Unknown} {
		recs, err := f.Ledger().List(w.Context(), state, "", 1)
		w.must(err)
		if len(recs) > 0 {
			return false
		}
	}
	return true
}

func (w *world) standing() string {
	months, err := w.p.List(w.Context())
	return fmt.Sprintf("%+v %v", months, err)
}

// run asks for something an hour later and lets it settle.
func (w *world) run(text string) {
	w.Helper()
	time.Sleep(time.Hour)
	w.ask(text)
	w.settle()
}

// pass lets virtual time go by.
func pass(d time.Duration) { time.Sleep(d) }

// bubble plays a test in virtual time.
func bubble(t *testing.T, play func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, play)
}

func newStore() *storetest.Memory { return storetest.NewMemory(time.Now) }
