// Package fetch gets what the hub says of a tenant's month and keeps it as it came, before anybody reads it.
//
// The pieces are the usage report, the usage file, the usage report again, and the subscriptions: if the two reports do not say the same, the data
// moved while the file was read, and all is fetched once more. Every piece streams into the bucket while it arrives and is named by its content, so
// that the same bytes are one object, however often they come; a report that says what an earlier run's said is that one. The document that ties a run's pieces together (revision.Fetched) is written last
// and once. It owns the names under revision.RawPrefix.
//
// Nothing in an answer says which unit of time the hub understood: the unit of the endpoint's own example is tried first, and when that is refused
// or shows no usage of the month, the other one. What shows usage is kept, else the first.
//
// What the hub says, be it a refusal, is a result: it becomes a verdict, and the month goes on without the tenant. An error is returned only for
// what a redelivery can heal; the same run again then finds its pieces there and leaves none twice.
//
// Not promised: that a piece makes sense. A file that is no CSV is asked for twice, and then kept as it is. A piece that is about another
// organization is not kept at all, for it is not the tenant's.
package fetch

import (
	"context"
	"time"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// Fetcher fetches. Now defaults to time.Now.
type Fetcher struct {
	Hub    *hub.Client
	Bucket blob.Bucket
	Now    func() time.Time
	Master string // the provider's own organization, in whose name tenants are asked about
}

// Request is what to fetch.
type Request struct {
	Month hub.Period
	Org   string // the tenant
	Run   string
}

// Fetch returns what the run has of the tenant: what it fetched before, or what it fetches now.
func (f *Fetcher) Fetch(ctx context.Context, r Request) (revision.Fetched, error) {
	s := &session{Fetcher: f, Request: r, said: map[revision.Kind]saying{}, out: revision.Fetched{V: revision.Version, Month: r.Month.String(), Org: r.Org, Run: r.Run, At: f.now()}}
	if _, err := revision.Encode(s.out); err != nil { // what could not be written need not be fetched
		return revision.Fetched{}, err
	}
	name := revision.FetchedName(r.Month, r.Org, r.Run)
	before, err := f.read(ctx, name)
	if !fault.Is(err, fault.Missing) {
		return before, err
	}
	if err := s.fetch(ctx); err != nil {
		return revision.Fetched{}, err
	}
	return f.write(ctx, name, s.out)
}

func (f *Fetcher) now() time.Time {
	if f.Now == nil {
		return time.Now().UTC().Truncate(time.Millisecond)
	}
	return f.Now().UTC().Truncate(time.Millisecond)
}

// session is one run about one tenant.
type session struct {
	*Fetcher
	Request
	out  revision.Fetched
	own  bool // the tenant is asked about in its own name
	used bool // a piece has shown usage
	said map[revision.Kind]saying
}

// fetch gets the pieces, or the verdict that stands for them.
func (s *session) fetch(ctx context.Context) error {
	verdict, err := s.pieces(ctx)
	if err != nil {
		verdict, err = verdictOf(err, s.used)
	}
	switch {
	case err != nil:
		return err
	case verdict.Code == bill.OutOfWindow:
		return s.archived(ctx, verdict)
	case verdict.Code == bill.NoService:
		s.out.Raw = nil
	}
	if verdict.Code != "" {
		s.out.Verdicts = append(s.out.Verdicts, verdict)
	}
	return s.steady(ctx)
}

// archived takes what the archive has of a month that the hub does not report any more.
func (s *session) archived(ctx context.Context, otherwise bill.Verdict) error {
	old, err := s.Archived(ctx, s.Month, s.Org)
	switch {
	case fault.Is(err, fault.Missing):
		s.out.Verdicts = append(s.out.Verdicts, otherwise)
		return nil
	case err != nil:
		return err
	}
	s.out.Raw, s.out.Verdicts = old.Raw, old.Verdicts
	return nil
}

// pieces gets the pieces that belong together. A verdict without a code is none.
func (s *session) pieces(ctx context.Context) (bill.Verdict, error) {
	moved, err := s.usage(ctx)
	if moved && err == nil {
		moved, err = s.usage(ctx)
	}
	if err != nil {
		return bill.Verdict{}, err
	}
	if err := s.subscriptions(ctx); err != nil || !moved {
		return bill.Verdict{}, err
	}
	return bill.Verdict{Code: bill.Moved, Grave: true, Text: "The usage report changed while the usage file was read, twice: the two may be of different data."}, nil
}

// usage gets report, file and report, and tells whether the reports differ.
func (s *session) usage(ctx context.Context) (moved bool, err error) {
	before, err := s.firstReport(ctx)
	if err != nil {
		return false, err
	}
	s.out.Raw = []revision.Raw{before.Raw}
	file, err := s.settled(ctx, revision.UsageFile)
	if err != nil {
		return false, err
	}
	s.out.Raw = []revision.Raw{before.Raw, file.Raw}
	after, err := s.get(ctx, revision.UsageReport, before.Unit)
	if err != nil {
		return false, err
	}
	s.out.Raw = []revision.Raw{after.Raw, file.Raw}
	return after.SHA256 != before.SHA256 && after.said != before.said, nil
}

// firstReport asks in the master's name, and, if that may not, in the tenant's own.
func (s *session) firstReport(ctx context.Context) (piece, error) {
	p, err := s.settled(ctx, revision.UsageReport)
	if !refusesUs(err) || s.own {
		return p, err
	}
	s.own = true
	own, ownErr := s.settled(ctx, revision.UsageReport)
	if refusesUs(ownErr) {
		s.own = false
		return p, err
	}
	return own, ownErr
}

func (s *session) subscriptions(ctx context.Context) error {
	p, err := s.get(ctx, revision.Subscriptions, hub.AnyUnit)
	if err != nil {
		return err
	}
	s.out.Raw = append(s.out.Raw, p.Raw)
	return nil
}

// example is the unit of an endpoint's own example.
var example = map[revision.Kind]hub.Unit{revision.UsageReport: hub.Seconds, revision.UsageFile: hub.Milliseconds}

var other = map[hub.Unit]hub.Unit{hub.Seconds: hub.Milliseconds, hub.Milliseconds: hub.Seconds}

// settled gets a piece in the unit that the hub understands.
func (s *session) settled(ctx context.Context, k revision.Kind) (piece, error) {
	p, err := s.readable(ctx, k, example[k])
	if err == nil && (p.shows || p.broken) || err != nil && !badRequest(err) {
		return p, err
	}
	second, again := s.readable(ctx, k, other[example[k]])
	switch {
	case badRequest(again): // the first answer stands
		return p, err
	case again != nil:
		return piece{}, again
	case err != nil || second.shows:
		return second, nil
	}
	return p, nil
}

// readable asks once more for a piece that is none, as the page of a proxy is, and keeps what came last.
func (s *session) readable(ctx context.Context, k revision.Kind, u hub.Unit) (piece, error) {
	p, err := s.get(ctx, k, u)
	if err != nil || !p.broken {
		return p, err
	}
	return s.get(ctx, k, u)
}
