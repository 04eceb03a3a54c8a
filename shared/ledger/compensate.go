package ledger

import (
	"context"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Undone notes that a succeeded effect was undone by another effect, which must have succeeded. Saying it again changes nothing. It is
// fault.Conflict when either is in another state, or was moved meanwhile.
func (l *Ledger) Undone(ctx context.Context, id, by string) (Record, error) {
	r, err := l.Get(ctx, id)
	if err != nil || r.State == Compensated && r.UndoneBy == by {
		return r, err
	}
	k, err := l.kindOf(r)
	if err != nil {
		return r, err
	}
	undo, err := l.Get(ctx, by)
	if err != nil {
		return r, err
	}
	if r.State != Succeeded || undo.State != Succeeded {
		return r, fault.New(fault.Conflict, "an effect that is %s is not undone by one that is %s", r.State, undo.State)
	}
	r.State, r.UndoneBy, r.Completed = Compensated, by, l.o.Now().UTC()
	return r, l.put(ctx, k, &r, Succeeded, byUndo) // an audit that is still wanted stays so
}
