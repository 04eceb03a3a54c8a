package google

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type accept struct{}

func (accept) Verify(*http.Request, []byte) error { return nil }

var received = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func front(t testing.TB) *Front {
	t.Helper()
	f, err := NewFront(FrontOptions{Verifier: accept{}, Quick: map[int]string{7: "list"}, Now: func() time.Time { return received }})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

const (
	who   = `"user":{"name":"users/1","displayName":"Ann\u202ea","type":"HUMAN"}`
	where = `"space":{"name":"spaces/S","type":"ROOM"}`
	when  = `"eventTime":"2026-11-02T08:00:00.5+01:00"`
	words = `"message":{"name":"spaces/S/messages/m.1","thread":{"name":"spaces/S/threads/m"},"text":"@desk close it","argumentText":" close it "}`
)

// told is an interaction event, added the same as an add-on's.
func toldEvent(kind, more string) string {
	return `{"type":"` + kind + `",` + when + `,` + who + `,` + where + `,` + more + `}`
}

func addedEvent(payload, more string) string {
	return `{"commonEventObject":{"hostApp":"CHAT","parameters":{"action":"close","value":"5"}},"authorizationEventObject":{"systemIdToken":"s3cr3t"},"chat":{` + who + `,` + when + `,"` + payload + `":{` + where + `,` + more + `}}}`
}

// The two dialects say the same.
func TestDialects(t *testing.T) {
	slash := strings.Replace(words, `"text"`, `"slashCommand":{"commandId":"1"},"text"`, 1)
	silent := strings.Replace(strings.Replace(slash, `,"argumentText":" close it "`, "", 1), "@desk close it", "/case", 1)
	for _, c := range []struct {
		what, told, added string
		kind              chat.Kind
		text, action      string
		mention           bool
	}{
		{"a message", toldEvent("MESSAGE", words), addedEvent("messagePayload", words), chat.Message, "close it", "", true},
		{"a slash command", toldEvent("MESSAGE", slash), addedEvent("appCommandPayload", `"appCommandMetadata":{"appCommandId":1,"appCommandType":"SLASH_COMMAND"},`+words), chat.Command, "close it", "", false},
		{"a slash command alone", toldEvent("MESSAGE", silent), addedEvent("appCommandPayload", `"appCommandMetadata":{"appCommandId":1,"appCommandType":"SLASH_COMMAND"},`+silent), chat.Command, "", "", false},
		{"a quick command", toldEvent("APP_COMMAND", `"appCommandMetadata":{"appCommandId":7,"appCommandType":"QUICK_COMMAND"}`), addedEvent("appCommandPayload", `"appCommandMetadata":{"appCommandId":7,"appCommandType":"QUICK_COMMAND"}`), chat.Command, "list", "", false},
		{"an unknown quick command", toldEvent("APP_COMMAND", `"appCommandMetadata":{"appCommandId":8,"appCommandType":"QUICK_COMMAND"}`), addedEvent("appCommandPayload", `"appCommandMetadata":{"appCommandId":8,"appCommandType":"QUICK_COMMAND"}`), chat.Ignored, "", "", false},
		{"a command of a message's menu", toldEvent("APP_COMMAND", `"appCommandMetadata":{"appCommandId":7,"appCommandType":"MESSAGE_ACTION"}`), addedEvent("appCommandPayload", `"appCommandMetadata":{"appCommandId":7,"appCommandType":"MESSAGE_ACTION"}`), chat.Ignored, "", "", false},
		{"a click", toldEvent("CARD_CLICKED", `"common":{"invokedFunction":"close","parameters":{"action":"close","value":"5"}},`+words), addedEvent("buttonClickedPayload", words), chat.Click, "", "close", false},
		{"a click in a dialog", toldEvent("CARD_CLICKED", `"isDialogEvent":true,"common":{"invokedFunction":"close"}`), addedEvent("buttonClickedPayload", `"isDialogEvent":true,`+words), chat.Ignored, "", "", false},
		{"added", toldEvent("ADDED_TO_SPACE", `"x":1`), addedEvent("addedToSpacePayload", `"x":1`), chat.Joined, "", "", false},
		{"added by a mention", toldEvent("ADDED_TO_SPACE", words), addedEvent("addedToSpacePayload", words), chat.Joined, "close it", "", true},
		{"removed", toldEvent("REMOVED_FROM_SPACE", `"x":1`), addedEvent("removedFromSpacePayload", `"x":1`), chat.Left, "", "", false},
		{"a widget", toldEvent("WIDGET_UPDATED", `"x":1`), addedEvent("widgetUpdatedPayload", `"x":1`), chat.Ignored, "", "", false},
		{"something new", toldEvent("NEW", `"x":1`), addedEvent("newPayload", `"x":1`), chat.Ignored, "", "", false},
		{"a preview", toldEvent("MESSAGE", strings.Replace(words, `"text"`, `"matchedUrl":{"url":"https://a"},"text"`, 1)), addedEvent("messagePayload", strings.Replace(words, `"text"`, `"matchedUrl":{"url":"https://a"},"text"`, 1)), chat.Ignored, "", "", false},
	} {
		var ids []string
		for _, body := range []string{c.told, c.added} {
			e, err := front(t).Parse("", "application/json; charset=UTF-8", []byte(body))
			if err != nil || e.Kind != c.kind || e.Text != c.text || e.Action != c.action || e.Mention != c.mention {
				t.Errorf("%s: %+v, %v\n%s", c.what, e, err, body)
				continue
			}
			out, _ := json.Marshal(e)
			if strings.Contains(string(out), "s3cr3t") || (e.Kind == chat.Ignored) != (e.Why != "") || e.ID == "" {
				t.Errorf("%s: %s", c.what, out)
			}
			if e.Kind != chat.Ignored {
				ids = append(ids, e.ID)
				if e.Person != (chat.Person{ID: "users/1", Name: "Anna"}) || e.Place.Space != "spaces/S" || !e.At.Equal(time.Date(2026, 11, 2, 7, 0, 0, 5e8, time.UTC)) {
					t.Errorf("%s: %+v", c.what, e)
				}
			}
		}
		if len(ids) == 2 && ids[0] != ids[1] {
			t.Errorf("%s: two ids", c.what)
		}
	}
}

func TestDetails(t *testing.T) {
	for _, c := range []struct {
		what, body string
		check      func(chat.Event) bool
	}{
		{"a direct message", `{"type":"MESSAGE",` + when + `,` + who + `,"space":{"name":"spaces/D","type":"DM"},"message":{"name":"spaces/D/messages/m","text":"hi"}}`,
			func(e chat.Event) bool { return e.Mention && e.Text == "hi" }},
		{"a bot", `{"type":"MESSAGE",` + when + `,"user":{"name":"users/2","type":"BOT"},` + where + `,` + words + `}`, func(e chat.Event) bool { return e.Person.Bot }},
		{"only a sender", `{"type":"MESSAGE",` + when + `,` + where + `,"message":{"name":"spaces/S/messages/m","text":"x","sender":{"name":"users/3"}}}`,
			func(e chat.Event) bool { return e.Person.ID == "users/3" }},
		{"only its creation", `{"type":"MESSAGE",` + who + `,` + where + `,"message":{"name":"spaces/S/messages/m","createTime":"2026-01-01T00:00:00Z"}}`,
			func(e chat.Event) bool { return e.At.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) }},
		{"no time", `{"type":"MESSAGE",` + who + `,` + where + `,"message":{"name":"spaces/S/messages/m"}}`, func(e chat.Event) bool { return e.At.Equal(received) }},
		{"files", `{"type":"MESSAGE",` + who + `,` + where + `,"message":{"name":"spaces/S/messages/m","attachment":[{"contentName":"a.log","contentType":"text/plain","attachmentDataRef":{"resourceName":"CjA/x=="},"downloadUri":"https://evil.test"},{"contentName":"d","driveDataRef":{"driveFileId":"1"}},{"attachmentDataRef":{"resourceName":"../../spaces"}}]}}`,
			func(e chat.Event) bool {
				return len(e.Files) == 3 && e.Files[0] == chat.File{Name: "a.log", Type: "text/plain", Ref: "CjA/x=="} && e.Files[1].Ref == "" && e.Files[2].Ref == ""
			}},
		{"parameters of an action", `{"type":"CARD_CLICKED",` + who + `,` + where + `,"action":{"actionMethodName":"f","parameters":[{"key":"action","value":"close"},{"key":"value","value":"9"}]}}`,
			func(e chat.Event) bool { return e.Kind == chat.Click && e.Action == "close" && e.Value == "9" }},
		{"a function only", `{"type":"CARD_CLICKED",` + who + `,` + where + `,"common":{"invokedFunction":"f"}}`, func(e chat.Event) bool { return e.Action == "f" && e.Value == "" }},
	} {
		e, err := front(t).Parse("", jsonType, []byte(c.body))
		if err != nil || !c.check(e) {
			t.Errorf("%s: %+v, %v", c.what, e, err)
		}
	}
}

