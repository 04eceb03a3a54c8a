package fault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

func TestFacts(t *testing.T) {
	sent := fault.Wrap(fault.Transient, io.EOF, "call")
	for _, tt := range []struct {
		name    string
		err     error
		kind    fault.Kind
		unsent  bool
		after   time.Duration
		public  string
		healing bool
	}{
		{"nil", nil, "", false, 0, "", false},
		{"unclassified", io.EOF, fault.Bug, false, 0, "", true},
		{"a context that ended", fmt.Errorf("call: %w", context.DeadlineExceeded), fault.Transient, false, 0, "", true},
		{"a cancelled one", context.Canceled, fault.Transient, false, 0, "", true},
		{"new", fault.New(fault.Invalid, "send %s", "JSON"), fault.Invalid, false, 0, "send JSON", false},
		{"wrapped", sent, fault.Transient, false, 0, "", true},
		{"the outermost kind", fault.Wrap(fault.Denied, sent, "open"), fault.Denied, false, 0, "", false},
		{"unsent keeps the kind", fault.Unsent(sent), fault.Transient, true, 0, "", true},
		{"unsent keeps the sentence", fault.Unsent(fault.New(fault.Denied, "log in")), fault.Denied, true, 0, "log in", false},
		{"throttled is unsent", fault.New(fault.Throttled, "later"), fault.Throttled, true, 0, "later", true},
		{"after keeps unsent", fault.After(fault.Unsent(sent), time.Minute), fault.Transient, true, time.Minute, "", true},
		{"unsent keeps after", fault.Unsent(fault.After(sent, time.Minute)), fault.Transient, true, time.Minute, "", true},
		{"public of what is wrapped", fault.Wrap(fault.Invalid, fault.New(fault.Invalid, "inner"), "decode"), fault.Invalid, false, 0, "inner", false},
		{"missing", fault.New(fault.Missing, "no"), fault.Missing, false, 0, "no", false},
		{"conflict", fault.New(fault.Conflict, "changed"), fault.Conflict, false, 0, "changed", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := fault.Of(tt.err); got != tt.kind {
				t.Errorf("kind %q, want %q", got, tt.kind)
			}
			if fault.IsUnsent(tt.err) != tt.unsent || fault.RetryAfter(tt.err) != tt.after || fault.Public(tt.err) != tt.public || fault.Healing(tt.err) != tt.healing {
				t.Errorf("unsent %v, after %v, public %q, healing %v", fault.IsUnsent(tt.err), fault.RetryAfter(tt.err), fault.Public(tt.err), fault.Healing(tt.err))
			}
			if fault.Is(tt.err, tt.kind) != (tt.err != nil) {
				t.Error("Is disagrees with Of")
			}
		})
	}
}

func TestNilStaysNil(t *testing.T) {
	for _, err := range []error{fault.Wrap(fault.Bug, nil, "x"), fault.Unsent(nil), fault.After(nil, time.Second)} {
		if err != nil {
			t.Errorf("a nil error became %v", err)
		}
	}
}

func TestChainAndText(t *testing.T) {
	err := fault.Wrap(fault.Transient, io.ErrUnexpectedEOF, "read answer")
	if !errors.Is(err, io.ErrUnexpectedEOF) || err.Error() != "read answer: unexpected EOF" {
		t.Errorf("got %q", err)
	}
}
