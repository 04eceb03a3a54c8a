package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// steady lets the piece of an earlier run stand for one that says the same, only later or in another order. A hub may stamp a report with the
// time at which it is asked: then every run would have other bytes, and every month another revision, of the same facts. What came now is kept
// all the same.
func (s *session) steady(ctx context.Context) error {
	old, err := s.Archived(ctx, s.Month, s.Org)
	if useless(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for i, r := range s.out.Raw {
		was, ok := old.Of(r.Kind)
		if !ok || r.Kind == revision.UsageFile || was.SHA256 == r.SHA256 {
			continue
		}
		said, err := s.saidBefore(ctx, was)
		switch {
		case useless(err):
		case err != nil:
			return err
		case said == s.said[r.Kind]:
			s.out.Raw[i] = was
		}
	}
	return nil
}

// useless reports whether the archive has nothing, or nothing that can be read: then what came now stands for itself.
func useless(err error) bool { return fault.Is(err, fault.Missing) || fault.Is(err, fault.Invalid) }

// saidBefore reads what a kept report says.
func (s *session) saidBefore(ctx context.Context, r revision.Raw) (said saying, err error) {
	old, err := s.Bucket.Open(ctx, r.Name)
	if err != nil {
		return said, fmt.Errorf("read an earlier %s: %w", r.Kind, err)
	}
	defer old.Close()
	in := &arriving{from: old, into: io.Discard}
	for i, err := range hub.ReadReport(in, "", s.Org) {
		switch {
		case err == nil:
			said.add(i)
		case in.err != nil && !errors.Is(in.err, blob.ErrCorrupt):
			return said, fmt.Errorf("read an earlier %s: %w", r.Kind, in.err)
		default:
			return said, fault.New(fault.Invalid, "an earlier %s cannot be read", r.Kind)
		}
	}
	return said, nil
}
