package commands_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/functions/casewebhook/commands"
	"github.com/providerdesk/providerdesk/functions/casewebhook/follow"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/desk/google"
	deskhub "github.com/providerdesk/providerdesk/shared/desk/hub"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/say"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
	"github.com/providerdesk/providerdesk/shared/store"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// settings is the configuration of the tests; %s takes what a test adds to chat.
const settings = `
push: {bearer: env:SECRET}
chat:
  slack: {signing_secret: env:SECRET, token: env:SECRET, team: T024BE7LD, bot_user: U0BOT}
  google: {project_number: "123", app: users/999}
  %s
people:
  - {name: Anna Example, email: anna@example.com, slack: U0ANNA, google: users/1, may: [all]}
  - {name: Bob Example, email: bob@example.com, slack: U0BOB, google: users/2, may: [comment, list, show, close], desks: [google]}
  - {name: Carol Example, slack: U0CAROL, google: users/3, may: [approve]}
desks:
  google:
    kind: google
    parent: projects/acme-prod
    classification: "Technical Issue > Compute > Compute Engine"
    subscribers: [oncall@example.com]
    rooms: [{slack: C0OPS}, {google: spaces/ops}]
  hub:
    kind: hub
    organization: ` + simhub.Provider + `
    token: env:SECRET
    classification: technical > Networking
    rooms: [{slack: C0HUB}]
routes:
  - {when: "true", desk: google, priority: P2}
`

