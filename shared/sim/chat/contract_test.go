package chat

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// ask makes one request and reads the answer.
func (r *rig) ask(method, path, kind, body string, header ...string) (int, string, http.Header) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, "http://chat.test"+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer xoxb-1")
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := r.Transport().RoundTrip(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(data), resp.Header
}

func TestSlackContract(t *testing.T) {
	const post = `{"channel":"C0CASES","text":"x"}`
	with := func(extra string) string { return strings.Replace(post, "}", ","+extra+"}", 1) }
	blocks := func(b string) string { return with(`"blocks":[` + b + `]`) }
	section := func(n int) string {
		return `{"type":"section","text":{"type":"plain_text","text":"` + strings.Repeat("x", n) + `"}}`
	}
	for _, c := range []struct{ what, method, body, want string }{
		{"right", "chat.postMessage", post, ""},
		{"no method", "chat.shout", post, "unknown_method"},
		{"an unknown argument", "chat.postMessage", with(`"chanel":"C1"`), "invalid_arguments"},
		{"no channel", "chat.postMessage", `{"text":"x"}`, "invalid_arguments"},
		{"a number as text", "chat.postMessage", `{"channel":["C0CASES"],"text":"x"}`, "invalid_arguments"},
		{"no boolean", "chat.postMessage", with(`"unfurl_links":"maybe"`), "invalid_arguments"},
		{"no JSON", "chat.postMessage", `{`, "invalid_json"},
		{"another channel", "chat.postMessage", `{"channel":"C1","text":"x"}`, "channel_not_found"},
		{"nothing said", "chat.postMessage", `{"channel":"C0CASES","text":" "}`, "no_text"},
		{"too much said", "chat.postMessage", `{"channel":"C0CASES","text":"` + strings.Repeat("x", 40_001) + `"}`, "msg_too_long"},
		{"no thread", "chat.postMessage", with(`"thread_ts":"1.1"`), "cannot_reply_to_message"},
		{"half of metadata", "chat.postMessage", with(`"metadata":{"event_type":"x"}`), "invalid_metadata_format"},
		{"large metadata", "chat.postMessage", with(`"metadata":{"event_type":"x","event_payload":{"m":"` + strings.Repeat("x", 8000) + `"}}`), "invalid_arguments"},
		{"no blocks", "chat.postMessage", with(`"blocks":{}`), "invalid_blocks_format"},
		{"an unknown field of a block", "chat.postMessage", blocks(`{"type":"section","txt":1}`), "invalid_blocks_format"},
		{"an unknown block", "chat.postMessage", blocks(`{"type":"carousel"}`), "invalid_blocks"},
		{"a section of 3000", "chat.postMessage", blocks(section(3000)), ""},
		{"a section of 3001", "chat.postMessage", blocks(section(3001)), "invalid_blocks"},
		{"an empty section", "chat.postMessage", blocks(section(0)), "invalid_blocks"},
		{"a section of nothing", "chat.postMessage", blocks(`{"type":"section"}`), "invalid_blocks"},
		{"a long header", "chat.postMessage", blocks(`{"type":"header","text":{"type":"plain_text","text":"` + strings.Repeat("x", 151) + `"}}`), "invalid_blocks"},
		{"a header with markup", "chat.postMessage", blocks(`{"type":"header","text":{"type":"mrkdwn","text":"x"}}`), "invalid_blocks"},
		{"eleven fields", "chat.postMessage", blocks(`{"type":"section","fields":[` + strings.Repeat(`{"type":"plain_text","text":"x"},`, 10) + `{"type":"plain_text","text":"x"}]}`), "invalid_blocks"},
		{"51 blocks", "chat.postMessage", blocks(strings.Repeat(`{"type":"divider"},`, 50) + `{"type":"divider"}`), "invalid_blocks"},
		{"all together too long", "chat.postMessage", blocks(section(3000) + "," + section(3000) + "," + section(3000) + "," + section(3000) + "," + section(2000)), "msg_blocks_too_long"},
		{"no button", "chat.postMessage", blocks(`{"type":"actions","elements":[]}`), "invalid_blocks"},
		{"a long button", "chat.postMessage", blocks(`{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"` + strings.Repeat("x", 76) + `"}}]}`), "invalid_blocks"},
		{"two of one action", "chat.postMessage", blocks(`{"type":"actions","elements":[{"type":"button","action_id":"a","text":{"type":"plain_text","text":"x"}},{"type":"button","action_id":"a","text":{"type":"plain_text","text":"y"}}]}`), "invalid_blocks"},
		{"an edit of nothing", "chat.update", `{"channel":"C0CASES","ts":"1.1","text":"x"}`, "message_not_found"},
		{"a thread of nothing", "conversations.replies", `{"channel":"C0CASES","ts":"1.1"}`, "thread_not_found"},
		{"a limit beyond", "conversations.history", `{"channel":"C0CASES","limit":5000}`, "invalid_arguments"},
		{"nobody", "users.info", `{"user":"U1"}`, "user_not_found"},
		{"no file", "files.info", `{"file":"F1"}`, "file_not_found"},
	} {
		r := open(t, Options{})
		status, body, _ := r.ask("POST", "/slack/api/"+c.method, "application/json; charset=utf-8", c.body)
		var a struct {
			OK    bool
			Error string
		}
		if err := json.Unmarshal([]byte(body), &a); err != nil || status != 200 || a.OK != (c.want == "") || a.Error != c.want {
			t.Errorf("%s: %d %s, want %q", c.what, status, body, c.want)
		}
		if got := len(r.Messages(Slack, Channel, "")); (got == 1) != (c.want == "" && c.method == "chat.postMessage") {
			t.Errorf("%s: %d messages", c.what, got)
		}
	}
}

