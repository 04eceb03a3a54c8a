package run

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// panicError is a panic that was caught.
type panicError struct{ text, stack string }

func (e *panicError) Error() string { return "panic: " + e.text }

func isPanic(err error) bool {
	var p *panicError
	return errors.As(err, &p)
}

// guard calls f and returns its panic as an error of kind Bug.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			text := fmt.Sprint(p)
			err = &panicError{text, "panic: " + text + "\n\n" + string(debug.Stack())}
		}
	}()
	return f()
}

// failure returns the log attributes of an error, with the stack if it was a panic.
func failure(err error) []slog.Attr {
	attrs := []slog.Attr{slog.String("kind", string(fault.Of(err))), slog.String("error", err.Error())}
	var p *panicError
	if errors.As(err, &p) {
		attrs = append(attrs, slog.String("stack_trace", p.stack))
	}
	return attrs
}
