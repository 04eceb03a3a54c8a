package chat

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"go.uber.org/goleak"
	api "google.golang.org/api/chat/v1"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// rig is a server whose clock a test moves.
type rig struct {
	*Server
	t  *testing.T
	at time.Time
}

func open(t *testing.T, o Options) *rig {
	t.Helper()
	r := &rig{t: t, at: start}
	o.Now, o.Seed = func() time.Time { return r.at }, 1
	var err error
	if r.Server, err = New(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func (r *rig) client() *http.Client { return &http.Client{Transport: r.Transport()} }

// slack is a client that others have written for the real Slack.
func (r *rig) slack() *slack.Client {
	return slack.New("xoxb-1", slack.OptionAPIURL("http://chat.test/slack/api/"), slack.OptionHTTPClient(r.client()))
}

func (r *rig) google() *api.Service {
	r.t.Helper()
	s, err := api.NewService(r.t.Context(), option.WithHTTPClient(r.client()), option.WithEndpoint("http://chat.test/google/"))
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

func (r *rig) say(in Saying) Said {
	r.t.Helper()
	said, err := r.Say(r.t.Context(), in)
	if err != nil {
		r.t.Fatal(err)
	}
	return said
}

// Slack's protocol as a client of other people's knows it.
func TestSlackClient(t *testing.T) {
	r := open(t, Options{})
	c, ctx := r.slack(), t.Context()
	if me, err := c.AuthTestContext(ctx); err != nil || me.UserID != BotUser || me.TeamID != Team {
		t.Fatalf("%+v, %v", me, err)
	}
	meta := slack.SlackMetadata{EventType: "mark", EventPayload: map[string]any{"marker": "m"}}
	block := slack.NewSectionBlock(slack.NewTextBlockObject("plain_text", "hello", false, false), nil, nil)
	channel, root, err := c.PostMessageContext(ctx, Channel, slack.MsgOptionText("hi & bye", true), slack.MsgOptionBlocks(block), slack.MsgOptionMetadata(meta))
	if err != nil || channel != Channel {
		t.Fatalf("%s, %v", channel, err)
	}
	_, answer, err := c.PostMessageContext(ctx, Channel, slack.MsgOptionText("answer", false), slack.MsgOptionTS(root))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := c.UpdateMessageContext(ctx, Channel, answer, slack.MsgOptionText("edited", false)); err != nil {
		t.Fatal(err)
	}
	history, err := c.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{ChannelID: Channel, IncludeAllMetadata: true})
	if err != nil || len(history.Messages) != 1 || history.Messages[0].Metadata.EventPayload["marker"] != "m" || history.Messages[0].Text != "hi &amp; bye" || history.Messages[0].ReplyCount != 1 {
		t.Fatalf("%+v, %v", history, err)
	}
	thread, more, _, err := c.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{ChannelID: Channel, Timestamp: root})
	if err != nil || more || len(thread) != 2 || thread[1].Text != "edited" || thread[1].ThreadTimestamp != root || thread[1].Edited == nil || thread[0].Metadata.EventType != "" {
		t.Fatalf("%+v, %v", thread, err)
	}
	if u, err := c.GetUserInfoContext(ctx, "U0ANNA"); err != nil || u.RealName != "Anna" || u.IsBot {
		t.Errorf("%+v, %v", u, err)
	}
	if info, err := c.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: Channel}); err != nil || info.Name != "cases" || !info.IsMember {
		t.Errorf("%+v, %v", info, err)
	}
	if err := r.ArmFault("auth.test", "status:429", 1); err != nil {
		t.Fatal(err)
	}
	var limited *slack.RateLimitedError
	if _, err := c.AuthTestContext(ctx); !errors.As(err, &limited) || limited.RetryAfter != time.Second {
		t.Errorf("%v", err)
	}
}

