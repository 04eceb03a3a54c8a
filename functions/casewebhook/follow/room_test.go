package follow_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// room is a chat platform that keeps the contract of chat.Room, with faults: each is good for one call of its op.
//
//	drop     not executed, and the caller does not know
//	lost     executed, and the caller does not know
//	unsent   certainly not executed
//	throttle refused for now
//	slow     executed when the caller has given up
//	late     executed four minutes later; the caller does not know
//	denied   refused for good
type room struct {
	platform chat.Platform

	mu     sync.Mutex
	last   int
	all    []message
	faults map[string][]string
	closed map[string]bool // spaces that refuse for good
	away   map[string]bool // spaces that refuse for now
	calls  map[string]int
	before func() // the next edit
}

type message struct {
	place  chat.Place
	name   string
	marker string
	post   chat.Post
	at     time.Time
	began  bool // it began its thread
}

func newRoom(p chat.Platform) *room {
	return &room{platform: p, faults: map[string][]string{}, closed: map[string]bool{}, calls: map[string]int{}}
}

func (r *room) arm(op, fault string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults[op] = append(r.faults[op], fault)
}

func (r *room) take(op string) (f string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls[op]++
	if all := r.faults[op]; len(all) > 0 {
		f, r.faults[op] = all[0], all[1:]
	}
	return f
}

// play returns when an act happens, or that it does not, and what the caller is told.
func (r *room) play(ctx context.Context, op, space string) (at time.Time, happens bool, err error) {
	maybe := fault.New(fault.Transient, "the connection broke")
	now := time.Now()
	switch f := r.take(op); {
	case r.closed[space], f == "denied":
		return now, false, fault.New(fault.Denied, "is_archived")
	case r.away[space]:
		return now, false, fault.Unsent(maybe)
	case f == "":
		return now, true, nil
	case f == "lost":
		return now, true, maybe
	case f == "late":
		return now.Add(4 * time.Minute), true, maybe
	case f == "slow":
		<-ctx.Done()
		return now.Add(40 * time.Second), true, maybe
	case f == "unsent":
		return now, false, fault.Unsent(maybe)
	case f == "throttle":
		return now, false, fault.After(fault.New(fault.Throttled, "ratelimited"), 30*time.Second)
	}
	return now, false, maybe
}

func (r *room) Post(ctx context.Context, at chat.Place, p chat.Post, marker string) (chat.Sent, error) {
	if len(p.Body) > pageSize {
		return chat.Sent{}, fault.New(fault.Invalid, "msg_too_long")
	}
	when, happens, err := r.play(ctx, "post", at.Space)
	if !happens {
		return chat.Sent{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	m := message{place: at, name: fmt.Sprintf("m%05d", r.last), marker: marker, post: p, at: when, began: at.Thread == ""}
	if m.began {
		m.place.Thread = m.name
	}
	r.all = append(r.all, m)
	if err != nil {
		return chat.Sent{}, err
	}
	return chat.Sent{Place: m.place, Name: m.name}, nil
}

func (r *room) Edit(ctx context.Context, s chat.Sent, p chat.Post, marker string) error {
	_, happens, err := r.play(ctx, "edit", s.Place.Space)
	if !happens {
		return err
	}
	if do := r.before; do != nil {
		r.before = nil
		do()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.all, func(m message) bool { return m.name == s.Name && m.marker == marker })
	if i < 0 {
		return fault.New(fault.Missing, "message_not_found")
	}
	r.all[i].post = p
	return err
}

func (r *room) Find(ctx context.Context, at chat.Place, marker string, since time.Time) (found []chat.Sent, err error) {
	if _, happens, err := r.play(ctx, "find", at.Space); !happens || err != nil {
		return nil, fault.New(fault.Transient, "cannot look")
	}
	for _, m := range r.visible() {
		if m.marker == marker && m.place.Space == at.Space && (at.Thread == "" || m.place.Thread == at.Thread) && !m.at.Before(since) {
			found = append(found, chat.Sent{Place: m.place, Name: m.name})
		}
	}
	return found, nil
}

func (r *room) Download(context.Context, chat.File, int64, io.Writer) error {
	return fault.New(fault.Missing, "no file")
}

const pageSize = 9000

func (r *room) Pages(p chat.Post) []chat.Post {
	return chat.Pages(p, pageSize, func(c rune) int { return len(string(c)) })
}

// visible are the messages that are there now, in their order.
func (r *room) visible() (all []message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.all {
		if !m.at.After(time.Now()) {
			all = append(all, m)
		}
	}
	slices.SortStableFunc(all, func(a, b message) int { return a.at.Compare(b.at) })
	return all
}

// thread is what people read: the first message, and what follows it.
type threaded struct {
	root  chat.Post
	place chat.Place
	posts []chat.Post
}

// bodies of the messages in a thread.
func (t threaded) bodies() (all []string) {
	for _, p := range t.posts {
		all = append(all, strings.TrimSpace(p.Title+": "+p.Body))
	}
	return all
}

// threads of a space, in their order.
func (r *room) threads(space string) (all []threaded) {
	for _, m := range r.visible() {
		if m.place.Space != space {
			continue
		}
		i := slices.IndexFunc(all, func(t threaded) bool { return t.place == m.place })
		if i < 0 {
			all = append(all, threaded{place: m.place})
			i = len(all) - 1
		}
		if m.began {
			all[i].root = m.post
		} else {
			all[i].posts = append(all[i].posts, m.post)
		}
	}
	return all
}
