package ledger

import "github.com/providerdesk/providerdesk/shared/fault"

// Move is a line of the state machine as tests name it.
type Move struct {
	From State
	By   string
	To   State
}

// Moves lists the lines of the state machine.
func Moves() (all []Move) {
	for m := range moves {
		all = append(all, Move{m.from, string(m.by), m.to})
	}
	return all
}

// Allowed asks the check that every write of a record passes.
func Allowed(m Move) bool {
	err := check(move{m.From, trigger(m.By), m.To})
	return !fault.Is(err, fault.Bug)
}
