package charge

import "context"

// group is what has one row in a summary view: a subscription and a sku.
type group struct {
	rows int64
	held *heldEntry // its only row so far, if that stands at the first moment of the month
}

type groupKey struct{ subscription, cross, sku string }

func (b *book) groupOf(l *line) *group {
	key := groupKey{l.Subscription, l.CrossReference, l.Sku}
	g, ok := b.groups[key]
	if !ok {
		g = &group{}
		b.groups[key] = g
		b.order = append(b.order, g)
	}
	return g
}

// heldEntry is a row of which it is not known yet whether it is of a day or of the month.
type heldEntry struct {
	entry
	line   *line
	status string
}

// heldSize is about what a held row takes beside its texts.
const heldSize = 400

// toHold reports whether a row has to wait.
func toHold(e *entry) bool { return e.opening && e.kind.line.group.rows == 0 }

// room reports why a row that would have to wait cannot.
func (r *run) room(e *entry) reason {
	if !toHold(e) {
		return ""
	}
	if r.book.texts+heldSize+len(e.extra) > maxTexts {
		return tooMany
	}
	r.book.texts += heldSize + len(e.extra)
	return ""
}

// settle writes a row, or holds it. One that was held is the day's as soon as a second one comes.
func (r *run) settle(ctx context.Context, e *entry) error {
	g := e.kind.line.group
	wait := toHold(e)
	g.rows++
	if wait {
		g.held = &heldEntry{entry: *e, line: e.kind.line, status: e.kind.status}
		g.held.kind = nil // it may not be kept that long
		return nil
	}
	if err := r.release(ctx, g, 0); err != nil {
		return err
	}
	return r.emit(ctx, e)
}

// releaseAll writes the rows that remained alone, which are of the whole month, in the order of the file.
func (r *run) releaseAll(ctx context.Context) error {
	for _, g := range r.book.order {
		if err := r.release(ctx, g, r.end); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) release(ctx context.Context, g *group, end int64) error {
	h := g.held
	if h == nil {
		return nil
	}
	g.held = nil
	h.kind = r.book.kind(h.line, h.status)
	h.end = max(h.end, end)
	r.book.texts -= heldSize + len(h.extra)
	return r.emit(ctx, &h.entry)
}
