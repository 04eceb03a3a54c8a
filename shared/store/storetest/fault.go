package storetest

import (
	"context"
	"errors"
	"sync"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Code is what the caller of a failing commit sees, by its name in gRPC.
type Code string

const (
	Unavailable      Code = "Unavailable"
	DeadlineExceeded Code = "DeadlineExceeded"
	Aborted          Code = "Aborted"
)

// Codes are all of them.
var Codes = [...]Code{Unavailable, DeadlineExceeded, Aborted}

// Err returns the code as the error of a store without a wire.
func (c Code) Err() error {
	kind := fault.Transient
	if c == Aborted {
		kind = fault.Conflict
	}
	return fault.Wrap(kind, errors.New(string(c)), "injected")
}

// Fault is one failure of one commit.
type Fault struct {
	Code    Code
	Applied bool   // the commit is done, only its acknowledgement is lost; otherwise it never arrives
	Then    func() // called when it strikes, before the caller knows
	Reads   int    // so many attempts to read fail after it, with the same code
}

// Injector makes the next commit fail. A store with a wire asks it in an interceptor, one without in its hooks.
type Injector struct {
	mu    sync.Mutex
	armed *Fault
	reads int
	code  Code
}

// Inject arms f for the next commit.
func (i *Injector) Inject(f Fault) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.armed = &f
}

// Commit returns the code with which a commit fails at this point, before it was applied or after, or "".
func (i *Injector) Commit(applied bool) Code {
	f := i.take(applied)
	if f == nil {
		return ""
	}
	if f.Then != nil {
		f.Then()
	}
	return f.Code
}

func (i *Injector) take(applied bool) *Fault {
	i.mu.Lock()
	defer i.mu.Unlock()
	f := i.armed
	if f == nil || f.Applied != applied {
		return nil
	}
	i.armed, i.reads, i.code = nil, f.Reads, f.Code
	return f
}

// Read returns the code with which an attempt to read fails now, or "".
func (i *Injector) Read() Code {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.reads == 0 {
		return ""
	}
	i.reads--
	return i.code
}

// Before, After and OnGet are the hooks of a store without a wire.

func (i *Injector) Before(context.Context, []store.Write) error { return i.Commit(false).orNil() }

func (i *Injector) After(context.Context, []store.Write) error { return i.Commit(true).orNil() }

func (i *Injector) OnGet(store.Key) error { return i.Read().orNil() }

func (c Code) orNil() error {
	if c == "" {
		return nil
	}
	return c.Err()
}
