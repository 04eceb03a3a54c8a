package signature

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
)

const (
	bearerChallenge = `Bearer realm="providerdesk"`
	basicChallenge  = `Basic realm="providerdesk", charset="UTF-8"`
)

// Bearer accepts "Authorization: Bearer" with the secret.
func Bearer(secret string) (Verifier, error) {
	if err := checkSecret("the bearer token", secret); err != nil {
		return nil, err
	}
	return bearer{digestOf(secret)}, nil
}

type bearer struct{ secret digest }

func (v bearer) Verify(r *http.Request, _ []byte) error {
	got, err := credentials(r, "Bearer", bearerChallenge)
	if err != nil {
		return err
	}
	if !v.secret.is(got) {
		return denied(bearerChallenge, "the bearer token is not the right one")
	}
	return nil
}

// Basic accepts HTTP basic authentication. A request without credentials gets a challenge: Cloud Monitoring sends them only after one.
func Basic(user, password string) (Verifier, error) {
	if user == "" || strings.Contains(user, ":") {
		return nil, fault.New(fault.Invalid, "the user name of basic authentication is empty or has a colon")
	}
	if err := checkSecret("the password", password); err != nil {
		return nil, err
	}
	return basic{digestOf(user), digestOf(password)}, nil
}

type basic struct{ user, password digest }

func (v basic) Verify(r *http.Request, _ []byte) error {
	encoded, err := credentials(r, "Basic", basicChallenge)
	if err != nil {
		return err
	}
	pair, err := base64.StdEncoding.Strict().DecodeString(encoded)
	user, password, found := strings.Cut(string(pair), ":")
	if err != nil || !found {
		return denied(basicChallenge, "the credentials are not base64 of user and password")
	}
	userOK, passwordOK := v.user.is(user), v.password.is(password) // both, whatever the first says
	if !userOK || !passwordOK {
		return denied(basicChallenge, "user and password are not the right ones")
	}
	return nil
}
