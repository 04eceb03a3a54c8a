// Package signature answers who sent a request: a shared token, HTTP basic authentication, an HMAC of the body, Standard Webhooks, or a
// Google identity token.
//
// Guaranteed by every Verifier: a refusal is a fault.Denied that names no secret, no token and no user; one credential only, a header
// that is there twice is refused; secrets are compared as SHA-256 digests in constant time, so that not even their length leaks; a
// constructor without a secret is an error, never "no authentication".
//
//	way                     checks                                            a captured request is good for
//	Bearer, Basic           a shared secret                                   ever
//	HMAC, Slack             a secret, over the time and the body              five minutes
//	HMACWithoutTime         a secret, over the body                           ever
//	StandardWebhooks        a secret, over id, time and body                  five minutes
//	OIDC, GoogleChat        a token signed by Google, for our audience        an hour
//
// Not promised: that a request is new. Receivers recognise repeats by the identity of the event.
package signature

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Verifier says whether a request comes from whom it must come. The error is a fault.Denied, or a fault.Transient when the answer is open.
type Verifier interface {
	Verify(r *http.Request, body []byte) error
}

// Platform accepts every request. It is for a function that the platform's own check stands in front of, such as Cloud Run's invoker role.
func Platform() Verifier { return platform{} }

type platform struct{}

func (platform) Verify(*http.Request, []byte) error { return nil }

// Challenge returns what the WWW-Authenticate header of the answer to err must say, "" if nothing.
func Challenge(err error) string {
	var c *challenged
	if errors.As(err, &c) {
		return c.challenge
	}
	return ""
}

// challenged is a refusal after which the caller may try again with the credentials that the challenge asks for.
type challenged struct {
	error
	challenge string
}

func (c *challenged) Unwrap() error { return c.error }

func denied(challenge, sentence string) error {
	err := fault.New(fault.Denied, "%s", sentence)
	if challenge == "" {
		return err
	}
	return &challenged{err, challenge}
}

// digest is what is kept of a secret and compared.
type digest [sha256.Size]byte

func digestOf(s string) digest { return sha256.Sum256([]byte(s)) }

// is reports in constant time whether s has this digest.
func (d digest) is(s string) bool {
	other := digestOf(s)
	return subtle.ConstantTimeCompare(d[:], other[:]) == 1
}

// checkSecret refuses what is no secret, and the line break that a file leaves at its end.
func checkSecret(what, s string) error {
	switch {
	case s == "":
		return fault.New(fault.Invalid, "%s is empty: without it anybody could send", what)
	case strings.TrimSpace(s) != s:
		return fault.New(fault.Invalid, "%s begins or ends with white space", what)
	}
	return nil
}

// credentials returns what follows the scheme in the one Authorization header. The scheme may have any case, the rest is exact.
func credentials(r *http.Request, scheme, challenge string) (string, error) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		return "", denied(challenge, "the request has no Authorization header")
	}
	if len(values) > 1 {
		return "", denied(challenge, "the request has more than one Authorization header")
	}
	got, rest, found := strings.Cut(values[0], " ")
	if !found || !strings.EqualFold(got, scheme) || rest == "" {
		return "", denied(challenge, "the Authorization header has another scheme than "+scheme)
	}
	return rest, nil
}

// header returns the one value of a header.
func header(r *http.Request, name string) (string, error) {
	switch values := r.Header.Values(name); {
	case len(values) > 1:
		return "", denied("", "header "+name+" is there more than once")
	case len(values) == 0 || values[0] == "":
		return "", denied("", "header "+name+" is missing")
	default:
		return values[0], nil
	}
}
