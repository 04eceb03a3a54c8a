package exports

import (
	"context"
	"net/http"
	"strconv"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/records"
	"github.com/providerdesk/providerdesk/functions/billingexport"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/run"
)

// maxRequest is the most bytes of a request.
const maxRequest = 1 << 20

// months is the answer to a listing.
type months struct {
	Months []billingexport.Status `json:"months"`
}

// asked is the answer to a request that is on its way.
type asked struct {
	ID string `json:"id"`
}

// Serve puts an exporter at /api/exports. The options say who may call.
func Serve(mux *http.ServeMux, e Exporter, o run.Options) {
	s := server{e}
	for pattern, f := range map[string]run.HTTPHandler{
		"POST /api/exports/plan":                   s.plan,
		"POST /api/exports":                        s.ask,
		"GET /api/exports":                         s.list,
		"GET /api/exports/{month}":                 s.status,
		"GET /api/exports/{month}/revisions/{rev}": s.show,
	} {
		mux.Handle(pattern, run.HTTP("exports", func(context.Context) (run.HTTPHandler, error) { return f, nil }, o))
	}
}

type server struct{ Exporter }

func (s server) plan(ctx context.Context, r *http.Request) (run.Response, error) {
	q, err := request(r)
	if err != nil {
		return run.Response{}, err
	}
	p, err := s.Plan(ctx, q)
	return run.Response{Body: p}, err
}

func (s server) ask(ctx context.Context, r *http.Request) (run.Response, error) {
	q, err := request(r)
	if err != nil {
		return run.Response{}, err
	}
	id, err := s.Ask(ctx, q)
	return run.Response{Status: http.StatusAccepted, Body: asked{id}}, err
}

func request(r *http.Request) (q billingexport.Request, err error) {
	body, err := run.Body(r, maxRequest)
	if err != nil {
		return q, err
	}
	if records.Strict(body, &q) != nil {
		return q, fault.New(fault.Invalid, "a request is a JSON object of months, tenants, archive and by")
	}
	return q, nil
}

func (s server) list(ctx context.Context, _ *http.Request) (run.Response, error) {
	all, err := s.List(ctx)
	if all == nil {
		all = []billingexport.Status{}
	}
	return run.Response{Body: months{all}}, err
}

func (s server) status(ctx context.Context, r *http.Request) (run.Response, error) {
	p, err := hub.ParsePeriod(r.PathValue("month"))
	if err != nil {
		return run.Response{}, err
	}
	st, err := s.Status(ctx, p)
	return run.Response{Body: st}, err
}

func (s server) show(ctx context.Context, r *http.Request) (run.Response, error) {
	p, err := hub.ParsePeriod(r.PathValue("month"))
	if err != nil {
		return run.Response{}, err
	}
	rev, err := strconv.Atoi(r.PathValue("rev"))
	if err != nil || rev < 0 {
		return run.Response{}, fault.New(fault.Invalid, "a revision is a number; 0 is the newest")
	}
	shown, err := s.Show(ctx, p, rev)
	return run.Response{Body: shown}, err
}
