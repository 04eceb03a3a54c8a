package chat

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// received is a request that a webhook got.
type received struct {
	path   string
	header http.Header
	body   string
}

// hook is a webhook that notes what it gets and answers as it is told.
type hook struct {
	got    []received
	status int
	header http.Header
	body   string
	err    error
}

func (h *hook) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	h.got = append(h.got, received{r.URL.Path, r.Header, string(body)})
	if h.err != nil {
		return nil, h.err
	}
	if h.header == nil {
		h.header = http.Header{}
	}
	return &http.Response{StatusCode: h.status, Header: h.header, Body: io.NopCloser(strings.NewReader(h.body)), Request: r}, nil
}

func listen(t *testing.T, o Options) (*rig, *hook) {
	h := &hook{status: 200}
	o.Callback, o.HTTP = "http://desk.test/ChatWebhook/", &http.Client{Transport: h}
	return open(t, o), h
}

func TestSlackSignature(t *testing.T) {
	r, h := listen(t, Options{SigningSecret: "shh"})
	r.say(Saying{Platform: Slack, Space: Channel, Person: "U0ANNA", Text: "help & <b>", Mention: true})
	if _, err := r.Command(t.Context(), Commanding{Platform: Slack, Space: Channel, Person: "U0ANNA", Text: "list"}); err != nil {
		t.Fatal(err)
	}
	if len(h.got) != 3 {
		t.Fatalf("%d requests", len(h.got))
	}
	for _, got := range h.got {
		ts := got.header.Get("X-Slack-Request-Timestamp")
		mac := hmac.New(sha256.New, []byte("shh"))
		fmt.Fprintf(mac, "v0:%s:%s", ts, got.body)
		if got.header.Get("X-Slack-Signature") != "v0="+hex.EncodeToString(mac.Sum(nil)) || ts != strconv.FormatInt(start.Unix(), 10) {
			t.Errorf("%s: %v", got.path, got.header)
		}
	}
	var ids []string
	for i, kind := range []string{"message", "app_mention"} {
		var n struct {
			ID    string `json:"event_id"`
			Token string
			Event struct{ Type, Text, TS, Channel string }
		}
		if err := json.Unmarshal([]byte(h.got[i].body), &n); err != nil || n.Event.Type != kind || n.Event.Text != "<@U0DESKBOT> help &amp; &lt;b&gt;" || n.Token == "" || h.got[i].path != "/ChatWebhook/slack/events" {
			t.Errorf("%s: %s", kind, h.got[i].body)
		}
		ids = append(ids, n.ID)
	}
	if ids[0] == ids[1] {
		t.Error("two notices of one id")
	}
	form, err := url.ParseQuery(h.got[2].body)
	if err != nil || h.got[2].path != "/ChatWebhook/slack/commands" || form.Get("command") != "/case" || form.Get("text") != "list" || form.Get("trigger_id") == "" || form.Get("response_url") == "" {
		t.Errorf("%s", h.got[2].body)
	}
}

func TestGoogleToken(t *testing.T) {
	for _, addOn := range []bool{false, true} {
		r, h := listen(t, Options{AddOn: addOn})
		r.say(Saying{Platform: Google, Space: Space, Person: "users/1002", Text: "help", Mention: true})
		r.say(Saying{Platform: Google, Space: Space, Person: "users/1002", Text: "not to you"})
		if len(h.got) != 1 || h.got[0].path != "/ChatWebhook/google" || strings.Contains(h.got[0].body, `"type":"MESSAGE"`) == addOn || strings.Contains(h.got[0].body, "messagePayload") != addOn {
			t.Fatalf("%+v", h.got)
		}
		if !strings.Contains(h.got[0].body, "bot_config_complete?token=") || strings.Contains(h.got[0].body, "systemIdToken") != addOn {
			t.Error("the body lacks the tokens that it really has")
		}
		claims := r.checkToken(strings.TrimPrefix(h.got[0].header.Get("Authorization"), "Bearer "))
		if claims["aud"] != "http://desk.test/ChatWebhook/google" || claims["iss"] != "https://accounts.google.com" || claims["email"] != "chat@system.gserviceaccount.com" || claims["email_verified"] != true {
			t.Errorf("%v", claims)
		}
	}
}

