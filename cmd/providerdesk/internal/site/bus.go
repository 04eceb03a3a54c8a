package site

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook"
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
	names() []string // of the topics
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
type deliver struct{ name, topic, to string }

// fileCaseName is the subscription of topic alerts.
const fileCaseName = "alerts-filecase"

// deliveries are the subscriptions that a configuration needs: the function's own, those of the senders that have one instead of a webhook,
// each with a topic of its name, and those that keep dead letters.
func deliveries(c *config.Config, project string) []deliver {
	all := []deliver{{fileCaseName, casewebhook.TopicAlerts, fileCase}}
	for _, s := range c.Senders {
		if name, ok := ownSubscription(s.Subscription, project); ok {
			all = append(all, deliver{name, name, fileCase})
		}
	}
	for _, d := range slices.Clone(all) {
		all = append(all, deliver{d.topic + "-dead-letter", publish.Dead(d.topic), deadLetter})
	}
	return all
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

// topics are those of the deliveries that are no dead letters.
func topics(all []deliver) []string {
	var names []string
	for _, d := range all {
		if d.to != deadLetter {
			names = append(names, d.topic)
		}
	}
	return names
}

func (s *Site) openBus(ctx context.Context) (err error) {
	if host, _ := s.o.Env("PUBSUB_EMULATOR_HOST"); host != "" {
		return s.openPubSub(ctx, host)
	}
	all := deliveries(s.config, project(s.o.Env))
	b, err := localbus.Open(s.o.Folder.bus(), localbus.Options{
		Topics: topics(all), Project: project(s.o.Env), Token: func() string { return s.tokens.bus }, Log: s.o.Log, Now: s.o.Now,
	})
	if err != nil {
		return err
	}
	s.bus = &embedded{b, all, s.o.SweepEvery, s.forget}
	s.onClose(b.Close) // for a start that fails; otherwise it is closed by then
	return nil
}

// embedded is the bus in the folder.
type embedded struct {
	*localbus.Bus
	all    []deliver
	sweep  time.Duration // between two ticks of SweepCases
	forget http.Handler  // gets a tick an hour
}

func (b *embedded) attach(_ context.Context, handler http.Handler) error {
	to := func(path string) localbus.Receiver {
		return localbus.Receiver{Handler: handler, URL: "http://localbus" + path}
	}
	for _, d := range b.all {
		if err := b.Subscribe(localbus.Subscription{Name: d.name, Topic: d.topic, To: to(d.to)}); err != nil {
			return err
		}
	}
	if err := b.Every("forget-expired", time.Hour, localbus.Receiver{Handler: b.forget}); err != nil {
		return err
	}
	return b.Every("sweep-cases", b.sweep, to(sweepCases))
}

func (b *embedded) stop(ctx context.Context) error { return b.Close(ctx) }

func (b *embedded) names() []string { return topics(b.all) }

// mostLetters are listed of a topic.
const mostLetters = 1000

func (b *embedded) status() (BusStatus, error) {
	st := BusStatus{Kind: "localbus", Dead: []Letter{}}
	for _, d := range b.all {
		depth, err := b.Depth(d.name)
		if err != nil {
			return st, err
		}
		st.Subscriptions = append(st.Subscriptions, Subscription{d.name, d.topic, depth.Waiting, depth.Outstanding})
	}
	for _, topic := range topics(b.all) {
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
	if topic == casewebhook.TopicAlerts || !slices.Contains(s.bus.names(), topic) {
		return run.Response{}, fault.New(fault.Missing, "no sender of the configuration has a subscription of this name")
	}
	data, err := run.Body(r, maxAlert)
	if err != nil {
		return run.Response{}, err
	}
	ids, err := s.bus.Publish(ctx, publish.Message{Topic: topic, Data: data})
	return run.Response{Body: map[string][]string{"ids": ids}, Status: http.StatusAccepted}, err
}
