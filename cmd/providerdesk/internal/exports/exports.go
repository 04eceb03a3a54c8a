// Package exports is the operator's view of the usage export: the same questions, asked of the function directly or of a running "up" over
// HTTP, and how the answers look on a screen.
//
// The HTTP side is these addresses, JSON both ways:
//
//	POST /api/exports/plan                      a request -> what it would do; nothing is done
//	POST /api/exports                           a request -> {"id": "..."} of its message, 202
//	GET  /api/exports                           {"months": [...]}, oldest first
//	GET  /api/exports/{month}                   how a month stands
//	GET  /api/exports/{month}/revisions/{rev}   a revision; 0 is the newest
//
// A failure is application/problem+json. Whoever mounts the handlers puts a guard in front of them: they have none of their own.
package exports

import (
	"context"

	"github.com/providerdesk/providerdesk/functions/billingexport"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// Asker takes requests. *billingexport.Function is one, Remote another.
type Asker interface {
	Plan(ctx context.Context, q billingexport.Request) (billingexport.Plan, error)
	Ask(ctx context.Context, q billingexport.Request) (id string, err error)
}

// Teller says how months stand.
type Teller interface {
	List(ctx context.Context) ([]billingexport.Status, error)
	Status(ctx context.Context, p hub.Period) (billingexport.Status, error)
	Show(ctx context.Context, p hub.Period, rev int) (billingexport.Shown, error)
}

// Exporter is both.
type Exporter interface {
	Asker
	Teller
}

var (
	_ Exporter = (*billingexport.Function)(nil)
	_ Exporter = Remote{}
)
