package signature

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	maxJWKS  = 1 << 20     // bytes of a key set
	jwksRest = time.Minute // between two fetches that succeed
)

// jwksClient is client with a bound on the time and the size of a fetch, and on how often tokens with invented key ids can cause one.
// form, if there is one, makes a key set of what the server answers.
func jwksClient(client *http.Client, now func() time.Time, form func([]byte) ([]byte, error)) *http.Client {
	bounded := http.Client{}
	if client != nil {
		bounded = *client
	}
	if bounded.Timeout <= 0 || bounded.Timeout > fetchTimeout {
		bounded.Timeout = fetchTimeout
	}
	base := bounded.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	bounded.Transport = &jwksTransport{base: base, now: now, form: form}
	return &bounded
}

// jwksTransport answers with the last key set for a while. It serves one URL.
type jwksTransport struct {
	base http.RoundTripper
	now  func() time.Time
	form func([]byte) ([]byte, error)

	mu      sync.Mutex
	fetched time.Time
	body    []byte
}

func (t *jwksTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if body := t.recent(); body != nil {
		return response(r, body), nil
	}
	resp, err := t.base.RoundTrip(r)
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxJWKS+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxJWKS {
		return nil, fmt.Errorf("the key set is larger than %d bytes", maxJWKS)
	}
	if t.form != nil {
		if body, err = t.form(body); err != nil {
			return nil, err
		}
	}
	if json.Valid(body) {
		t.keep(body)
	}
	return response(r, body), nil
}

func (t *jwksTransport) recent() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if age := t.now().Sub(t.fetched); age < 0 || age >= jwksRest {
		return nil
	}
	return t.body
}

func (t *jwksTransport) keep(body []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fetched, t.body = t.now(), body
}

func response(r *http.Request, body []byte) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK,
		Status:     "200 OK",
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       io.NopCloser(bytes.NewReader(body)),
		Request:    r,
	}
}
