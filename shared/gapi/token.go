package gapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/providerdesk/providerdesk/shared/fault"
)

const (
	cloudPlatform = "https://www.googleapis.com/auth/cloud-platform"
	tokenTimeout  = 10 * time.Second
)

// Token returns the bearer token of the next request.
type Token func(ctx context.Context) (string, error)

// StaticToken is a token that never changes: the one of a simulator.
func StaticToken(s string) Token {
	return func(context.Context) (string, error) { return s, nil }
}

// authorized returns a copy of req with a token. A failure is fault.Unsent: the request has not left.
func (c *chain) authorized(req *http.Request) (*http.Request, error) {
	if !c.allowed(req.URL) {
		return nil, fault.Unsent(fault.Wrap(fault.Bug, errors.New("the host is not the API's"), "authorize"))
	}
	out := req.Clone(req.Context())
	c.rebase(out.URL)
	if c.token == nil {
		return out, nil
	}
	t, err := c.token(req.Context())
	if err != nil {
		return nil, fault.Unsent(tokenFault(err))
	}
	out.Header.Set("Authorization", "Bearer "+t)
	return out, nil
}

// tokenFault keeps the token endpoint's status and error code and drops its text, which may name accounts.
func tokenFault(err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	var r *oauth2.RetrieveError
	if !errors.As(err, &r) || r.Response == nil {
		return fault.Wrap(fault.Transient, quiet(err), "get a token")
	}
	kind := fault.Transient
	if s := r.Response.StatusCode; s >= 400 && s < 500 && s != http.StatusTooManyRequests {
		kind = fault.Denied
	}
	return fault.Wrap(kind, fmt.Errorf("HTTP %d %s", r.Response.StatusCode, word(r.ErrorCode)), "get a token")
}

// defaultCredentials finds the application default credentials at the first call and keeps them; a failure is not kept.
func defaultCredentials(scopes []string) Token {
	if len(scopes) == 0 {
		scopes = []string{cloudPlatform}
	}
	var mu sync.Mutex
	var source oauth2.TokenSource
	find := func() (oauth2.TokenSource, error) {
		mu.Lock()
		defer mu.Unlock()
		if source != nil {
			return source, nil
		}
		// The source keeps this context for later refreshes, so it must not be that of the first call.
		ctx := context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Timeout: tokenTimeout})
		found, err := google.FindDefaultCredentials(ctx, scopes...)
		if err != nil {
			return nil, fault.Wrap(fault.Denied, quiet(err), "find the application default credentials")
		}
		source = found.TokenSource
		return source, nil
	}
	return func(context.Context) (string, error) {
		s, err := find()
		if err != nil {
			return "", err
		}
		t, err := s.Token()
		if err != nil {
			return "", err
		}
		return t.AccessToken, nil
	}
}
