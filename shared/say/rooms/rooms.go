// Package rooms opens the sending sides of the chat platforms that a configuration has, for every function that says something.
package rooms

import (
	"context"
	"net/http"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
	googlechat "github.com/providerdesk/providerdesk/shared/chat/google"
	"github.com/providerdesk/providerdesk/shared/chat/slack"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/platform"
	"github.com/providerdesk/providerdesk/shared/say"
)

// Open returns the sending sides of the configuration's chat platforms. It fetches their secrets. A room with a method CloseIdleConnections
// has connections of its own to let go.
func Open(ctx context.Context, c *config.Config, now func() time.Time) (say.Rooms, error) {
	all := say.Rooms{}
	if s := c.Chat.Slack; s != nil {
		room, err := slackRoom(ctx, c, now)
		if err != nil {
			return nil, fault.Wrap(fault.Of(err), err, "chat.slack")
		}
		all[chat.Slack] = room
	}
	if c.Chat.Google != nil {
		room, err := googleRoom(c)
		if err != nil {
			return nil, fault.Wrap(fault.Of(err), err, "chat.google")
		}
		all[chat.Google] = room
	}
	return all, nil
}

func slackRoom(ctx context.Context, c *config.Config, now func() time.Time) (chat.Room, error) {
	token, err := c.Chat.Slack.Token.Resolve(ctx)
	if err != nil {
		return nil, err
	}
	return slack.NewRoom(slack.RoomOptions{
		Token: token, Endpoint: c.Endpoints.Slack, BotUser: c.Chat.Slack.BotUser, Now: now, CallTimeout: c.Ledger.CallTimeout,
	})
}

// googleRoom has connections of its own, so that a desk that hangs keeps nobody from talking.
func googleRoom(c *config.Config) (chat.Room, error) {
	o := platform.Transport(c, c.Endpoints.Chat)
	o.Scopes = []string{googlechat.Scope}
	client, err := gapi.Client(o)
	if err != nil {
		return nil, err
	}
	callback := ""
	if g := c.Chat.Google; g.AddOn {
		callback = g.Audience
	}
	room, err := googlechat.NewRoom(googlechat.RoomOptions{HTTP: client, Endpoint: c.Endpoints.Chat, Callback: callback})
	return owned{room, client}, err
}

// owned is a room with the client that was made for it.
type owned struct {
	*googlechat.Room
	client *http.Client
}

// CloseIdleConnections lets go of the room's connections.
func (o owned) CloseIdleConnections() { o.client.CloseIdleConnections() }
