package casewebhook

import (
	"context"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
	googlechat "github.com/providerdesk/providerdesk/shared/chat/google"
	"github.com/providerdesk/providerdesk/shared/chat/slack"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/say"
	"github.com/providerdesk/providerdesk/shared/say/rooms"
	"github.com/providerdesk/providerdesk/shared/signature"
)

// Fronts returns the receiving sides of the configuration's chat platforms. It fetches their secrets.
func Fronts(ctx context.Context, c *config.Config, now func() time.Time) (map[chat.Platform]chat.Front, error) {
	all := map[chat.Platform]chat.Front{}
	if s := c.Chat.Slack; s != nil {
		front, err := slackFront(ctx, *s, now)
		if err != nil {
			return nil, fault.Wrap(fault.Of(err), err, "chat.slack")
		}
		all[chat.Slack] = front
	}
	if g := c.Chat.Google; g != nil {
		front, err := googleFront(*g, now)
		if err != nil {
			return nil, fault.Wrap(fault.Of(err), err, "chat.google")
		}
		all[chat.Google] = front
	}
	return all, nil
}

func slackFront(ctx context.Context, s config.Slack, now func() time.Time) (chat.Front, error) {
	secret, err := s.SigningSecret.Resolve(ctx)
	if err != nil {
		return nil, err
	}
	verify, err := signature.Slack(secret, now)
	if err != nil {
		return nil, err
	}
	return slack.NewFront(slack.FrontOptions{Verifier: verify, BotUser: s.BotUser, Team: s.Team, Now: now})
}

func googleFront(g config.GoogleChat, now func() time.Time) (chat.Front, error) {
	verify, err := signature.GoogleChat(signature.GoogleChatConfig{
		Endpoint: g.Audience, ProjectNumber: g.ProjectNumber, Keys: g.Certificates, Now: now,
	})
	if err != nil {
		return nil, err
	}
	return googlechat.NewFront(googlechat.FrontOptions{Verifier: verify, Quick: g.Quick, Now: now})
}

// Rooms returns the sending sides of the configuration's chat platforms; see package rooms.
func Rooms(ctx context.Context, c *config.Config, now func() time.Time) (say.Rooms, error) {
	return rooms.Open(ctx, c, now)
}
