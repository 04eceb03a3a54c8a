// Package report is what people read of an export: an HTML page per tenant and month, one over all tenants, a message for a chat room, and
// summary.csv. It is pure: no I/O but the writer that it is given, no clock, the same facts are the same bytes.
//
// A page is one file that needs nothing else: no script, no font, no picture from elsewhere, which its own content security policy forbids as
// well. It prints on A4, black on white, and reads on a phone and in the dark. It is well-formed XML too.
//
// Amounts of different currencies are never added. Amounts are rounded to two decimals for reading, each by itself, so rounded ones need not
// add up; every one has its exact value beside or behind it, and exact ones do. Everything from outside is text, whatever it holds: it is
// escaped, cleaned of control characters, isolated from the writing direction around it, and cut where it is endless.
//
// A page of lens tenant goes to the tenant: of the verdicts it has the plain words only, because their texts hold the hub's prices. Lines and
// notes must be priced for the lens by who gives them.
package report

import (
	"io"
	"time"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// Month is a month before the one that a page is about.
type Month = bill.Past

// Page is what a tenant's report is made of.
type Page struct {
	Month         hub.Period
	Org, OrgName  string
	Lens          revision.Lens
	Issuer        string // lens tenant: our company
	Revision      int
	State         revision.State
	AsOf          time.Time // in the zone in which it is shown
	Lines         []bill.Line
	Before        []Month     // oldest first; of more than twelve the last
	Since         []bill.Line // of the published revision before
	SinceRevision int         // that revision; 0: there is none
	Verdicts      []bill.Verdict
	Notes         []bill.Note
	Files         []revision.File // that the page can be checked against, with their sums; may be none
}

// Write writes a tenant's page.
func Write(w io.Writer, p Page) error { return render(w, "page", p.view()) }
