package tenantonboard

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/functions/tenantonboard/cloud"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// need is what our own account must have for a stage to look.
type need struct {
	What string // that is looked at: "the contacts"
	API  string // that must be on
	Role string // that shows it
}

// lack is the part of a need that is not there.
type lack struct {
	need
	why, mend string
	ours      bool // the request itself brings it about, in an earlier stage
	first     bool // no earlier stage can bring it about
	off       bool // it is the API
}

// settling is how long an API that was enabled, or a role that was granted, may go on not to be in force: Google says a few minutes.
const settling = 15 * time.Minute

// planning reports whether nothing of an onboarding has been carried out yet, so that what its earlier stages bring about is not there.
func (s *onboarding) planning() bool { return s.Mode == Onboarding && s.Status == Fresh }

// looked judges how a look at Google ended; hidden says why it could not see, when what it could not see counts as nothing.
func (f *Function) looked(ctx context.Context, s *onboarding, n need, err error) (hidden string, _ error) {
	switch {
	case cloud.IsDisabled(err):
		return f.lacking(s, s.off(n))
	case fault.Is(err, fault.Denied) && !fault.IsUnsent(err):
		f.Log.WarnContext(ctx, "our account may not look", "tenant", s.Wanted.Key, "at", n.What, "error", err)
		return f.lacking(s, s.denied(n))
	}
	return "", err
}

// off is the lack of an API.
func (s *onboarding) off(n need) lack {
	parent := s.Wanted.Google.Parent
	return lack{need: n, off: true, why: "the API " + n.API + " is off",
		mend: "enable it in " + parent + ", or in the project that our calls are charged to",
		ours: slices.Contains(s.Wanted.Google.APIs, n.API) && s.refused()[n.API] == ""}
}

// denied is the lack of a role.
func (s *onboarding) denied(n need) lack {
	role := func(p pair) bool { return p.Role == n.Role && strings.HasPrefix(p.Member, "serviceAccount:") }
	return lack{need: n, why: "our account may not see it", mend: "grant it the role " + n.Role + " on " + s.Wanted.Google.Parent,
		ours: slices.ContainsFunc(pairs(s.Wanted.Google.Members), role), first: n == needServices || n == needPolicy}
}

// lacking decides what a lack means. A plan takes what it cannot see yet for nothing; an offboarding leaves alone what is behind an API that
// is off; a run waits for what it has just brought about, and fails with what is to be done.
func (f *Function) lacking(s *onboarding, l lack) (hidden string, _ error) {
	parent := s.Wanted.Google.Parent
	switch {
	case s.planning() && !l.first:
		return fmt.Sprintf("%s of %s cannot be seen yet, and count as none: %s; unless the request does, %s", l.What, parent, l.why, l.mend), nil
	case s.Mode == Offboarding && l.off:
		return fmt.Sprintf("%s of %s cannot be seen, and stay as they are: %s", l.What, parent, l.why), nil
	case l.ours && f.Now().Sub(s.Changed) < settling:
		return "", fault.New(fault.Transient, "%s of %s cannot be seen yet: %s, which takes Google some minutes to change", l.What, parent, l.why)
	}
	return "", fault.New(fault.Denied, "%s of %s cannot be seen: %s; %s", l.What, parent, l.why, l.mend)
}

// asking is the error of an effect that has only asked so far: what it is for was certainly not done.
func asking(err error) error {
	if fault.Is(err, fault.Transient) || fault.Is(err, fault.Bug) {
		return fault.Unsent(err)
	}
	return err
}

// isOrganization reports whether a parent is an organization, not a project.
func isOrganization(parent string) bool { return strings.HasPrefix(parent, "organizations/") }

// taking marks steps as taking something away.
func taking(steps ...Step) []Step {
	for i := range steps {
		steps[i].Takes = true
	}
	return steps
}
