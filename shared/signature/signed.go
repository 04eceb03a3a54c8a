package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// tolerance is how far the sender's clock may be from ours, both ways.
const tolerance = 300 * time.Second

// HMAC accepts a lower-case hexadecimal HMAC-SHA256 of timestamp + ":" + body in the header signed, with the timestamp in Unix seconds in
// the header timestamp, as Grafana sends it. Both names are required: without a time a captured request could be replayed for ever; who can
// live with that says so and uses HMACWithoutTime.
func HMAC(secret, signed, timestamp string, now func() time.Time) (Verifier, error) {
	if err := checkSecret("the HMAC secret", secret); err != nil {
		return nil, err
	}
	if signed == "" || timestamp == "" {
		return nil, fault.New(fault.Invalid, "an HMAC needs the names of two headers, of the signature and of the timestamp")
	}
	return hmacHex{[]byte(secret), signed, timestamp, clock(now)}, nil
}

type hmacHex struct {
	secret            []byte
	signed, timestamp string
	now               func() time.Time
}

func (v hmacHex) Verify(r *http.Request, body []byte) error {
	ts, err := freshTimestamp(r, v.timestamp, v.now())
	if err != nil {
		return err
	}
	return matchHeader(r, v.signed, hex.EncodeToString(sum(v.secret, ts, ":", string(body))))
}

// HMACWithoutTime accepts a lower-case hexadecimal HMAC-SHA256 of the body in the header signed, as Grafana sends it when it has no header for
// a timestamp. Whoever has captured a request can send it again for ever: the receiver must know repeats by what is in the body.
func HMACWithoutTime(secret, signed string) (Verifier, error) {
	if err := checkSecret("the HMAC secret", secret); err != nil {
		return nil, err
	}
	if signed == "" {
		return nil, fault.New(fault.Invalid, "an HMAC needs the name of the header of the signature")
	}
	return hmacTimeless{[]byte(secret), signed}, nil
}

type hmacTimeless struct {
	secret []byte
	signed string
}

func (v hmacTimeless) Verify(r *http.Request, body []byte) error {
	return matchHeader(r, v.signed, hex.EncodeToString(sum(v.secret, string(body))))
}

// matchHeader holds the one value of a header against the signature that it must be.
func matchHeader(r *http.Request, name, want string) error {
	got, err := header(r, name)
	if err != nil {
		return err
	}
	if !digestOf(want).is(got) {
		return denied("", "the signature is not the one of this request with our secret")
	}
	return nil
}

// Slack accepts requests signed as Slack does, version v0: a lower-case hexadecimal HMAC-SHA256 of the version, the timestamp and the raw
// body, which must not have been parsed and written again.
func Slack(secret string, now func() time.Time) (Verifier, error) {
	if err := checkSecret("the signing secret", secret); err != nil {
		return nil, err
	}
	return slack{[]byte(secret), clock(now)}, nil
}

type slack struct {
	secret []byte
	now    func() time.Time
}

func (v slack) Verify(r *http.Request, body []byte) error {
	ts, err := freshTimestamp(r, "X-Slack-Request-Timestamp", v.now())
	if err != nil {
		return err
	}
	return matchHeader(r, "X-Slack-Signature", "v0="+hex.EncodeToString(sum(v.secret, "v0:", ts, ":", string(body))))
}

// StandardWebhooks accepts requests signed as Standard Webhooks 1.0.0 says, with any of the secrets: more than one while they are rotated.
func StandardWebhooks(secrets []string, now func() time.Time) (Verifier, error) {
	if len(secrets) == 0 {
		return nil, fault.New(fault.Invalid, "there is no webhook secret: without it anybody could send")
	}
	v := standard{now: clock(now)}
	for _, secret := range secrets {
		key, err := webhookKey(secret)
		if err != nil {
			return nil, err
		}
		v.keys = append(v.keys, key)
	}
	return v, nil
}

func webhookKey(secret string) ([]byte, error) {
	if err := checkSecret("the webhook secret", secret); err != nil {
		return nil, err
	}
	encoded, ok := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, fault.New(fault.Invalid, "the webhook secret is not whsec_ and 24 to 64 bytes in base64")
	}
	return key, nil
}

// SignStandardWebhook returns the headers that make a request one of Standard Webhooks 1.0.0. The id is the same for every attempt to deliver
// the same message, at is the time of the attempt.
func SignStandardWebhook(secret, id string, at time.Time, body []byte) (http.Header, error) {
	key, err := webhookKey(secret)
	if err != nil {
		return nil, err
	}
	if !isWebhookID(id) {
		return nil, fault.New(fault.Invalid, "the id of a webhook is not 1 to 256 letters, digits, '_' and '-'")
	}
	ts := strconv.FormatInt(at.Unix(), 10)
	h := http.Header{}
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", ts)
	h.Set("Webhook-Signature", webhookSignature(key, id+"."+ts+"."+string(body)))
	return h, nil
}

func webhookSignature(key []byte, text string) string {
	return "v1," + base64.StdEncoding.EncodeToString(sum(key, text))
}

type standard struct {
	keys [][]byte
	now  func() time.Time
}

func (v standard) Verify(r *http.Request, body []byte) error {
	ts, err := freshTimestamp(r, "Webhook-Timestamp", v.now())
	if err != nil {
		return err
	}
	id, err := header(r, "Webhook-Id")
	if err != nil {
		return err
	}
	if !isWebhookID(id) {
		return denied("", "header Webhook-Id is not 1 to 256 letters, digits, '_' and '-'")
	}
	entries, err := header(r, "Webhook-Signature")
	if err != nil {
		return err
	}
	return v.match(entries, id+"."+ts+"."+string(body))
}

// match looks at every entry with every key, so that the time it takes says nothing about which one fits.
func (v standard) match(entries, text string) error {
	found := false
	for _, key := range v.keys {
		want := digestOf(webhookSignature(key, text))
		for entry := range strings.SplitSeq(entries, " ") {
			if want.is(entry) {
				found = true
			}
		}
	}
	if !found {
		return denied("", "no v1 signature is the one of this id, timestamp and body with our secret")
	}
	return nil
}

// isWebhookID keeps the "." that joins the signed text out of the id.
func isWebhookID(s string) bool {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
	return s != "" && len(s) <= 256 && strings.Trim(s, letters) == ""
}

// freshTimestamp returns a header of Unix seconds, as written, that is not further from now than the tolerance.
func freshTimestamp(r *http.Request, name string, now time.Time) (string, error) {
	s, err := header(r, name)
	if err != nil {
		return "", err
	}
	seconds, err := strconv.ParseInt(s, 10, 64)
	if err != nil || len(s) > 12 || strings.Trim(s, "0123456789") != "" {
		return "", denied("", "header "+name+" is not a time in Unix seconds")
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return "", denied("", "header "+name+" is more than 300 seconds away from our clock")
	}
	return s, nil
}

func sum(key []byte, parts ...string) []byte {
	mac := hmac.New(sha256.New, key)
	for _, p := range parts {
		mac.Write([]byte(p))
	}
	return mac.Sum(nil)
}

func clock(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}
