package casewebhook_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/functions/casewebhook/commands"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/proctest"
	"github.com/providerdesk/providerdesk/shared/publish/publishtest"
	"github.com/providerdesk/providerdesk/shared/run"
)

const (
	chatSettings = `
push: {bearer: env:SECRET}
chat:
  slack: {signing_secret: env:SIGNING, token: env:SECRET, team: T024BE7LD, bot_user: U0BOT}
  google: {audience: "https://desk.example.com/ChatWebhook/google", certificates: %q, app: users/999}
  second_approver: [escalate]
people:
  - {name: Anna Example, email: anna@example.com, slack: U0ANNA, google: users/1, may: [all]}
  - {name: Bob Example, email: bob@example.com, slack: U0BOB, may: [comment]}
desks:
  google: {kind: google, parent: projects/acme-prod, classification: X}
senders:
  - {name: ci, source: commands, tenant: acme, auth: {bearer: env:CI}}
  - {name: prom, source: alertmanager, tenant: acme, auth: {bearer: env:SECRET}}
routes:
  - {when: "true", desk: google, priority: P2}
`
	chatAudience  = "https://desk.example.com/ChatWebhook/google"
	signingSecret = "8f742231b10e8888abcd99yyyzzz85a5"
)

// googleKey signs tokens as Google does, and serves its public half.
type googleKey struct{ *rsa.PrivateKey }

func newGoogleKey(t testing.TB) googleKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return googleKey{key}
}

func segment(v any) string {
	data, _ := json.Marshal(v) // of maps of texts and numbers
	return base64.RawURLEncoding.EncodeToString(data)
}

func (k googleKey) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	e := base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.E)).Bytes())
	n := base64.RawURLEncoding.EncodeToString(k.N.Bytes())
	fmt.Fprintf(w, `{"keys":[{"kty":"RSA","alg":"RS256","use":"sig","kid":"k","e":%q,"n":%q}]}`, e, n)
}

