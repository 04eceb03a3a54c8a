package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Apply tries the writes once, all or nothing, and stamps every document with id. It returns their new versions in order. An error that
// is fault.Unsent is certain: nothing was written.
type Apply func(ctx context.Context, id string, writes []Write) ([]Version, error)

// Stamped returns the versions of those documents among keys that carry id, none being no error.
type Stamped func(ctx context.Context, id string, keys []Key) (map[Key]Version, error)

// looks is how long to wait before each look for the own write: the outage that took the acknowledgement may take the first looks too.
var looks = [...]time.Duration{0, 20 * time.Millisecond, 80 * time.Millisecond, 320 * time.Millisecond}

// Commit is DB.Commit for every implementation, made from one attempt and a look at what is there: it checks the writes, draws the id,
// and settles an attempt that left its outcome open.
func Commit(ctx context.Context, writes []Write, apply Apply, stamped Stamped) ([]Version, error) {
	if err := Check(writes); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fault.Unsent(fault.Wrap(fault.Transient, err, "commit"))
	}
	id := rand.Text()
	versions, err := apply(ctx, id, writes)
	switch {
	case err == nil:
		return versions, nil
	case fault.IsUnsent(err):
		return nil, err
	}
	return settle(ctx, id, writes, err, stamped)
}

// settle answers for an attempt that failed without saying for certain that nothing was written. One document with the id is enough,
// because a commit is all or nothing; none proves nothing, because another caller may have written over ours: then failed stands.
func settle(ctx context.Context, id string, writes []Write, failed error, stamped Stamped) ([]Version, error) {
	keys := kept(writes)
	if len(keys) == 0 {
		return nil, unsettled(failed)
	}
	found, err := look(ctx, id, keys, stamped)
	switch {
	case err != nil:
		return nil, fault.Wrap(fault.Transient, fmt.Errorf("%w; reading back: %w", failed, err), "commit with an open outcome")
	case len(found) == 0:
		return nil, failed
	}
	return versions(writes, found), nil
}

// unsettled is the error of a commit that left no trace to look for: its conflict is not certain.
func unsettled(failed error) error {
	if fault.Is(failed, fault.Conflict) {
		return fault.Wrap(fault.Transient, failed, "commit of deletes with an open outcome")
	}
	return failed
}

func look(ctx context.Context, id string, keys []Key, stamped Stamped) (found map[Key]Version, err error) {
	for _, wait := range looks {
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
		if found, err = stamped(ctx, id, keys); err == nil {
			return found, nil
		}
	}
	return nil, err
}

func sleep(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// kept returns the keys of the documents that a commit leaves behind.
func kept(writes []Write) []Key {
	keys := make([]Key, 0, len(writes))
	for _, w := range writes {
		if w.Op != OpDelete {
			keys = append(keys, w.Doc.Key)
		}
	}
	return keys
}

// versions returns the versions of a commit that was found again. A document that another caller has overwritten since gets the version
// of a neighbour: it is a version the document no longer has, so the next write of it conflicts, as it must.
func versions(writes []Write, found map[Key]Version) []Version {
	var neighbour Version
	for _, v := range found {
		neighbour = v
	}
	vs := make([]Version, len(writes))
	for i, w := range writes {
		switch v, ok := found[w.Doc.Key]; {
		case w.Op == OpDelete:
		case ok:
			vs[i] = v
		default:
			vs[i] = neighbour
		}
	}
	return vs
}
