package localbus

import (
	"container/heap"
	"encoding/binary"
	"encoding/json"
	"sync"
	"time"

	"go.etcd.io/bbolt"
)

// queue delivers the messages of one subscription. It holds in memory only what is due when; everything else is in the file.
type queue struct {
	bus     *Bus
	sub     Subscription
	changed chan struct{} // holds one token when there may be something new to start

	mu          sync.Mutex
	waiting     agenda
	outstanding int
}

func newQueue(b *Bus, s Subscription) *queue {
	return &queue{bus: b, sub: s, changed: make(chan struct{}, 1)}
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
		heap.Push(&q.waiting, appointment{binary.BigEndian.Uint64(key), s.Due})
	}
	return nil
}

func (q *queue) add(id uint64, due time.Time) {
	q.mu.Lock()
	heap.Push(&q.waiting, appointment{id, due})
	q.mu.Unlock()
	q.notify()
}

// release ends n deliveries.
func (q *queue) release(n int) {
	q.mu.Lock()
	q.outstanding -= n
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
		for ids := q.take(); len(ids) > 0 && !q.bus.stopping(); ids = q.take() {
			q.start(ids)
		}
		if wait, ok := q.next(); ok {
			timer.Reset(wait)
		} else {
			timer.Stop()
		}
	}
}

// take removes the messages that are due and may be started, and counts them as outstanding.
func (q *queue) take() []uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.bus.opt.Now()
	var ids []uint64
	for q.outstanding < q.sub.Outstanding && len(q.waiting) > 0 && !q.waiting[0].due.After(now) {
		ids = append(ids, heap.Pop(&q.waiting).(appointment).id)
		q.outstanding++
	}
	return ids
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
