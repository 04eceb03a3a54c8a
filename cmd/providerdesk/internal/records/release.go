package records

import (
	"context"
	"net/http"

	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/run"
)

// Releaser opens cases of their own for incidents that a storm held back. *casewebhook.Function is one, Remote another.
type Releaser interface {
	Release(ctx context.Context, who string, which casewebhook.Held) ([]casewebhook.Released, error)
}

var (
	_ Releaser = (*casewebhook.Function)(nil)
	_ Releaser = Remote{}
)

// wish is the body of a release.
type wish struct {
	Who      string `json:"who"`
	Incident string `json:"incident,omitempty"`
	Desk     string `json:"desk,omitempty"`
	All      bool   `json:"all,omitempty"`
}

// released is the answer to it.
type released struct {
	Released []casewebhook.Released `json:"released"`
}

// ServeRelease puts a releaser at /api/cases/release. The options say who may call.
func ServeRelease(mux *http.ServeMux, to Releaser, o run.Options) {
	mux.Handle("POST /api/cases/release", run.HTTP("release", func(context.Context) (run.HTTPHandler, error) {
		return func(ctx context.Context, r *http.Request) (run.Response, error) {
			body, err := run.Body(r, maxBody)
			if err != nil {
				return run.Response{}, err
			}
			var w wish
			if err := Strict(body, &w); err != nil {
				return run.Response{}, fault.New(fault.Invalid, "a release is a JSON object of who, and of incident, desk or all")
			}
			all, err := to.Release(ctx, w.Who, casewebhook.Held{Incident: w.Incident, Desk: w.Desk, All: w.All})
			return run.Response{Body: released{append([]casewebhook.Released{}, all...)}}, err
		}, nil
	}, o))
}

// Release asks the running "up".
func (r Remote) Release(ctx context.Context, who string, which casewebhook.Held) ([]casewebhook.Released, error) {
	var got released
	err := r.Do(ctx, http.MethodPost, "/api/cases/release", wish{Who: who, Incident: which.Incident, Desk: which.Desk, All: which.All}, &got)
	return got.Released, err
}
