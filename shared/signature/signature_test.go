package signature

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

const secret = "s3cr3t-CANARY-ünï"

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func clockAt(t time.Time) func() time.Time { return func() time.Time { return t } }

// with builds a request from name, value pairs; a name may be there twice.
func with(pairs ...string) *http.Request {
	r := httptest.NewRequest("POST", "/", nil)
	for i := 0; i < len(pairs); i += 2 {
		r.Header.Add(pairs[i], pairs[i+1])
	}
	return r
}

func must(t testing.TB, v Verifier, err error) Verifier {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// refused checks what every refusal promises.
func refused(t *testing.T, err error, challenge string) {
	t.Helper()
	if !fault.Is(err, fault.Denied) || fault.Public(err) == "" {
		t.Fatalf("got %v, want a refusal with a sentence", err)
	}
	if got := Challenge(err); got != challenge {
		t.Errorf("challenge %q, want %q", got, challenge)
	}
	if strings.Contains(err.Error(), "CANARY") {
		t.Errorf("the refusal names a secret: %v", err)
	}
}

func TestBearer(t *testing.T) {
	v, err := Bearer(secret)
	v = must(t, v, err)
	for _, ok := range []string{"Bearer " + secret, "bearer " + secret, "BEARER " + secret} {
		if err := v.Verify(with("Authorization", ok), nil); err != nil {
			t.Errorf("%q: %v", ok, err)
		}
	}
	for name, r := range map[string]*http.Request{
		"missing":        with(),
		"empty":          with("Authorization", ""),
		"no scheme":      with("Authorization", secret),
		"no token":       with("Authorization", "Bearer"),
		"empty token":    with("Authorization", "Bearer "),
		"other scheme":   with("Authorization", "Basic "+secret),
		"scheme glued":   with("Authorization", "Bearer"+secret),
		"two spaces":     with("Authorization", "Bearer  "+secret),
		"tab":            with("Authorization", "Bearer\t"+secret),
		"leading space":  with("Authorization", " Bearer "+secret),
		"trailing space": with("Authorization", "Bearer "+secret+" "),
		"other case":     with("Authorization", "Bearer "+strings.ToUpper(secret)),
		"prefix":         with("Authorization", "Bearer "+secret[:len(secret)-1]),
		"suffix":         with("Authorization", "Bearer "+secret+"x"),
		"other unicode":  with("Authorization", "Bearer s3cr3t-CANARY-u\u0308ni\u0308"),
		"NUL":            with("Authorization", "Bearer "+secret+"\x00"),
		"two headers":    with("Authorization", "Bearer "+secret, "Authorization", "Bearer "+secret),
		"other header":   with("X-Authorization", "Bearer "+secret),
		"query":          httptest.NewRequest("POST", "/?access_token=x", nil),
	} {
		t.Run(name, func(t *testing.T) { refused(t, v.Verify(r, nil), `Bearer realm="providerdesk"`) })
	}
}

func TestBasic(t *testing.T) {
	v, err := Basic("gcm", secret)
	v = must(t, v, err)
	pair := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, ok := range []string{pair("gcm:" + secret), strings.Replace(pair("gcm:"+secret), "Basic", "basic", 1)} {
		if err := v.Verify(with("Authorization", ok), nil); err != nil {
			t.Error(err)
		}
	}
	colons, err := Basic("u", "a:b:c")
	if err := must(t, colons, err).Verify(with("Authorization", pair("u:a:b:c")), nil); err != nil {
		t.Errorf("a password with colons: %v", err)
	}
	for name, r := range map[string]*http.Request{
		"first request":   with(),
		"other scheme":    with("Authorization", "Bearer "+secret),
		"not base64":      with("Authorization", "Basic gcm:"+secret),
		"no colon":        with("Authorization", pair("gcm"+secret)),
		"empty pair":      with("Authorization", pair(":")),
		"empty password":  with("Authorization", pair("gcm:")),
		"empty user":      with("Authorization", pair(":"+secret)),
		"other user":      with("Authorization", pair("CANARY:"+secret)),
		"other password":  with("Authorization", pair("gcm:CANARY")),
		"user case":       with("Authorization", pair("GCM:"+secret)),
		"password case":   with("Authorization", pair("gcm:"+strings.ToUpper(secret))),
		"swapped":         with("Authorization", pair(secret+":gcm")),
		"trailing space":  with("Authorization", pair("gcm:"+secret)+" "),
		"trailing line":   with("Authorization", pair("gcm:"+secret+"\n")),
		"latin-1":         with("Authorization", pair("gcm:s3cr3t-CANARY-\xfcn\xef")),
		"no padding":      with("Authorization", strings.TrimRight(pair("gcm:"+secret+"1"), "=")),
		"two headers":     with("Authorization", pair("gcm:"+secret), "Authorization", pair("gcm:"+secret)),
		"URL credentials": httptest.NewRequest("POST", "http://gcm:x@example.test/", nil),
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, v.Verify(r, nil), `Basic realm="providerdesk", charset="UTF-8"`)
		})
	}
}