func TestSlackPages(t *testing.T) {
	r := open(t, Options{})
	var want []string
	for range 25 {
		r.at = r.at.Add(time.Second)
		want = append(want, r.say(Saying{Platform: Slack, Space: Channel, Person: "U0BEN", Text: "x"}).Message)
	}
	var got []string
	p := &slack.GetConversationHistoryParameters{ChannelID: Channel, Limit: 10, Oldest: want[3], Latest: want[22], Inclusive: true}
	for n := 0; ; n++ {
		page, err := r.slack().GetConversationHistoryContext(t.Context(), p)
		if err != nil || n > 3 {
			t.Fatal(n, err)
		}
		for _, m := range page.Messages {
			got = append([]string{m.Timestamp}, got...)
		}
		if !page.HasMore {
			break
		}
		p.Cursor = page.ResponseMetaData.NextCursor
	}
	if strings.Join(got, " ") != strings.Join(want[3:23], " ") {
		t.Errorf("%d messages", len(got))
	}
	p.Cursor = "bm90IG91cnM"
	if _, err := r.slack().GetConversationHistoryContext(t.Context(), p); err == nil || err.Error() != "invalid_cursor" {
		t.Errorf("%v", err)
	}
}

func TestSlackFile(t *testing.T) {
	r := open(t, Options{Callback: "http://desk.test", HTTP: &http.Client{Transport: answer(200, "{}")}})
	content := []byte("a log")
	r.say(Saying{Platform: Slack, Space: Channel, Person: "U0BEN", Text: "look", Files: []Upload{{Name: "a b.log", Type: "text/plain", Content: content}}})
	history, err := r.slack().GetConversationHistoryContext(t.Context(), &slack.GetConversationHistoryParameters{ChannelID: Channel})
	if err != nil || len(history.Messages[0].Files) != 1 || history.Messages[0].SubType != "file_share" {
		t.Fatalf("%+v, %v", history, err)
	}
	info, _, _, err := r.slack().GetFileInfoContext(t.Context(), history.Messages[0].Files[0].ID, 0, 0)
	if err != nil || info.Size != len(content) || info.Name != "a b.log" {
		t.Fatalf("%+v, %v", info, err)
	}
	var got bytes.Buffer
	if err := r.slack().GetFileContext(t.Context(), info.URLPrivate, &got); err != nil || !bytes.Equal(got.Bytes(), content) {
		t.Errorf("%q, %v", got.String(), err)
	}
	req, _ := http.NewRequest(http.MethodGet, info.URLPrivate, nil)
	resp, err := r.Transport().RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusFound {
		t.Errorf("without a token: %+v, %v", resp, err)
	}
}