// checkToken checks a token with the key that the server publishes.
func (r *rig) checkToken(token string) map[string]any {
	r.t.Helper()
	_, body, _ := r.ask("GET", "/google/jwks", "", "")
	var set struct {
		Keys []struct{ N, E, Kid string }
	}
	if err := json.Unmarshal([]byte(body), &set); err != nil || len(set.Keys) != 1 {
		r.t.Fatalf("%s", body)
	}
	number := func(s string) *big.Int {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			r.t.Fatal(err)
		}
		return new(big.Int).SetBytes(b)
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		r.t.Fatalf("%q is no token", token)
	}
	h := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	key := &rsa.PublicKey{N: number(set.Keys[0].N), E: int(number(set.Keys[0].E).Int64())}
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, h[:], number(parts[2]).FillBytes(make([]byte, key.Size()))); err != nil {
		r.t.Error(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(number(parts[1]).Bytes(), &claims); err != nil {
		r.t.Fatal(err)
	}
	return claims
}

// Slack says why and how often it sends a notice again, and stops when it is told to.
func TestRetries(t *testing.T) {
	for _, c := range []struct {
		what   string
		hook   hook
		reason string
		want   int
	}{
		{"an error", hook{status: 500}, "http_error", 4},
		{"no connection", hook{err: errors.New("refused")}, "connection_failed", 4},
		{"too late", hook{err: context.DeadlineExceeded}, "http_timeout", 4},
		{"do not", hook{status: 500, header: http.Header{"X-Slack-No-Retry": {"1"}}}, "", 1},
		{"taken", hook{status: 204}, "", 1},
	} {
		r, h := listen(t, Options{})
		h.status, h.err, h.header = c.hook.status, c.hook.err, c.hook.header
		r.say(Saying{Platform: Slack, Space: Channel, Person: "U0ANNA", Text: "x"})
		for {
			at, ok := r.Next()
			if !ok {
				break
			}
			r.at = at.Add(-time.Nanosecond)
			if at.After(start) && len(r.Send(t.Context())) != 0 {
				t.Errorf("%s: sent before its time", c.what)
			}
			r.at = at
			r.Send(t.Context())
		}
		if len(h.got) != c.want || r.at.Sub(start) != map[bool]time.Duration{true: 6 * time.Minute}[c.want == 4] {
			t.Errorf("%s: %d requests until %v", c.what, len(h.got), r.at)
		}
		for i, got := range h.got {
			num, reason := got.header.Get("X-Slack-Retry-Num"), got.header.Get("X-Slack-Retry-Reason")
			if i == 0 && num+reason != "" || i > 0 && (num != strconv.Itoa(i) || reason != c.reason) || got.body != h.got[0].body {
				t.Errorf("%s: request %d has %q %q", c.what, i, num, reason)
			}
		}
	}
}

// What a webhook answers is seen as the platform shows it.
func TestAnswers(t *testing.T) {
	const addOn = `{"hostAppDataAction":{"chatDataAction":{"createMessageAction":{"message":{"text":"done"}}}}}`
	for _, c := range []struct {
		what, platform, body string
		addOn                bool
		answer               string
		messages             int
	}{
		{"for one", Slack, `{"response_type":"ephemeral","text":"done"}`, false, "done", 0},
		{"for all", Slack, `{"response_type":"in_channel","text":"done"}`, false, "done", 1},
		{"nothing", Slack, ``, false, "", 0},
		{"a text", Google, `{"text":"done"}`, false, "done", 2},
		{"nothing", Google, `{}`, false, "", 1},
		{"of an add-on", Google, addOn, true, "done", 2},
		{"of the other dialect", Google, `{"text":"done"}`, true, "", 1},
		{"of an add-on to the other", Google, addOn, false, "", 1},
	} {
		r, h := listen(t, Options{AddOn: c.addOn})
		h.body = c.body
		in := Commanding{Platform: c.platform, Space: Channel, Person: "U0ANNA", Text: "x"}
		if c.platform == Google {
			in.Space, in.Person = Space, "users/1001"
		}
		said, err := r.Command(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		all := r.Messages(in.Platform, in.Space, "")
		if said.Deliveries[0].Answer != c.answer || len(all) != c.messages || len(all) == 2 && (all[1].Text != "done" || !all[1].Bot || all[1].Thread != all[0].Thread) {
			t.Errorf("%s: answer %q, messages %+v", c.what, said.Deliveries[0].Answer, all)
		}
	}
}

func TestRefusedActs(t *testing.T) {
	r, h := listen(t, Options{AddOn: true})
	r.ask("POST", "/google/v1/spaces/CASES/messages?messageId=client-a", jsonType,
		`{"cardsV2":[{"card":{"sections":[{"widgets":[{"buttonList":{"buttons":[{"text":"Go","onClick":{"action":{"function":"http://169.254.169.254/"}}}]}}]}]}}]}`)
	name := r.Messages(Google, Space, "")[0].Name
	for _, c := range []struct{ what, path, body string }{
		{"nobody", "say", `{"platform":"slack","space":"C0CASES","person":"U1","text":"x"}`},
		{"the bot", "say", `{"platform":"slack","space":"C0CASES","person":"U0DESKBOT","text":"x"}`},
		{"nowhere", "say", `{"platform":"slack","space":"C1","person":"U0ANNA","text":"x"}`},
		{"nothing", "say", `{"platform":"slack","space":"C0CASES","person":"U0ANNA"}`},
		{"no thread", "say", `{"platform":"slack","space":"C0CASES","person":"U0ANNA","text":"x","thread":"1.1"}`},
		{"an unknown field", "say", `{"platform":"slack","space":"C0CASES","person":"U0ANNA","txt":"x"}`},
		{"a long text", "say", `{"platform":"slack","space":"C0CASES","person":"U0ANNA","text":"` + strings.Repeat("x", 12_001) + `"}`},
		{"a command in a thread", "command", `{"platform":"slack","space":"C0CASES","person":"U0ANNA","thread":"1.1"}`},
		{"no message", "click", `{"platform":"slack","space":"C0CASES","person":"U0ANNA","message":"1.1","button":"x"}`},
		{"no button", "click", `{"platform":"google","space":"spaces/CASES","person":"users/1001","message":"` + name + `","button":"x"}`},
		{"a button that calls somewhere else", "click", `{"platform":"google","space":"spaces/CASES","person":"users/1001","message":"` + name + `","button":"Go"}`},
		{"a channel that is none", "add", `{"platform":"slack","space":"general","person":"U0ANNA"}`},
		{"out of nowhere", "remove", `{"platform":"slack","space":"C0NONE","person":"U0ANNA"}`},
	} {
		if status, body, _ := r.ask("POST", "/people/"+c.path, jsonType, c.body); status != 400 {
			t.Errorf("%s: %d %s", c.what, status, body)
		}
	}
	if len(h.got) != 0 {
		t.Errorf("sent %+v", h.got)
	}
}

// The controls do what the methods do.
func TestControls(t *testing.T) {
	r := open(t, Options{})
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", "/people/say", `{"platform":"slack","space":"C0CASES","person":"U0ANNA","text":"hi","files":[{"name":"a","content":"eA=="}]}`, 200, `"message"`},
		{"GET", "/messages?platform=slack&space=C0CASES", "", 200, `"text": "hi"`},
		{"GET", "/messages?platform=google&space=C0CASES", "", 200, `"messages": []`},
		{"POST", "/callback", `{"url":"http://desk.test/x","dialect":"addon"}`, 200, `{}`},
		{"POST", "/callback", `{"url":"desk"}`, 400, `url`},
		{"POST", "/callback", `{"dialect":"klingon"}`, 400, `dialect`},
		{"POST", "/deliveries", `{"hold":1}`, 200, `{}`},
		{"POST", "/deliveries", `{"hold":-1}`, 400, ``},
		{"POST", "/people/command", `{"platform":"google","space":"spaces/CASES","person":"users/1003","text":"x"}`, 200, `"held": true`},
		{"GET", "/deliveries", "", 200, `"waiting": 1`},
		{"DELETE", "/deliveries", "", 200, `{}`},
		{"GET", "/nothing", "", 404, `NOT_FOUND`},
		{"POST", "/nothing", "{}", 404, `NOT_FOUND`},
		{"POST", "/faults", `{"op":"chat.postMessage","fault":"drop"}`, 200, `chat.postMessage`},
		{"POST", "/faults", `{"op":"chat.spaces.messages.create","fault":"commit_then_drop","times":1}`, 200, `chat.spaces.messages.create`},
		{"POST", "/faults", `{"op":"chat.shout","fault":"drop"}`, 400, `op`},
	} {
		if status, body, _ := r.ask(c.method, c.path, jsonType, c.body); status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, status, body)
		}
	}
}