// TestHMACVector pins what Grafana documents, computed outside this package: openssl dgst -sha256 -hmac.
func TestHMACVector(t *testing.T) {
	v, err := HMAC("grafana-shared-secret", "X-Grafana-Alerting-Signature", "X-Grafana-Alerting-Timestamp", clockAt(time.Unix(1772625600, 0)))
	v = must(t, v, err)
	const sig = "112166db432f26e4e993cf59037d18888212abedaa35e612d592989ce1f8f840"
	r := with("X-Grafana-Alerting-Signature", sig, "X-Grafana-Alerting-Timestamp", "1772625600")
	if err := v.Verify(r, []byte(`{"status":"firing"}`)); err != nil {
		t.Error(err)
	}
}

func TestHMAC(t *testing.T) {
	const name, tsName, body = "X-Grafana-Alerting-Signature", "X-Ts", `{"a":"ü"}`
	v, err := HMAC(secret, name, tsName, clockAt(noon))
	v = must(t, v, err)
	sign := func(key, text string) string {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(text))
		return hex.EncodeToString(mac.Sum(nil))
	}
	unix := func(d time.Duration) string { return strconv.FormatInt(noon.Add(d).Unix(), 10) }
	signed := func(ts string) *http.Request { return with(name, sign(secret, ts+":"+body), tsName, ts) }
	for _, d := range []time.Duration{0, 300 * time.Second, -300 * time.Second} {
		if err := v.Verify(signed(unix(d)), []byte(body)); err != nil {
			t.Errorf("%s from now: %v", d, err)
		}
	}
	now, good := unix(0), sign(secret, unix(0)+":"+body)
	for what, r := range map[string]*http.Request{
		"missing":               with(),
		"no signature":          with(tsName, now),
		"empty signature":       with(name, "", tsName, now),
		"no timestamp":          with(name, good),
		"empty timestamp":       with(name, good, tsName, ""),
		"body alone signed":     with(name, sign(secret, body), tsName, now),
		"other secret":          with(name, sign("CANARY", now+":"+body), tsName, now),
		"empty secret":          with(name, sign("", now+":"+body), tsName, now),
		"upper-case":            with(name, strings.ToUpper(good), tsName, now),
		"prefix sha256=":        with(name, "sha256="+good, tsName, now),
		"trailing space":        with(name, good+" ", tsName, now),
		"cut":                   with(name, good[:63], tsName, now),
		"base64":                with(name, base64.StdEncoding.EncodeToString([]byte(good)), tsName, now),
		"replayed":              signed(unix(-301 * time.Second)),
		"future":                signed(unix(301 * time.Second)),
		"negative time":         signed("-1"),
		"plus sign":             signed("+" + now),
		"leading space":         signed(" " + now),
		"fraction":              signed(now + ".0"),
		"milliseconds":          signed(now + "000"),
		"overflow":              signed("99999999999999999999"),
		"arabic digits":         signed("١٧٧٢٦٢٥٦٠٠"),
		"RFC 3339":              signed(noon.Format(time.RFC3339)),
		"time of another":       with(name, good, tsName, unix(time.Second)),
		"two signatures":        with(name, good, name, good, tsName, now),
		"two timestamps":        with(name, good, tsName, now, tsName, now),
		"signature of bearer's": with("Authorization", "Bearer "+secret),
	} {
		t.Run(what, func(t *testing.T) { refused(t, v.Verify(r, []byte(body)), "") })
	}
	for what, b := range map[string]string{"one byte more": body + "\n", "another body": `{"a":"u"}`, "no body": ""} {
		t.Run(what, func(t *testing.T) { refused(t, v.Verify(signed(now), []byte(b)), "") })
	}
}