// Google's protocol as Google's own generated client knows it.
func TestGoogleClient(t *testing.T) {
	r := open(t, Options{})
	m, ctx := r.google().Spaces.Messages, t.Context()
	root, err := m.Create(Space, &api.Message{Text: "hi"}).MessageId("client-a").RequestId("r1").Context(ctx).Do()
	if err != nil || root.ClientAssignedMessageId != "client-a" || root.Thread.Name == "" || root.Sender.Name != GoogleApp {
		t.Fatalf("%+v, %v", root, err)
	}
	if again, err := m.Create(Space, &api.Message{Text: "other"}).MessageId("client-a").RequestId("r1").Context(ctx).Do(); err != nil || again.Name != root.Name || again.Text != "hi" {
		t.Errorf("the same request: %+v, %v", again, err)
	}
	if _, err := m.Create(Space, &api.Message{Text: "other"}).MessageId("client-a").RequestId("r2").Context(ctx).Do(); status(err) != 409 {
		t.Errorf("the same id: %v", err)
	}
	reply, err := m.Create(Space, &api.Message{Text: "answer", Thread: &api.Thread{Name: root.Thread.Name}}).MessageReplyOption("REPLY_MESSAGE_OR_FAIL").Context(ctx).Do()
	if err != nil || reply.Thread.Name != root.Thread.Name || !reply.ThreadReply {
		t.Fatalf("%+v, %v", reply, err)
	}
	if lost, err := m.Create(Space, &api.Message{Text: "x", Thread: &api.Thread{Name: root.Thread.Name}}).Context(ctx).Do(); err != nil || lost.Thread.Name == root.Thread.Name {
		t.Errorf("without an option: %+v, %v", lost, err)
	}
	if _, err := m.Create(Space, &api.Message{Text: "x", Thread: &api.Thread{Name: Space + "/threads/none"}}).MessageReplyOption("REPLY_MESSAGE_OR_FAIL").Context(ctx).Do(); status(err) != 404 {
		t.Errorf("no such thread: %v", err)
	}
	keyed, err := m.Create(Space, &api.Message{Text: "x", Thread: &api.Thread{ThreadKey: "k"}}).MessageReplyOption("REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD").Context(ctx).Do()
	if err != nil {
		t.Fatal(err)
	}
	if more, err := m.Create(Space, &api.Message{Text: "x", Thread: &api.Thread{ThreadKey: "k"}}).MessageReplyOption("REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD").Context(ctx).Do(); err != nil || more.Thread.Name != keyed.Thread.Name {
		t.Errorf("the same key: %+v, %v", more, err)
	}
	if got, err := m.Get(Space + "/messages/client-a").Context(ctx).Do(); err != nil || got.Name != root.Name {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := m.Patch(root.Name, &api.Message{Text: "edited"}).UpdateMask("text").Context(ctx).Do(); err != nil || got.Text != "edited" || got.LastUpdateTime == "" {
		t.Errorf("%+v, %v", got, err)
	}
	list, err := m.List(Space).Filter("thread.name = " + root.Thread.Name).Context(ctx).Do()
	if err != nil || len(list.Messages) != 2 || list.Messages[0].Text != "edited" {
		t.Errorf("%+v, %v", list, err)
	}
	first, err := m.List(Space).PageSize(2).OrderBy("createTime desc").Context(ctx).Do()
	if err != nil || len(first.Messages) != 2 || first.NextPageToken == "" {
		t.Fatalf("%+v, %v", first, err)
	}
	if next, err := m.List(Space).PageSize(9).OrderBy("createTime desc").PageToken(first.NextPageToken).Context(ctx).Do(); err != nil || len(next.Messages) != 3 {
		t.Errorf("%+v, %v", next, err)
	}
	if _, err := m.Delete(root.Name).Context(ctx).Do(); err != nil {
		t.Error(err)
	}
	if _, err := m.Get(root.Name).Context(ctx).Do(); status(err) != 404 {
		t.Errorf("deleted: %v", err)
	}
	if members, err := r.google().Spaces.Members.List(Space).Context(ctx).Do(); err != nil || len(members.Memberships) != 3 || members.Memberships[0].Member.DisplayName != "Anna" {
		t.Errorf("%+v, %v", members, err)
	}
	if spaces, err := r.google().Spaces.List().Context(ctx).Do(); err != nil || len(spaces.Spaces) != 1 || spaces.Spaces[0].Name != Space {
		t.Errorf("%+v, %v", spaces, err)
	}
	if sp, err := r.google().Spaces.Get(Space).Context(ctx).Do(); err != nil || sp.SpaceType != "SPACE" {
		t.Errorf("%+v, %v", sp, err)
	}
}

func status(err error) int {
	var g *googleapi.Error
	if errors.As(err, &g) {
		return g.Code
	}
	return 0
}

// answer is a webhook that always answers the same.
type answering struct {
	code int
	body string
	got  []*http.Request
	err  error
}

func answer(code int, body string) *answering { return &answering{code: code, body: body} }

func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	a.got = append(a.got, r)
	if a.err != nil {
		return nil, a.err
	}
	return &http.Response{StatusCode: a.code, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}
