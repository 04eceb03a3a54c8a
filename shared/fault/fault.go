// Package fault says what kind of failure an error is, so that who must act is decided once, by the code that knows the API, and acted
// on in one place.
//
// An error carries at most one Kind, the innermost classification that was made; errors nobody classified are [Bug], a context that ended
// is [Transient]. Beside the kind an error may carry two facts that only the client of a remote system knows: that the remote
// certainly did not execute the request ([Unsent]), and how long it asked us to stay away ([After]).
//
// The text of an error is for the log. What an outside caller may read is the sentence given to [New]; see [Public]. Neither may hold a
// secret or personal data.
package fault

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind tells who must act. Kinds are strings because they are stored.
type Kind string

const (
	Invalid   Kind = "invalid"   // the sender must change the request; repeating it cannot help
	Denied    Kind = "denied"    // the caller is not who it must be, or may not do this; an operator must grant it
	Missing   Kind = "missing"   // the thing named does not exist
	Conflict  Kind = "conflict"  // the thing exists already, or changed under us; read again
	Throttled Kind = "throttled" // refused for now, certainly not executed; see RetryAfter
	Transient Kind = "transient" // may heal by itself; whether the request was executed is open unless IsUnsent
	Bug       Kind = "bug"       // our own defect, or a failure nobody has classified
)

// Error is a classified error.
type Error struct {
	Kind   Kind
	Public string // a sentence an outside caller may read; empty: the caller reads only the kind
	unsent bool
	after  time.Duration
	err    error
}

// New returns an error of kind k whose text is also fit for outside readers.
func New(k Kind, format string, args ...any) error {
	s := fmt.Sprintf(format, args...)
	return &Error{Kind: k, Public: s}
}

// Wrap classifies err as kind k and says what was being done. It returns nil for a nil err.
func Wrap(k Kind, err error, doing string) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: k, err: fmt.Errorf("%s: %w", doing, err)}
}

// Unsent marks err with the fact that the remote certainly did not execute the request: it was never written to the wire, or the remote
// documents that it refused it unprocessed. It keeps the kind.
func Unsent(err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: Of(err), Public: Public(err), unsent: true, after: RetryAfter(err), err: err}
}

// After marks err with the time the remote asked us to wait. It keeps the kind and the other facts.
func After(err error, d time.Duration) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: Of(err), Public: Public(err), unsent: IsUnsent(err), after: d, err: err}
}

func (e *Error) Error() string {
	if e.err == nil {
		return e.Public
	}
	return e.err.Error()
}

func (e *Error) Unwrap() error { return e.err }

// Of returns the kind of err: the outermost classification in its chain, Transient for a context that ended, Bug otherwise. Of(nil) is "".
func Of(err error) Kind {
	var f *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &f):
		return f.Kind
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return Transient
	}
	return Bug
}

// Is reports whether err is of kind k.
func Is(err error, k Kind) bool { return err != nil && Of(err) == k }

// IsUnsent reports whether the remote certainly did not execute the request that failed with err.
func IsUnsent(err error) bool {
	var f *Error
	return errors.As(err, &f) && (f.unsent || f.Kind == Throttled)
}

// RetryAfter returns how long the remote asked us to wait, 0 if it did not say.
func RetryAfter(err error) time.Duration {
	var f *Error
	if errors.As(err, &f) {
		return f.after
	}
	return 0
}

// Public returns the sentence that an outside caller may read, "" if there is none.
func Public(err error) string {
	var f *Error
	for errors.As(err, &f) {
		if f.Public != "" {
			return f.Public
		}
		err = f.err
	}
	return ""
}

// Healing reports whether a redelivery can heal err, so that an event handler should return it instead of parking the event.
func Healing(err error) bool {
	switch Of(err) {
	case Throttled, Transient, Conflict, Bug:
		return true
	}
	return false
}
