package run

import (
	"context"
	"net/http"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/signature"
)

// errNoVerifier answers every delivery to a function that does not say who may deliver.
var errNoVerifier = fault.Wrap(fault.Bug, errNobody{}, "checking the sender")

type errNobody struct{}

func (errNobody) Error() string {
	return "nobody may deliver events: set Verify, OpenVerify or Trusted"
}

// gate lets in who may call.
type gate struct {
	verifier *lazy[signature.Verifier] // nil: nobody is checked here
	trusted  bool
}

func newGate(o Options) *gate {
	g := &gate{trusted: o.Trusted}
	switch {
	case o.Verify != nil:
		g.verifier = newLazy(o, func(context.Context) (signature.Verifier, error) { return o.Verify, nil })
	case o.OpenVerify != nil:
		g.verifier = newLazy(o, o.OpenVerify)
	}
	return g
}

// decided reports whether somebody has said who may come in.
func (g *gate) decided() bool { return g.verifier != nil || g.trusted }

func (g *gate) check(r *http.Request, body []byte) error {
	if g.verifier == nil {
		return nil
	}
	v, err := g.verifier.get(r.Context())
	if err != nil {
		return err
	}
	return guard(func() error { return v.Verify(r, body) })
}

// admit checks a request whose body the handler still wants to read.
func (g *gate) admit(r *http.Request, limit int64) error {
	if g.verifier == nil {
		return nil
	}
	body, err := Body(r, limit)
	if err != nil {
		return err
	}
	restore(r, body)
	return g.check(r, body)
}
