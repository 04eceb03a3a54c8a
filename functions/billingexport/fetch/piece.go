package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// piece is a raw piece and what was seen of it while it arrived.
type piece struct {
	revision.Raw
	shows  bool   // usage of the month
	broken bool   // it is no CSV
	said   saying // what a report says
}

// get makes one request, keeps what comes, and notes both.
func (s *session) get(ctx context.Context, k revision.Kind, u hub.Unit) (p piece, err error) {
	at := s.now()
	defer func() { s.note(at, k, u, p, err) }()
	body, err := s.open(ctx, k, u)
	if err != nil {
		return p, refusal{err}
	}
	defer body.Close()
	p.Raw = revision.Raw{Kind: k, Unit: u}
	err = s.keep(ctx, &p, body)
	s.used = s.used || err == nil && p.shows
	s.said[k] = p.said
	return p, err
}

// note writes a request down. One for a month that the hub does not report is not made.
func (s *session) note(at time.Time, k revision.Kind, u hub.Unit, p piece, err error) {
	if errors.Is(err, hub.ErrOutOfWindow) {
		return
	}
	result := "ok"
	if err != nil {
		result = string(fault.Of(err))
	}
	s.out.Requests = append(s.out.Requests, revision.Request{At: at, Kind: k, Unit: u, Result: result, Bytes: p.Bytes, SHA256: p.SHA256})
}

func (s *session) open(ctx context.Context, k revision.Kind, u hub.Unit) (*hub.UsageFile, error) {
	if k == revision.Subscriptions {
		return s.Hub.SubscriptionsFile(ctx, s.Master, hub.SubscriptionQuery{Tenant: s.Org})
	}
	org, q := s.Master, hub.UsageQuery{Period: s.Month, Tenant: s.Org, Unit: u, Detail: k == revision.UsageFile}
	if s.own {
		org, q.Tenant = s.Org, ""
	}
	if k == revision.UsageFile {
		return s.Hub.UsageFile(ctx, org, q)
	}
	return s.Hub.UsageReportFile(ctx, org, q)
}

// keep streams a piece into the bucket while it is looked at. It gets its name when all of it is there and none of it is foreign.
func (s *session) keep(ctx context.Context, p *piece, from io.Reader) error {
	w, err := s.Bucket.Create(ctx, contentTypes[p.Kind])
	if err != nil {
		return fmt.Errorf("keep a %s: %w", p.Kind, err)
	}
	defer w.Abort()
	in := &arriving{from: from, into: w}
	if err = s.look(p, in); err == nil {
		_, err = io.Copy(io.Discard, in) // what was not looked at
	}
	switch {
	case in.err != nil:
		return fmt.Errorf("keep a %s: %w", p.Kind, in.err)
	case err != nil:
		return err
	}
	p.Sum = w.Sum()
	p.Name = revision.RawName(s.Month, s.Org, p.Kind, p.SHA256)
	if _, err := blob.Once(ctx, s.Bucket, w, p.Name); err != nil {
		return fmt.Errorf("keep a %s: %w", p.Kind, err)
	}
	return nil
}

var contentTypes = map[revision.Kind]string{
	revision.UsageFile: "text/csv", revision.UsageReport: "application/json", revision.Subscriptions: "application/json",
}

// arriving passes on what it reads to the bucket, and keeps the first error of either side.
type arriving struct {
	from io.Reader
	into io.Writer
	err  error
}

func (a *arriving) Read(p []byte) (int, error) {
	if a.err != nil {
		return 0, a.err
	}
	n, err := a.from.Read(p)
	if n > 0 {
		if _, failed := a.into.Write(p[:n]); failed != nil {
			a.err = failed
			return 0, failed
		}
	}
	if err != nil && err != io.EOF {
		a.err = err
	}
	return n, err
}

func (s *session) look(p *piece, in io.Reader) error {
	if p.Kind == revision.UsageFile {
		return s.lookAtFile(p, in)
	}
	return s.lookAtReport(p, in)
}

// lookAtReport reads a report to its end. One that is none heals by another try, one about somebody else does not.
func (s *session) lookAtReport(p *piece, in io.Reader) error {
	for i, err := range hub.ReadReport(in, "", s.Org) {
		switch {
		case errors.Is(err, hub.ErrForeign):
			return refusal{err}
		case err != nil:
			return err
		}
		p.said.add(i)
	}
	p.shows = p.said.usage
	return nil
}

// lookAtFile reads a file as far as it is one. A row whose time cannot be read may be of the month.
func (s *session) lookAtFile(p *piece, in io.Reader) error {
	r, err := hub.NewUsageReader(in)
	for err == nil {
		var row hub.UsageRow
		if row, err = r.Next(); err != nil {
			break
		}
		if row.OrgID != "" && row.OrgID != s.Org {
			return refusal{fault.Wrap(fault.Transient, hub.ErrForeign, "read a usage file")}
		}
		p.shows = p.shows || row.Time.IsZero() || s.Month.Contains(row.Time)
	}
	p.broken = err != io.EOF
	return nil
}