func configured(t testing.TB, chatKeys string) *config.Config {
	t.Helper()
	c, err := config.Parse("providerdesk.yaml", fmt.Appendf(nil, settings, chatKeys), func(string) (string, bool) { return "secret-0123456789", true })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// world is the commands with their real ledger and desk clients, in front of simulated desks and a chat of the test's.
type world struct {
	testing.TB
	*commands.Commands
	config  *config.Config
	google  *cloudsupport.Server
	hub     *simhub.Server
	db      store.DB
	ledger  *ledger.Ledger
	desks   act.Desks
	rooms   say.Rooms
	rig     map[chat.Platform]*platform
	threads *threads
	last    int
}

// setup is what a test changes of a world.
type setup struct {
	chat    string
	db      store.DB
	crash   func(ledger.Point)
	release func(ctx context.Context, who, deskName, incident string) (string, error)
}

func newWorld(t testing.TB, s setup) *world {
	t.Helper()
	w := &world{TB: t, config: configured(t, s.chat), db: s.db, rig: map[chat.Platform]*platform{}, rooms: say.Rooms{}}
	if w.db == nil {
		w.db = storetest.NewMemory(time.Now)
	}
	w.desks = w.openDesks()
	for _, p := range []chat.Platform{chat.Slack, chat.Google} {
		w.rig[p] = &platform{name: p}
		w.rooms[p] = w.rig[p]
	}
	w.threads = &threads{of: map[chat.Place][2]string{}, Follower: &follow.Follower{Deps: follow.Deps{DB: w.db}}}
	w.replica(s)
	return w
}

// replica starts another process on the same store.
func (w *world) replica(s setup) {
	w.Helper()
	w.ledger = ledger.New(w.db, ledger.Options{Crash: s.crash})
	kinds, err := act.Register(w.ledger, w.desks, time.Hour*24*400)
	if err != nil {
		w.Fatal(err)
	}
	kind, err := say.Register(w.ledger, w.rooms)
	if err != nil {
		w.Fatal(err)
	}
	w.Commands, err = commands.New(commands.Deps{Config: w.config, DB: w.db, Ledger: w.ledger, Desks: w.desks, Acts: kinds, Rooms: w.rooms, Say: kind,
		Cases: w.threads, Release: s.release, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) openDesks() act.Desks {
	w.Helper()
	var err error
	if w.google, err = cloudsupport.New(cloudsupport.Options{}); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { w.google.Close() })
	client, err := gapi.Client(gapi.Options{Base: slowly{w.google.Transport()}, Token: gapi.StaticToken("t"), Backoff: time.Millisecond})
	if err != nil {
		w.Fatal(err)
	}
	d := w.config.Desks["google"]
	g, err := google.New(google.Options{HTTP: client, Parent: d.Parent, Classification: d.Classification})
	if err != nil {
		w.Fatal(err)
	}
	if w.hub, err = simhub.New(simhub.Options{}); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { w.hub.Close() })
	token := w.hub.TokenFor(simhub.Provider, simhub.ProviderSupportUser)
	api, err := hub.New(hub.Options{Endpoint: "https://hub.test/api", Organization: simhub.Provider, Base: w.hub.Transport(), Backoff: time.Millisecond,
		Token: func(context.Context, string) (string, error) { return token, nil }})
	if err != nil {
		w.Fatal(err)
	}
	h, err := deskhub.New(deskhub.Options{Client: api, Organization: simhub.Provider, Classification: w.config.Desks["hub"].Classification})
	if err != nil {
		w.Fatal(err)
	}
	return act.Desks{"google": g, "hub": h}
}

// threads knows the threads of cases, as a follower would.
type threads struct {
	*follow.Follower
	mu   sync.Mutex
	of   map[chat.Place][2]string
	open bool // it is open whether any other thread is one
}

func (t *threads) ByThread(ctx context.Context, at chat.Place) (follow.Case, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, ok := t.of[at]
	if ok {
		return t.ByName(ctx, k[0], k[1])
	}
	if t.open {
		return follow.Case{}, fault.New(fault.Transient, "not yet known")
	}
	return follow.Case{}, fault.New(fault.Missing, "no case")
}

// place is a room of a platform, of the desk "google".
func place(p chat.Platform) chat.Place {
	if p == chat.Google {
		return chat.Place{Platform: p, Space: "spaces/ops"}
	}
	return chat.Place{Platform: p, Space: "C0OPS"}
}

func person(p chat.Platform, name string) chat.Person {
	ids := map[string][2]string{"Anna": {"U0ANNA", "users/1"}, "Bob": {"U0BOB", "users/2"}, "Carol": {"U0CAROL", "users/3"}, "Eve": {"U0EVE", "users/6"}}
	if p == chat.Google {
		return chat.Person{ID: ids[name][1], Name: "Anna Example"} // what a platform calls somebody proves nothing
	}
	return chat.Person{ID: ids[name][0], Name: "Anna Example"}
}

// file opens a case at a desk, follows it, and returns it with its thread on each platform.
func (w *world) file(deskName, title string) (name string, at map[chat.Platform]chat.Place) {
	w.Helper()
	w.last++
	marker := ledger.Marker(fmt.Sprint("seed", w.last))
	c, err := w.desks[deskName].Open(w.Context(), desk.Draft{Title: title, Description: title + "\n\n[" + marker + " attempt=1]", Priority: "P2",
		Classification: w.config.Desks[deskName].Classification})
	if err != nil {
		w.Fatal(err)
	}
	k := follow.Case{V: 1, Tenant: "acme", Desk: deskName, Name: c.Name, Title: title, State: desk.New, Priority: "P2"}
	data, err := json.Marshal(k)
	if err != nil {
		w.Fatal(err)
	}
	if _, err := w.db.Commit(w.Context(), store.Create(store.Doc{Key: store.Key{Collection: "cases", ID: follow.ID(deskName, c.Name)}, Data: data})); err != nil {
		w.Fatal(err)
	}
	at = map[chat.Platform]chat.Place{}
	for _, p := range []chat.Platform{chat.Slack, chat.Google} {
		here := place(p)
		here.Thread = fmt.Sprint("thread-", w.last)
		at[p], w.threads.of[here] = here, [2]string{deskName, c.Name}
	}
	return c.Name, at
}

// event is something that a person does; the id is new.
func (w *world) event(kind chat.Kind, at chat.Place, who, text string) chat.Event {
	w.last++
	return chat.Event{ID: fmt.Sprintf("%s:%d", at.Platform, w.last), Kind: kind, Place: at, Message: fmt.Sprint("m", w.last), Person: person(at.Platform, who), Text: text,
		At: time.Now().UTC()}
}

// does is a command to us: a slash command of Slack, a mention of Google Chat.
func (w *world) does(at chat.Place, who, text string) chat.Event {
	if at.Platform == chat.Slack && at.Thread == "" {
		return w.event(chat.Command, at, who, text)
	}
	e := w.event(chat.Message, at, who, text)
	e.Mention = true
	return e
}

func (w *world) clicks(at chat.Place, who string, b chat.Button) chat.Event {
	e := w.event(chat.Click, at, who, "")
	e.Action, e.Value = b.Action, b.Value
	return e
}

func envelope(t testing.TB, m commands.Message) event.Envelope {
	t.Helper()
	data, err := commands.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return event.Envelope{ID: "m", Type: event.Published, Data: data, Published: time.Now(), Attempt: 1}
}

// deliver is one delivery; a process that dies is an error like any other to the bus.
func (w *world) deliver(e event.Envelope) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("died: %v", p)
		}
	}()
	return w.Handle(w.Context(), e)
}

