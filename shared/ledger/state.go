package ledger

import "github.com/providerdesk/providerdesk/shared/fault"

// State of an effect. Strings, because they are stored.
type State string

const (
	Pending     State = "PENDING"     // recorded; no call is under way
	Calling     State = "CALLING"     // a call may be under way, or may have happened
	Unknown     State = "UNKNOWN"     // a call ended and nobody knows whether it was executed
	Succeeded   State = "SUCCEEDED"   // done; the result is known
	Failed      State = "FAILED"      // definitely refused
	Parked      State = "PARKED"      // a person decides
	Compensated State = "COMPENSATED" // done and undone again
)

// States lists all states.
var States = [...]State{Pending, Calling, Unknown, Succeeded, Failed, Parked, Compensated}

// Terminal reports whether nothing more is done on the ledger's own account, so that the record may expire. A parked record may not.
func (s State) Terminal() bool { return s == Succeeded || s == Failed || s == Compensated }

// trigger is what moves a record.
type trigger string

const (
	byIntent     trigger = "intent"     // recorded, to be called later
	byMark       trigger = "mark"       // permission to call
	bySuccess    trigger = "success"    // the call answered, or the search found it
	byRefusal    trigger = "refusal"    // certainly not executed, may be tried again
	byRejection  trigger = "rejection"  // definitely refused
	byDoubt      trigger = "doubt"      // maybe executed
	bySearch     trigger = "search"     // searched without proof; look again later
	byExhaustion trigger = "exhaustion" // no further call is permitted
	byAudit      trigger = "audit"      // counted, or a duplicate was recorded
	byApproval   trigger = "approval"   // a person released it
	byAdoption   trigger = "adoption"   // a person names the result
	byVeto       trigger = "veto"       // a person gave it up
	byUndo       trigger = "undo"       // its compensation succeeded
	byWait       trigger = "wait"       // the effect before it has not succeeded yet
)

// move is one line of the state machine.
type move struct {
	from State // "" for a record that does not exist
	by   trigger
	to   State
}

// moves is the whole state machine; put refuses every other transition.
var moves = map[move]bool{
	{"", byIntent, Pending}:             true,
	{"", byMark, Calling}:               true,
	{"", byExhaustion, Parked}:          true, // an event that can never succeed
	{Pending, byMark, Calling}:          true,
	{Pending, byWait, Pending}:          true,
	{Pending, bySearch, Pending}:        true, // released with a doubtful past: searched first
	{Pending, bySuccess, Succeeded}:     true, // likewise, and found
	{Pending, byExhaustion, Parked}:     true,
	{Pending, byApproval, Pending}:      true,
	{Pending, byVeto, Failed}:           true,
	{Calling, bySuccess, Succeeded}:     true,
	{Calling, byRefusal, Pending}:       true,
	{Calling, byRejection, Failed}:      true,
	{Calling, byDoubt, Unknown}:         true,
	{Calling, bySearch, Unknown}:        true, // its caller is gone
	{Calling, byMark, Calling}:          true, // the settle window is over
	{Calling, byExhaustion, Parked}:     true,
	{Unknown, bySuccess, Succeeded}:     true,
	{Unknown, bySearch, Unknown}:        true,
	{Unknown, byMark, Calling}:          true,
	{Unknown, byExhaustion, Parked}:     true,
	{Parked, bySuccess, Succeeded}:      true, // a fact that arrives late
	{Parked, byApproval, Pending}:       true,
	{Parked, byAdoption, Succeeded}:     true,
	{Parked, byVeto, Failed}:            true,
	{Failed, bySuccess, Succeeded}:      true, // a fact that arrives late
	{Failed, byApproval, Pending}:       true,
	{Succeeded, byAudit, Succeeded}:     true,
	{Succeeded, byUndo, Compensated}:    true,
	{Compensated, byAudit, Compensated}: true, // what was done twice is undone twice
}

// check returns a defect for a transition outside the state machine.
func check(m move) error {
	if moves[m] {
		return nil
	}
	return fault.New(fault.Bug, "an effect cannot go from %q to %q by %s", m.from, m.to, m.by)
}
