// Package follow keeps what is known of cases in step with their desks, and tells what is new.
package follow

import (
	"log/slog"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/functions/casewebhook/say"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Deps is what the follower needs.
type Deps struct {
	Config    *config.Config
	DB        store.DB
	Ledger    *ledger.Ledger
	Desks     act.Desks
	Acts      act.Kinds
	Rooms     say.Rooms
	Say       say.Kind
	Publisher publish.Publisher
	Now       func() time.Time
	Log       *slog.Logger
}

// Follower follows cases. It is safe for concurrent use.
type Follower struct {
	Deps
}

// New returns a follower and registers its effects on the ledger.
func New(d Deps) (*Follower, error) { return &Follower{d}, nil }

// Places are configured rooms as places.
func Places(rooms []config.Room) []chat.Place {
	all := make([]chat.Place, len(rooms))
	for i, r := range rooms {
		if r.Slack != "" {
			all[i] = chat.Place{Platform: chat.Slack, Space: r.Slack}
		} else {
			all[i] = chat.Place{Platform: chat.Google, Space: r.Google}
		}
	}
	return all
}
