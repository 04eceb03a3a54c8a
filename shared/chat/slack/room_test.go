package slack

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answers is Slack as one function; it notes where it was asked.
type answers struct {
	says  func(r *http.Request) (status int, contentType, body string)
	asked []string
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	a.asked = append(a.asked, r.URL.String())
	status, kind, body := a.says(r)
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {kind}, "Location": {"https://slack.test/login"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

func roomOn(t *testing.T, a *answers) *Room {
	t.Helper()
	r, err := NewRoom(RoomOptions{Token: "xoxb-1", BotUser: "U0BOT", Base: a})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The token goes to slack.com and files.slack.com, wherever files.info points.
func TestFilesElsewhere(t *testing.T) {
	for _, address := range []string{
		"https://evil.test/f", "http://files.slack.com/f", "https://files.slack.com.evil.test/f", "https://files.slack.com@evil.test/f", "https://files.slack.com:444/f",
		"http://169.254.169.254/computeMetadata/v1/", "file:///etc/passwd", "//evil.test/f", "https://FILES.slack.com.:443/x", "", "https://drive.google.com/x", "https://user@files.slack.com/f",
	} {
		a := &answers{says: func(*http.Request) (int, string, string) {
			return 200, data, `{"ok":true,"file":{"url_private":"` + address + `","size":3}}`
		}}
		err := roomOn(t, a).Download(t.Context(), chat.File{Ref: "F1"}, 10, &bytes.Buffer{})
		if !fault.Is(err, fault.Invalid) || len(a.asked) != 1 || !strings.HasPrefix(a.asked[0], "https://slack.com/api/files.info?") {
			t.Errorf("%s: %v, asked %v", address, err, a.asked)
		}
	}
}

func TestFileOfSlack(t *testing.T) {
	for _, c := range []struct {
		what   string
		status int
		kind   string
		want   fault.Kind
	}{
		{"a file", 200, "text/plain", ""},
		{"a redirect to a login", 302, "text/html", fault.Denied},
		{"a login page", 200, "text/html; charset=utf-8", fault.Denied},
		{"gone", 404, "text/html", fault.Missing},
	} {
		a := &answers{says: func(r *http.Request) (int, string, string) {
			if r.URL.Host == "slack.com" {
				return 200, data, `{"ok":true,"file":{"url_private":"https://files.slack.com/files-pri/T1-F1/a.log","mimetype":"text/plain","size":3}}`
			}
			if r.Header.Get("Authorization") != "Bearer xoxb-1" {
				t.Error("no token")
			}
			return c.status, c.kind, "abc"
		}}
		var got bytes.Buffer
		err := roomOn(t, a).Download(t.Context(), chat.File{Ref: "F1"}, 10, &got)
		if fault.Of(err) != c.want || err == nil && got.String() != "abc" || len(a.asked) != 2 {
			t.Errorf("%s: %v, %q, asked %v", c.what, err, got.String(), a.asked)
		}
	}
}

// Messages of others, whatever metadata they have, neither are found nor in the way.
func TestFindAmongOthers(t *testing.T) {
	ours := `{"ts":"5.000001","user":"U0BOT","bot_id":"B1","metadata":{"event_type":"providerdesk","event_payload":{"marker":"m"}}}`
	a := &answers{says: func(r *http.Request) (int, string, string) {
		if r.URL.Query().Get("cursor") == "" {
			return 200, data, `{"ok":true,"messages":[{"ts":"9.1","user":"U1","metadata":"x"},{"ts":"8.1","user":"U0BOT","metadata":{"event_type":"other","event_payload":[1]}},
				{"ts":"7.1","user":"U1","metadata":{"event_type":"providerdesk","event_payload":{"marker":"m"}}},
				{"ts":"7.0","user":"U0BOT","metadata":{"event_type":"providerdesk","event_payload":{"marker":7}}},` + ours + `],"response_metadata":{"next_cursor":"n"}}`
		}
		return 200, data, `{"ok":true,"messages":[{"ts":"x","user":"U0BOT","metadata":{"event_type":"providerdesk","event_payload":{"marker":"m"}}},` + ours + `,` + strings.ReplaceAll(ours, "5.", "4.") + `]}`
	}}
	got, err := roomOn(t, a).Find(t.Context(), chat.Place{Platform: chat.Slack, Space: "C1"}, "m", time.Unix(1, 0))
	if err != nil || len(got) != 2 || got[0].Name != "4.000001" || got[1].Name != "5.000001" || got[1].Place.Thread != "5.000001" || len(a.asked) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestEndlessList(t *testing.T) {
	a := &answers{says: func(*http.Request) (int, string, string) {
		return 200, data, `{"ok":true,"messages":[],"response_metadata":{"next_cursor":"again"}}`
	}}
	_, err := roomOn(t, a).Find(t.Context(), chat.Place{Platform: chat.Slack, Space: "C1"}, "m", time.Time{})
	if !fault.Is(err, fault.Transient) || len(a.asked) != maxPages {
		t.Errorf("%v after %d", err, len(a.asked))
	}
}

// What is no clear yes is a maybe.
func TestUnclearAnswers(t *testing.T) {
	for body, want := range map[string]fault.Kind{
		``: fault.Transient, `{`: fault.Transient, `{}`: fault.Transient, `[]`: fault.Transient, `{"ok":true}`: fault.Transient, `{"ok":true,"ts":5}`: fault.Transient,
		`{"ok":true,"ts":"x"}`: fault.Transient, `{"ok":false}`: fault.Bug, `{"ok":false,"error":"brand_new_<code>"}`: fault.Bug,
		`{"ok":false,"error":"invalid_something_new"}`: fault.Invalid, `{"ok":false,"error":"posting_to_general_channel_denied"}`: fault.Denied,
		`{"ok":"yes"}`: fault.Transient,
	} {
		a := &answers{says: func(*http.Request) (int, string, string) { return 200, data, body }}
		_, err := roomOn(t, a).Post(t.Context(), chat.Place{Platform: chat.Slack, Space: "C1"}, chat.Post{Body: "x"}, "m")
		if !fault.Is(err, want) || fault.IsUnsent(err) || len(a.asked) != 1 || strings.Contains(err.Error(), "<") {
			t.Errorf("%s: %v is %s", body, err, fault.Of(err))
		}
	}
}

func TestNewRoom(t *testing.T) {
	for _, o := range []RoomOptions{{}, {Token: " x"}, {Token: "x", BotUser: "desk"}, {Token: "x", Endpoint: "slack.com"}, {Token: "x", Files: "files"}} {
		if _, err := NewRoom(o); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
