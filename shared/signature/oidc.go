package signature

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// GoogleJWKS is where Google publishes the keys of its identity tokens.
const GoogleJWKS = "https://www.googleapis.com/oauth2/v3/certs"

// OIDCConfig describes the identity token that a caller must carry. Anybody with a Google account can get a token for our audience:
// Email, the service account that calls, is the real gate.
type OIDCConfig struct {
	Issuers  []string // default Google's: https://accounts.google.com and accounts.google.com
	Audience string   // required, compared exactly
	Email    string   // required, compared exactly
	JWKS     string   // URL of the keys; default GoogleJWKS
	Client   *http.Client
	Now      func() time.Time
}

const (
	leeway   = 60 * time.Second // between our clock and the issuer's
	maxToken = 8 << 10          // bytes of a token; Google's have about one thousand
)

// OIDC accepts "Authorization: Bearer" with an RS256 identity token. Keys are fetched when a token names one that is not known yet, at
// most once a minute; when they cannot be fetched the error is a fault.Transient.
func OIDC(c OIDCConfig) (Verifier, error) {
	if strings.TrimSpace(c.Audience) == "" || strings.TrimSpace(c.Email) == "" {
		return nil, fault.New(fault.Invalid, "an identity token needs an audience and the email of the account that calls: without them anybody could send")
	}
	if len(c.Issuers) == 0 {
		c.Issuers = []string{"https://accounts.google.com", "accounts.google.com"}
	}
	if c.JWKS == "" {
		c.JWKS = GoogleJWKS
	}
	c.Now = clock(c.Now)
	return &identity{c, newKeySet(c.JWKS, c.Client, c.Now, keysOfSet)}, nil
}

type identity struct {
	OIDCConfig
	keys *keySet
}

func (v *identity) Verify(r *http.Request, _ []byte) error {
	raw, err := credentials(r, "Bearer", bearerChallenge)
	if err != nil {
		return err
	}
	if !isCompactJWT(raw) {
		return denied(bearerChallenge, "the bearer token is not an identity token")
	}
	token, err := v.parse(r.Context(), raw)
	if err != nil {
		return err
	}
	if reason := v.refusal(token); reason != "" {
		return denied(bearerChallenge, reason)
	}
	return nil
}

// parse checks the signature. The claims are checked by refusal: go-oidc would take one audience of several, and no leeway.
func (v *identity) parse(ctx context.Context, raw string) (*oidc.IDToken, error) {
	keys := &attempt{keys: v.keys}
	token, err := oidc.NewVerifier("", keys, &oidc.Config{
		SupportedSigningAlgs: []string{oidc.RS256},
		SkipClientIDCheck:    true,
		SkipIssuerCheck:      true,
		SkipExpiryCheck:      true,
	}).Verify(ctx, raw)
	switch {
	case keys.unreachable != nil:
		return nil, fault.Wrap(fault.Transient, keys.unreachable, "fetching the keys of identity tokens")
	case err != nil: // its text repeats parts of the token
		return nil, denied(bearerChallenge, "the identity token is not signed with RS256 by a key of its issuer")
	}
	return token, nil
}

// attempt is the key set during one verification: go-oidc's verifier flattens the error that tells a wrong signature from missing keys.
type attempt struct {
	keys        *keySet
	unreachable error
}

func (a *attempt) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := a.keys.VerifySignature(ctx, jwt)
	if errors.Is(err, errUnreachable) {
		a.unreachable = err
	}
	return payload, err
}

// refusal returns why the claims are not acceptable, "" if they are.
func (v *identity) refusal(t *oidc.IDToken) string {
	var claims struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
		Before   int64  `json:"nbf"`
	}
	now := v.Now()
	switch {
	case !slices.Contains(v.Issuers, t.Issuer):
		return "the identity token has another issuer"
	case len(t.Audience) != 1 || !digestOf(v.Audience).is(t.Audience[0]):
		return "the identity token is for another audience"
	case t.Expiry.Add(leeway).Before(now):
		return "the identity token has expired"
	case t.IssuedAt.Unix() <= 0 || t.IssuedAt.After(now.Add(leeway)):
		return "the identity token is from the future, or does not say when it was issued"
	case t.Claims(&claims) != nil:
		return "the identity token has claims of the wrong type"
	case claims.Before > now.Add(leeway).Unix():
		return "the identity token is not valid yet"
	case v.Email != "" && (!claims.Verified || !digestOf(v.Email).is(claims.Email)): // "": the issuer is the account; see GoogleChat
		return "the identity token is not the one of the account that may send"
	}
	return ""
}

// isCompactJWT keeps everything but three parts of base64url away from the parser, which would take JSON too.
func isCompactJWT(s string) bool {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."
	if len(s) > maxToken || strings.Count(s, ".") != 2 {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune(letters, r) }) < 0
}
