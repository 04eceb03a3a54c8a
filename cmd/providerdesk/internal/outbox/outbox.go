// Package outbox sends an alert as its sender would: to the sender's address, with the sender's credentials, in the sender's format.
// Its signatures are made here and not with package signature, so that a test which sends through it tests that package.
package outbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// maxAnswer is the most bytes that are read of an answer.
const maxAnswer = 1 << 20

// Outbox sends to one server.
type Outbox struct {
	Base   string // http://127.0.0.1:8080
	Client *http.Client
	Now    func() time.Time

	Identity string // a token of Google's for receivers that want one; empty: they cannot be reached
}

// IdentityToken is the variable of the environment that holds such a token.
const IdentityToken = "PROVIDERDESK_IDENTITY_TOKEN"

// Receipt is what the server says to an alert that it has taken.
type Receipt struct {
	IDs  []string `json:"ids"` // of the messages that it became
	Note string   `json:"note"`
}

// Send posts an alert. A refusal has the server's sentence.
func (o Outbox) Send(ctx context.Context, s config.Sender, body []byte) (Receipt, error) {
	req, err := o.post(ctx, "/AlertWebhook/"+url.PathEscape(s.Name), body)
	if err != nil {
		return Receipt{}, err
	}
	if err := o.Sign(ctx, req, s.Auth, body); err != nil {
		return Receipt{}, err
	}
	return o.do(req)
}

// Publish puts an alert on the topic of a sender that has a subscription, as its monitoring system would. It takes the operator's token.
func (o Outbox) Publish(ctx context.Context, s config.Sender, body []byte, token string) (Receipt, error) {
	topic := s.Subscription[strings.LastIndex(s.Subscription, "/")+1:]
	req, err := o.post(ctx, "/api/topics/"+url.PathEscape(topic), body)
	if err != nil {
		return Receipt{}, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return o.do(req)
}

func (o Outbox) post(ctx context.Context, path string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(o.Base, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, fault.New(fault.Invalid, "the server's address cannot be read: write http://HOST:PORT")
	}
	req.Header.Set("Content-Type", "application/json")
	return req, nil
}

func (o Outbox) do(req *http.Request) (r Receipt, err error) {
	resp, err := o.Client.Do(req)
	if err != nil {
		return r, fault.Wrap(fault.Transient, err, "send")
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case err != nil:
		return r, fault.Wrap(fault.Transient, err, "read the answer")
	case resp.StatusCode/100 != 2:
		return r, refusal(resp.StatusCode, answer)
	}
	return r, fault.Wrap(fault.Bug, json.Unmarshal(answer, &r), "decode the answer")
}

// refusal has the sentence of a problem, or the bare status.
func refusal(status int, body []byte) error {
	var p struct {
		Detail string `json:"detail"`
	}
	said := strconv.Itoa(status) + " " + http.StatusText(status)
	if json.Unmarshal(body, &p) == nil && p.Detail != "" {
		said += ": " + p.Detail
	}
	return fault.New(fault.Invalid, "refused with %s", said)
}

// Sign adds the credentials that a receiver asks for.
func (o Outbox) Sign(ctx context.Context, req *http.Request, a config.Auth, body []byte) error {
	switch {
	case !a.Bearer.IsZero():
		return with(ctx, a.Bearer, func(secret string) error { req.Header.Set("Authorization", "Bearer "+secret); return nil })
	case a.Basic != nil:
		return with(ctx, a.Basic.Password, func(secret string) error { req.SetBasicAuth(a.Basic.Username, secret); return nil })
	case a.HMAC != nil:
		return with(ctx, a.HMAC.Secret, func(secret string) error { o.hmac(req, *a.HMAC, secret, body); return nil })
	case !a.StandardWebhook.IsZero():
		return with(ctx, a.StandardWebhook, func(secret string) error { return o.standard(req, secret, body) })
	case a.OIDC != nil && o.Identity == "":
		return fault.New(fault.Invalid, "the receiver wants an identity token, which only Google can make: set "+IdentityToken+
			" to what `gcloud auth print-identity-token` prints, with --audiences %s", a.OIDC.Audience)
	case a.OIDC != nil:
		req.Header.Set("Authorization", "Bearer "+o.Identity)
		return nil
	}
	return fault.New(fault.Invalid, "the sender has a subscription and no webhook: send with --pubsub")
}

func with(ctx context.Context, s config.Secret, use func(string) error) error {
	secret, err := s.Resolve(ctx)
	if err != nil {
		return err
	}
	return use(secret)
}

func (o Outbox) hmac(req *http.Request, h config.HMAC, secret string, body []byte) {
	if h.TimestampHeader == "" {
		req.Header.Set(h.Header, hex.EncodeToString(sum([]byte(secret), string(body))))
		return
	}
	ts := o.timestamp()
	req.Header.Set(h.TimestampHeader, ts)
	req.Header.Set(h.Header, hex.EncodeToString(sum([]byte(secret), ts, ":", string(body))))
}

// standard signs as Standard Webhooks 1.0.0 says.
func (o Outbox) standard(req *http.Request, secret string, body []byte) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return fault.New(fault.Invalid, "the webhook secret is not base64 after whsec_")
	}
	id, ts := "msg_"+rand.Text(), o.timestamp()
	req.Header.Set("Webhook-Id", id)
	req.Header.Set("Webhook-Timestamp", ts)
	req.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(sum(key, id, ".", ts, ".", string(body))))
	return nil
}

func (o Outbox) timestamp() string { return strconv.FormatInt(o.Now().Unix(), 10) }

func sum(key []byte, parts ...string) []byte {
	mac := hmac.New(sha256.New, key)
	for _, p := range parts {
		mac.Write([]byte(p))
	}
	return mac.Sum(nil)
}
