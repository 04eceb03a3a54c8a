package signature

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// slackVector is a request to ourselves, its signature computed outside this package: openssl dgst -sha256 -hmac.
var slackVector = struct{ secret, ts, body, sig string }{
	"slack-signing-secret-0123456789abcdef", "1772625600", "command=%2Fcase&text=open+it%20now&ssl_check=",
	"v0=299163ed13092124daaa985c57b39bf7917271f55a3bc6ee8910a6ccb508951d",
}

func slackRequest(ts, sig string) *http.Request {
	return with("X-Slack-Request-Timestamp", ts, "X-Slack-Signature", sig)
}

func TestSlack(t *testing.T) {
	s := slackVector
	at := time.Unix(1772625600, 0)
	v, err := Slack(s.secret, clockAt(at))
	v = must(t, v, err)
	sign := func(secret, text string) string { return "v0=" + hex.EncodeToString(sum([]byte(secret), text)) }
	signed := func(d time.Duration) *http.Request {
		ts := strconv.FormatInt(at.Add(d).Unix(), 10)
		return slackRequest(ts, sign(s.secret, "v0:"+ts+":"+s.body))
	}
	for name, r := range map[string]*http.Request{"the vector": slackRequest(s.ts, s.sig), "early": signed(-300 * time.Second), "late": signed(300 * time.Second)} {
		if err := v.Verify(r, []byte(s.body)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, r := range map[string]*http.Request{
		"missing":          with(),
		"no timestamp":     with("X-Slack-Signature", s.sig),
		"no signature":     with("X-Slack-Request-Timestamp", s.ts),
		"empty signature":  slackRequest(s.ts, ""),
		"version only":     slackRequest(s.ts, "v0="),
		"no version":       slackRequest(s.ts, s.sig[3:]),
		"another version":  slackRequest(s.ts, "v1="+s.sig[3:]),
		"upper case":       slackRequest(s.ts, "v0="+strings.ToUpper(s.sig[3:])),
		"cut":              slackRequest(s.ts, s.sig[:len(s.sig)-1]),
		"another secret":   slackRequest(s.ts, sign("CANARY", "v0:"+s.ts+":"+s.body)),
		"empty secret":     slackRequest(s.ts, sign("", "v0:"+s.ts+":"+s.body)),
		"no time in it":    slackRequest(s.ts, sign(s.secret, "v0:"+s.body)),
		"Grafana's scheme": slackRequest(s.ts, sign(s.secret, s.ts+":"+s.body)),
		"another time":     slackRequest("1772625601", s.sig),
		"replayed":         signed(-301 * time.Second),
		"from the future":  signed(301 * time.Second),
		"an odd time":      slackRequest("CANARY", s.sig),
		"two signatures":   with("X-Slack-Request-Timestamp", s.ts, "X-Slack-Signature", s.sig, "X-Slack-Signature", s.sig),
		"two timestamps":   with("X-Slack-Request-Timestamp", s.ts, "X-Slack-Request-Timestamp", s.ts, "X-Slack-Signature", s.sig),
	} {
		t.Run(name, func(t *testing.T) { refused(t, v.Verify(r, []byte(s.body)), "") })
	}
	for name, body := range map[string]string{
		"a line more": s.body + "\n", "parsed and written again": "command=%2Fcase&ssl_check=&text=open+it+now", "none": "",
	} {
		t.Run(name, func(t *testing.T) { refused(t, v.Verify(slackRequest(s.ts, s.sig), []byte(body)), "") })
	}
}

// TestSlackPublishedVector reads the vector of Slack's documentation, where it is at hand.
func TestSlackPublishedVector(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(payloads(), "slack-slash-signed-vector.json"))
	if err != nil {
		t.Skip("no sample payloads; set PROVIDERDESK_PAYLOADS to their folder")
	}
	var s struct {
		Secret    string `json:"signing_secret"`
		Timestamp string `json:"timestamp"`
		Body      string `json:"body"`
		Signature string `json:"expected_signature"`
	}
	if err := json.Unmarshal(data, &s); err != nil || s.Signature == "" {
		t.Fatalf("%v, %+v", err, s)
	}
	seconds, _ := strconv.ParseInt(s.Timestamp, 10, 64)
	v, err := Slack(s.Secret, clockAt(time.Unix(seconds, 0)))
	v = must(t, v, err)
	if err := v.Verify(slackRequest(s.Timestamp, s.Signature), []byte(s.Body)); err != nil {
		t.Error(err)
	}
	refused(t, v.Verify(slackRequest(s.Timestamp, s.Signature), []byte(strings.ToLower(s.Body))), "")
}

// TestHMACWithoutTime pins what Grafana sends without a header for the time; the signature was computed outside this package.
func TestHMACWithoutTime(t *testing.T) {
	const name, body, sig = "X-Grafana-Alerting-Signature", `{"status":"firing"}`, "5ca312b403c2b86c78b362c4ba49fd0f59290cbb65869b9ed374b03ed83f0a03"
	v, err := HMACWithoutTime("grafana-shared-secret", name)
	v = must(t, v, err)
	if err := v.Verify(with(name, sig), []byte(body)); err != nil {
		t.Error(err)
	}
	for what, r := range map[string]*http.Request{
		"missing":             with(),
		"empty":               with(name, ""),
		"two":                 with(name, sig, name, sig),
		"upper case":          with(name, strings.ToUpper(sig)),
		"prefix":              with(name, "sha256="+sig),
		"another secret":      with(name, hex.EncodeToString(sum([]byte("CANARY"), body))),
		"empty secret":        with(name, hex.EncodeToString(sum(nil, body))),
		"with a time":         with(name, hex.EncodeToString(sum([]byte("grafana-shared-secret"), "1772625600:", body)), "X-Ts", "1772625600"),
		"in another header":   with("X-Signature", sig),
		"a bearer's instead":  with("Authorization", "Bearer grafana-shared-secret"),
		"signature and space": with(name, sig+" "),
	} {
		t.Run(what, func(t *testing.T) { refused(t, v.Verify(r, []byte(body)), "") })
	}
	t.Run("another body", func(t *testing.T) { refused(t, v.Verify(with(name, sig), []byte(body+" ")), "") })
}

// TestSignStandardWebhook: what we sign is what the specification signs, and what we take.
func TestSignStandardWebhook(t *testing.T) {
	at := time.Unix(1614265330, 999)
	h, err := SignStandardWebhook(webhook.secret, webhook.id, at, []byte(webhook.body))
	if err != nil || h.Get("Webhook-Signature") != webhook.sig || h.Get("Webhook-Timestamp") != webhook.ts || h.Get("Webhook-Id") != webhook.id || len(h) != 3 {
		t.Errorf("%v, %v", err, h)
	}
	v, err := StandardWebhooks([]string{webhook.secret}, clockAt(at))
	v = must(t, v, err)
	for _, body := range []string{"", webhook.body, "ü\x00\xff", strings.Repeat("x", 1<<20)} {
		h, err := SignStandardWebhook(webhook.secret, "msg_1", at.Add(-time.Minute), []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if err := v.Verify(&http.Request{Header: h}, []byte(body)); err != nil {
			t.Error(err)
		}
		refused(t, v.Verify(&http.Request{Header: h}, []byte(body+".")), "")
	}
	for name, sign := range map[string]func() (http.Header, error){
		"no secret":       func() (http.Header, error) { return SignStandardWebhook("", "a", at, nil) },
		"a short secret":  func() (http.Header, error) { return SignStandardWebhook("whsec_CANARY", "a", at, nil) },
		"no id":           func() (http.Header, error) { return SignStandardWebhook(webhook.secret, "", at, nil) },
		"a dot in the id": func() (http.Header, error) { return SignStandardWebhook(webhook.secret, "a.CANARY", at, nil) },
	} {
		h, err := sign()
		if h != nil || !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %v, %v", name, h, err)
		}
	}
}
