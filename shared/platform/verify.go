package platform

import (
	"context"
	"time"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/signature"
)

// Verifier returns the check that a caller must pass, nil if none is configured: then nobody may call.
func Verifier(ctx context.Context, a config.Auth, now func() time.Time) (signature.Verifier, error) {
	switch {
	case !a.Bearer.IsZero():
		return withSecret(ctx, a.Bearer, signature.Bearer)
	case a.Basic != nil:
		return withSecret(ctx, a.Basic.Password, func(s string) (signature.Verifier, error) {
			return signature.Basic(a.Basic.Username, s)
		})
	case a.HMAC != nil:
		return withSecret(ctx, a.HMAC.Secret, func(s string) (signature.Verifier, error) {
			if a.HMAC.Replay == config.ReplayIdentity {
				return signature.HMACWithoutTime(s, a.HMAC.Header)
			}
			return signature.HMAC(s, a.HMAC.Header, a.HMAC.TimestampHeader, now)
		})
	case !a.StandardWebhook.IsZero():
		return withSecret(ctx, a.StandardWebhook, func(s string) (signature.Verifier, error) {
			return signature.StandardWebhooks([]string{s}, now)
		})
	case a.OIDC != nil:
		return oidc(*a.OIDC, now)
	}
	return nil, nil
}

func withSecret(ctx context.Context, s config.Secret, with func(string) (signature.Verifier, error)) (signature.Verifier, error) {
	plain, err := s.Resolve(ctx)
	if err != nil {
		return nil, err
	}
	return with(plain)
}

func oidc(o config.OIDC, now func() time.Time) (signature.Verifier, error) {
	c := signature.OIDCConfig{Audience: o.Audience, Email: o.Email, JWKS: o.JWKS, Now: now}
	if o.Issuer != "" {
		c.Issuers = []string{o.Issuer}
	}
	return signature.OIDC(c)
}

// PushVerifier returns the check of those who deliver events.
func PushVerifier(ctx context.Context, p config.Push, now func() time.Time) (signature.Verifier, error) {
	switch {
	case p.Platform:
		return signature.Platform(), nil
	case p.OIDC != nil:
		return oidc(*p.OIDC, now)
	}
	return withSecret(ctx, p.Bearer, signature.Bearer)
}
