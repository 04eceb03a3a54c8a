package follow

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/logs"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Limits of one tick.
const (
	tickCases = 50
	tickLooks = 8 // at once
)

// Ticked says what a tick did.
type Ticked struct {
	Due      int `json:"due"`      // cases that wanted a look
	Failed   int `json:"failed"`   // of them, and will be looked at later
	Followed int `json:"followed"` // cases that others opened, followed from now on
}

// Subscriptions is a desk that knows how its event subscriptions fare.
type Subscriptions interface {
	Subscriptions(ctx context.Context, organization string) ([]desk.Subscription, error)
}

// Tick is one minute of the scheduler: it looks at the cases that are due, at what nobody follows yet, at the subscriptions and at the senders.
// Ticks may overlap. Its error joins those that a later tick cannot be trusted to meet again.
func (f *Follower) Tick(ctx context.Context) (t Ticked, err error) {
	var errs []error
	for name, d := range f.Config.Desks {
		n, err := f.strangers(ctx, name, d)
		t.Followed += n
		errs = append(errs, err, f.subscriptions(ctx, name, d))
	}
	errs = append(errs, f.silent(ctx))
	due, err := f.DB.Query(ctx, store.Query{Collection: casesIn, DueBy: f.Now(), Limit: tickCases})
	t.Due = len(due)
	t.Failed = f.looks(ctx, due)
	return t, errors.Join(append(errs, err)...)
}

// looks looks at cases, a few at a time. One that cannot be looked at does not keep its place at the head of the rota.
func (f *Follower) looks(ctx context.Context, due []store.Doc) (failed int) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	free := make(chan struct{}, tickLooks)
	for _, d := range due {
		free <- struct{}{}
		if !f.unhurried(ctx) {
			break
		}
		wg.Go(func() {
			defer func() { <-free }()
			if err := f.guarded(ctx, d.ID); err != nil {
				f.Log.WarnContext(ctx, "a case cannot be looked at", "case", d.ID, "error", err)
				f.postpone(ctx, d.ID)
				mu.Lock()
				failed++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return failed
}

// guarded is look with a panic turned into an error, so that one case's defect does not end the process that looks at the others.
func (f *Follower) guarded(ctx context.Context, id string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.New(fault.Bug, "looking at a case panicked: %T", p)
		}
	}()
	return f.look(ctx, id, anything)
}

// postpone makes a case due later, the more often it failed the later. When that cannot be noted it stays due.
func (f *Follower) postpone(ctx context.Context, id string) {
	c, err := f.read(ctx, id)
	if err != nil {
		return
	}
	c.due = f.Now().UTC().Add(later(c.Fails, f.policy(c.Desk).every))
	c.Fails++
	if w, err := c.write(); err == nil {
		_, _ = f.DB.Commit(ctx, w)
	}
}

// strangers follows the open cases that others opened, where that is wanted. The desk lists all its pages.
func (f *Follower) strangers(ctx context.Context, name string, d config.Desk) (n int, err error) {
	if !d.Updates.All || !f.nowAndThen("strangers/"+name, f.policy(name).every) {
		return 0, nil
	}
	one, err := f.Desks.Desk(name)
	if err != nil {
		return 0, err
	}
	all, err := one.List(ctx, desk.Filter{Open: true})
	if err != nil {
		f.forget("strangers/" + name)
		return 0, fault.Wrap(fault.Transient, err, "list the open cases of desk "+name)
	}
	for _, c := range all {
		_, err := f.ByName(ctx, name, c.Name)
		if fault.Is(err, fault.Missing) {
			_, err = f.Follow(ctx, "", name, c.Name, Places(d.Rooms))
			n++
		}
		if err != nil {
			f.forget("strangers/" + name)
			return n, err
		}
	}
	return n, nil
}

// forget lets something be done again at the next tick.
func (f *Follower) forget(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.asked, what)
}

// subscriptions raises an alarm when the desk's events do not come, and another one when they do again.
func (f *Follower) subscriptions(ctx context.Context, name string, d config.Desk) error {
	if d.Updates.Organization == "" || !f.nowAndThen("subscriptions/"+name, f.policy(name).every) {
		return nil
	}
	one, err := f.Desks.Desk(name)
	if err != nil {
		return err
	}
	s, ok := one.(Subscriptions)
	if !ok {
		return nil
	}
	all, err := s.Subscriptions(ctx, d.Updates.Organization)
	if err != nil {
		f.forget("subscriptions/" + name)
		return fault.Wrap(fault.Transient, err, "ask how the event subscriptions of desk "+name+" fare")
	}
	text, wrong := failing(name, d.Updates.Organization, all)
	changed, err := f.condition(ctx, "subscriptions-"+name, wrong, text)
	if changed && wrong {
		f.Log.ErrorContext(ctx, "the desk cannot tell us of events", logs.SubscriptionFailing.Attr(), "desk", name)
	}
	return err
}

// failing is pure: what is wrong with the subscriptions of an organization.
func failing(deskName, organization string, all []desk.Subscription) (text string, wrong bool) {
	if len(all) == 0 {
		return fmt.Sprintf("Desk %s: %s has no event subscription. Cases are looked at now and then only.", deskName, organization), true
	}
	var broken []string
	for _, s := range all {
		if !s.Working {
			broken = append(broken, fmt.Sprintf("%s to %s: %s", s.Name, s.Topic, s.Failure))
		}
	}
	if len(broken) == 0 {
		return fmt.Sprintf("Desk %s: its event subscription works again.", deskName), false
	}
	return fmt.Sprintf("Desk %s: events do not come, cases are looked at now and then only. The topic must be there, and "+
		"cloud-support-apievents@system.gserviceaccount.com must have the role roles/pubsub.publisher on it.\n%s", deskName, strings.Join(broken, "\n")), true
}