// What was answered is there after a restart, the files and the counters too.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	r := open(t, Options{Dir: dir})
	r.say(Saying{Platform: Slack, Space: Channel, Person: "U0ANNA", Text: "one", Files: []Upload{{Name: "f", Content: []byte("bytes")}}})
	r.say(Saying{Platform: Google, Person: "users/1001", Text: "two"})
	r.ask("POST", "/google/v1/spaces/CASES/messages?messageId=client-a&requestId=r", jsonType, `{"text":"three"}`)
	r.ask("PATCH", "/google/v1/spaces/CASES/messages/client-a?updateMask=text", jsonType, `{"text":"edited"}`)
	shot := func(r *rig) string {
		data, err := json.Marshal([]any{r.Messages(Slack, Channel, ""), r.Messages(Google, Space, ""), r.Messages(Google, "spaces/DM1001", "")})
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	before := shot(r)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time from a journal that was made compact
		again := open(t, Options{Dir: dir})
		if after := shot(again); after != before {
			t.Errorf("%s\nwas %s", after, before)
		}
		if status, body, _ := again.ask("POST", "/google/v1/spaces/CASES/messages?messageId=client-a&requestId=other", jsonType, `{"text":"x"}`); status != 409 {
			t.Errorf("%d %s", status, body)
		}
		var id string
		for k := range again.state.files {
			id = k.id
		}
		if _, body, _ := again.ask("GET", "/slack/files/"+id+"/f", "", ""); body != "bytes" {
			t.Errorf("%q", body)
		}
		again.at = start // the clock went back: times go on
		if status, body, _ := again.ask("POST", "/slack/api/auth.test", "", ""); status != 200 {
			t.Errorf("%d %s", status, body)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Two messages at the same time have names of their own.
func TestNames(t *testing.T) {
	r := open(t, Options{})
	seen := map[string]bool{}
	for range 50 {
		for _, in := range []Saying{{Platform: Slack, Space: Channel, Person: "U0ANNA"}, {Platform: Google, Space: Space, Person: "users/1001"}} {
			in.Text = "x"
			seen[r.say(in).Message] = true
		}
	}
	if len(seen) != 100 {
		t.Errorf("%d names", len(seen))
	}
}

func TestPage(t *testing.T) {
	r, h := listen(t, Options{})
	r.say(Saying{Platform: Slack, Space: Channel, Person: "U0ANNA", Text: `<script>alert(1)</script> <img src=x onerror="alert(2)">`})
	status, body, header := r.ask("GET", "/", "", "")
	if status != 200 || !strings.HasPrefix(header.Get("Content-Type"), "text/html") || !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Fatalf("%d %v", status, header)
	}
	for _, bad := range []string{"<script", "<img", "http://", "https://", "src="} {
		if strings.Contains(strings.ReplaceAll(body, "&lt;img src=x", ""), bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	for _, want := range []string{"#cases", "Anna", "&lt;script&gt;alert(1)&lt;/script&gt;", "Google Chat Cases"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	h.got = nil
	const form = "platform=slack&space=C0CASES&person=U0BEN&text="
	for _, c := range []struct {
		what, body string
		header     []string
		status     int
		heard      int
	}{
		{"our page", form + "hello&mention=yes", []string{"Sec-Fetch-Site", "same-origin"}, 303, 2},
		{"an old browser on our page", form + "hello", []string{"Origin", "http://chat.test"}, 303, 1},
		{"no browser", form + "%2Fcase+list", nil, 303, 1},
		{"another site", form + "evil", []string{"Sec-Fetch-Site", "cross-site"}, 403, 0},
		{"another port", form + "evil", []string{"Sec-Fetch-Site", "same-site"}, 403, 0},
		{"another site in an old browser", form + "evil", []string{"Origin", "https://evil.test"}, 403, 0},
		{"a sandbox", form + "evil", []string{"Origin", "null"}, 403, 0},
		{"nothing said", form, nil, 400, 0},
		{"too much", form + strings.Repeat("x", 70_000), nil, 400, 0},
	} {
		h.got = nil
		status, body, header := r.ask("POST", "/people/say", formType, c.body, c.header...)
		if status != c.status || len(h.got) != c.heard || status == 303 && header.Get("Location") != "../" {
			t.Errorf("%s: %d %s, heard %d", c.what, status, body, len(h.got))
		}
	}
	if status, body, _ := r.ask("POST", "/people/say", "text/plain", `{"platform":"slack","space":"C0CASES","person":"U0BEN","text":"x"}`, "Origin", "https://evil.test"); status != 403 {
		t.Errorf("JSON of another site: %d %s", status, body)
	}
}

// Slack tells the app of its own messages, too, if it is set so; whoever listens must not answer itself.
func TestEcho(t *testing.T) {
	r, h := listen(t, Options{EchoOwn: true})
	r.ask("POST", "/slack/api/chat.postMessage", jsonType, `{"channel":"C0CASES","text":"mine"}`)
	r.Send(t.Context())
	if len(h.got) != 1 || !strings.Contains(h.got[0].body, `"bot_id":"B0DESKBOT"`) {
		t.Errorf("%+v", h.got)
	}
}