// token is a token of Google Chat for an audience, made at a time.
func (k googleKey) token(audience string, at time.Time) string {
	text := segment(map[string]any{"alg": "RS256", "kid": "k"}) + "." + segment(map[string]any{"iss": "https://accounts.google.com", "aud": audience,
		"sub": "1", "email": "chat@system.gserviceaccount.com", "email_verified": true, "iat": at.Unix(), "exp": at.Add(time.Hour).Unix()})
	h := sha256.Sum256([]byte(text))
	sig, _ := rsa.SignPKCS1v15(nil, k.PrivateKey, crypto.SHA256, h[:]) // of a key that was just made
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// front is a reception behind a server, as the platform has it.
type front struct {
	testing.TB
	*casewebhook.Reception
	key    googleKey
	bus    *publishtest.Kept
	log    *proctest.Output
	config *config.Config
	chats  http.HandlerFunc
	others http.HandlerFunc
}

func newFront(t testing.TB) *front {
	t.Helper()
	f := &front{TB: t, key: newGoogleKey(t), log: &proctest.Output{}, bus: &publishtest.Kept{Topics: []string{commands.Topic}}}
	keys := httptest.NewServer(f.key)
	t.Cleanup(keys.Close)
	env := map[string]string{"SIGNING": signingSecret, "SECRET": "secret-0123456789", "CI": "ci-secret-0123456789"}
	var err error
	if f.config, err = config.Parse("providerdesk.yaml", fmt.Appendf(nil, chatSettings, keys.URL), func(name string) (string, bool) { v, ok := env[name]; return v, ok }); err != nil {
		t.Fatal(err)
	}
	fronts, err := casewebhook.Fronts(t.Context(), f.config, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(f.log, nil))
	if f.Reception, err = casewebhook.NewReception(t.Context(), casewebhook.ReceptionDeps{Config: f.config, Publisher: f.bus, Fronts: fronts, Log: log}); err != nil {
		t.Fatal(err)
	}
	o := run.Options{Log: log, MaxBody: 2 << 20}
	f.chats = run.HTTP("ChatWebhook", func(context.Context) (run.HTTPHandler, error) { return f.ChatWebhook, nil }, o)
	f.others = run.HTTP("CommentWebhook", func(context.Context) (run.HTTPHandler, error) { return f.CommentWebhook, nil }, o)
	return f
}

// knock is one request; sign is done last.
type knock struct {
	method, path, contentType, body string
	sign                            func(*http.Request, string)
}

func (k knock) send(h http.HandlerFunc) *http.Response {
	r := httptest.NewRequest(k.method, k.path, strings.NewReader(k.body))
	if k.contentType != "" {
		r.Header.Set("Content-Type", k.contentType)
	}
	if k.sign != nil {
		k.sign(r, k.body)
	}
	rec := httptest.NewRecorder()
	h(rec, r)
	return rec.Result()
}

func bodyOf(r *http.Response) string {
	body, _ := io.ReadAll(r.Body) // of a recorder
	return string(body)
}

// slackSigned signs as Slack does.
func slackSigned(secret string, at time.Time) func(*http.Request, string) {
	return func(r *http.Request, body string) {
		stamp := fmt.Sprint(at.Unix())
		mac := hmac.New(sha256.New, []byte(secret))
		io.WriteString(mac, "v0:"+stamp+":"+body)
		r.Header.Set("X-Slack-Request-Timestamp", stamp)
		r.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	}
}

func bearing(token string) func(*http.Request, string) {
	return func(r *http.Request, _ string) { r.Header.Set("Authorization", "Bearer "+token) }
}

func slash(words string, change ...string) knock {
	v := url.Values{"command": {"/desk"}, "text": {words}, "team_id": {"T024BE7LD"}, "channel_id": {"C0OPS"}, "user_id": {"U0ANNA"}, "user_name": {"anna"}, "trigger_id": {"1.2.3"}}
	for i := 0; i < len(change); i += 2 {
		v.Set(change[i], change[i+1])
	}
	return knock{"POST", "/ChatWebhook/slack/commands", "application/x-www-form-urlencoded", v.Encode(), slackSigned(signingSecret, time.Now())}
}

func notice(event string) knock {
	body := `{"type":"event_callback","team_id":"T024BE7LD","event_id":"Ev1","event_time":1700000000,"event":` + event + `}`
	return knock{"POST", "/slack/events", "application/json", body, slackSigned(signingSecret, time.Now())}
}

func (f *front) google(text string) knock {
	body := `{"type":"MESSAGE","eventTime":"2026-03-01T10:00:00Z","user":{"name":"users/1","type":"HUMAN"},"space":{"name":"spaces/ops","type":"ROOM"},
"message":{"name":"spaces/ops/messages/m.m","sender":{"name":"users/1","type":"HUMAN"},"text":"@desk ` + text + `","argumentText":" ` + text + `",
"thread":{"name":"spaces/ops/threads/t"}}}`
	return knock{"POST", "/ChatWebhook/google", "application/json", body, bearing(f.key.token(chatAudience, time.Now()))}
}

// What is forged, replayed, stale, unsigned, foreign or malformed is refused, and nothing is done about it; what comes in does not come out.
func TestChatWebhookRefuses(t *testing.T) {
	f := newFront(t)
	with := func(k knock, change func(*knock)) knock { change(&k); return k }
	old := time.Now().Add(-10 * time.Minute)
	for _, tt := range []struct {
		name   string
		knock  knock
		down   error
		status int
	}{
		{"unsigned", with(slash(canary), func(k *knock) { k.sign = nil }), nil, 401},
		{"forged", with(slash(canary), func(k *knock) { k.sign = slackSigned("another-secret-0123", time.Now()) }), nil, 401},
		{"stale", with(slash(canary), func(k *knock) { k.sign = slackSigned(signingSecret, old) }), nil, 401},
		{"of the future", with(slash(canary), func(k *knock) { k.sign = slackSigned(signingSecret, time.Now().Add(10*time.Minute)) }), nil, 401},
		{"a changed body", with(slash(canary), func(k *knock) {
			k.sign = func(r *http.Request, b string) { slackSigned(signingSecret, time.Now())(r, b+"x") }
		}), nil, 401},
		{"an unsigned handshake", with(notice(`{}`), func(k *knock) { k.body, k.sign = `{"type":"url_verification","challenge":"`+canary+`"}`, nil }), nil, 401},
		{"Google unsigned", with(f.google(canary), func(k *knock) { k.sign = nil }), nil, 401},
		{"Google forged", with(f.google(canary), func(k *knock) { k.sign = bearing(newGoogleKey(t).token(chatAudience, time.Now())) }), nil, 401},
		{"Google for another app", with(f.google(canary), func(k *knock) { k.sign = bearing(f.key.token("https://other.example.com", time.Now())) }), nil, 401},
		{"Google stale", with(f.google(canary), func(k *knock) { k.sign = bearing(f.key.token(chatAudience, time.Now().Add(-3*time.Hour))) }), nil, 401},
		{"a Slack signature for Google", with(f.google(canary), func(k *knock) { k.sign = slackSigned(signingSecret, time.Now()) }), nil, 401},
		{"another workspace's click", knock{"POST", "/slack/interactions", "application/x-www-form-urlencoded", url.Values{"payload": {`{"type":"block_actions","team":{"id":"T0000000"},
"user":{"id":"U0ANNA"},"channel":{"id":"C0OPS"},"container":{"message_ts":"1.2"},"actions":[{"type":"button","action_id":"case.confirm","value":"abc","action_ts":"1.3"}]}`}}.Encode(),
			slackSigned(signingSecret, time.Now())}, nil, 403},
		{"another workspace", slash(canary, "team_id", "T0000000"), nil, 403},
		{"another workspace's event", with(notice(`{"type":"message","channel":"C0OPS","user":"U0ANNA","text":"`+canary+`","ts":"1.2"}`), func(k *knock) {
			k.body = strings.Replace(k.body, "T024BE7LD", "T0000000", 1)
		}), nil, 403},
		{"a wrong method", with(slash(canary), func(k *knock) { k.method = "PUT" }), nil, 405},
		{"a wrong type", with(slash(canary), func(k *knock) { k.contentType = "application/json" }), nil, 415},
		{"the signature is looked at before the type", with(slash(canary), func(k *knock) { k.contentType, k.sign = "text/plain", nil }), nil, 401},
		{"no such path", with(slash(canary), func(k *knock) { k.path = "/ChatWebhook/slack/" + canary }), nil, 404},
		{"no path", with(slash(canary), func(k *knock) { k.path = "/" }), nil, 404},
		{"too large", with(slash(canary), func(k *knock) { k.body += strings.Repeat("x", 1<<20) }), nil, 413},
		{"malformed", with(slash(canary), func(k *knock) { k.body = "text=%zz" + canary }), nil, 400},
		{"malformed Google", with(f.google(canary), func(k *knock) { k.body = `{"type":"` + canary + `"` }), nil, 400},
		{"a field twice", with(slash(canary), func(k *knock) { k.body += "&text=" + canary }), nil, 400},
		{"the bus is down", slash(canary), fault.Wrap(fault.Transient, errors.New("down"), "publish"), 503},
		{"the bus refuses us", f.google(canary), fault.Wrap(fault.Denied, errors.New("denied"), "publish"), 503},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.bus.Down = tt.down
			defer func() { f.bus.Down = nil }()
			res := tt.knock.send(f.chats)
			body := bodyOf(res)
			if res.StatusCode != tt.status || res.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%d %s %s, want %d", res.StatusCode, res.Header.Get("Content-Type"), body, tt.status)
			}
			if tt.status == 503 && res.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			if n := len(f.bus.Take(commands.Topic)); n != 0 {
				t.Errorf("%d messages published", n)
			}
			if strings.Contains(body, canary) || strings.Contains(f.log.String(), canary) || strings.Contains(f.log.String(), signingSecret) {
				t.Errorf("what came in comes out: %s", body)
			}
		})
	}
}

