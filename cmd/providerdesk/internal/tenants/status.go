package tenants

import (
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/functions/tenantonboard"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// statuses in the order in which a tenant goes through them.
var statuses = [...]tenantonboard.Status{
	tenantonboard.Fresh, tenantonboard.TenantCreated, tenantonboard.UsersAdded, tenantonboard.GoogleAPIs, tenantonboard.GoogleIAM,
	tenantonboard.GoogleContacts, tenantonboard.SupportEvents, tenantonboard.SupportTested, tenantonboard.Checked, tenantonboard.Invited,
	tenantonboard.Ready, tenantonboard.AwaitingToken, tenantonboard.Failed, tenantonboard.Undone, tenantonboard.Offboarded,
}

// Statuses are the names of all statuses.
func Statuses() []string {
	names := make([]string, len(statuses))
	for i, s := range statuses {
		names[i] = string(s)
	}
	return names
}

// ParseStatus reads a status in any case; "" is all of them.
func ParseStatus(s string) (tenantonboard.Status, error) {
	status := tenantonboard.Status(strings.ToUpper(s))
	if s == "" || slices.Contains(statuses[:], status) {
		return status, nil
	}
	return "", fault.New(fault.Invalid, "there is no status %q: it is one of %s", s, strings.Join(Statuses(), ", "))
}

// The ends of a run: as it should, and otherwise.
var (
	good = []tenantonboard.Status{tenantonboard.Ready, tenantonboard.Invited, tenantonboard.Offboarded}
	bad  = []tenantonboard.Status{tenantonboard.Failed, tenantonboard.Undone}
)

// HasFailed reports whether the tenant's run ended otherwise than it should.
func (t Standing) HasFailed() bool { return slices.Contains(bad, t.Status) }

// Waits reports whether only a person can let it go on.
func (t Standing) Waits() bool { return t.Status == tenantonboard.AwaitingToken }

// moves reports whether it is carried on by itself.
func (t Standing) moves() bool {
	return !t.HasFailed() && !t.Waits() && !slices.Contains(good, t.Status)
}

// cell is a status in a table.
func cell(s screen.Screen, status tenantonboard.Status) screen.Cell {
	c := screen.Plain(string(status))
	switch {
	case slices.Contains(good, status):
		c.Paint = s.Good
	case slices.Contains(bad, status):
		c.Paint = s.Bad
	case status == tenantonboard.AwaitingToken:
		c.Paint = s.Warn
	}
	return c
}
