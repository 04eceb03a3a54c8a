// Package billingexport brings every month's usage of every tenant from VMware Cloud Provider Hub into files that finance can trust: raw as
// received, as FOCUS rows, as reports for people, reconciled, exact to the last digit, and stated anew when the hub changes its mind.
//
//	ExportUsage        topic "billing-export"          plans months, one message per tenant and month
//	ExportTenantUsage  topic "billing-export-tenant"   makes one tenant's part of a month; the last one done finishes the month
//	SweepExports       scheduler, 1 minute             finishes what crashes and unknown outcomes left
//
// # The way of the data
//
//	trigger -> months and tenants -> parts -> revision -> current.json -> what follows: BigQuery, chat, an event
//
// A run of a month goes through phases (state.go): its parts are recorded and announced, they are made, the revision is decided, its objects
// are written, and it rests. Every step is recorded before it is done, or leaves nothing but an object whose name is its content, so whoever
// comes next goes on where the last one died. decode.go and decide.go are pure.
//
// A part is what one tenant's month comes to (part.go): what the hub says is fetched and kept raw, charged, reconciled. Its folder is named by
// the digest of everything that went in, so a tenant whose month has not changed costs one read.
//
// A revision is all parts of a month (finish.go). It is decided first (which number, what it is compared with) and that decision is stored, so
// that everybody who writes its objects writes the same bytes. Its manifest is written last and once: it is the commit point.
//
// # Keys owned
//
//	exports/<month>              the run of a month; state the Phase, due when a sweep should look
//	exportparts/<month>-<org>    a tenant's part of the run; state "open:<month>" or "done:<month>"
//	effects/...                  the ledger's, kinds export.load, export.announce and chat.post
//	the objects that package revision names
//
// # Guaranteed
//
//   - Every tenant that is known is in every revision. One that cannot be asked is kept as it was before, with a grave verdict; it holds up nobody.
//   - No object but current.json is ever written twice, and the same facts never become a second revision.
//   - current.json names published revisions only, and never goes back.
//   - What is published once is corrected by rows, not changed: over all published revisions of a month the first one's rows and the corrections of
//     those after it add up to the current one's, to the last digit, in every lens and currency. A lens that the configuration leaves out for a
//     while stands as it was, and goes on from there when it is back.
//   - Everything that follows from a revision follows once (see shared/ledger), and in the order of the revisions.
//
// # Not promised
//
// That a month is published: a grave verdict keeps it from that until a person or the hub mends it. An order between months.
package billingexport

import (
	"crypto/rand"
	"log/slog"
	"time"

	"github.com/providerdesk/providerdesk/functions/billingexport/warehouse"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/say"
	"github.com/providerdesk/providerdesk/shared/store"
)

// The topics of this package.
const (
	TopicExport = "billing-export"        // one message asks for months
	TopicTenant = "billing-export-tenant" // one message makes one tenant's part of a month
	TopicDone   = "billing-exported"      // one message for every revision
)

// Deps is what the function needs from outside.
type Deps struct {
	Config    *config.Config
	DB        store.DB
	Publisher publish.Publisher
	Hub       *hub.Client
	Bucket    blob.Bucket
	Ledger    ledger.Options
	Rooms     say.Rooms            // chats where revisions are told
	Warehouse *warehouse.Warehouse // nil: none is loaded
	Log       *slog.Logger
	Now       func() time.Time
}

// Function holds the targets. It is safe for concurrent use.
type Function struct {
	Deps
	ledger *ledger.Ledger
	kinds  kinds
	maker  maker
	source source
	rules  rules
}

// rules are what is done so and not otherwise, as a value, so that a test can break one and see that it is noticed.
type rules struct {
	early      bool // broken: the manifest is written before the objects that it names
	unguarded  bool // broken: current.json is written over whatever is there
	sinceLast  bool // broken: corrections start from the last revision, published or not
	blind      bool // broken: the digest of a part says nothing about the options
	unrecorded bool // broken: a revision is decided anew by everybody who writes it
	forgetful  bool // broken: a tenant that is not in the run is not in the revision
	separate   bool // broken: a month rests before what follows from it is recorded
}

// New returns the function on its dependencies. It does no I/O.
func New(d Deps) (*Function, error) {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Ledger.NewID == nil {
		d.Ledger.NewID = rand.Text
	}
	f := &Function{Deps: d}
	f.maker, f.source = f.workshop()
	o := d.Ledger
	o.Now, o.Log = f.Now, f.Log
	if o.Settle == 0 {
		o.Settle = d.Config.Ledger.Settle
	}
	if o.CallTimeout == 0 {
		o.CallTimeout = d.Config.Ledger.CallTimeout
	}
	f.ledger = ledger.New(d.DB, o)
	return f, f.kinds.register(f.ledger, f)
}

// Ledger returns the ledger, for an operator's tools.
func (f *Function) Ledger() *ledger.Ledger { return f.ledger }
