// Package localbus is a durable broker inside one process, in a bolt file of its own: topics, push subscriptions, back-off, dead letters
// and the scheduler's ticks, so that every function runs on one machine with nothing else installed.
//
// It owns its file. In it are the topics with the messages that some subscription has not acknowledged yet, for each subscription a queue
// of message numbers with the attempts made and the time of the next one, and the dead letters.
//
// Promised, beside what package publish promises:
//   - Publish returns after the file is synced; several messages of one call become durable together or not at all.
//   - The attempt is written before the push, with the state that holds if nothing more is heard. A process that is killed during a
//     delivery therefore loses no message, forgets no attempt, and a message that kills its process ends as a dead letter.
//   - A message leaves its queue and becomes a dead letter in one transaction: it is never lost in between, nor doubled.
//   - Subscriptions count and back off independently, and within one a slow message delays no other until Outstanding are under way.
//   - Nothing polls: a subscription sleeps until its next message is due or something happens.
//   - The ordering key is stored with the message, so that the order outlives a kill. On an ordered subscription the messages behind the
//     first of their key wait in memory for the transaction that ends it, and take no place of Outstanding. An acknowledgement is durable
//     before the next message of its key starts: here 1, 2, 1 is never seen, except when somebody replays a dead letter.
//
// Not promised: order without a key; that a message published while its topic has no subscription is kept (as with Pub/Sub); that several processes
// share the file (the second one fails to open it).
//
// A subscription is known to the file from its first Subscribe on and collects messages from then on, in later runs also before Subscribe
// attaches its receiver again. Whether it is ordered is a matter of each Subscribe, not of the file. A subscription of a dead-letter topic
// has no dead letters: it tries for ever, and if it is ordered holds a key up as long.
package localbus

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/publish"
)

// Options of a bus. Every field may be left out.
type Options struct {
	Topics    []string          // made when they are not there, each with its dead-letter topic
	Project   string            // in the full names that receivers see; default "local"
	Token     func() string     // the bearer token of every push and tick; nil: none is sent
	Transport http.RoundTripper // for receivers at a URL
	Log       *slog.Logger
	Now       func() time.Time
	Rand      func() float64 // in [0,1): the jitter of the back-off
}

func (o Options) withDefaults() Options {
	if o.Project == "" {
		o.Project = "local"
	}
	if o.Transport == nil {
		o.Transport = &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	return o
}

// Bus is an open broker. It is a publish.Publisher.
type Bus struct {
	opt   Options
	file  *file
	stop  chan struct{}  // closed: nothing new is started
	halt  chan struct{}  // closed: what runs is given up
	work  sync.WaitGroup // dispatchers, deliveries and ticks: they end soon after halt
	calls sync.WaitGroup // requests to receivers: they end when the receiver does

	mu     sync.Mutex
	closed bool
	queues map[string]*queue
	ticks  map[string]bool
}

var _ publish.Publisher = (*Bus)(nil)

// Open opens the file at path, or makes it. Deliveries begin with Subscribe.
func Open(path string, opt Options) (*Bus, error) {
	for _, topic := range opt.Topics {
		if err := checkName("topic", topic); err != nil {
			return nil, err
		}
	}
	f, err := openFile(path, opt.Topics)
	if err != nil {
		return nil, err
	}
	return &Bus{
		opt: opt.withDefaults(), file: f, stop: make(chan struct{}), halt: make(chan struct{}),
		queues: map[string]*queue{}, ticks: map[string]bool{},
	}, nil
}

// MakeTopic makes a topic and its dead-letter topic, unless they are there.
func (b *Bus) MakeTopic(topic string) error {
	if err := checkName("topic", topic); err != nil {
		return err
	}
	return b.file.update(func(tx *bbolt.Tx) error { return makeTopic(tx, topic) }, nil)
}

// Publish makes the messages durable for every subscription of their topics, all or none.
func (b *Bus) Publish(ctx context.Context, msgs ...publish.Message) ([]string, error) {
	if err := publish.Check(msgs...); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fault.Wrap(fault.Transient, err, "publish")
	}
	if len(msgs) == 0 {
		return nil, nil
	}
	now := b.opt.Now()
	ids := make([]string, len(msgs))
	var queued []queuedMessage
	err := b.file.update(func(tx *bbolt.Tx) error {
		if err := requireTopics(tx, msgs); err != nil {
			return err
		}
		for i, m := range msgs {
			fresh := message{Topic: m.Topic, Attributes: m.Attributes, Key: m.OrderingKey, Data: m.Data, Published: now, First: now}
			q, err := enqueue(tx, &fresh, now)
			if err != nil {
				return err
			}
			ids[i] = messageID(fresh.ID)
			queued = append(queued, q...)
		}
		return nil
	}, func() { b.wake(queued, now) })
	if err != nil {
		return nil, err
	}
	return ids, nil
}

// wake tells the attached queues what a committed transaction put into them.
func (b *Bus) wake(queued []queuedMessage, due time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range queued {
		if q := b.queues[m.subscription]; q != nil {
			q.add(appointment{m.id, due, m.key})
		}
	}
}

func messageID(id uint64) string { return strconv.FormatUint(id, 10) }