func TestSlackAuth(t *testing.T) {
	r := open(t, Options{Tokens: []string{"xoxb-right"}})
	for header, want := range map[string]string{"": "not_authed", "Basic x": "not_authed", "Bearer xoxb-wrong": "invalid_auth", "Bearer xoxb-right": `"ok":true`} {
		if _, body, _ := r.ask("POST", "/slack/api/auth.test", "", "", "Authorization", header); !strings.Contains(body, want) {
			t.Errorf("%q: %s", header, body)
		}
	}
	if status, body, _ := r.ask("GET", "/google/v1/spaces", "", "", "Authorization", "Bearer x"); status != 401 {
		t.Errorf("%d %s", status, body)
	}
}

// A method can be made to refuse.
func TestSlackErrors(t *testing.T) {
	r := open(t, Options{})
	if status, body, _ := r.ask("POST", "/slack/errors", jsonType, `{"op":"auth.test","error":"fatal_error"}`); status != 200 {
		t.Fatal(body)
	}
	for _, want := range []string{"fatal_error", `"ok":true`} {
		if _, body, _ := r.ask("POST", "/slack/api/auth.test", "", ""); !strings.Contains(body, want) {
			t.Errorf("%s, want %s", body, want)
		}
	}
	for _, bad := range []string{`{"op":"x","error":"fatal_error"}`, `{"op":"auth.test","error":"x"}`, `{"op":"auth.test","error":"fatal_error","times":-1}`, `{`} {
		if status, body, _ := r.ask("POST", "/slack/errors", jsonType, bad); status != 400 {
			t.Errorf("%s: %d %s", bad, status, body)
		}
	}
}

func TestGoogleContract(t *testing.T) {
	const create = "/google/v1/spaces/CASES/messages"
	card := func(c string) string { return `{"cardsV2":[{"card":` + c + `}]}` }
	widget := func(w string) string { return card(`{"sections":[{"widgets":[` + w + `]}]}`) }
	for _, c := range []struct {
		what, method, path, body string
		want                     int
	}{
		{"right", "POST", create, `{"text":"x"}`, 200},
		{"no method", "PUT", create, `{"text":"x"}`, 404},
		{"another space", "POST", "/google/v1/spaces/OTHER/messages", `{"text":"x"}`, 404},
		{"nothing", "POST", create, `{}`, 400},
		{"no JSON", "POST", create, `{`, 400},
		{"an unknown field", "POST", create, `{"txt":"x"}`, 400},
		{"an unknown parameter", "POST", create + "?messageid=x", `{"text":"x"}`, 400},
		{"a wrong type", "POST", create, `{"text":5}`, 400},
		{"a wrong word", "POST", create + "?messageReplyOption=MAYBE", `{"text":"x"}`, 400},
		{"too long a text", "POST", create, `{"text":"` + strings.Repeat("x", 4097) + `"}`, 400},
		{"too large", "POST", create, widget(`{"textParagraph":{"text":"` + strings.Repeat("x", 32_000) + `"}}`), 400},
		{"an id that is none", "POST", create + "?messageId=mine", `{"text":"x"}`, 400},
		{"an id in capitals", "POST", create + "?messageId=client-A", `{"text":"x"}`, 400},
		{"a long id", "POST", create + "?messageId=client-" + strings.Repeat("a", 57), `{"text":"x"}`, 400},
		{"a card", "POST", create, card(`{"header":{"title":"x"}}`), 200},
		{"an empty card", "POST", create, card(`{}`), 400},
		{"a header without title", "POST", create, card(`{"header":{"subtitle":"x"}}`), 400},
		{"an empty section", "POST", create, card(`{"sections":[{}]}`), 400},
		{"an empty widget", "POST", create, widget(`{}`), 400},
		{"two in one widget", "POST", create, widget(`{"textParagraph":{"text":"x"},"divider":{}}`), 400},
		{"a paragraph of nothing", "POST", create, widget(`{"textParagraph":{}}`), 400},
		{"a button that does nothing", "POST", create, widget(`{"buttonList":{"buttons":[{"text":"x"}]}}`), 400},
		{"an action without function", "POST", create, widget(`{"buttonList":{"buttons":[{"text":"x","onClick":{"action":{}}}]}}`), 400},
		{"101 widgets", "POST", create, widget(strings.Repeat(`{"divider":{}},`, 100) + `{"divider":{}}`), 400},
		{"a body for a get", "GET", create, `{"text":"x"}`, 400},
		{"a patch without a mask", "PATCH", create + "/client-a", `{"text":"x"}`, 404},
		{"a filter of another kind", "GET", create + "?filter=" + url.QueryEscape("text = x"), ``, 400},
		{"an order of another kind", "GET", create + "?orderBy=text", ``, 400},
		{"a page token of nobody", "GET", create + "?pageToken=x", ``, 400},
		{"no file", "GET", "/google/v1/media/x?alt=media", ``, 404},
	} {
		r := open(t, Options{})
		kind := ""
		if c.body != "" {
			kind = jsonType
		}
		if status, body, _ := r.ask(c.method, c.path, kind, c.body); status != c.want {
			t.Errorf("%s: %d %s, want %d", c.what, status, body, c.want)
		}
	}
}

