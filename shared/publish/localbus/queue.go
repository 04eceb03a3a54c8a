package localbus

import (
	"container/heap"
	"encoding/binary"
	"encoding/json"
	"sync"
	"time"

	"go.etcd.io/bbolt"
)

// queue delivers the messages of one subscription. It holds in memory only what is due when and who waits for whom; everything else is in
// the file.
type queue struct {
	bus     *Bus
	sub     Subscription
	changed chan struct{} // holds one token when there may be something new to start

	mu          sync.Mutex
	waiting     agenda
	lines       lines // of the ordering keys
	outstanding int
}

func newQueue(b *Bus, s Subscription) *queue {
	return &queue{bus: b, sub: s, changed: make(chan struct{}, 1), lines: lines{}}
}

// load reads what an earlier run left. A time further away than any back-off was written by a clock that has been set back since.
func (q *queue) load(tx *bbolt.Tx) error {
	latest := q.bus.opt.Now().Add(q.sub.MaxBackoff)
	for c, key, raw := cursor(tx.Bucket(queuesBucket).Bucket([]byte(q.sub.Name))); key != nil; key, raw = c.Next() {
		var s state
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		if s.Due.After(latest) {
			s.Due = latest
		}
		a := appointment{id: binary.BigEndian.Uint64(key), due: s.Due}
		if q.sub.Ordered {
			a.key, _ = keyOf(tx, q.sub.Topic, a.id) // one that cannot be read will not be delivered: it holds up none
		}
		q.enter(a)
	}
	return nil
}

// add takes a new message in.
func (q *queue) add(a appointment) {
	q.mu.Lock()
	q.enter(a)
	q.mu.Unlock()
	q.notify()
}

// enter puts a new message on the agenda or, behind others with its ordering key, in line.
func (q *queue) enter(a appointment) {
	if !q.sub.Ordered {
		a.key = ""
	}
	if q.lines.enter(a) {
		heap.Push(&q.waiting, a)
	}
}

// postpone ends deliveries of messages that are to come again, and still hold their keys.
func (q *queue) postpone(again ...appointment) {
	q.mu.Lock()
	for _, a := range again {
		heap.Push(&q.waiting, a)
	}
	q.outstanding -= len(again)
	q.mu.Unlock()
	q.notify()
}

// done ends deliveries of messages that have left the queue.
func (q *queue) done(gone ...appointment) {
	q.mu.Lock()
	for _, a := range gone {
		if next, ok := q.lines.leave(a.key); ok {
			heap.Push(&q.waiting, next)
		}
	}
	q.outstanding -= len(gone)
	q.mu.Unlock()
	q.notify()
}

func (q *queue) notify() {
	select {
	case q.changed <- struct{}{}:
	default:
	}
}

// run starts deliveries as they become due, until the bus stops.
func (q *queue) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-q.bus.stop:
			return
		case <-q.changed:
		case <-timer.C:
		}
		for due := q.take(); len(due) > 0 && !q.bus.stopping(); due = q.take() {
			q.start(due)
		}
		if wait, ok := q.next(); ok {
			timer.Reset(wait)
		} else {
			timer.Stop()
		}
	}
}

// take removes the messages that are due and may be started, and counts them as outstanding.
func (q *queue) take() []appointment {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.bus.opt.Now()
	var due []appointment
	for q.outstanding < q.sub.Outstanding && len(q.waiting) > 0 && !q.waiting[0].due.After(now) {
		due = append(due, heap.Pop(&q.waiting).(appointment))
		q.outstanding++
	}
	return due
}

// next tells how long until a delivery can be started; not ok: something must happen before.
func (q *queue) next() (wait time.Duration, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 || q.outstanding >= q.sub.Outstanding {
		return 0, false
	}
	return q.waiting[0].due.Sub(q.bus.opt.Now()), true
}

// appointment is when a message is due; agenda is a heap of them, the earliest first and among equals the oldest message.
type appointment struct {
	id  uint64
	due time.Time
	key string // that it holds up; "": none
}

type agenda []appointment

func (a agenda) Len() int      { return len(a) }
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(appointment)) }
func (a agenda) Less(i, j int) bool {
	if a[i].due.Equal(a[j].due) {
		return a[i].id < a[j].id
	}
	return a[i].due.Before(a[j].due)
}

func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}
