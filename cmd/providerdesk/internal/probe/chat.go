package probe

import (
	"context"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Slack is one workspace, seen with our token. *slack.Room is one.
type Slack interface {
	Whoami(ctx context.Context) (team, user string, err error)
	Member(ctx context.Context, channel string) (bool, error)
}

// GoogleChat is seen as our app. *google.Room is one.
type GoogleChat interface {
	Space(ctx context.Context, name string) error
}

// InSlack asks whose the token is, and whether we are in the channels.
func InSlack(ctx context.Context, s Slack, team, user string, channels []string) []Result {
	haveTeam, haveUser, err := s.Whoami(ctx)
	r := hints{denied: "the token is refused; install the app again, and keep its bot token where chat.slack.token points to"}.result("the token is the bot's", err)
	switch {
	case err != nil:
		return []Result{r}
	case haveTeam != team:
		r = r.but(Fail, "it is of workspace "+haveTeam+"; correct chat.slack.team, or the token")
	case haveUser != user:
		r = r.but(Fail, "its user is "+haveUser+"; correct chat.slack.bot_user, or the token")
	}
	results := []Result{r}
	for _, channel := range channels {
		results = append(results, inChannel(ctx, s, channel))
	}
	return results
}

func inChannel(ctx context.Context, s Slack, channel string) Result {
	in, err := s.Member(ctx, channel)
	r := hints{missing: "there is no such channel, or it is private and we are not in it; correct the id, or invite the app"}.result("we are in channel "+channel, err)
	switch {
	case fault.Is(err, fault.Denied): // the scope is one that nothing else here needs
		return r.but(Unclear, "the token may not look; give the app the scopes channels:read and groups:read to have this asked ("+err.Error()+")")
	case err == nil && !in:
		return r.but(Fail, "invite the app to the channel")
	}
	return r
}

// InGoogleChat asks whether the app is in the spaces. Without one there is nothing to read.
func InGoogleChat(ctx context.Context, g GoogleChat, spaces []string) []Result {
	if len(spaces) == 0 {
		return []Result{{What: "the app is known", Verdict: Unclear, Advice: "no space of Google Chat is named anywhere; name one in rooms or chat.alarms"}}
	}
	var results []Result
	for _, space := range spaces {
		results = append(results, hints{
			denied:  "access is refused; add the app to the space, enable chat.googleapis.com, and see that our account is the app's",
			missing: "there is no such space; correct its name",
		}.result("we are in "+space, g.Space(ctx, space)))
	}
	return results
}