// What is said to us is answered at once and published once, with the key of its thread; everything else is answered and left alone.
func TestChatWebhook(t *testing.T) {
	f := newFront(t)
	thread := `"channel":"C0OPS","text":"hello","ts":"1700000001.000200","thread_ts":"1700000000.000100"`
	click := url.Values{"payload": {`{"type":"block_actions","team":{"id":"T024BE7LD"},"user":{"id":"U0ANNA"},"channel":{"id":"C0OPS"},"container":{"message_ts":"1700000000.000100"},
"message":{"ts":"1700000000.000100"},"actions":[{"type":"button","action_id":"case.confirm","value":"abc","action_ts":"1700000002.0001"}]}`}}.Encode()
	for _, tt := range []struct {
		name  string
		knock knock
		key   string // of the message; empty: none
		said  string // in the answer
		kind  chat.Kind
	}{
		{"a slash command", slash("list"), "slack C0OPS ", "Working on it", chat.Command},
		{"a thread message", notice(`{"type":"message","user":"U0ANNA",` + thread + `}`), "slack C0OPS 1700000000.000100", "", chat.Message},
		{"a mention at the root", notice(`{"type":"app_mention","user":"U0ANNA","channel":"C0OPS","text":"<@U0BOT> help","ts":"1700000001.000200"}`), "slack C0OPS 1700000001.000200", "", chat.Message},
		{"a click", knock{"POST", "/slack/interactions", "application/x-www-form-urlencoded", click, slackSigned(signingSecret, time.Now())}, "slack C0OPS 1700000000.000100", "", chat.Click},
		{"Google", f.google("list"), "google spaces/ops spaces/ops/threads/t", "", chat.Message},
		{"Slack tries the address", knock{"POST", "/slack/events", "application/json", `{"type":"url_verification","challenge":"abc123"}`, slackSigned(signingSecret, time.Now())}, "", `{"challenge":"abc123"}`, ""},
		{"Slack tries the certificate", knock{"POST", "/slack/commands", "application/x-www-form-urlencoded", "ssl_check=1", slackSigned(signingSecret, time.Now())}, "", "", ""},
		{"our own message", notice(`{"type":"message","user":"U0BOT",` + thread + `}`), "", "", ""},
		{"a program's", notice(`{"type":"message","bot_id":"B0X",` + thread + `}`), "", "", ""},
		{"an edit", notice(`{"type":"message","subtype":"message_changed",` + thread + `}`), "", "", ""},
		{"a message to others", notice(`{"type":"message","user":"U0ANNA","channel":"C0OPS","text":"hello","ts":"1700000001.000200"}`), "", "", ""},
		{"something unknown", notice(`{"type":"reaction_added"}`), "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := tt.knock.send(f.chats)
			body := bodyOf(res)
			if res.StatusCode != 200 || !strings.Contains(body, tt.said) || tt.said == "" && strings.Contains(body, "Working") {
				t.Errorf("%d %q, want %q", res.StatusCode, body, tt.said)
			}
			all := f.bus.Take(commands.Topic)
			if tt.key == "" {
				if len(all) != 0 {
					t.Errorf("published %s", all[0].Data)
				}
				return
			}
			if len(all) != 1 || all[0].OrderingKey != tt.key {
				t.Fatalf("published %+v", all)
			}
			if m, err := commands.Decode(all[0].Data); err != nil || m.Chat.Kind != tt.kind || m.Chat.Person.ID == "" || m.Chat.ID == "" {
				t.Errorf("%+v, %v", m, err)
			}
		})
	}
}