// Two clicks are two events, unless they are at the same time, or Chat does not say when.
func TestIdentity(t *testing.T) {
	id := func(body string) string {
		e, err := front(t).Parse("", jsonType, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return e.ID
	}
	click := toldEvent("CARD_CLICKED", `"common":{"invokedFunction":"close"},"authorizationEventObject":{"systemIdToken":"1"},`+words)
	same := strings.Replace(click, `"systemIdToken":"1"`, `"systemIdToken":"2"`, 1)
	later := strings.Replace(click, "08:00:00.5", "08:00:00.6", 1)
	other := strings.Replace(click, `"close"}`, `"open"}`, 1)
	if id(click) != id(same) || id(click) == id(later) || id(click) == id(other) {
		t.Error("clicks are told apart by something else than who, where, when and what")
	}
	timeless := strings.Replace(click, when+",", "", 1)
	if one, again := id(timeless), id(timeless); one != again || one == id(click) {
		t.Error("a click without time has no id of its own")
	}
}

func TestRefused(t *testing.T) {
	good := toldEvent("MESSAGE", words)
	for _, c := range []struct{ what, path, kind, body string }{
		{"a path", "x", jsonType, good},
		{"a form", "", "application/x-www-form-urlencoded", good},
		{"no type", "", "", good},
		{"no JSON", "", jsonType, "{"},
		{"a list", "", jsonType, "[]"},
		{"neither dialect", "", jsonType, "{}"},
		{"both dialects", "", jsonType, `{"type":"MESSAGE","chat":{}}`},
		{"both dialects, hidden", "", jsonType, `{"type":"MESSAGE","commonEventObject":{}}`},
		{"type and chat are nothing", "", jsonType, `{"type":null,"chat":null}`},
		{"type is a number", "", jsonType, `{"type":5}`},
		{"type is empty", "", jsonType, `{"type":""}`},
		{"chat is a text", "", jsonType, `{"chat":"x"}`},
		{"two payloads", "", jsonType, `{"chat":{"messagePayload":{},"addedToSpacePayload":{}}}`},
		{"a time without zone", "", jsonType, strings.Replace(good, "+01:00", "", 1)},
		{"a time in words", "", jsonType, strings.Replace(good, "2026-11-02T08:00:00.5+01:00", "today", 1)},
		{"a path as space", "", jsonType, strings.Replace(good, `"spaces/S"`, `"spaces/S/../T"`, 1)},
		{"a query as user", "", jsonType, strings.Replace(good, "users/1", "users/1?x=1", 1)},
		{"a thread of another space", "", jsonType, strings.Replace(good, "spaces/S/threads", "spaces/T/threads", 1)},
		{"a message of another space", "", jsonType, strings.Replace(good, "spaces/S/messages", "spaces/T/messages", 1)},
		{"a message without name", "", jsonType, strings.Replace(good, `"name":"spaces/S/messages/m.1",`, "", 1)},
		{"too large", "", jsonType, `{"type":"` + strings.Repeat("x", MaxBody) + `"}`},
	} {
		_, err := front(t).Parse(c.path, c.kind, []byte(c.body))
		if !fault.Is(err, fault.Invalid) || fault.Public(err) == "" {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	if _, err := NewFront(FrontOptions{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("without a verifier: %v", err)
	}
}

func TestAnswers(t *testing.T) {
	in, add := toldEvent("MESSAGE", words), addedEvent("messagePayload", words)
	for _, c := range []struct {
		what string
		kind chat.Kind
		body string
		text string
		want string
	}{
		{"interaction", chat.Message, in, "done", `{"text":"done"}`},
		{"add-on", chat.Message, add, "done", `{"hostAppDataAction":{"chatDataAction":{"createMessageAction":{"message":{"text":"done"}}}}}`},
		{"markup", chat.Command, in, "<users/all> *b* _i_ ~s~ `c` <https://evil.test|bank>", `{"text":"‹users/all› ∗b∗ ＿i＿ ∼s∼ ˋcˋ ‹https://evil.test|bank›"}`},
		{"silence", chat.Message, add, "", `{}`},
		{"a removal", chat.Left, in, "bye", `{}`},
		{"a body that is none", chat.Message, "{", "done", `{"text":"done"}`},
	} {
		kind, got := front(t).Answer(chat.Event{Kind: c.kind}, []byte(c.body), c.text)
		if kind != jsonType || string(got) != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
	_, got := front(t).Answer(chat.Event{Kind: chat.Message}, []byte(in), strings.Repeat("日", 5000))
	var a struct{ Text string }
	if err := json.Unmarshal(got, &a); err != nil || len([]rune(a.Text)) != maxText {
		t.Errorf("%d characters, %v", len([]rune(a.Text)), err)
	}
}

// Whatever comes in, it is an event that can be stored or a refusal that can be told, and names nothing outside its space.
func FuzzParse(f *testing.F) {
	for _, body := range []string{
		toldEvent("MESSAGE", words), addedEvent("messagePayload", words), addedEvent("buttonClickedPayload", words), toldEvent("CARD_CLICKED", `"common":{"invokedFunction":"f"}`),
		toldEvent("ADDED_TO_SPACE", words), addedEvent("removedFromSpacePayload", `"x":1`), `{"type":"APP_HOME"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := front(t).Parse("", jsonType, body)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			return
		}
		if _, err := json.Marshal(e); err != nil || e.ID == "" || e.At.IsZero() || e.Place.Platform != chat.Google {
			t.Fatalf("%+v, %v", e, err)
		}
		if e.Kind != chat.Ignored && (!spaceForm.MatchString(e.Place.Space) || e.Message != "" && !strings.HasPrefix(e.Message, e.Place.Space+"/messages/")) {
			t.Fatalf("%+v", e)
		}
		front(t).Answer(e, body, e.Text)
	})
}
