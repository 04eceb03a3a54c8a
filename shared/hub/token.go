package hub

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Token returns the API token (the guide's refreshToken) of an organization, fault.Missing if there is none. It is asked whenever an access
// token is needed and must not log what it returns.
type Token func(ctx context.Context, org string) (string, error)

const (
	keepFor  = 25 * time.Minute // an access token, if it does not end sooner
	maxToken = 16 << 10         // bytes
)

// printable is what a token may be made of: what may stand in a header.
var printable = regexp.MustCompile(`^[!-~]+$`)

// tokens holds one access token per organization. Callers that need the same one at the same time share one exchange, which runs in the
// first of them; when that one is called off, the next takes over.
type tokens struct {
	api      Token
	master   string
	now      func() time.Time
	exchange func(ctx context.Context, apiToken string) (string, error)

	mu      sync.Mutex
	held    map[string]access
	flights map[string]*flight
}

// access is an access token: to be replaced from refresh on, useless from end on (zero: not known).
type access struct {
	token        string
	refresh, end time.Time
}

type flight struct {
	done   chan struct{}
	token  string
	err    error
	waived bool // the caller that ran it was called off: the result says nothing
}

func newTokens(o Options, exchange func(context.Context, string) (string, error)) *tokens {
	return &tokens{
		api: o.Token, master: o.Organization, now: o.Now, exchange: exchange, held: map[string]access{}, flights: map[string]*flight{},
	}
}

// of returns an access token for calls about org. An organization without an API token gets the master organization's: the hub then decides.
func (s *tokens) of(ctx context.Context, org string) (string, error) {
	t, err := s.get(ctx, org)
	if fault.Is(err, fault.Missing) && s.master != "" && org != s.master {
		return s.get(ctx, s.master)
	}
	return t, err
}

func (s *tokens) get(ctx context.Context, org string) (string, error) {
	for {
		held, f, mine := s.join(org)
		switch {
		case f == nil:
			return held, nil
		case mine:
			return s.run(ctx, org, f)
		}
		select {
		case <-ctx.Done():
			return "", fault.Wrap(fault.Transient, ctx.Err(), "wait for an access token")
		case <-f.done:
		}
		if !f.waived {
			return f.token, f.err
		}
	}
}

// join returns the held token if it is fresh, else the flight to wait for, or to run if it is mine.
func (s *tokens) join(org string) (held string, f *flight, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.held[org]; ok && s.wall().Before(a.refresh) {
		return a.token, nil, false
	}
	if f := s.flights[org]; f != nil {
		return "", f, false
	}
	f = &flight{done: make(chan struct{})}
	s.flights[org] = f
	return "", f, true
}

func (s *tokens) run(ctx context.Context, org string, f *flight) (string, error) {
	token, err := s.fetch(ctx, org)
	s.mu.Lock()
	defer s.mu.Unlock()
	old, had := s.held[org]
	switch {
	case err == nil:
		s.held[org] = accessOf(token, s.wall())
	case had && healing(err) && s.wall().Before(old.end):
		token, err = old.token, nil // it still works; the next call tries again
	}
	f.token, f.err, f.waived = token, err, err != nil && ctx.Err() != nil
	delete(s.flights, org)
	close(f.done)
	return token, err
}

func healing(err error) bool { return fault.Is(err, fault.Transient) || fault.Is(err, fault.Throttled) }

func (s *tokens) fetch(ctx context.Context, org string) (string, error) {
	api, err := s.api(ctx, org)
	if err != nil {
		return "", err
	}
	if !printable.MatchString(api) || len(api) > maxToken {
		return "", fault.New(fault.Denied, "the API token of the organization is empty or has characters that no token has")
	}
	return s.exchange(ctx, api)
}

// drop forgets an access token that was refused, unless it has been replaced already.
func (s *tokens) drop(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for org, a := range s.held {
		if a.token == token {
			delete(s.held, org)
		}
	}
}

// wall is the time on the wall clock: a suspended machine stops the other one.
func (s *tokens) wall() time.Time { return s.now().Round(0) }

func accessOf(token string, now time.Time) access {
	life, ok := lifeOf(token, now)
	if !ok {
		return access{token: token, refresh: now.Add(keepFor)}
	}
	return access{token: token, refresh: now.Add(min(life/10*8, keepFor)), end: now.Add(life)}
}

// lifeOf reads how long a token lives from the claims of a JWT, without verifying it: only the hub can. Where iat is there the hub's own
// clock is used throughout. A token that seems over already tells of a wrong clock, not of its life.
func lifeOf(token string, now time.Time) (time.Duration, bool) {
	claims, ok := claimsOf(token)
	if !ok {
		return 0, false
	}
	exp, iat := seconds(claims.Exp), seconds(claims.Iat)
	if iat == 0 {
		iat = now.Unix()
	}
	if exp <= iat || exp-iat > int64(maxLife/time.Second) {
		return 0, false
	}
	return time.Duration(exp-iat) * time.Second, true
}

// IssuedAt reads when a token was made, out of its claims, false if it is no JWT or does not say.
func IssuedAt(token string) (time.Time, bool) {
	claims, ok := claimsOf(token)
	iat := seconds(claims.Iat)
	return time.Unix(iat, 0).UTC(), ok && iat > 0
}

// claims are those of a JWT that tell its time.
type claims struct{ Exp, Iat json.Number }

func claimsOf(token string) (c claims, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || len(token) > maxToken {
		return c, false
	}
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return c, false
	}
	return c, json.Unmarshal(text, &c) == nil
}

// maxLife is more than any access token lives: what claims more is read as saying nothing.
const maxLife = 366 * 24 * time.Hour

// seconds reads a NumericDate, 0 if it is none.
func seconds(n json.Number) int64 {
	whole, _, _ := strings.Cut(n.String(), ".")
	i, err := json.Number(whole).Int64()
	if err != nil || i < 0 {
		return 0
	}
	return i
}

// exchange is the guide's "Using VMware Cloud Provider Hub APIs": POST /auth/v1/authn/accesstoken. It refuses an organization without an
// active service. Any definite refusal is fault.Denied: a person must make a new API token, or activate a service.
func (c *Client) exchange(ctx context.Context, apiToken string) (string, error) {
	const doing = "exchange an API token"
	r := request{doing: doing, method: "POST", path: "/auth/v1/authn/accesstoken", body: map[string]string{"refreshToken": apiToken}}
	a, err := c.send(ctx, r, "")
	if err != nil {
		return "", exchangeFault(err, doing)
	}
	o, _ := objectOf(a.body)
	t := o.text("accessToken")
	if !printable.MatchString(t) || len(t) > maxToken {
		return "", unreadable("access token", doing)
	}
	return t, nil
}

func exchangeFault(err error, doing string) error {
	switch fault.Of(err) {
	case fault.Invalid, fault.Missing, fault.Conflict:
		return fault.Wrap(fault.Denied, err, doing)
	}
	return err
}
