package exports

import (
	"context"
	"net/http"
	"strconv"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/records"
	"github.com/providerdesk/providerdesk/functions/billingexport"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// Remote is the exporter of a running "up".
type Remote struct{ records.Remote }

// Plan says what a request would do now.
func (r Remote) Plan(ctx context.Context, q billingexport.Request) (p billingexport.Plan, err error) {
	return p, r.Do(ctx, http.MethodPost, "/api/exports/plan", q, &p)
}

// Ask publishes a request.
func (r Remote) Ask(ctx context.Context, q billingexport.Request) (string, error) {
	var a asked
	err := r.Do(ctx, http.MethodPost, "/api/exports", q, &a)
	return a.ID, err
}

// List returns all months.
func (r Remote) List(ctx context.Context) ([]billingexport.Status, error) {
	var m months
	err := r.Do(ctx, http.MethodGet, "/api/exports", nil, &m)
	return m.Months, err
}

// Status returns how a month stands.
func (r Remote) Status(ctx context.Context, p hub.Period) (s billingexport.Status, err error) {
	return s, r.Do(ctx, http.MethodGet, "/api/exports/"+p.String(), nil, &s)
}

// Show returns a revision.
func (r Remote) Show(ctx context.Context, p hub.Period, rev int) (s billingexport.Shown, err error) {
	return s, r.Do(ctx, http.MethodGet, "/api/exports/"+p.String()+"/revisions/"+strconv.Itoa(rev), nil, &s)
}
