package alert

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/signature"
)

// refusedTexts is how many refusals are looked at.
const refusedTexts = 10_000

// TestNoSecretInARefusal plants secrets in everything that a sender controls, and in what the verifiers hold, until enough of it was
// refused. No text of a refusal has a piece of one.
func TestNoSecretInARefusal(t *testing.T) {
	p := planter{rand.New(rand.NewPCG(20, 26)), seedBodies(t)}
	found, leaks, kinds := 0, 0, map[string]int{}
	for found < refusedTexts {
		secrets := p.secrets()
		for from, err := range map[string]error{"decoder": p.decode(secrets), "verifier": p.verify(secrets), "constructor": p.construct(secrets)} {
			if err == nil {
				continue
			}
			found++
			kinds[from]++
			if leak := leaked(err, secrets); leak != "" {
				leaks++
				t.Errorf("%s: %q repeats %q", from, err, leak)
			}
		}
	}
	t.Logf("%d secrets in %d error texts (%v)", leaks, found, kinds)
	for _, from := range []string{"decoder", "verifier", "constructor"} {
		if kinds[from] < refusedTexts/10 {
			t.Errorf("only %d texts of a %s", kinds[from], from)
		}
	}
}

// TestALeakIsSeen: the test above can fail.
func TestALeakIsSeen(t *testing.T) {
	const secret = "xoxb-0123456789abcdef"
	for text, want := range map[string]bool{"nothing": false, "it is " + secret: true, "it is " + secret[:12] + "...": true, "9abcdef": false} {
		if got := leaked(fault.New(fault.Invalid, "%s", text), []string{secret}) != ""; got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// leaked returns a piece of a secret that stands in what an error says to anybody.
func leaked(err error, secrets []string) string {
	text := err.Error() + "\n" + fault.Public(err) + "\n" + signature.Challenge(err) + fmt.Sprintf("%+v %#v", err, fault.Public(err))
	for _, s := range secrets {
		for at := 0; at+8 <= len(s); at++ {
			if piece := s[at : at+8]; strings.Contains(text, piece) {
				return piece
			}
		}
	}
	return ""
}

type planter struct {
	*rand.Rand
	bodies [][]byte
}

func seedBodies(t *testing.T) (bodies [][]byte) {
	files, err := filepath.Glob(filepath.Join("testdata", "*", "*.json"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		bodies = append(bodies, readFile(t, f))
	}
	for _, c := range refusals {
		if len(c.body) < 1<<12 {
			bodies = append(bodies, []byte(c.body))
		}
	}
	return bodies
}

// secrets are new ones, in the forms that secrets have.
func (p planter) secrets() []string {
	raw := make([]byte, 32)
	for i := range raw {
		raw[i] = byte(p.Uint32())
	}
	text := base64.RawURLEncoding.EncodeToString(raw)
	return []string{text[:24], "pw-" + text[4:28], "xoxb-" + text[8:40], "ghp_" + text[2:38], "whsec_" + base64.StdEncoding.EncodeToString(raw),
		"eyJhbGciOiJSUzI1NiJ9." + text[:20] + "." + text[20:]}
}

func (p planter) pick(list []string) string { return list[p.IntN(len(list))] }

// decode gives a body with secrets in it to a decoder.
func (p planter) decode(secrets []string) error {
	decode, _ := ByName(p.pick(Sources()))
	m := Message{Body: p.plant(slices.Clone(p.bodies[p.IntN(len(p.bodies))]), secrets)}
	if p.IntN(3) == 0 {
		m.Header = http.Header{"Content-Type": {p.pick([]string{"application/json", mediaEvent, mediaBatch + "+json", p.pick(secrets)})}}
		for _, name := range []string{"Ce-Id", "Ce-Source", "Ce-Type", "Ce-Specversion", "Ce-Time", "Ce-Secret", "Authorization"} {
			if p.IntN(2) == 0 {
				m.Header[name] = []string{p.pick([]string{"1.0", p.pick(secrets), "%" + p.pick(secrets), "providerdesk." + p.pick(secrets)})}
			}
		}
	}
	if p.IntN(3) == 0 {
		m.Attributes = map[string]string{p.pick(secrets): p.pick(secrets), "budgetId": p.pick(secrets), "ce-type": p.pick(secrets)}
	}
	_, err := decode(m)
	return err
}

// plant puts secrets in the place of values or names, or breaks the body at one.
func (p planter) plant(body []byte, secrets []string) []byte {
	var v any
	if p.IntN(4) == 0 || json.Unmarshal(body, &v) != nil {
		at := p.IntN(len(body) + 1)
		return slices.Concat(body[:at], []byte(p.pick(secrets)), body[at:])
	}
	out, err := json.Marshal(p.replace(v, secrets))
	if err != nil {
		return body
	}
	return out
}

// replace walks through a value.
func (p planter) replace(v any, secrets []string) any {
	if p.IntN(12) == 0 {
		return p.pick(secrets)
	}
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if p.IntN(20) == 0 {
				out[p.pick(secrets)] = v[name]
			}
			out[name] = p.replace(v[name], secrets)
		}
		return out
	case []any:
		for i := range v {
			v[i] = p.replace(v[i], secrets)
		}
	}
	return v
}

// verify gives a request with one secret to a verifier with another.
func (p planter) verify(secrets []string) error {
	at := func() time.Time { return time.Unix(1772625600, 0) }
	open := []func() (signature.Verifier, error){
		func() (signature.Verifier, error) { return signature.Bearer(secrets[0]) },
		func() (signature.Verifier, error) { return signature.Basic(secrets[2], secrets[1]) },
		func() (signature.Verifier, error) { return signature.HMAC(secrets[0], "X-Sig", "X-Ts", at) },
		func() (signature.Verifier, error) { return signature.HMACWithoutTime(secrets[0], "X-Sig") },
		func() (signature.Verifier, error) { return signature.Slack(secrets[1], at) },
		func() (signature.Verifier, error) { return signature.StandardWebhooks(secrets[4:5], at) },
		func() (signature.Verifier, error) {
			return signature.OIDC(signature.OIDCConfig{Audience: secrets[1], Email: secrets[2], JWKS: "http://127.0.0.1:1/" + secrets[3], Now: at})
		},
		func() (signature.Verifier, error) {
			return signature.GoogleChat(signature.GoogleChatConfig{ProjectNumber: "1", Keys: "http://127.0.0.1:1/" + secrets[3], Now: at})
		},
	}
	v, err := open[p.IntN(len(open))]()
	if err != nil {
		return err
	}
	r := &http.Request{Header: http.Header{}}
	for _, name := range []string{"Authorization", "X-Sig", "X-Ts", "X-Slack-Signature", "X-Slack-Request-Timestamp", "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"} {
		for range p.IntN(8) / 3 {
			r.Header.Add(name, p.headerValue(secrets))
		}
	}
	return v.Verify(r, []byte(p.pick(secrets)))
}

func (p planter) headerValue(secrets []string) string {
	s := p.pick(secrets[1:])
	basic := base64.StdEncoding.EncodeToString([]byte(s + ":" + s))
	return p.pick([]string{s, "Bearer " + s, "Bearer " + secrets[5], "Basic " + s, "Basic " + basic, "v0=" + s, "v1," + s, strconv.Itoa(1772625600)})
}

// construct gives a secret that is none to a constructor.
func (p planter) construct(secrets []string) error {
	s := p.pick(secrets)
	for _, open := range []func() (signature.Verifier, error){
		func() (signature.Verifier, error) { return signature.Bearer(s + "\n") },
		func() (signature.Verifier, error) { return signature.Basic(s+":", s) },
		func() (signature.Verifier, error) { return signature.Slack(" "+s, nil) },
		func() (signature.Verifier, error) { return signature.StandardWebhooks([]string{s + "!"}, nil) },
		func() (signature.Verifier, error) {
			return signature.GoogleChat(signature.GoogleChatConfig{ProjectNumber: s})
		},
	}[p.IntN(5):] {
		if _, err := open(); err != nil {
			return err
		}
	}
	return nil
}
