package records

import (
	"context"
	"net/http"
	"strconv"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/run"
)

// maxBody is the most bytes of a decision.
const maxBody = 16 << 10

// list is the answer to a listing.
type list struct {
	Records []ledger.Record `json:"records"`
}

// Serve puts a book at /api/ledger. The options say who may call.
func Serve(mux *http.ServeMux, b Book, o run.Options) {
	for pattern, f := range map[string]func(context.Context, Book, *http.Request) (any, error){
		"GET /api/ledger":                serveList,
		"GET /api/ledger/{id}":           serveRecord,
		"POST /api/ledger/{id}/decision": serveDecision,
	} {
		mux.Handle(pattern, run.HTTP("ledger", func(context.Context) (run.HTTPHandler, error) {
			return func(ctx context.Context, r *http.Request) (run.Response, error) {
				v, err := f(ctx, b, r)
				return run.Response{Body: v}, err
			}, nil
		}, o))
	}
}

func serveList(ctx context.Context, b Book, r *http.Request) (any, error) {
	q := r.URL.Query()
	state, err := ParseState(q.Get("state"))
	if err != nil {
		return nil, err
	}
	limit, err := parseLimit(q.Get("limit"))
	if err != nil {
		return nil, err
	}
	recs, err := b.List(ctx, state, q.Get("after"), limit)
	if recs == nil {
		recs = []ledger.Record{}
	}
	return list{recs}, err
}

func parseLimit(s string) (int, error) {
	if s == "" {
		return pageSize, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 1000 {
		return 0, fault.New(fault.Invalid, "limit must be a number from 1 to 1000")
	}
	return n, nil
}

func serveRecord(ctx context.Context, b Book, r *http.Request) (any, error) {
	return Find(ctx, b, r.PathValue("id"))
}

func serveDecision(ctx context.Context, b Book, r *http.Request) (any, error) {
	body, err := run.Body(r, maxBody)
	if err != nil {
		return nil, err
	}
	var w Words
	if err := Strict(body, &w); err != nil {
		return nil, fault.New(fault.Invalid, "a decision is a JSON object of verdict, who, note and object")
	}
	d, err := w.Decision()
	if err != nil {
		return nil, err
	}
	rec, err := Find(ctx, b, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return b.Decide(ctx, rec.ID, d)
}
