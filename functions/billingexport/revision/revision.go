// Package revision is what an export leaves in the bucket: the names of its objects and the documents that tie them together. Nothing in it is
// ever overwritten but current.json; every document is written last of what it names, so that what a document names is there.
//
//	raw/month=2026-10/org=O/usage.csv/<sha256>.csv          as received, also usage.json and subscriptions.json; named by content
//	raw/month=2026-10/org=O/fetched/<run>.json              Fetched: what one run received, which pieces belong together
//	parts/month=2026-10/org=O/<digest>/...                  what was made of that: FOCUS files of every lens and format, bill.json, quarantine.csv
//	parts/month=2026-10/org=O/<digest>/part.json            Part: the last one written; digest is of everything that goes in
//	focus/month=2026-10/rev=0003/...                        delta, summary and reports of a revision
//	focus/month=2026-10/rev=0003/manifest.json              Manifest: the commit point of a revision
//	focus/month=2026-10/current.json                        Current: the revision to read, moved by compare-and-swap
//
// A tenant whose month has not changed has the same part in every revision. Documents are JSON in one canonical form: the same facts are the
// same bytes, so a run that is repeated finds its objects there.
package revision

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// FocusVersion is the version of FOCUS of every file.
const FocusVersion = "1.2"

// Lens is from whose side a charge is seen. They are never mixed in a file or a table.
type Lens string

// The lenses.
const (
	Provider Lens = "provider" // what VMware charges us
	Tenant   Lens = "tenant"   // what we charge the tenant
)

// Format of a FOCUS file.
type Format string

// The formats.
const (
	Parquet Format = "parquet"
	CSV     Format = "csv.gz"
	JSONL   Format = "jsonl.gz"
)

// Kind of raw piece.
type Kind string

// The kinds.
const (
	UsageFile     Kind = "usage.csv"
	UsageReport   Kind = "usage.json"
	Subscriptions Kind = "subscriptions.json"
)

// Raw is a piece as the hub sent it.
type Raw struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name"`
	blob.Sum
	Unit hub.Unit `json:"unit,omitempty"` // of the times with which it was asked for
}

// Request is one request to the hub, for the audit. It holds no token.
type Request struct {
	At     time.Time `json:"at"`
	Kind   Kind      `json:"kind"`
	Unit   hub.Unit  `json:"unit,omitempty"`
	Result string    `json:"result"` // "ok" or the kind of fault
	Bytes  int64     `json:"bytes"`
	SHA256 string    `json:"sha256,omitempty"`
}

// Fetched is what one run received of one tenant.
type Fetched struct {
	V        int            `json:"v"`
	Month    string         `json:"month"`
	Org      string         `json:"org"`
	Run      string         `json:"run"`
	At       time.Time      `json:"at"`
	Raw      []Raw          `json:"raw"` // at most one of each kind: those that belong together
	Requests []Request      `json:"requests"`
	Verdicts []bill.Verdict `json:"verdicts,omitempty"`
}

// Of returns the piece of a kind.
func (f Fetched) Of(k Kind) (Raw, bool) {
	for _, r := range f.Raw {
		if r.Kind == k {
			return r, true
		}
	}
	return Raw{}, false
}

// Money is an amount of one currency. Amounts of different currencies are never added.
type Money struct {
	Currency string          `json:"currency"`
	Amount   decimal.Decimal `json:"amount"`
}

// File is one object of a part or a revision.
type File struct {
	Name   string `json:"name"`
	Lens   Lens   `json:"lens,omitempty"`
	Format Format `json:"format,omitempty"`
	blob.Sum
	Rows   int64     `json:"rows"`
	Billed []Money   `json:"billed,omitempty"` // sums of BilledCost, ordered by currency
	First  time.Time `json:"first,omitzero"`   // the earliest ChargePeriodStart
	Last   time.Time `json:"last,omitzero"`    // the latest
}

// Account is who is charged in a lens: the bill is in the hub's prices, the files of a lens in these times Markup.
type Account struct {
	Lens   Lens            `json:"lens"`
	Issuer string          `json:"issuer"`
	Markup decimal.Decimal `json:"markup"`
}

// Part is what a tenant's month comes to, from one Fetched.
type Part struct {
	V          int            `json:"v"`
	Month      string         `json:"month"`
	Org        string         `json:"org"`
	OrgName    string         `json:"orgName"`
	Digest     string         `json:"digest"`   // of everything that went in; "": nothing could be made, Verdicts say why
	Accounts   []Account      `json:"accounts"` // who is charged, and how much more than the hub charges us
	Raw        []Raw          `json:"raw"`
	Files      []File         `json:"files"`
	Bill       File           `json:"bill"`
	Quarantine *File          `json:"quarantine,omitempty"`
	Verdicts   []bill.Verdict `json:"verdicts,omitempty"` // those that are not MATCH, and one MATCH that counts the rest
}

// State of a revision.
type State string

// The states.
const (
	Preliminary  State = "preliminary"  // the hub has not closed the month yet
	Unreconciled State = "unreconciled" // a verdict is grave: a person looks first
	Published    State = "published"    // current.json may name it
)

// Manifest is a revision of a month.
type Manifest struct {
	V            int       `json:"v"`
	Month        string    `json:"month"`
	Revision     int       `json:"revision"`
	State        State     `json:"state"`
	Run          string    `json:"run"`
	Made         time.Time `json:"made"` // when its run began: data as of
	FocusVersion string    `json:"focusVersion"`
	Content      string    `json:"content"` // digest of the parts and their verdicts: the same content in the same state is never a second revision
	Since        int       `json:"since"`   // the published revision before, which Delta starts from if this one is published too; 0: none
	Parts        []Part    `json:"parts"`   // ordered by Org
	Delta        []File    `json:"delta,omitempty"`
	Summary      []File    `json:"summary,omitempty"`
	Reports      []File    `json:"reports,omitempty"`
}

// Current names the revision to read.
type Current struct {
	V              int    `json:"v"`
	Month          string `json:"month"`
	Revision       int    `json:"revision"`
	Manifest       string `json:"manifest"`
	ManifestSHA256 string `json:"manifestSha256"`
}
