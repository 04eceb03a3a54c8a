package site

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/functions/billingexport"
	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/functions/casewebhook/commands"
	"github.com/providerdesk/providerdesk/functions/casewebhook/follow"
	"github.com/providerdesk/providerdesk/functions/tenantonboard"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/publish/localbus"
	"github.com/providerdesk/providerdesk/shared/run"
)

// bus is where messages go: the embedded one, or Pub/Sub.
type bus interface {
	publish.Publisher
	// attach starts the deliveries to the functions.
	attach(ctx context.Context, handler http.Handler) error
	// stop ends the deliveries, in good order until ctx ends. Publishing may go on.
	stop(ctx context.Context) error
	status() (BusStatus, error)
}

// BusStatus is what is on the way, as GET /api/bus tells it.
type BusStatus struct {
	Kind          string         `json:"kind"`
	Subscriptions []Subscription `json:"subscriptions"`
	Dead          []Letter       `json:"dead"`
}

// Idle reports whether nothing is on the way.
func (b BusStatus) Idle() bool {
	return !slices.ContainsFunc(b.Subscriptions, func(s Subscription) bool { return s.Waiting+s.Outstanding > 0 })
}

// Subscription is how much one subscription has before it.
type Subscription struct {
	Name        string `json:"name"`
	Topic       string `json:"topic"`
	Waiting     int    `json:"waiting"`
	Outstanding int    `json:"outstanding"`
}

// Letter is a message that was given up.
type Letter struct {
	ID string `json:"id"`
	localbus.Letter
}

// deliver is one subscription of the site: messages of a topic go to a path.
type deliver struct {
	name, topic, to string
	ordered         bool // by ordering key
}

// tick is one job of the scheduler.
type tick struct {
	name  string
	every time.Duration
	to    string
}

// wires are what a configuration needs of the bus.
type wires struct {
	deliveries []deliver
	topics     []string // without their dead-letter topics
	ticks      []tick
}

// The subscriptions of the functions' own topics.
const (
	fileCaseName     = "alerts-filecase"
	caseUpdateName   = "support-events-caseupdate"
	caseCommandName  = "case-commands-casecommand"
	onboardName      = "tenant-onboarding-onboardtenant"
	exportName       = "billing-export-exportusage"
	exportTenantName = "billing-export-tenant-exporttenantusage"
)

// wiring is what a configuration needs: the functions' own subscriptions and ticks, those of the senders that have a subscription instead of a
// webhook, each with a topic of its name, and those that keep dead letters.
func wiring(c *config.Config, project string, sweep time.Duration) wires {
	w := wires{
		deliveries: []deliver{
			{name: fileCaseName, topic: casewebhook.TopicAlerts, to: fileCase},
			{name: caseUpdateName, topic: follow.TopicEvents, to: caseUpdate},
			{name: caseCommandName, topic: commands.Topic, to: caseCommand, ordered: true},
		},
		ticks: []tick{{"sweep-cases", sweep, sweepCases}, {"follow-cases", sweep, followCases}, {"sim-chat", 10 * time.Second, simChatPath + "/deliveries/send"}},
	}
	for _, s := range c.Senders {
		if name, ok := ownSubscription(s.Subscription, project); ok {
			w.deliveries = append(w.deliveries, deliver{name: name, topic: name, to: fileCase})
		}
	}
	if onboards(c) {
		w.deliveries = append(w.deliveries, deliver{name: onboardName, topic: tenantonboard.TopicOnboarding, to: onboardTenant})
		w.ticks = append(w.ticks, tick{"sweep-tenants", sweep, sweepTenants}, tick{"invitation-sweep", time.Hour, invitationSweep})
	}
	if exporting(c) {
		w.deliveries = append(w.deliveries, deliver{name: exportName, topic: billingexport.TopicExport, to: exportUsage},
			deliver{name: exportTenantName, topic: billingexport.TopicTenant, to: exportTenant})
		w.ticks = append(w.ticks, tick{"sweep-exports", sweep, sweepExports}, tick{"billing-export", 24 * time.Hour, exportDue})
	}
	for _, d := range slices.Clone(w.deliveries) {
		w.topics = append(w.topics, d.topic)
		w.deliveries = append(w.deliveries, deliver{name: d.topic + "-dead-letter", topic: publish.Dead(d.topic), to: deadLetter})
	}
	w.topics = append(w.topics, follow.TopicActivity) // for who cares: nobody here does
	if onboards(c) {
		w.topics = append(w.topics, tenantonboard.TopicLifecycle) // likewise
	}
	if exporting(c) {
		w.topics = append(w.topics, billingexport.TopicDone)
	}
	return w
}