// A platform that sends something again sends the same: both copies are one act.
func TestChatWebhookRepeats(t *testing.T) {
	f := newFront(t)
	both := []knock{
		notice(`{"type":"message","user":"U0ANNA","channel":"C0OPS","text":"<@U0BOT> help","ts":"1700000001.000200"}`),
		notice(`{"type":"app_mention","user":"U0ANNA","channel":"C0OPS","text":"<@U0BOT> help","ts":"1700000001.000200"}`),
	}
	var ids []string
	for _, k := range both {
		k.send(f.chats)
		for _, e := range f.bus.Take(commands.Topic) {
			m, err := commands.Decode(e.Data)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, m.Chat.ID)
		}
	}
	if len(ids) != 2 || ids[0] != ids[1] {
		t.Errorf("%q", ids)
	}
}

// A system's request is checked as far as it can be at once.
func TestCommentWebhook(t *testing.T) {
	f := newFront(t)
	const good = `{"id":"r1","desk":"google","case":"12345678","action":"comment","text":"` + canary + `","by":"anna@example.com"}`
	with := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	auth := bearing("ci-secret-0123456789")
	for _, tt := range []struct {
		name, path, contentType, body string
		sign                          func(*http.Request, string)
		status                        int
		says                          string
	}{
		{"good", "/CommentWebhook/ci", "application/json", good, auth, 202, `"ids"`},
		{"no credential", "/ci", "application/json", good, nil, 401, ""},
		{"a wrong credential", "/ci", "application/json", good, bearing(canary + "0123456789"), 401, ""},
		{"a sender of alerts", "/prom", "application/json", good, bearing("secret-0123456789"), 404, "source: commands"},
		{"an unknown sender", "/" + canary, "application/json", good, auth, 404, "source: commands"},
		{"not JSON", "/ci", "text/plain", good, auth, 415, "application/json"},
		{"an unknown field", "/ci", "application/json", with(`"id"`, `"`+canary+`":1,"id"`), auth, 400, "and nothing else"},
		{"two objects", "/ci", "application/json", good + good, auth, 400, "and nothing else"},
		{"too large", "/ci", "application/json", with(canary, strings.Repeat(canary, 1<<17)), auth, 413, ""},
		{"too long", "/ci", "application/json", with(canary, strings.Repeat("x", 130_000)), auth, 400, "attach it as a file"},
		{"an unknown person", "/ci", "application/json", with("anna@", "eve@"), auth, 403, "by is the address of nobody"},
		{"another right", "/ci", "application/json", with(`"comment","text":"`+canary+`"`, `"subscribe","addresses":["a@example.com"]`+"") /* by Anna */, auth, 202, `"ids"`},
		{"Bob's right", "/ci", "application/json", strings.Replace(with(`"comment","text":"`+canary+`"`, `"subscribe","addresses":["a@example.com"]`), "anna@", "bob@", 1), auth, 403, "who may: Anna Example"},
		{"not confirmed", "/ci", "application/json", with(`"comment","text":"`+canary+`"`, `"close"`), auth, 400, "confirmed"},
		{"confirmed", "/ci", "application/json", with(`"comment","text":"`+canary+`"`, `"close","confirmed":true`), auth, 202, `"ids"`},
		{"a second person", "/ci", "application/json", with(`"comment","text":"`+canary+`"`, `"escalate","reason":"BUSINESS_IMPACT","text":"x","confirmed":true`), auth, 400, "second person"},
		{"no such desk", "/ci", "application/json", with(`"google"`, `"none"`), auth, 400, "configured desk"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := knock{"POST", tt.path, tt.contentType, tt.body, tt.sign}.send(f.others)
			body := bodyOf(res)
			if res.StatusCode != tt.status || !strings.Contains(body, tt.says) {
				t.Errorf("%d %s, want %d %s", res.StatusCode, body, tt.status, tt.says)
			}
			all := f.bus.Take(commands.Topic)
			if (len(all) == 1) != (tt.status == 202) {
				t.Fatalf("%d messages", len(all))
			}
			if len(all) == 1 {
				if m, err := commands.Decode(all[0].Data); err != nil || m.Request.Sender != "ci" || m.Request.Tenant != "acme" || all[0].OrderingKey != "request ci google 12345678" {
					t.Errorf("%+v, %v, %q", m, err, all[0].OrderingKey)
				}
			}
			if strings.Contains(body, canary) || strings.Contains(f.log.String(), canary) {
				t.Error("what came in comes out")
			}
		})
	}
}