// must delivers an act, which must be acknowledged.
func (w *world) must(e chat.Event) {
	w.Helper()
	if err := w.deliver(envelope(w, commands.Message{Chat: &e})); err != nil {
		w.Fatalf("%s %q: %v", e.Kind, e.Text, err)
	}
}

// answers delivers an act and returns what was posted because of it.
func (w *world) answers(e chat.Event) []chat.Post {
	w.Helper()
	before := len(w.rig[e.Place.Platform].visible())
	w.must(e)
	var posts []chat.Post
	for _, m := range w.rig[e.Place.Platform].visible()[before:] {
		posts = append(posts, m.post)
	}
	return posts
}

// one delivers an act that has one answer.
func (w *world) one(e chat.Event) chat.Post {
	w.Helper()
	posts := w.answers(e)
	if len(posts) != 1 {
		w.Fatalf("%q has %d answers: %+v", e.Text, len(posts), posts)
	}
	return posts[0]
}

// sweep is one minute of the scheduler.
func (w *world) sweep() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("died: %v", p)
		}
	}()
	_, lerr := w.ledger.Sweep(w.Context(), 50)
	_, err = w.Sweep(w.Context(), 50)
	return errors.Join(lerr, err)
}

// sweepFor sweeps every minute; only in a bubble.
func (w *world) sweepFor(d time.Duration) (failed int) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(time.Minute)
		if w.sweep() != nil {
			failed++
		}
	}
	return failed
}

// states counts the effects by kind and state.
func (w *world) states() map[string]int {
	w.Helper()
	recs, err := w.ledger.List(w.Context(), "", "", 1000)
	if err != nil {
		w.Fatal(err)
	}
	all := map[string]int{}
	for _, r := range recs {
		all[r.Kind+" "+string(r.State)]++
	}
	return all
}

// said are the comments of a case, oldest first, without what we sign with.
func (w *world) said(deskName, name string) (all []string) {
	w.Helper()
	got, err := w.desks[deskName].Comments(w.Context(), name)
	if err != nil {
		w.Fatal(err)
	}
	for _, c := range got {
		body, _, _ := strings.Cut(c.Body, "\n\n[REF")
		all = append(all, body)
	}
	return all
}

func (w *world) at(deskName, name string) desk.Case {
	w.Helper()
	c, err := w.desks[deskName].Case(w.Context(), name)
	if err != nil {
		w.Fatal(err)
	}
	return c
}

func (w *world) cases(deskName string) []desk.Case {
	w.Helper()
	all, err := w.desks[deskName].List(w.Context(), desk.Filter{})
	if err != nil {
		w.Fatal(err)
	}
	return all
}

func (w *world) audit() []commands.Entry {
	w.Helper()
	all, err := w.Audit(w.Context(), "", 1000)
	if err != nil {
		w.Fatal(err)
	}
	return all
}

// platform is a chat that keeps the contract of chat.Room: a message that was sent may be there although the call failed, or come late; what is
// there is found by its marker.
type platform struct {
	name chat.Platform

	mu      sync.Mutex
	msgs    []message
	files   map[string]string
	fault   string // of the next post
	failing string // of the next edit
	calls   int
}

type message struct {
	sent   chat.Sent
	post   chat.Post
	marker string
	from   time.Time // when it appears
}

