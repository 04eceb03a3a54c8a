package commands

import (
	"context"
	"errors"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Swept says what a sweep did.
type Swept struct {
	Orders  int `json:"orders"`  // looked at because their outcome was not told
	Expired int `json:"expired"` // questions that nobody answered in time
}

// Sweep looks at no more than limit orders whose outcome is not told yet, and no more than limit questions whose time is over. Sweeps may
// overlap. What one of them cannot do does not keep it from the others.
func (c *Commands) Sweep(ctx context.Context, limit int) (Swept, error) {
	now := c.Now().UTC()
	orders, err := c.DB.Query(ctx, store.Query{Collection: ordersIn, DueBy: now, Limit: limit})
	asks, aerr := c.DB.Query(ctx, store.Query{Collection: asksIn, DueBy: now, Limit: limit})
	errs := []error{err, aerr}
	for _, d := range orders {
		errs = append(errs, c.settle(ctx, d))
	}
	for _, d := range asks {
		errs = append(errs, c.expire(ctx, d))
	}
	return Swept{Orders: len(orders), Expired: len(asks)}, errors.Join(errs...)
}

// settle finishes an order. One that cannot be finished now makes room for others.
func (c *Commands) settle(ctx context.Context, d store.Doc) error {
	o, err := decodeOrder(d)
	if err != nil {
		return err
	}
	if err = c.finish(ctx, o); err != nil {
		err = errors.Join(err, c.later(ctx, o))
	}
	return err
}

// expire ends a question that nobody answered, and says so where it was asked.
func (c *Commands) expire(ctx context.Context, d store.Doc) error {
	a, err := decodeAsk(d)
	if err != nil || !a.open() {
		return err
	}
	a.State = expired
	at := a.Job.At
	if at.Thread, err = c.threadOf(ctx, a); err != nil {
		return err
	}
	p := plan{Reason: "nobody answered in time", Post: &chat.Post{Body: a.over()}}
	said, err := c.saying(ctx, a.Job.Order, "expired", at, p)
	if err != nil {
		return err
	}
	shown, err := c.settled(ctx, a)
	if err != nil {
		return err
	}
	write, err := a.write()
	if err != nil {
		return err
	}
	entry, err := unanswered(a, c.Now().UTC()).write()
	if err != nil {
		return err
	}
	return unlessConflict(c.commit(ctx, work{writes: []store.Write{write, entry}, intents: append(said, shown...)}))
}

// Audit returns entries of who did what, oldest first, those after the one with the id after.
func (c *Commands) Audit(ctx context.Context, after string, limit int) ([]Entry, error) {
	docs, err := c.DB.Query(ctx, store.Query{Collection: auditIn, AfterID: after, Limit: limit})
	if err != nil {
		return nil, err
	}
	all := make([]Entry, len(docs))
	for i, d := range docs {
		if all[i], err = decodeEntry(d); err != nil {
			return nil, fault.Wrap(fault.Of(err), err, "read the audit")
		}
	}
	return all, nil
}