// webhook is the example of the specification.
var webhook = struct{ secret, id, ts, body, sig string }{
	"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", `{"test": 2432232314}`,
	"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}

func webhookRequest(id, ts, sig string) *http.Request {
	return with("webhook-id", id, "webhook-timestamp", ts, "webhook-signature", sig)
}

func TestStandardWebhooks(t *testing.T) {
	w := webhook
	now := clockAt(time.Unix(1614265330, 0))
	v, err := StandardWebhooks([]string{w.secret}, now)
	v = must(t, v, err)
	other := "whsec_" + base64.StdEncoding.EncodeToString([]byte("another key of 24 bytes!"))
	rotated, err := StandardWebhooks([]string{other, w.secret}, now)
	rotated = must(t, rotated, err)
	for _, sig := range []string{w.sig, "v1,AAAA " + w.sig, w.sig + " v1a,AAAA", "v2,AAAA v1, " + w.sig + " v1,AAAA"} {
		for _, v := range []Verifier{v, rotated} {
			if err := v.Verify(webhookRequest(w.id, w.ts, sig), []byte(w.body)); err != nil {
				t.Errorf("%q: %v", sig, err)
			}
		}
	}
	sign := func(id, ts, body string) string {
		key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(w.secret, "whsec_"))
		return "v1," + base64.StdEncoding.EncodeToString(sum(key, id+"."+ts+"."+body))
	}
	if sign(w.id, w.ts, w.body) != w.sig {
		t.Fatal("the test signs otherwise than the specification")
	}
	for name, r := range map[string]*http.Request{
		"missing":         with(),
		"no id":           with("webhook-timestamp", w.ts, "webhook-signature", w.sig),
		"no timestamp":    with("webhook-id", w.id, "webhook-signature", w.sig),
		"no signature":    with("webhook-id", w.id, "webhook-timestamp", w.ts),
		"no version":      webhookRequest(w.id, w.ts, w.sig[3:]),
		"other version":   webhookRequest(w.id, w.ts, "v2"+w.sig[2:]),
		"upper version":   webhookRequest(w.id, w.ts, "V1"+w.sig[2:]),
		"v1a":             webhookRequest(w.id, w.ts, "v1a"+w.sig[2:]),
		"empty entry":     webhookRequest(w.id, w.ts, "v1,"),
		"one letter":      webhookRequest(w.id, w.ts, strings.Replace(w.sig, "OE=", "OA=", 1)),
		"no padding":      webhookRequest(w.id, w.ts, strings.TrimSuffix(w.sig, "=")),
		"commas":          webhookRequest(w.id, w.ts, "v1,AAAA,"+w.sig),
		"other id":        webhookRequest(w.id+"x", w.ts, w.sig),
		"moved dot":       webhookRequest(w.id+".1", w.ts, sign(w.id+".1", w.ts, w.body)),
		"empty id":        webhookRequest("", w.ts, sign("", w.ts, w.body)),
		"unicode id":      webhookRequest("mß", w.ts, sign("mß", w.ts, w.body)),
		"spaced id":       webhookRequest("a b", w.ts, sign("a b", w.ts, w.body)),
		"long id":         webhookRequest(strings.Repeat("a", 257), w.ts, sign(strings.Repeat("a", 257), w.ts, w.body)),
		"replayed":        webhookRequest(w.id, "1614265029", sign(w.id, "1614265029", w.body)),
		"future":          webhookRequest(w.id, "1614265631", sign(w.id, "1614265631", w.body)),
		"letters in time": webhookRequest(w.id, "1614265330a", sign(w.id, "1614265330a", w.body)),
		"two ids":         with("webhook-id", w.id, "webhook-id", w.id, "webhook-timestamp", w.ts, "webhook-signature", w.sig),
		"two signatures":  with("webhook-id", w.id, "webhook-timestamp", w.ts, "webhook-signature", w.sig, "webhook-signature", w.sig),
	} {
		t.Run(name, func(t *testing.T) { refused(t, v.Verify(r, []byte(w.body)), "") })
	}
	t.Run("other body", func(t *testing.T) { refused(t, v.Verify(webhookRequest(w.id, w.ts, w.sig), []byte(w.body+" ")), "") })
	longest := strings.Repeat("a", 256)
	if err := v.Verify(webhookRequest(longest, w.ts, sign(longest, w.ts, "")), nil); err != nil {
		t.Errorf("an id of 256: %v", err)
	}
}

