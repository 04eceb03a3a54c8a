package localbus

// lines are who waits behind whom: for each ordering key that a message holds up, the messages behind that one, the oldest first. The one
// that holds it up is on the agenda or being pushed. A message without a key is in no line.
type lines map[string][]appointment

// enter reports whether a may go on the agenda. Otherwise it waits in line.
func (l lines) enter(a appointment) bool {
	if a.key == "" {
		return true
	}
	behind, held := l[a.key]
	if held {
		l[a.key] = append(behind, a)
	} else {
		l[a.key] = nil
	}
	return !held
}

// leave ends the hold on a key and returns who holds it now.
func (l lines) leave(key string) (next appointment, ok bool) {
	behind, held := l[key]
	if len(behind) > 0 {
		l[key] = behind[1:]
		return behind[0], true
	}
	if held {
		delete(l, key)
	}
	return next, false
}

func (l lines) behind() (n int) {
	for _, waiting := range l {
		n += len(waiting)
	}
	return n
}