// BenchmarkChatAcknowledge is the time from a request of a chat platform to its answer, in this process, at 100 requests a second.
func BenchmarkChatAcknowledge(b *testing.B) {
	const rate = 100
	for name, make := range map[string]func(f *front) knock{
		"slack":  func(*front) knock { return slash("comment #12345678 " + strings.Repeat("word ", 200)) },
		"google": func(f *front) knock { return f.google("comment #12345678 " + strings.Repeat("word ", 200)) },
	} {
		b.Run(name, func(b *testing.B) {
			f := newFront(b)
			k := make(f)
			k.send(f.chats) // keys are fetched once
			took := []time.Duration{}
			tick := time.NewTicker(time.Second / rate)
			defer tick.Stop()
			for b.Loop() {
				<-tick.C
				began := time.Now()
				res := k.send(f.chats)
				took = append(took, time.Since(began))
				if res.StatusCode != http.StatusOK {
					b.Fatal(res.StatusCode, bodyOf(res))
				}
			}
			f.bus.Take(commands.Topic)
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}

// FuzzChatWebhook: whatever a signed request holds, it is answered, and what is published can be read.
func FuzzChatWebhook(f *testing.F) {
	for _, k := range []knock{slash("list"), slash("close #7"), notice(`{"type":"message","user":"U0ANNA","channel":"C0OPS","text":"x","ts":"1.2","thread_ts":"1.1"}`)} {
		f.Add(strings.TrimPrefix(k.path, "/ChatWebhook"), k.contentType, []byte(k.body))
	}
	front := newFront(f)
	f.Fuzz(func(t *testing.T, path, contentType string, body []byte) {
		r, err := http.NewRequest(http.MethodPost, "http://desk.test/", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.URL.Path = path
		r.Header.Set("Content-Type", contentType)
		slackSigned(signingSecret, time.Now())(r, string(body))
		rec := httptest.NewRecorder()
		front.chats(rec, r)
		if rec.Code >= 500 {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
		for _, e := range front.bus.Take(commands.Topic) {
			if _, err := commands.Decode(e.Data); err != nil || rec.Code != http.StatusOK {
				t.Errorf("%d, published %q: %v", rec.Code, e.Data, err)
			}
		}
	})
}
