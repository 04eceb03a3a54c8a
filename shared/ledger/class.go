package ledger

import "github.com/providerdesk/providerdesk/shared/fault"

// Class is what the remote offers against doing a thing twice. It is decided for every kind of effect before the code is written.
type Class string

const (
	Keyed   Class = "keyed"   // honours a request id: the same token is sent with every attempt, so a repeat is harmless
	Natural Class = "natural" // refuses a second object of the same name, or a write on a changed version: a repeat is harmless
	Desired Class = "desired" // a state that can be read: read, act only when it differs; a repeat is harmless
	Marked  Class = "marked"  // none, but the object can be found by the marker it carries
	Blind   Class = "blind"   // none, and cannot be read: called at most once, parked on doubt
)

// repeatable reports whether calling again before the settle window is over cannot do harm.
func (c Class) repeatable() bool { return c == Keyed || c == Natural || c == Desired }

// doubts is the default of Spec.MaxDoubts. Where a repeat is harmless a doubt is no worse than a refusal, and gets the same patience: the visits
// after it come ten minutes apart at most.
func (c Class) doubts() int {
	if c.repeatable() {
		return int(patience / longest)
	}
	return 5
}

// Outcome is what a caller knows after a call.
type Outcome string

const (
	Executed    Outcome = "executed"
	NotExecuted Outcome = "not-executed" // certainly not, and trying again may help
	Rejected    Outcome = "rejected"     // certainly not, and trying again cannot help
	Exists      Outcome = "exists"       // refused because something of that name is there: ours, perhaps
	Ambiguous   Outcome = "ambiguous"    // maybe
)

// outcome classifies the error of a call. Only the client that knows the API can tell that a request was not executed; whatever it does not
// vouch for is ambiguous.
func outcome(c Class, err error) Outcome {
	switch {
	case err == nil:
		return Executed
	case fault.IsUnsent(err):
		return NotExecuted
	}
	switch fault.Of(err) {
	case fault.Conflict:
		if c.repeatable() {
			return Exists
		}
		return Rejected
	case fault.Invalid, fault.Denied, fault.Missing:
		return Rejected
	}
	return Ambiguous
}
