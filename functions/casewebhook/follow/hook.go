package follow

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/signature"
	"github.com/providerdesk/providerdesk/shared/store"
)

// hooksIn holds the receivers that want no more.
const hooksIn = "hooks"

// hook is a receiver and the client that sends to its host and to no other, once, without following anybody elsewhere.
type hook struct {
	config.Webhook
	client *http.Client
}

func hooksOf(d Deps) (map[string]hook, error) {
	all := map[string]hook{}
	for _, w := range d.Config.Webhooks {
		u, err := url.Parse(w.URL)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "webhook "+w.Name)
		}
		client, err := gapi.Client(gapi.Options{Endpoint: u.Scheme + "://" + u.Host, Base: d.Network, Now: d.Now, CallTimeout: d.Config.Ledger.CallTimeout})
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "webhook "+w.Name)
		}
		all[w.Name] = hook{w, client}
	}
	return all, nil
}

// sending is an event for a receiver.
type sending struct {
	Hook     string   `json:"hook"`
	Event    string   `json:"event"` // its id
	Activity Activity `json:"activity"`
}

// delivered is how a sending ended.
type delivered struct {
	Left string `json:"left,omitempty"` // why it was not sent
}

type hookEffect struct{ f *Follower }

// Call sends once. The id of the webhook is the effect's, so a receiver sees that a repeat is one.
func (e hookEffect) Call(ctx context.Context, p sending, t ledger.Token) (ledger.Act[delivered], error) {
	act := ledger.Act[delivered]{ID: t.ID}
	h, ok := e.f.hooks[p.Hook]
	if !ok {
		act.Result.Left = "no such webhook is configured any more"
		return act, nil
	}
	off, err := e.f.disabled(ctx, h)
	if err != nil {
		return act, fault.Unsent(err)
	}
	if off {
		act.Result.Left = "the receiver has answered 410: it wants no more"
		return act, nil
	}
	status, after, err := e.f.post(ctx, h, p, t)
	if err != nil {
		return act, err
	}
	if status == http.StatusGone {
		err = e.f.disable(ctx, h)
		act.Result.Left = "the receiver answers 410: it wants no more"
		return act, err
	}
	return act, answered(status, after)
}

// Find finds nothing: a receiver cannot be asked, and knows a repeat by its id.
func (hookEffect) Find(context.Context, sending, ledger.Token, bool) ([]ledger.Act[delivered], error) {
	return nil, nil
}

// answered reads an answer. Nothing but 2xx is a success; whatever else it is may be mended at the receiver, and a repeat does no harm.
func answered(status int, after time.Duration) error {
	err := fault.New(fault.Transient, "the receiver answers HTTP %d", status)
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return fault.After(fault.Wrap(fault.Throttled, err, "send a webhook"), after)
	}
	return err
}

// post sends one signed request.
func (f *Follower) post(ctx context.Context, h hook, p sending, t ledger.Token) (status int, after time.Duration, err error) {
	body, err := p.Activity.encode(p.Event)
	if err != nil {
		return 0, 0, fault.Unsent(err)
	}
	secret, err := h.Secret.Resolve(ctx)
	if err != nil {
		return 0, 0, fault.Unsent(fault.Wrap(fault.Transient, err, "webhook "+h.Name)) // an operator's to mend
	}
	headers, err := signature.SignStandardWebhook(secret, t.ID, f.Now(), body)
	if err != nil {
		return 0, 0, fault.Unsent(fault.Wrap(fault.Transient, err, "webhook "+h.Name))
	}
	headers.Set("Content-Type", "application/cloudevents+json")
	err = gapi.Do(ctx, "send a webhook", func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
		if err != nil {
			return fault.Unsent(fault.New(fault.Bug, "not a request"))
		}
		req.Header = headers
		resp, err := h.client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // what a receiver says is nobody's business
		status, after = resp.StatusCode, retryAfter(resp.Header, f.Now())
		return nil
	})
	return status, after, err
}

// retryAfter reads seconds or a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if n, err := strconv.Atoi(v); err == nil && n >= 0 {
		return time.Duration(min(n, 86400)) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// gone is a receiver that wants no more, until its address changes.
type gone struct {
	URL string    `json:"url"` // hashed: an address may hold a secret
	At  time.Time `json:"at"`
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func hookKey(h hook) store.Key { return store.Key{Collection: hooksIn, ID: h.Name} }

func (f *Follower) disabled(ctx context.Context, h hook) (bool, error) {
	d, err := f.DB.Get(ctx, hookKey(h))
	if fault.Is(err, fault.Missing) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var g gone
	if err := json.Unmarshal(d.Data, &g); err != nil {
		return false, fault.Wrap(fault.Bug, err, "decode "+d.Key.String())
	}
	return g.URL == digest(h.URL), nil
}

// disable notes that a receiver wants no more, and raises an alarm in the same commit.
func (f *Follower) disable(ctx context.Context, h hook) error {
	g := gone{digest(h.URL), f.Now().UTC()}
	data, err := json.Marshal(g)
	if err != nil {
		return fault.Wrap(fault.Bug, err, "encode a webhook")
	}
	doc := store.Doc{Key: hookKey(h), Data: data}
	w := store.Create(doc)
	if old, err := f.DB.Get(ctx, doc.Key); err == nil {
		w = store.Replace(doc, old.Version)
	}
	text := "The webhook " + h.Name + " answers 410 and gets nothing more. Give it another URL, or take it out of the configuration."
	_, err = f.Ledger.Do(ctx, []store.Write{w}, f.Alarms(ctx, fmt.Sprintf("hook/%s/%d", h.Name, g.At.UnixMicro()), text)...)
	if fault.Is(err, fault.Conflict) {
		return nil // another sending has just been told the same
	}
	return fault.Wrap(fault.Transient, err, "disable a webhook")
}
