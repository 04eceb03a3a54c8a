package charge

// sightings tells rows that stand in the file more than once: of the same kind, at the same time, with the same quantities and extra cells. It
// keeps a hash of 64 bits of each of the last sightWindow to 2·sightWindow rows, so it is bounded, and cannot see further apart.
type sightings struct {
	now, old []uint64 // hash tables, 0 is free
	count    int      // of now
	turned   bool     // old holds something
}

const (
	sightWindow = 1 << 17
	sightSlots  = 2 * sightWindow
)

func newSightings() *sightings { return &sightings{} }

// before reports whether a row was seen before, and keeps it.
func (s *sightings) before(e *entry, nano int64) bool {
	h := stir(e.kind.mark^uint64(nano)*0x9e3779b97f4a7c15, e.extra)
	h = e.billable.Mix(e.commit.Mix(e.usage.Mix(h)))
	if h == 0 {
		h = 1
	}
	if s.now == nil {
		s.now, s.old = make([]uint64, sightSlots), make([]uint64, sightSlots)
	}
	if s.turned && has(s.old, h) || !put(s.now, h) {
		return true
	}
	if s.count++; s.count == sightWindow {
		s.now, s.old, s.count = s.old, s.now, 0
		s.turned = true
		clear(s.now)
	}
	return false
}

func has(table []uint64, h uint64) bool {
	for i := h % sightSlots; table[i] != 0; i = (i + 1) % sightSlots {
		if table[i] == h {
			return true
		}
	}
	return false
}

// put returns false if it is there already.
func put(table []uint64, h uint64) bool {
	i := h % sightSlots
	for ; table[i] != 0; i = (i + 1) % sightSlots {
		if table[i] == h {
			return false
		}
	}
	table[i] = h
	return true
}
