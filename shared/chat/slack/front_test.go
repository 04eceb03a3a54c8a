package slack

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
)

type accept struct{}

func (accept) Verify(*http.Request, []byte) error { return nil }

var received = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func front(t testing.TB) *Front {
	t.Helper()
	f, err := NewFront(FrontOptions{Verifier: accept{}, BotUser: "U0BOT", Now: func() time.Time { return received }})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestPlain(t *testing.T) {
	f := front(t)
	for in, want := range map[string]string{
		"hello":                             "hello",
		"<@U0BOT> create it":                "create it",
		"<@U0BOT|desk> create":              "create",
		"ask <@U0BEN> or <@U0CHEN|chen>":    "ask @U0BEN or @chen",
		"in <#C1|cases> or <#C2>":           "in #cases or #C2",
		"<!here> <!channel|@channel>":       "@here @channel",
		"<!subteam^S1|@oncall>":             "@oncall",
		"<!subteam^S1>":                     "@S1",
		"<!date^1^{date}|today>":            "today",
		"see <https://a.test/?x=1&amp;y=2>": "see https://a.test/?x=1&y=2",
		"<https://evil.test|https://bank>":  "https://bank (https://evil.test)",
		"<https://a.test|https://a.test>":   "https://a.test",
		"<mailto:a@b.test|a@b.test>":        "a@b.test",
		"<tel:+41|+41>":                     "+41",
		"&lt;b&gt; &amp;amp; &amp;lt;":      "<b> &amp; &lt;",
		"a < b":                             "a < b",
		"<>":                                "",
		"<@U0BOT> line\r\nnext\x00":         "line\nnext",
		"<unclosed &lt;":                    "<unclosed <",
	} {
		if got := f.plain(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// event is a notice with an event in it.
func event(inner string) string {
	return `{"type":"event_callback","team_id":"T1","event_id":"Ev1","event_time":1583636399,"token":"secret","event":` + inner + `}`
}

func TestNotices(t *testing.T) {
	for _, c := range []struct {
		what, body string
		kind       chat.Kind
		check      func(chat.Event) bool
	}{
		{"a handshake", `{"type":"url_verification","token":"x","challenge":"abc"}`, chat.Handshake, func(e chat.Event) bool { return e.Challenge == "abc" }},
		{"a limit", `{"type":"app_rate_limited","team_id":"T1","minute_rate_limited":1}`, chat.Ignored, nil},
		{"something new", `{"type":"new"}`, chat.Ignored, nil},
		{"an answer", event(`{"type":"message","channel":"C1","user":"U1","text":"x","ts":"2.000001","thread_ts":"1.000001"}`), chat.Message,
			func(e chat.Event) bool {
				return e.Place.Thread == "1.000001" && e.Message == "2.000001" && !e.Mention && e.At.Equal(time.Unix(2, 1000))
			}},
		{"a direct message", event(`{"type":"message","channel_type":"im","channel":"D1","user":"U1","text":"x","ts":"2.1"}`), chat.Message,
			func(e chat.Event) bool { return e.Mention }},
		{"another bot", event(`{"type":"message","channel":"C1","user":"U1","bot_id":"B1","text":"x","ts":"2.1"}`), chat.Message,
			func(e chat.Event) bool { return e.Person.Bot }},
		{"ourselves", event(`{"type":"message","channel":"C1","user":"U0BOT","text":"x","ts":"2.1"}`), chat.Message,
			func(e chat.Event) bool { return e.Person.Bot }},
		{"files", event(`{"type":"message","subtype":"file_share","channel":"C1","user":"U1","text":"","ts":"2.1","files":[{"id":"F1","name":"a.log","mimetype":"text/plain","size":7,"url_private":"https://evil.test/"},{"id":"F2","mode":"tombstone"},{"id":"../x"}]}`), chat.Message,
			func(e chat.Event) bool {
				return len(e.Files) == 1 && e.Files[0] == chat.File{Name: "a.log", Type: "text/plain", Bytes: 7, Ref: "F1"}
			}},
		{"an edit", event(`{"type":"message","subtype":"message_changed","channel":"C1","ts":"2.1","message":{"user":5}}`), chat.Ignored, nil},
		{"a removal", event(`{"type":"message","subtype":"message_deleted","hidden":true,"channel":"C1","ts":"2.1"}`), chat.Ignored, nil},
		{"a webhook's message", event(`{"type":"message","subtype":"bot_message","channel":"C1","bot_id":"B1","ts":"2.1"}`), chat.Ignored, nil},
		{"a join", event(`{"type":"message","subtype":"channel_join","channel":"C1","user":"U1","ts":"2.1"}`), chat.Ignored, nil},
		{"we join", event(`{"type":"member_joined_channel","user":"U0BOT","channel":"C1"}`), chat.Joined,
			func(e chat.Event) bool { return e.Place.Space == "C1" && e.At.Equal(time.Unix(1583636399, 0)) }},
		{"somebody joins", event(`{"type":"member_joined_channel","user":"U1","channel":"C1"}`), chat.Ignored, nil},
		{"we left", event(`{"type":"channel_left","channel":"C1"}`), chat.Left, func(e chat.Event) bool { return e.Place.Space == "C1" }},
		{"somebody left", event(`{"type":"member_left_channel","user":"U1","channel":"C1"}`), chat.Ignored, nil},
		{"a new channel", event(`{"type":"channel_created","channel":{"id":"C1"}}`), chat.Ignored, nil},
	} {
		e, err := front(t).Parse("events", "application/json", []byte(c.body))
		if err != nil || e.Kind != c.kind || c.check != nil && !c.check(e) || (e.Kind == chat.Ignored) != (e.Why != "") || e.ID == "" || e.At.IsZero() {
			t.Errorf("%s: %+v, %v", c.what, e, err)
		}
	}
}

// A mention comes as two notices with ids of their own. They are one event.
func TestOneActOneID(t *testing.T) {
	f, seen := front(t), map[string]int{}
	for _, kind := range []string{"message", "app_mention"} {
		for _, id := range []string{"Ev1", "Ev2"} {
			body := strings.Replace(event(`{"type":"`+kind+`","channel":"C1","user":"U1","text":"<@U0BOT> x","ts":"2.1"}`), "Ev1", id, 1)
			e, err := f.Parse("events", "application/json", []byte(body))
			if err != nil || !e.Mention {
				t.Fatalf("%+v, %v", e, err)
			}
			seen[e.ID]++
		}
	}
	other, err := f.Parse("events", "application/json", []byte(event(`{"type":"message","channel":"C1","user":"U1","text":"x","ts":"2.2"}`)))
	if err != nil || len(seen) != 1 || seen[other.ID] > 0 {
		t.Errorf("%v, %s, %v", seen, other.ID, err)
	}
}

func TestRefused(t *testing.T) {
	command := url.Values{"command": {"/case"}, "text": {"x"}, "team_id": {"T1"}, "channel_id": {"C1"}, "user_id": {"U1"}, "trigger_id": {"1.2.3"}}
	with := func(name, value string) string {
		v := url.Values{}
		for k := range command {
			v.Set(k, command.Get(k))
		}
		v.Set(name, value)
		return v.Encode()
	}
	click := `{"type":"block_actions","team":{"id":"T1"},"user":{"id":"U1"},"channel":{"id":"C1"},"message":{"ts":"1.1"},"actions":[{"type":"button","action_id":"a","action_ts":"2.1"}]}`
	payload := func(old, new string) string {
		return url.Values{"payload": {strings.Replace(click, old, new, 1)}}.Encode()
	}
	if _, err := front(t).Parse("interactions", form, []byte(payload("", ""))); err != nil {
		t.Fatal(err)
	}
	if _, err := front(t).Parse("commands", form, []byte(command.Encode())); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ what, path, kind, body string }{
		{"another path", "else", data, `{}`},
		{"no path", "", data, `{}`},
		{"a form as JSON", "events", form, event(`{}`)},
		{"JSON as a form", "commands", data, command.Encode()},
		{"no type", "events", "", event(`{}`)},
		{"no form", "commands", form, "%zz"},
		{"no JSON", "events", data, `{`},
		{"a list", "events", data, `[]`},
		{"no notice", "events", data, `{"a":1}`},
		{"a long challenge", "events", data, `{"type":"url_verification","challenge":"` + strings.Repeat("x", 300) + `"}`},
		{"no challenge", "events", data, `{"type":"url_verification"}`},
		{"no event", "events", data, `{"type":"event_callback","team_id":"T1","event_id":"E"}`},
		{"no event id", "events", data, `{"type":"event_callback","team_id":"T1","event":{"type":"message"}}`},
		{"a bad channel", "events", data, event(`{"type":"message","channel":"../x","user":"U1","ts":"1.1"}`)},
		{"a bad user", "events", data, event(`{"type":"message","channel":"C1","user":"<!here>","ts":"1.1"}`)},
		{"a bad time", "events", data, event(`{"type":"message","channel":"C1","user":"U1","ts":"now"}`)},
		{"a bad thread", "events", data, event(`{"type":"message","channel":"C1","user":"U1","ts":"1.1","thread_ts":"x"}`)},
		{"a number as text", "events", data, event(`{"type":"message","channel":"C1","user":"U1","ts":"1.1","text":5}`)},
		{"too large", "events", data, `"` + strings.Repeat("x", MaxBody) + `"`},
		{"no trigger", "commands", form, with("trigger_id", "")},
		{"no command", "commands", form, with("command", "")},
		{"a name as a user", "commands", form, with("user_id", "anna")},
		{"a long text", "commands", form, with("text", strings.Repeat("x", 50_000))},
		{"twice", "commands", form, command.Encode() + "&text=y"},
		{"no payload", "interactions", form, "a=b"},
		{"payload without type", "interactions", form, "payload={}"},
		{"a click of nobody", "interactions", form, payload(`{"id":"U1"}`, `{}`)},
		{"a click in no time", "interactions", form, payload(`"2.1"`, `"x"`)},
		{"a click of no team", "interactions", form, payload(`{"id":"T1"}`, `null`)},
	} {
		_, err := front(t).Parse(c.path, c.kind, []byte(c.body))
		if !fault.Is(err, fault.Invalid) || fault.Public(err) == "" || strings.Contains(err.Error(), "<!") {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

func TestFrontNeedsBoth(t *testing.T) {
	for _, o := range []FrontOptions{{BotUser: "U1"}, {Verifier: accept{}}, {Verifier: accept{}, BotUser: "desk"}} {
		if _, err := NewFront(o); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		what string
		e    chat.Event
		text string
		want string
	}{
		{"a handshake", chat.Event{Kind: chat.Handshake, Challenge: `a"<b>`}, "", `{"challenge":"a\"\u003cb\u003e"}`},
		{"a check of the certificate", chat.Event{Kind: chat.Handshake}, "", ``},
		{"a command", chat.Event{Kind: chat.Command}, "<!here> & *x*", `{"response_type":"ephemeral","text":"\u0026lt;!here\u0026gt; \u0026amp; *x*","mrkdwn":false}`},
		{"a silent command", chat.Event{Kind: chat.Command}, "", ``},
		{"a click", chat.Event{Kind: chat.Click}, "done", ``},
		{"a message", chat.Event{Kind: chat.Message}, "done", ``},
	} {
		kind, got := front(t).Answer(c.e, nil, c.text)
		if string(got) != c.want || kind == "" {
			t.Errorf("%s: %s %s, want %s", c.what, kind, got, c.want)
		}
	}
	_, got := front(t).Answer(chat.Event{Kind: chat.Command}, nil, strings.Repeat("&", 5000))
	var a struct{ Text string }
	if err := json.Unmarshal(got, &a); err != nil || len(a.Text) > maxAnswer+len("…") {
		t.Errorf("%d bytes, %v", len(a.Text), err)
	}
}

// Whatever comes in, it is an event that can be stored or a refusal that can be told, and holds no token.
func FuzzParse(f *testing.F) {
	f.Add("events", data, []byte(event(`{"type":"message","channel":"C1","user":"U1","text":"<@U0BOT> x <https://a|b>","ts":"2.1","files":[{"id":"F1"}]}`)))
	f.Add("events", data, []byte(`{"type":"url_verification","challenge":"c"}`))
	f.Add("commands", form, []byte("command=%2Fcase&text=a+b&team_id=T1&channel_id=C1&user_id=U1&trigger_id=s3cr3t-trigger&token=s3cr3t-token&response_url=s3cr3t-url"))
	f.Add("interactions", form, []byte(`payload=%7B%22type%22%3A%22block_actions%22%2C%22team%22%3A%7B%22id%22%3A%22T1%22%7D%7D`))
	f.Fuzz(func(t *testing.T, path, kind string, body []byte) {
		e, err := front(t).Parse(path, kind, body)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			return
		}
		out, err := json.Marshal(e)
		if err != nil || e.ID == "" || e.At.IsZero() || e.Place.Platform != chat.Slack {
			t.Fatalf("%+v, %v", e, err)
		}
		if path == "commands" && strings.Contains(string(body), "trigger_id=s3cr3t") && !strings.Contains(e.Text+e.Person.Name, "s3cr3t") && strings.Contains(string(out), "s3cr3t") {
			t.Fatalf("holds a token: %s", out)
		}
		front(t).Answer(e, body, e.Text)
	})
}