func TestPatch(t *testing.T) {
	r := open(t, Options{})
	r.ask("POST", "/google/v1/spaces/CASES/messages?messageId=client-a", jsonType, `{"text":"x"}`)
	said := r.say(Saying{Platform: Google, Space: Space, Person: "users/1001", Text: "mine"})
	for _, c := range []struct {
		path, body string
		want       int
	}{
		{"client-a?updateMask=text", `{"text":"y"}`, 200},
		{"client-a", `{"text":"z"}`, 400},
		{"client-a?updateMask=sender", `{"text":"z"}`, 400},
		{"client-a?updateMask=text", `{}`, 400},
		{"client-a?updateMask=text&allowMissing=true", `{"text":"z"}`, 400},
		{strings.TrimPrefix(said.Message, Space+"/messages/") + "?updateMask=text", `{"text":"z"}`, 403},
	} {
		if status, body, _ := r.ask("PATCH", "/google/v1/spaces/CASES/messages/"+c.path, jsonType, c.body); status != c.want {
			t.Errorf("%s %s: %d %s, want %d", c.path, c.body, status, body, c.want)
		}
	}
	if got := r.Messages(Google, Space, "")[0].Text; got != "y" {
		t.Errorf("%q", got)
	}
}

// Whatever a request says, it is answered, and never with a 5xx.
func FuzzRequest(f *testing.F) {
	f.Add("POST", "/slack/api/chat.postMessage", "", jsonType, `{"channel":"C0CASES","text":"x","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"x"}}]}`)
	f.Add("GET", "/slack/api/conversations.history", "channel=C0CASES&oldest=1.1&cursor=x", "", "")
	f.Add("GET", "/slack/files/F1/x", "", "", "")
	f.Add("POST", "/google/v1/spaces/CASES/messages", "messageId=client-a", jsonType, `{"cardsV2":[{"card":{"sections":[{"widgets":[null,{"buttonList":{"buttons":[5]}}]}]}}]}`)
	f.Add("PATCH", "/google/v1/spaces/CASES/messages/client-a", "updateMask=*", jsonType, `{"text":"x"}`)
	f.Add("GET", "/google/v1/spaces/CASES/messages", "filter=create_time+%3E+%22x%22&pageSize=2", "", "")
	f.Add("POST", "/people/say", "", formType, "platform=slack&space=C0CASES&person=U0ANNA&text=/case+x")
	f.Add("POST", "/people/click", "", jsonType, `{"platform":"google","space":"spaces/CASES","person":"users/1001","message":"x","button":"y"}`)
	f.Add("POST", "/people/add", "", jsonType, `{"platform":"slack","space":"C0NEW","person":"U0ANNA"}`)
	f.Add("GET", "/", "", "", "")
	f.Fuzz(func(t *testing.T, method, path, query, kind, body string) {
		if strings.HasPrefix(path, "/faults") || strings.HasPrefix(path, "/callback") {
			return // an injected fault may answer 5xx, and a callback is somewhere else
		}
		r := open(t, Options{})
		req := &http.Request{
			Method: method, URL: &url.URL{Scheme: "http", Host: "chat.test", Path: path, RawQuery: query},
			Header: http.Header{"Content-Type": {kind}, "Authorization": {"Bearer x"}}, Body: io.NopCloser(strings.NewReader(body)),
		}
		resp, err := r.Transport().RoundTrip(req.WithContext(t.Context()))
		if err != nil || resp.StatusCode < 200 || resp.StatusCode >= 500 {
			t.Fatalf("%+v, %v", resp, err)
		}
	})
}
