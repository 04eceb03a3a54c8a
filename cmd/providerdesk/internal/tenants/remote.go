// Package tenants asks a TenantWebhook over HTTP, and shows what it says: plans, how tenants stand, and what a person must do.
//
//	POST /plan                        the request file         -> the plan of every tenant
//	POST /tenants                     the request file, and the digests of the plans that a person has seen
//	GET  /tenants?status=&after=      how tenants stand, a page
//	GET  /tenants/{tenant}            one of them, with ?drift=1 compared with what is there now, with ?audit=1 its history
//	POST /tenants/{tenant}/retry      goes on
//	POST /tenants/{tenant}/offboard   takes everything back, with the digest of a plan that a person has seen
//
// What is wrong with a request file comes back as Problems, all at once; a plan that was not agreed to as Refused, with the plans as they are
// now. Nothing is sent twice: a failure of which nobody knows what it did is the person's to look at.
package tenants

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/outbox"
	"github.com/providerdesk/providerdesk/functions/tenantonboard"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// maxAnswer is the most bytes that are read of an answer: the plans of the largest request.
const maxAnswer = 64 << 20

// Remote is a TenantWebhook.
type Remote struct {
	Outbox outbox.Outbox
	Auth   config.Auth // what it wants to be shown
	By     string      // who asks, for the audit trail; empty: nobody in particular
}

// Headers of a request.
const (
	planHeader = "Providerdesk-Plan" // the plans that are agreed to: tenant=digest,...
	byHeader   = "Providerdesk-By"   // who agrees, for the audit trail
)

// File is a request as it was written.
type File struct {
	Name string
	Type string // of its content
	Data []byte
}

// call is one request.
type call struct {
	method, path string
	file         File
	agreed       string // to these plans
}

func (r Remote) do(ctx context.Context, c call, into any) error {
	req, err := r.request(ctx, c)
	if err != nil {
		return err
	}
	resp, err := r.Outbox.Client.Do(req)
	if err != nil {
		return fault.Wrap(fault.Transient, err, "ask the server")
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	isProblem := strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json")
	switch {
	case err != nil:
		return fault.Wrap(fault.Transient, err, "read the server's answer")
	case resp.StatusCode/100 != 2 && (isProblem || resp.StatusCode != http.StatusConflict):
		return refusal(resp.StatusCode, answer, c.file.Name)
	}
	return fault.Wrap(fault.Bug, json.Unmarshal(answer, into), "decode the server's answer")
}

func (r Remote) request(ctx context.Context, c call) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, c.method, strings.TrimSuffix(r.Outbox.Base, "/")+"/TenantWebhook"+c.path, bytes.NewReader(c.file.Data))
	if err != nil {
		return nil, fault.New(fault.Invalid, "the server's address cannot be read: write http://HOST:PORT")
	}
	for name, value := range map[string]string{"Content-Type": c.file.Type, planHeader: c.agreed, byHeader: r.By} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	return req, r.Outbox.Sign(ctx, req, r.Auth, c.file.Data)
}

func tenantPath(tenant, rest string) string { return "/tenants/" + url.PathEscape(tenant) + rest }

// Plan asks what applying a file would do.
func (r Remote) Plan(ctx context.Context, f File) (all []Planned, err error) {
	return all, r.do(ctx, call{method: http.MethodPost, path: "/plan", file: f}, &all)
}

// Apply has plans carried out that a person has agreed to, and returns the tenants that are on their way. With an error of type Refused some
// may be, too.
func (r Remote) Apply(ctx context.Context, f File, agreed []Planned) ([]string, error) {
	var all []Accepted
	if err := r.do(ctx, call{method: http.MethodPost, path: "/tenants", file: f, agreed: agreement(agreed)}, &all); err != nil {
		return nil, err
	}
	return split(all...)
}

// split returns the tenants that were accepted, and the others as an error.
func split(all ...Accepted) (names []string, err error) {
	var not Refused
	for _, a := range all {
		if a.Status == http.StatusAccepted {
			names = append(names, a.Tenant)
		} else {
			not.All = append(not.All, a)
		}
	}
	if len(not.All) > 0 {
		err = &not
	}
	return names, err
}

func agreement(all []Planned) string {
	parts := make([]string, len(all))
	for i, p := range all {
		parts[i] = p.Tenant + "=" + p.Plan.Digest
	}
	return strings.Join(parts, ",")
}

// Of says what is wanted of a tenant beyond what is recorded.
type Of struct {
	Drift bool // it is compared with what is there now
	Audit bool // its history too
}

// Detail returns one tenant.
func (r Remote) Detail(ctx context.Context, tenant string, of Of) (d Detail, err error) {
	q := url.Values{}
	if of.Drift {
		q.Set("drift", "1")
	}
	if of.Audit {
		q.Set("audit", "1")
	}
	path := tenantPath(tenant, "")
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	return d, r.do(ctx, call{method: http.MethodGet, path: path}, &d)
}

// List returns all tenants, those with a status if one is named, in the order of their keys.
func (r Remote) List(ctx context.Context, status tenantonboard.Status) ([]Standing, error) {
	all := []Standing{}
	for after := ""; ; {
		var page struct {
			Tenants []Standing `json:"tenants"`
			After   string     `json:"after"`
		}
		q := url.Values{}
		for name, value := range map[string]string{"status": string(status), "after": after} {
			if value != "" {
				q.Set(name, value)
			}
		}
		if err := r.do(ctx, call{method: http.MethodGet, path: "/tenants?" + q.Encode()}, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Tenants...)
		if page.After <= after {
			return all, nil
		}
		after = page.After
	}
}

// Retry lets a tenant go on.
func (r Remote) Retry(ctx context.Context, tenant string) error {
	return r.set(ctx, tenant, "/retry", "")
}

// OffboardPlan returns what offboarding a tenant would take away.
func (r Remote) OffboardPlan(ctx context.Context, tenant string) (Planned, error) {
	err := r.set(ctx, tenant, "/offboard", "")
	var now *Refused
	if errors.As(err, &now) && len(now.Plans()) == 1 {
		return now.Plans()[0], nil
	}
	if err == nil {
		err = fault.New(fault.Bug, "the server offboards without a plan")
	}
	return Planned{}, err
}

// Offboard has a plan carried out that a person has agreed to.
func (r Remote) Offboard(ctx context.Context, agreed Planned) error {
	return r.set(ctx, agreed.Tenant, "/offboard", agreement([]Planned{agreed}))
}

// set has something done to one tenant.
func (r Remote) set(ctx context.Context, tenant, what, agreed string) error {
	var a Accepted
	if err := r.do(ctx, call{method: http.MethodPost, path: tenantPath(tenant, what), agreed: agreed}, &a); err != nil {
		return err
	}
	_, err := split(a)
	return err
}
