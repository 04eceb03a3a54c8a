// Package follow keeps what is known of cases in step with their desks, and tells what is new: in the rooms of a case, on topic
// "case-activity" and to webhooks.
//
// # The way of the data
//
//	hint -> read what we know -> read the desk -> decide -> record -> tell
//
// A hint is an event of the desk, or that a case is due. It says what to read, never what is so: a case is compared by id with what the desk
// has now, so events may be lost, late, doubled and out of order. What decide returns, the case's next state and all that is to be told, is
// recorded in one commit; of several replicas that look at once one wins, and the others read again and find nothing new.
//
//	case.track      desired   a case that was just opened is followed from now on; waits for case.open
//	case.root       marked    the message that begins a case's thread in a room
//	chat.post       marked    of package say: everything in the thread; each waits for the one before it
//	case.refresh    desired   the first message shows how the case stands; it is rendered when it is shown, never before
//	case.activity   keyed     a CloudEvent on topic "case-activity"
//	webhook.send    keyed     the same event, signed as Standard Webhooks says, to one receiver
//
// # Keys owned
//
//	cases/<hash of desk, name>          what is known of a case; due when it wants a look
//	threads/<hash of thread>            which case a thread is about
//	roots/<effect>                      a first message whose thread is not known yet; state <hash of room>
//	heard/<sender>                      when a sender was last heard; due when it is silent
//	alarms/<what>                       whether something is wrong, so that it is told once
//	hooks/<webhook>                     a receiver that wants no more
//
// # Guaranteed
//
//   - A comment of the desk is told once in each room of its case and in the desk's order, whatever repeats, crashes and times out (see
//     shared/ledger for what a platform that executes requests very late can do).
//   - A comment of ours is not told where it was said, and is told in the other rooms. It is ours when our account wrote it and it ends with
//     a marker; who quotes a marker is told like anybody.
//   - A thread that people can see is known: while it is open whether a first message is there, ByThread is fault.Transient for its room.
//   - A room that refuses for good is left out of its case, with one alarm; no other room and no other case waits for it. A room that has
//     refused for a day waits for a person, as every effect does, and what is new queues behind.
//   - Every open case is looked at every updates.every, whatever events say. A closed one has a last look, and comes back on an event.
//
// # Not promised
//
// An order between an attachment, a change of state and a comment that became visible at different looks; that a change which was taken
// back before anybody looked is told; comments beyond some thirty thousand on one case. News of alerts on a case neither ask the desk
// anything nor restart a wait. What was on a case before somebody asked to follow it is not told, only how it stands.
package follow

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/say"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Deps is what the follower needs.
type Deps struct {
	Config    *config.Config
	DB        store.DB
	Ledger    *ledger.Ledger
	Desks     act.Desks
	Acts      act.Kinds
	Rooms     say.Rooms
	Say       say.Kind
	Publisher publish.Publisher
	Network   http.RoundTripper // replaces the network of webhooks, as in gapi.Options
	Now       func() time.Time
	Log       *slog.Logger
}

// Follower follows cases. It is safe for concurrent use.
type Follower struct {
	Deps
	kinds   kinds
	hooks   map[string]hook
	ignored atomic.Int64

	mu     sync.Mutex
	asked  map[string]time.Time // when this instance last did what it does now and then
	parent map[string]string    // of a desk, as its cases have it
}

// kinds are the effects of this package.
type kinds struct {
	track    ledger.Kind[tracking, followed]
	root     ledger.Kind[rooting, chat.Sent]
	refresh  ledger.Kind[refreshing, shown]
	activity ledger.Kind[Activity, published]
	hook     ledger.Kind[sending, delivered]
}

// New returns a follower and registers its effects on the ledger.
func New(d Deps) (*Follower, error) {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	f := &Follower{Deps: d, asked: map[string]time.Time{}, parent: map[string]string{}}
	var err error
	if f.hooks, err = hooksOf(d); err != nil {
		return nil, err
	}
	return f, f.kinds.register(d.Ledger, f)
}

func (k *kinds) register(l *ledger.Ledger, f *Follower) (err error) {
	if k.track, err = ledger.Register(l, ledger.Spec{Kind: "case.track", Class: ledger.Desired}, ledger.Effect[tracking, followed](trackEffect{f})); err != nil {
		return err
	}
	if k.root, err = ledger.Register(l, ledger.Spec{Kind: "case.root", Class: ledger.Marked}, ledger.Effect[rooting, chat.Sent](rootEffect{f})); err != nil {
		return err
	}
	if k.refresh, err = ledger.Register(l, ledger.Spec{Kind: "case.refresh", Class: ledger.Desired}, ledger.Effect[refreshing, shown](refreshEffect{f})); err != nil {
		return err
	}
	if k.activity, err = ledger.Register(l, ledger.Spec{Kind: kindActivity, Class: ledger.Keyed}, ledger.Effect[Activity, published](activityEffect{f})); err != nil {
		return err
	}
	k.hook, err = ledger.Register(l, ledger.Spec{Kind: "webhook.send", Class: ledger.Keyed}, ledger.Effect[sending, delivered](hookEffect{f}))
	return err
}

// Places are configured rooms as places.
func Places(rooms []config.Room) []chat.Place {
	all := make([]chat.Place, len(rooms))
	for i, r := range rooms {
		if r.Slack != "" {
			all[i] = chat.Place{Platform: chat.Slack, Space: r.Slack}
		} else {
			all[i] = chat.Place{Platform: chat.Google, Space: r.Google}
		}
	}
	return all
}

// now and then reports whether this instance has not done something for so long, and notes that it does it now.
func (f *Follower) nowAndThen(what string, every time.Duration) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.Now()
	if last, ok := f.asked[what]; ok && now.Sub(last) < every {
		return false
	}
	f.asked[what] = now
	return true
}

// location returns the zone in which a desk's people read times.
func (f *Follower) location(deskName string) *time.Location {
	loc, err := time.LoadLocation(f.Config.Desks[deskName].TimeZone)
	if err != nil {
		return time.UTC // config.Load has checked it
	}
	return loc
}

// unhurried reports whether a further call fits before ctx ends.
func (f *Follower) unhurried(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ctx.Err() == nil && (!ok || time.Until(end) > f.Config.Ledger.CallTimeout)
}