func (p *platform) Post(ctx context.Context, at chat.Place, post chat.Post, marker string) (chat.Sent, error) {
	if err := ctx.Err(); err != nil {
		return chat.Sent{}, fault.Unsent(fault.Wrap(fault.Transient, err, "post"))
	}
	p.mu.Lock()
	p.calls++
	name, argument, _ := strings.Cut(p.fault, ":")
	p.fault = ""
	after, _ := time.ParseDuration(argument)
	var err error
	down := errors.New("the platform is down")
	switch name {
	case "drop", "status":
		p.mu.Unlock()
		return chat.Sent{}, fault.Wrap(fault.Transient, down, "post")
	case "throttle":
		p.mu.Unlock()
		return chat.Sent{}, fault.Wrap(fault.Throttled, down, "post")
	case "refuse":
		p.mu.Unlock()
		return chat.Sent{}, fault.New(fault.Missing, "no such channel")
	case "commit_then_drop", "commit_then_status", "garbage", "late":
		err = fault.Wrap(fault.Transient, down, "post")
	}
	n := fmt.Sprintf("%d.%04d", 1000+len(p.msgs), len(p.msgs))
	sent := chat.Sent{Place: at, Name: n}
	sent.Place.Thread = cmp.Or(at.Thread, "t"+n)
	p.msgs = append(p.msgs, message{sent, post, marker, time.Now().Add(after)})
	p.mu.Unlock()
	if name == "delay" {
		<-ctx.Done()
		err = fault.Wrap(fault.Transient, ctx.Err(), "post")
	}
	return sent, err
}

func (p *platform) Edit(_ context.Context, s chat.Sent, post chat.Post, marker string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	fail := p.failing
	p.failing = ""
	switch fail {
	case "drop":
		return fault.Wrap(fault.Transient, errors.New("the platform is down"), "edit")
	case "throttle":
		return fault.Wrap(fault.Throttled, errors.New("the platform is busy"), "edit")
	}
	i := slices.IndexFunc(p.msgs, func(m message) bool { return m.sent == s && m.marker == marker })
	if i < 0 {
		return fault.New(fault.Missing, "no such message of ours")
	}
	p.msgs[i].post = post
	if fail != "" {
		return fault.Wrap(fault.Transient, errors.New("the answer is lost"), "edit")
	}
	return nil
}

func (p *platform) Find(_ context.Context, at chat.Place, marker string, since time.Time) (found []chat.Sent, err error) {
	for _, m := range p.visible() {
		if m.marker == marker && m.sent.Place.Space == at.Space && (at.Thread == "" || m.sent.Place.Thread == at.Thread) && !m.from.Before(since) {
			found = append(found, m.sent)
		}
	}
	return found, nil
}

func (p *platform) Download(_ context.Context, f chat.File, limit int64, w io.Writer) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	content, ok := p.files[f.Ref]
	if !ok {
		return fault.New(fault.Missing, "no such file")
	}
	if int64(len(content)) > limit {
		return fault.New(fault.Invalid, "the file is larger than %d bytes", limit)
	}
	_, err := io.WriteString(w, content)
	return err
}

func (p *platform) Pages(post chat.Post) []chat.Post {
	return chat.Pages(post, 3000, func(rune) int { return 1 })
}

// visible are the messages that are there by now, in the order in which they came.
func (p *platform) visible() []message {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := slices.DeleteFunc(slices.Clone(p.msgs), func(m message) bool { return m.from.After(time.Now()) })
	slices.SortStableFunc(all, func(a, b message) int { return a.from.Compare(b.from) })
	return all
}

func (p *platform) arm(fault string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
}

// text is a post as a person reads it.
func text(p chat.Post) string {
	var lines []string
	add := func(s string) {
		if s != "" {
			lines = append(lines, s)
		}
	}
	if p.Title != "" {
		add("* " + p.Title)
	}
	add(p.Body)
	for _, f := range p.Fields {
		add(f.Name + ": " + f.Value)
	}
	add(p.Link.URL)
	for _, b := range p.Buttons {
		add("[" + b.Text + "]")
	}
	return strings.Join(lines, "\n")
}

func number(name string) string { return path.Base(name) }

// renamed is a desk at which one case has another name.
type renamed struct {
	desk.Desk
	name, as string
}

func (r renamed) Case(ctx context.Context, name string) (desk.Case, error) {
	if path.Base(name) != path.Base(r.as) {
		return desk.Case{}, fault.New(fault.Missing, "no such case")
	}
	c, err := r.Desk.Case(ctx, r.name)
	c.Name = r.as
	return c, err
}
