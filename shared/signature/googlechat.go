package signature

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// GoogleChatAccount is the account behind every request of Google Chat, to whichever app: the audience is what binds a token to ours.
const GoogleChatAccount = "chat@system.gserviceaccount.com"

// GoogleChatCertificates is where Google publishes the certificates of GoogleChatAccount.
const GoogleChatCertificates = "https://www.googleapis.com/service_accounts/v1/metadata/x509/" + GoogleChatAccount

// GoogleChatConfig says which of the two tokens the Chat app was told to send, by the audience chosen in its settings. Exactly one of the
// first two is set: a token never chooses how it is checked.
type GoogleChatConfig struct {
	Endpoint      string // audience "HTTP endpoint URL": the URL exactly as in the app's settings; an identity token of Google's
	ProjectNumber string // audience "project number": a token that Chat has signed itself
	Keys          string // URL of the keys; default GoogleJWKS, or GoogleChatCertificates with a project number
	Client        *http.Client
	Now           func() time.Time
}

// GoogleChat accepts the requests of Google Chat to our app. Keys are fetched and refused as by [OIDC].
func GoogleChat(c GoogleChatConfig) (Verifier, error) {
	switch {
	case (c.Endpoint == "") == (c.ProjectNumber == ""):
		return nil, fault.New(fault.Invalid, "Google Chat needs either the endpoint's URL or the project's number as the audience: without it any app's token would do")
	case c.Endpoint != "":
		return OIDC(OIDCConfig{Audience: c.Endpoint, Email: GoogleChatAccount, JWKS: c.Keys, Client: c.Client, Now: c.Now})
	case strings.Trim(c.ProjectNumber, "0123456789") != "":
		return nil, fault.New(fault.Invalid, "the audience of Google Chat is not a project's number, which is digits only")
	}
	if c.Keys == "" {
		c.Keys = GoogleChatCertificates
	}
	own := OIDCConfig{Issuers: []string{GoogleChatAccount}, Audience: c.ProjectNumber, JWKS: c.Keys, Client: c.Client, Now: clock(c.Now)}
	return &identity{own, newKeySet(own.JWKS, own.Client, own.Now, keysOfCertificates(own.Now))}, nil
}

// keysOfCertificates reads the certificates that are valid now: an object of PEM texts by the ids of their keys.
func keysOfCertificates(now func() time.Time) func([]byte) (keys, error) {
	return func(body []byte) (keys, error) {
		var certificates map[string]string
		if err := json.Unmarshal(body, &certificates); err != nil {
			return nil, err
		}
		all := keys{}
		for id, text := range certificates {
			if key, ok := keyOf(text, now()); ok {
				all[id] = key
			}
		}
		if len(all) == 0 {
			return nil, errors.New("there is no certificate that is valid now")
		}
		return all, nil
	}
}

func keyOf(text string, now time.Time) (*rsa.PublicKey, bool) {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, false
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil || now.Add(leeway).Before(c.NotBefore) || now.Add(-leeway).After(c.NotAfter) {
		return nil, false
	}
	key, ok := c.PublicKey.(*rsa.PublicKey)
	return key, ok
}