func payloads() string {
	if dir := os.Getenv("PROVIDERDESK_PAYLOADS"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "..", "shared", "payloads")
}

// TestPublishedVectors reads the vectors of the Standard Webhooks libraries.
func TestPublishedVectors(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(payloads(), "standardwebhooks-vector.json"))
	if err != nil {
		t.Skip("no sample payloads; set PROVIDERDESK_PAYLOADS to their folder")
	}
	var s struct {
		Secret    string   `json:"secret"`
		ID        string   `json:"webhook-id"`
		Timestamp string   `json:"webhook-timestamp"`
		Body      string   `json:"body"`
		Signature string   `json:"webhook-signature"`
		Multi     string   `json:"valid_multi"`
		Invalid   []string `json:"invalid_signatures_from_tests"`
	}
	if err := json.Unmarshal(data, &s); err != nil || len(s.Invalid) == 0 {
		t.Fatalf("%v, %d negative vectors", err, len(s.Invalid))
	}
	seconds, _ := strconv.ParseInt(s.Timestamp, 10, 64)
	v, err := StandardWebhooks([]string{s.Secret}, clockAt(time.Unix(seconds, 0)))
	v = must(t, v, err)
	for _, sig := range []string{s.Signature, s.Multi} {
		if err := v.Verify(webhookRequest(s.ID, s.Timestamp, sig), []byte(s.Body)); err != nil {
			t.Error(err)
		}
	}
	for _, sig := range s.Invalid {
		refused(t, v.Verify(webhookRequest(s.ID, s.Timestamp, sig), []byte(s.Body)), "")
	}
}

