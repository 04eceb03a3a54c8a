package tenantonboard

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/run"
	"github.com/providerdesk/providerdesk/shared/strict"
)

// Headers of a request to TenantWebhook.
const (
	headerPlan = "Providerdesk-Plan" // the plans that the caller has seen: acme=0123456789abcdef, beta=…; the query plan= says the same
	headerBy   = "Providerdesk-By"   // who the caller acts for, for the audit trail
)

// call is a request whose sender has been checked.
type call struct {
	*http.Request
	body   []byte
	tenant string // that the address names
	by     string
}

type handler func(context.Context, call) (run.Response, error)

// targets are the addresses and their methods. {} stands for a tenant.
func (f *Function) targets() map[string]map[string]handler {
	return map[string]map[string]handler{
		"plan":                {http.MethodPost: f.servePlan},
		"tenants":             {http.MethodGet: f.serveList, http.MethodPost: f.serveApply},
		"tenants/{}":          {http.MethodGet: f.serveTenant},
		"tenants/{}/retry":    {http.MethodPost: f.serveRetry},
		"tenants/{}/offboard": {http.MethodPost: f.serveOffboard},
	}
}

// TenantWebhook takes requests in and tells how tenants stand:
//
//	POST /plan                       a request in YAML, JSON or CSV: what would be done; changes nothing
//	POST /tenants                    the same, with the digests of the plans that the caller has seen: does it
//	GET  /tenants?status=&after=     all tenants, a page at a time
//	GET  /tenants/{tenant}?drift=1&audit=1   everything about one
//	POST /tenants/{tenant}/retry     goes on after a failure
//	POST /tenants/{tenant}/offboard  with the digest of the plan that the first answer shows: takes a tenant out
//
// What is accepted is durable when it answers 202. A 503 may have been accepted: a repeat does no harm.
func (f *Function) TenantWebhook(ctx context.Context, r *http.Request) (run.Response, error) {
	c := call{Request: r}
	var err error
	if c.body, err = run.Body(r, maxRequest); err != nil {
		return run.Response{}, err
	}
	if f.verify == nil {
		return run.Response{}, fault.New(fault.Missing, "the configuration has no onboarding")
	}
	if err := f.verify.Verify(r, c.body); err != nil {
		return run.Response{}, err
	}
	serve, err := f.target(&c)
	if err != nil {
		return run.Response{}, err
	}
	if c.by, err = callerName(r, f.Config.Onboarding.Auth); err != nil {
		return run.Response{}, err
	}
	resp, err := serve(ctx, c)
	var problems strict.Problems
	if errors.As(err, &problems) {
		return refusal(problems), nil
	}
	return resp, err
}

// target returns what serves a call, and notes the tenant that its address names.
func (f *Function) target(c *call) (handler, error) {
	path := strings.Split(strings.Trim(strings.TrimPrefix(c.URL.Path, "/TenantWebhook"), "/"), "/")
	if len(path) > 1 {
		c.tenant, path[1] = path[1], "{}"
		if tenantKey(c.tenant) != "" {
			return nil, fault.New(fault.Missing, "no tenant has such a key")
		}
	}
	methods, ok := f.targets()[strings.Join(path, "/")]
	if !ok {
		return nil, fault.New(fault.Missing, "there is nothing here: the addresses are /plan, /tenants, /tenants/KEY, /tenants/KEY/retry and /tenants/KEY/offboard")
	}
	var allowed []string
	for _, m := range []string{http.MethodGet, http.MethodPost} {
		if methods[m] != nil {
			allowed = append(allowed, m)
		}
	}
	return methods[c.Method], run.RequireMethod(c.Request, allowed...)
}

var byForm = regexp.MustCompile(`^[!-~]([ -~]{0,98}[!-~])?$`)

// callerName returns the name that the audit trail gives to who asks: what the sender says, or else the sender's own.
func callerName(r *http.Request, a config.Auth) (string, error) {
	switch by := r.Header.Get(headerBy); {
	case by != "" && !byForm.MatchString(by):
		return "", fault.New(fault.Invalid, "the header %s must be 1 to 100 printable ASCII characters", headerBy)
	case by != "":
		return by, nil
	case a.Basic != nil:
		return a.Basic.Username, nil
	case a.OIDC != nil:
		return a.OIDC.Email, nil
	}
	return "TenantWebhook", nil
}

// request reads the body of a call.
func (f *Function) request(c call) (Request, error) {
	contentType := c.Header.Get("Content-Type")
	req, err := decodeRequest(contentType, c.body, Rules{Domains: f.Config.Onboarding.AllowedDomains, MaxTenants: f.Config.Onboarding.MaxTenants})
	if formOf(contentType) == "" {
		err = run.Status(err, http.StatusUnsupportedMediaType)
	}
	return req, err
}

// refusal is the answer to a request with problems.
func refusal(problems strict.Problems) run.Response {
	type problem struct {
		Line    int    `json:"line"`
		Key     string `json:"key,omitempty"`
		Message string `json:"message"`
	}
	all := make([]problem, len(problems))
	for i, p := range problems {
		all[i] = problem{p.Line, p.Key, p.Message}
	}
	return run.Response{
		Status: http.StatusBadRequest,
		Header: http.Header{"Content-Type": {"application/problem+json"}},
		Body: map[string]any{
			"type": "about:blank", "title": http.StatusText(http.StatusBadRequest), "status": http.StatusBadRequest,
			"detail": "the request has problems, and nothing of it was done: mend them all, then send it again", "problems": all,
		},
	}
}

var digestForm = regexp.MustCompile(`^[0-9a-f]{16}$`)

// seen returns the digests of the plans that the caller has seen, by tenant, all of which the request must name.
func seen(c call, named ...string) (map[string]string, error) {
	wanted := map[string]bool{}
	for _, key := range named {
		wanted[key] = true
	}
	digests := map[string]string{}
	for _, list := range append(c.Header.Values(headerPlan), c.URL.Query()["plan"]...) {
		for word := range strings.SplitSeq(list, ",") {
			key, digest, _ := strings.Cut(strings.TrimSpace(word), "=")
			switch before, twice := digests[key]; {
			case !digestForm.MatchString(digest):
				return nil, fault.New(fault.Invalid, "the plans that were seen are named as KEY=DIGEST, KEY=DIGEST with the digests that /plan answered")
			case !wanted[key]:
				return nil, fault.New(fault.Invalid, "a plan is named of a tenant that the request does not hold")
			case twice && before != digest:
				return nil, fault.New(fault.Invalid, "two plans are named of one tenant")
			}
			digests[key] = digest
		}
	}
	return digests, nil
}
