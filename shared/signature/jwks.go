package signature

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	maxJWKS      = 1 << 20     // bytes of a key set
	jwksRest     = time.Minute // between two fetches that succeed: tokens with invented key ids cause no more
	fetchTimeout = 5 * time.Second
)

// errUnreachable is why nobody can say whether a token is signed: there is no key set.
var errUnreachable = errors.New("the key server did not answer with a key set")

// keys are RSA public keys by their ids.
type keys map[string]*rsa.PublicKey

// keySet is the keys of an issuer, fetched when a token names one that is not known, by one request at a time and in its goroutine.
type keySet struct {
	url    string
	client *http.Client
	now    func() time.Time
	read   func([]byte) (keys, error)
	turn   chan struct{} // holds one token while somebody fetches

	mu      sync.Mutex
	fetched time.Time
	kept    keys
}

func newKeySet(url string, client *http.Client, now func() time.Time, read func([]byte) (keys, error)) *keySet {
	return &keySet{url: url, client: patient(client), now: now, read: read, turn: make(chan struct{}, 1)}
}

// patient is client with a bound on the time of a fetch.
func patient(client *http.Client) *http.Client {
	bounded := http.Client{}
	if client != nil {
		bounded = *client
	}
	if bounded.Timeout <= 0 || bounded.Timeout > fetchTimeout {
		bounded.Timeout = fetchTimeout
	}
	return &bounded
}

// VerifySignature returns the payload of a token that one of the keys has signed with RS256: the one that the token names, or any if it names none.
func (s *keySet) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	jws, err := jose.ParseSigned(jwt, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, err
	}
	id := jws.Signatures[0].Header.KeyID
	kept, fresh := s.known()
	if _, ok := kept[id]; !ok && !fresh {
		if kept, err = s.renewed(ctx); err != nil {
			return nil, err
		}
	}
	for name, key := range kept {
		if id != "" && id != name {
			continue
		}
		if payload, err := jws.Verify(key); err == nil {
			return payload, nil
		}
	}
	return nil, errors.New("no key of the issuer has signed it")
}

// known returns the keys that are kept, and whether they are too fresh to be fetched again.
func (s *keySet) known() (keys, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	age := s.now().Sub(s.fetched)
	return s.kept, s.kept != nil && age >= 0 && age < jwksRest
}

// renewed fetches the keys, unless somebody else has just done so.
func (s *keySet) renewed(ctx context.Context) (keys, error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, errUnreachable
	}
	defer func() { <-s.turn }()
	if kept, fresh := s.known(); fresh {
		return kept, nil
	}
	body, err := s.fetch(ctx)
	if err != nil {
		return nil, errUnreachable
	}
	fetched, err := s.read(body)
	if err != nil {
		return nil, errUnreachable
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept, s.fetched = fetched, s.now()
	return fetched, nil
}

func (s *keySet) fetch(ctx context.Context) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxJWKS+1))
	if err != nil || resp.StatusCode != http.StatusOK || len(body) > maxJWKS {
		return nil, errUnreachable
	}
	return body, nil
}

// keysOfSet reads a JSON Web Key Set. Keys of other kinds than RSA are left out.
func keysOfSet(body []byte) (keys, error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, err
	}
	all := keys{}
	for _, k := range set.Keys {
		if public, ok := k.Key.(*rsa.PublicKey); ok {
			all[k.KeyID] = public
		}
	}
	return all, nil
}
