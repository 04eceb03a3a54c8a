package tenantonboard

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/run"
)

// atATime is how many tenants of a request are looked at at a time. The hub's client has a limit of its own.
const atATime = 4

// planned is what a request would do for a tenant.
type planned struct {
	Tenant string `json:"tenant"`
	Status Status `json:"status"` // as it stands
	Plan   Plan   `json:"plan"`
}

func (f *Function) servePlan(ctx context.Context, c call) (run.Response, error) {
	req, err := f.request(c)
	if err != nil {
		return run.Response{}, err
	}
	all, err := each(req.Tenants, func(t Tenant) (planned, error) {
		s, err := f.known(ctx, t.Key)
		if err != nil {
			return planned{}, err
		}
		p, err := f.Plan(ctx, t, Onboarding)
		return planned{t.Key, s.Status, p}, remote(err)
	})
	return run.Response{Body: all}, err
}

// applied is what became of a tenant of a request.
type applied struct {
	Tenant string `json:"tenant"`
	Status int    `json:"status"`           // 202 accepted, 409 not
	Detail string `json:"detail,omitempty"` // why not
	Plan   *Plan  `json:"plan,omitempty"`   // as it is now, of one that was not accepted
}

func (a applied) accepted() bool { return a.Status == http.StatusAccepted }

func (f *Function) serveApply(ctx context.Context, c call) (run.Response, error) {
	req, err := f.request(c)
	if err != nil {
		return run.Response{}, err
	}
	keys := make([]string, len(req.Tenants))
	for i, t := range req.Tenants {
		keys[i] = t.Key
	}
	digests, err := seen(c, keys...)
	if err != nil {
		return run.Response{}, err
	}
	all, failed := each(req.Tenants, func(t Tenant) (applied, error) { return f.apply(ctx, t, Onboarding, digests[t.Key], c.by) })
	if err := f.wake(ctx, all...); err != nil {
		return run.Response{}, err
	}
	return answer(all, all...), failed
}

// answer is 202 if anything was accepted.
func answer(body any, all ...applied) run.Response {
	status := http.StatusConflict
	for _, a := range all {
		if a.accepted() {
			status = http.StatusAccepted
		}
	}
	return run.Response{Status: status, Body: body}
}

// apply accepts the plan of a tenant that the caller has seen. A repeat of what was accepted and is under way is accepted again.
func (f *Function) apply(ctx context.Context, t Tenant, m Mode, digest, by string) (applied, error) {
	p, err := f.Apply(ctx, t, m, digest, by)
	switch {
	case err == nil:
		return applied{Tenant: t.Key, Status: http.StatusAccepted}, nil
	case !fault.Is(err, fault.Conflict):
		return applied{}, remote(err)
	}
	if same, err := f.underway(ctx, t, m, digest); same || err != nil {
		return applied{Tenant: t.Key, Status: http.StatusAccepted}, err
	}
	a := applied{Tenant: t.Key, Status: http.StatusConflict, Detail: cmp.Or(fault.Public(err), "the tenant was changed just now by another request: send this one again")}
	if p.Digest != "" {
		a.Plan = &p
	}
	if p.Digest != "" && digest == "" {
		a.Detail = "no plan of this tenant is named: look at this one, then send the request again with its digest in the header " + headerPlan
	}
	return a, nil
}

// underway reports whether this very plan was accepted and its run has not ended.
func (f *Function) underway(ctx context.Context, t Tenant, m Mode, digest string) (bool, error) {
	s, err := f.known(ctx, t.Key)
	if err != nil || s.version == "" || s.Status.resting() || s.Mode != m || s.Plan.Digest != digest {
		return false, err
	}
	stored, err := json.Marshal(s.Wanted)
	if err != nil {
		return false, fault.Wrap(fault.Bug, err, "encode a tenant")
	}
	wanted, err := json.Marshal(t)
	return bytes.Equal(stored, wanted), fault.Wrap(fault.Bug, err, "encode a tenant")
}

// wake publishes a message for every tenant that was accepted. Were they lost, the sweep would find the tenants.
func (f *Function) wake(ctx context.Context, all ...applied) error {
	var msgs []publish.Message
	for _, a := range all {
		if !a.accepted() {
			continue
		}
		data, err := json.Marshal(delivery{a.Tenant})
		if err != nil {
			return fault.Wrap(fault.Bug, err, "encode a message")
		}
		msgs = append(msgs, publish.Message{Topic: TopicOnboarding, Data: data})
	}
	if len(msgs) == 0 {
		return nil
	}
	_, err := f.Publisher.Publish(ctx, msgs...)
	return fault.Wrap(fault.Transient, err, "publish tenants") // whatever it is, the caller must come again
}

func (f *Function) serveRetry(ctx context.Context, c call) (run.Response, error) {
	if _, err := f.tenant(ctx, c.tenant); err != nil {
		return run.Response{}, err
	}
	a := applied{Tenant: c.tenant, Status: http.StatusAccepted}
	if err := f.Retry(ctx, c.tenant, c.by); err != nil {
		return run.Response{}, remote(err)
	}
	return answer(a, a), f.wake(ctx, a)
}

func (f *Function) serveOffboard(ctx context.Context, c call) (run.Response, error) {
	s, err := f.tenant(ctx, c.tenant)
	if err != nil {
		return run.Response{}, err
	}
	digests, err := seen(c, c.tenant)
	if err != nil {
		return run.Response{}, err
	}
	a, err := f.apply(ctx, s.Wanted, Offboarding, digests[c.tenant], c.by)
	if err != nil {
		return run.Response{}, err
	}
	return answer(a, a), f.wake(ctx, a)
}

// tenant returns what is known of the tenant that an address names.
func (f *Function) tenant(ctx context.Context, key string) (*onboarding, error) {
	s, err := f.read(ctx, key)
	if fault.Is(err, fault.Missing) {
		return nil, fault.New(fault.Missing, "no tenant has such a key")
	}
	return s, err
}

// remote keeps what a remote system refused us from looking like the caller's fault: an operator must act.
func remote(err error) error {
	switch fault.Of(err) {
	case fault.Denied, fault.Missing, fault.Invalid:
		return run.Status(err, http.StatusBadGateway)
	}
	return err
}

// each calls do for every tenant, a few at a time, and returns what came of them in their order. Of several errors it returns one that may
// heal, if there is one: then the caller comes again.
func each[T any](tenants []Tenant, do func(Tenant) (T, error)) ([]T, error) {
	results, errs := make([]T, len(tenants)), make([]error, len(tenants))
	slots := make(chan struct{}, atATime)
	var all sync.WaitGroup
	for i, t := range tenants {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			results[i], errs[i] = caught(t, do)
		})
	}
	all.Wait()
	for _, err := range errs {
		if fault.Is(err, fault.Transient) || fault.Is(err, fault.Throttled) {
			return results, err
		}
	}
	return results, cmp.Or(errs...)
}

// caught makes a panic an error: in a goroutine of its own it would end the process.
func caught[T any](t Tenant, do func(Tenant) (T, error)) (result T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.Wrap(fault.Bug, errors.New(fmt.Sprint(p)+"\n"+string(debug.Stack())), "tenant "+t.Key+" panicked")
		}
	}()
	return do(t)
}