// byHand reports whether a person may publish on a topic: that of a sender, which has no other way in.
func (w wires) byHand(topic string) bool {
	return slices.ContainsFunc(w.deliveries, func(d deliver) bool { return d.topic == topic && d.to == fileCase && d.name != fileCaseName })
}

// ownSubscription returns the short name of a subscription of this bus. One of another project is somebody else's to make.
func ownSubscription(name, project string) (string, bool) {
	return strings.CutPrefix(name, "projects/"+project+"/subscriptions/")
}

// ownSubscriptions gives the subscriptions that a configuration names in short the full names that come with their messages.
func ownSubscriptions(c *config.Config, project string) {
	for i, s := range c.Senders {
		if s.Subscription != "" && !strings.Contains(s.Subscription, "/") {
			c.Senders[i].Subscription = "projects/" + project + "/subscriptions/" + s.Subscription
		}
	}
}

func (s *Site) openBus(ctx context.Context) (err error) {
	s.wires = wiring(s.config, Project(s.o.Env), s.o.SweepEvery)
	if host, _ := s.o.Env("PUBSUB_EMULATOR_HOST"); host != "" {
		return s.openPubSub(ctx, host)
	}
	b, err := localbus.Open(s.o.Folder.bus(), localbus.Options{
		Topics: s.wires.topics, Project: Project(s.o.Env), Token: func() string { return s.tokens.bus }, Log: s.o.Log, Now: s.o.Now,
	})
	if err != nil {
		return err
	}
	s.bus = &embedded{b, s.wires, s.forget}
	s.onClose(b.Close) // for a start that fails; otherwise it is closed by then
	return nil
}

// embedded is the bus in the folder.
type embedded struct {
	*localbus.Bus
	wires  wires
	forget http.Handler // gets a tick an hour
}

func (b *embedded) attach(_ context.Context, handler http.Handler) error {
	to := func(path string) localbus.Receiver {
		return localbus.Receiver{Handler: handler, URL: "http://localbus" + path}
	}
	for _, d := range b.wires.deliveries {
		if err := b.Subscribe(localbus.Subscription{Name: d.name, Topic: d.topic, To: to(d.to), Ordered: d.ordered}); err != nil {
			return err
		}
	}
	if err := b.Every("forget-expired", time.Hour, localbus.Receiver{Handler: b.forget}); err != nil {
		return err
	}
	for _, t := range b.wires.ticks {
		if err := b.Every(t.name, t.every, to(t.to)); err != nil {
			return err
		}
	}
	return nil
}

func (b *embedded) stop(ctx context.Context) error { return b.Close(ctx) }

// mostLetters are listed of a topic.
const mostLetters = 1000

func (b *embedded) status() (BusStatus, error) {
	st := BusStatus{Kind: "localbus", Dead: []Letter{}}
	for _, d := range b.wires.deliveries {
		depth, err := b.Depth(d.name)
		if err != nil {
			return st, err
		}
		st.Subscriptions = append(st.Subscriptions, Subscription{d.name, d.topic, depth.Waiting, depth.Outstanding})
	}
	for _, topic := range b.wires.topics {
		dead, err := b.Dead(topic, mostLetters)
		if err != nil {
			return st, err
		}
		for _, l := range dead {
			st.Dead = append(st.Dead, Letter{l.ID, l})
		}
	}
	return st, nil
}

// servePublish is POST /api/topics/{topic}: the body is the data of a message on the topic of a sender that has a subscription. It is how a
// person tries such a sender out.
func (s *Site) servePublish(ctx context.Context, r *http.Request) (run.Response, error) {
	topic := r.PathValue("topic")
	if !s.wires.byHand(topic) {
		return run.Response{}, fault.New(fault.Missing, "no sender of the configuration has a subscription of this name")
	}
	data, err := run.Body(r, maxAlert)
	if err != nil {
		return run.Response{}, err
	}
	ids, err := s.bus.Publish(ctx, publish.Message{Topic: topic, Data: data})
	return run.Response{Body: map[string][]string{"ids": ids}, Status: http.StatusAccepted}, err
}
