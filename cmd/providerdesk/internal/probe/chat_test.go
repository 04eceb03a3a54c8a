package probe_test

import (
	"testing"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/probe"
	googlechat "github.com/providerdesk/providerdesk/shared/chat/google"
	"github.com/providerdesk/providerdesk/shared/chat/slack"
	"github.com/providerdesk/providerdesk/shared/sim/chat"
)

func chats(t *testing.T, o chat.Options) *chat.Server {
	t.Helper()
	srv, err := chat.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	return srv
}

func TestInSlack(t *testing.T) {
	const is = "the token is the bot's"
	for name, tc := range map[string]struct {
		token, team, user, channel string
		code, fault                string // that Slack answers
		out                        bool   // we are not in the channel
		want                       []string
	}{
		"everything is there":       {want: []string{"pass " + is, "pass we are in channel " + chat.Channel}},
		"a token that is none":      {token: "xoxb-old", want: []string{"fail " + is + ": the token is refused; install the app again"}},
		"another workspace":         {team: "T0OTHER", want: []string{"fail " + is + ": it is of workspace " + chat.Team + "; correct chat.slack.team", "pass "}},
		"another bot":               {user: "U0OTHER", want: []string{"fail " + is + ": its user is " + chat.BotUser + "; correct chat.slack.bot_user", "pass "}},
		"we are not in the channel": {out: true, want: []string{"pass ", "fail we are in channel " + chat.Channel + ": invite the app to the channel"}},
		"there is no such channel":  {channel: "C0NONE", want: []string{"pass ", "fail we are in channel C0NONE: there is no such channel"}},
		"the token may not look":    {code: "missing_scope", want: []string{"pass ", "cannot tell we are in channel " + chat.Channel + ": the token may not look; give the app the scopes"}},
		"Slack is down":             {fault: "status:503", want: []string{"cannot tell " + is + ": it does not answer"}},
	} {
		t.Run(name, func(t *testing.T) {
			srv := chats(t, chat.Options{Tokens: []string{"xoxb-1"}})
			if tc.out {
				if _, err := srv.Move(t.Context(), chat.Slack, chat.Channel, "U0ANNA", false); err != nil {
					t.Fatal(err)
				}
			}
			if tc.code != "" {
				if err := srv.Fail("conversations.info", tc.code, 1); err != nil {
					t.Fatal(err)
				}
			}
			if tc.fault != "" {
				arm(t, srv, tc.fault)
			}
			room, err := slack.NewRoom(slack.RoomOptions{Token: or(tc.token, "xoxb-1"), Endpoint: endpoint + "/slack/api", Base: srv.Transport()})
			if err != nil {
				t.Fatal(err)
			}
			probed(t, srv, func() []probe.Result {
				return probe.InSlack(t.Context(), room, or(tc.team, chat.Team), or(tc.user, chat.BotUser), []string{or(tc.channel, chat.Channel)})
			}, tc.want...)
		})
	}
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func TestInGoogleChat(t *testing.T) {
	for name, tc := range map[string]struct {
		spaces []string
		out    bool
		fault  string
		want   string
	}{
		"everything is there":     {spaces: []string{chat.Space}, want: "pass we are in " + chat.Space},
		"no space is named":       {want: "cannot tell the app is known: no space of Google Chat is named"},
		"we are not in the space": {spaces: []string{chat.Space}, out: true, want: "fail we are in " + chat.Space + ": access is refused; add the app to the space"},
		"there is no such space":  {spaces: []string{"spaces/NONE"}, want: "fail we are in spaces/NONE: there is no such space"},
		"Google Chat is down":     {spaces: []string{chat.Space}, fault: "drop", want: "cannot tell we are in " + chat.Space + ": it does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := chats(t, chat.Options{})
			if tc.out {
				if _, err := srv.Move(t.Context(), chat.Google, chat.Space, "users/1001", false); err != nil {
					t.Fatal(err)
				}
			}
			if tc.fault != "" {
				arm(t, srv, tc.fault)
			}
			a := api(t, srv.Transport())
			room, err := googlechat.NewRoom(googlechat.RoomOptions{HTTP: a.Client, Endpoint: endpoint + "/google"})
			if err != nil {
				t.Fatal(err)
			}
			probed(t, srv, func() []probe.Result { return probe.InGoogleChat(t.Context(), room, tc.spaces) }, tc.want)
		})
	}
}