// TestConstructors: what would let anybody in, or nobody, is an error that repeats no secret.
func TestConstructors(t *testing.T) {
	key := func(n int) string { return "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, n)) }
	hooks := func(s ...string) func() (Verifier, error) {
		return func() (Verifier, error) { return StandardWebhooks(s, nil) }
	}
	for name, open := range map[string]func() (Verifier, error){
		"bearer: empty":             func() (Verifier, error) { return Bearer("") },
		"bearer: space":             func() (Verifier, error) { return Bearer(" ") },
		"bearer: line of a file":    func() (Verifier, error) { return Bearer("CANARY\n") },
		"basic: no user":            func() (Verifier, error) { return Basic("", "CANARY") },
		"basic: colon":              func() (Verifier, error) { return Basic("CANARY:", "x") },
		"basic: no password":        func() (Verifier, error) { return Basic("CANARY", "") },
		"hmac: empty":               func() (Verifier, error) { return HMAC("", "a", "b", nil) },
		"hmac: no header":           func() (Verifier, error) { return HMAC("CANARY", "", "b", nil) },
		"hmac: no timestamp header": func() (Verifier, error) { return HMAC("CANARY", "a", "", nil) },
		"hmac, no time: empty":      func() (Verifier, error) { return HMACWithoutTime("", "a") },
		"hmac, no time: no header":  func() (Verifier, error) { return HMACWithoutTime("CANARY", "") },
		"slack: empty":              func() (Verifier, error) { return Slack("", nil) },
		"slack: line of a file":     func() (Verifier, error) { return Slack("CANARY\n", nil) },
		"chat: no audience":         func() (Verifier, error) { return GoogleChat(GoogleChatConfig{}) },
		"chat: two audiences":       func() (Verifier, error) { return GoogleChat(GoogleChatConfig{Endpoint: "CANARY", ProjectNumber: "1"}) },
		"chat: a project's id":      func() (Verifier, error) { return GoogleChat(GoogleChatConfig{ProjectNumber: "CANARY"}) },
		"webhooks: none":            hooks(),
		"webhooks: empty":           hooks(""),
		"webhooks: prefix only":     hooks("whsec_"),
		"webhooks: no prefix":       hooks(key(32)[6:]),
		"webhooks: not base64":      hooks("whsec_CANARY!"),
		"webhooks: 23 bytes":        hooks(key(23)),
		"webhooks: 65 bytes":        hooks(key(65)),
		"webhooks: one of two":      hooks(key(32), ""),
		"webhooks: public key":      hooks("whpk_" + key(32)[6:]),
		"oidc: no audience":         func() (Verifier, error) { return OIDC(OIDCConfig{Email: "CANARY"}) },
		"oidc: no email":            func() (Verifier, error) { return OIDC(OIDCConfig{Audience: "CANARY"}) },
	} {
		v, err := open()
		if v != nil || !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: got %v, %v", name, v, err)
		}
	}
	for _, n := range []int{24, 64} {
		if _, err := StandardWebhooks([]string{key(n)}, nil); err != nil {
			t.Errorf("a key of %d bytes: %v", n, err)
		}
	}
}

func TestChallenge(t *testing.T) {
	for _, err := range []error{nil, fault.New(fault.Denied, "x"), http.ErrBodyNotAllowed} {
		if Challenge(err) != "" {
			t.Errorf("%v has a challenge", err)
		}
	}
	v, err := Bearer(secret)
	wrapped := fault.Wrap(fault.Denied, must(t, v, err).Verify(with(), nil), "verifying")
	if Challenge(wrapped) == "" || fault.Public(wrapped) == "" {
		t.Error("wrapping loses the challenge or the sentence")
	}
	if Platform().Verify(with(), nil) != nil {
		t.Error("Platform refuses")
	}
}

// FuzzVerify: nobody without the secret gets in, and nothing panics. The secrets are new for every run, so an accepted request is a hole.
func FuzzVerify(f *testing.F) {
	random := rand.Text()
	key := make([]byte, 32)
	rand.Read(key)
	now := clockAt(time.Unix(1614265330, 0))
	open := func(v Verifier, err error) Verifier { return must(f, v, err) }
	verifiers := []Verifier{
		open(Bearer(random)), open(Basic("gcm", random)), open(HMAC(random, "Webhook-Signature", "Webhook-Timestamp", now)),
		open(StandardWebhooks([]string{"whsec_" + base64.StdEncoding.EncodeToString(key)}, now)),
		open(Slack(random, now)), open(HMACWithoutTime(random, "Webhook-Signature")),
	}
	f.Add("Bearer x", webhook.id, webhook.ts, webhook.sig, []byte(webhook.body))
	f.Add("Basic Z2NtOg==", "", webhook.ts, strings.Repeat("0", 64), []byte{})
	f.Add("bearer ", "a", "-0", "v1, v1,=", []byte(nil))
	f.Fuzz(func(t *testing.T, authorization, id, ts, sig string, body []byte) {
		r := with("Authorization", authorization, "Webhook-Id", id, "Webhook-Timestamp", ts, "Webhook-Signature", sig,
			"X-Slack-Request-Timestamp", ts, "X-Slack-Signature", sig)
		if i := slices.IndexFunc(verifiers, func(v Verifier) bool { return !fault.Is(v.Verify(r, body), fault.Denied) }); i >= 0 {
			t.Errorf("verifier %d: %v", i, verifiers[i].Verify(r, body))
		}
	})
}
