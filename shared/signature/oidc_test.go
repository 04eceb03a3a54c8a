package signature

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

const (
	audience = "https://filecase.example.test"
	pusher   = "push@CANARY-project.iam.gserviceaccount.com"
)

// issuer is a key server with one key.
type issuer struct {
	*httptest.Server
	key     *rsa.PrivateKey
	kid     atomic.Value
	fetches atomic.Int32
	answer  atomic.Pointer[http.HandlerFunc] // in place of the keys
}

func newIssuer(t testing.TB) *issuer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	i.kid.Store("k1")
	i.Server = httptest.NewServer(http.HandlerFunc(i.serve))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) serve(w http.ResponseWriter, r *http.Request) {
	i.fetches.Add(1)
	if h := i.answer.Load(); h != nil {
		(*h)(w, r)
		return
	}
	json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]string{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": i.kid.Load().(string),
		"n": base64.RawURLEncoding.EncodeToString(i.key.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(i.key.E)).Bytes()),
	}}})
}

func (i *issuer) answering(h http.HandlerFunc) { i.answer.Store(&h) }

func (i *issuer) verifier(t testing.TB, now func() time.Time) Verifier {
	v, err := OIDC(OIDCConfig{Audience: audience, Email: pusher, JWKS: i.URL, Client: i.Client(), Now: now})
	return must(t, v, err)
}

type claims map[string]any

// goodClaims are those of the documentation's example, for us.
func goodClaims() claims {
	return claims{"iss": "https://accounts.google.com", "aud": audience, "azp": "1137", "sub": "1137", "email": pusher,
		"email_verified": true, "iat": noon.Unix(), "exp": noon.Add(time.Hour).Unix()}
}

func segment(v any) string {
	b, _ := json.Marshal(v)
	return base64.RawURLEncoding.EncodeToString(b)
}

func (i *issuer) sign(alg, kid string, c claims) string {
	text := segment(map[string]string{"alg": alg, "kid": kid, "typ": "JWT"}) + "." + segment(c)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func bearing(token string) *http.Request { return with("Authorization", "Bearer "+token) }

func TestOIDC(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t, clockAt(noon))
	change := func(changes claims) claims {
		c := goodClaims()
		maps.Copy(c, changes)
		maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
		return c
	}
	for name, c := range map[string]claims{
		"as documented":         nil,
		"issuer without scheme": {"iss": "accounts.google.com"},
		"audience as a list":    {"aud": []string{audience}},
		"just expired":          {"exp": noon.Add(-60 * time.Second).Unix()},
		"just issued":           {"iat": noon.Add(60 * time.Second).Unix()},
	} {
		t.Run(name, func(t *testing.T) {
			if err := v.Verify(bearing(i.sign("RS256", "k1", change(c))), nil); err != nil {
				t.Error(err)
			}
		})
	}
	if n := i.fetches.Load(); n != 1 {
		t.Errorf("keys were fetched %d times, want once", n)
	}
	for name, c := range map[string]claims{
		"expired":               {"exp": noon.Add(-61 * time.Second).Unix()},
		"no expiry":             {"exp": nil},
		"no time of issue":      {"iat": nil},
		"from the future":       {"iat": noon.Add(62 * time.Second).Unix()},
		"not valid yet":         {"nbf": noon.Add(62 * time.Second).Unix()},
		"other issuer":          {"iss": "https://CANARY.example"},
		"issuer with slash":     {"iss": "https://accounts.google.com/"},
		"no issuer":             {"iss": nil},
		"other audience":        {"aud": "https://CANARY.example"},
		"audience with slash":   {"aud": audience + "/"},
		"audience in capitals":  {"aud": strings.ToUpper(audience)},
		"two audiences":         {"aud": []string{audience, "https://CANARY.example"}},
		"no audience":           {"aud": nil},
		"empty audience":        {"aud": []string{}},
		"other email":           {"email": "CANARY@example.test"},
		"email in capitals":     {"email": strings.ToUpper(pusher)},
		"no email":              {"email": nil},
		"email is a list":       {"email": []string{pusher}},
		"unverified":            {"email_verified": false},
		"no word on it":         {"email_verified": nil},
		"verified, as a string": {"email_verified": "true"},
		"expiry is text":        {"exp": "CANARY"},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, v.Verify(bearing(i.sign("RS256", "k1", change(c))), nil), bearerChallenge)
		})
	}
}

func TestOIDCForged(t *testing.T) {
	i, other := newIssuer(t), newIssuer(t)
	v := i.verifier(t, clockAt(noon))
	good := i.sign("RS256", "k1", goodClaims())
	if err := v.Verify(bearing(good), nil); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	der, _ := x509.MarshalPKIXPublicKey(&i.key.PublicKey)
	hs256 := func(key []byte) string {
		text := segment(map[string]string{"alg": "HS256", "kid": "k1", "typ": "JWT"}) + "." + parts[1]
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	for name, token := range map[string]string{
		"alg none":              segment(map[string]string{"alg": "none"}) + "." + parts[1] + ".",
		"alg none, signed":      segment(map[string]string{"alg": "none"}) + "." + parts[1] + "." + parts[2],
		"alg None":              segment(map[string]string{"alg": "None"}) + "." + parts[1] + ".",
		"no alg":                segment(map[string]string{"kid": "k1"}) + "." + parts[1] + "." + parts[2],
		"HS256, public key PEM": hs256(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		"HS256, public key DER": hs256(der),
		"HS256, modulus":        hs256(i.key.N.Bytes()),
		"says RS512":            i.sign("RS512", "k1", goodClaims()),
		"says PS256":            i.sign("PS256", "k1", goodClaims()),
		"other key, our kid":    other.sign("RS256", "k1", goodClaims()),
		"unknown kid":           i.sign("RS256", "CANARY", goodClaims()),
		"other key, no kid":     other.sign("RS256", "", goodClaims()),
		"no signature":          parts[0] + "." + parts[1] + ".",
		"two parts":             parts[0] + "." + parts[1],
		"four parts":            good + "." + parts[2],
		"changed claims":        parts[0] + "." + segment(claims{"email": "x"}) + "." + parts[2],
		"JSON serialization":    `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
		"padded":                good + "=",
		"trailing space":        good + " ",
		"line break":            good + "\n",
		"huge":                  good + strings.Repeat("A", maxToken),
		"unicode":               "ü.ü.ü",
		"dots":                  "..",
		"empty":                 "",
	} {
		t.Run(name, func(t *testing.T) { refused(t, v.Verify(bearing(token), nil), bearerChallenge) })
	}
	t.Run("missing", func(t *testing.T) { refused(t, v.Verify(with(), nil), bearerChallenge) })
	t.Run("wrong scheme", func(t *testing.T) { refused(t, v.Verify(with("Authorization", "Basic "+good), nil), bearerChallenge) })
	t.Run("two headers", func(t *testing.T) {
		refused(t, v.Verify(with("Authorization", "Bearer "+good, "Authorization", "Bearer "+good), nil), bearerChallenge)
	})
	if n := i.fetches.Load(); n != 1 {
		t.Errorf("forged tokens caused %d fetches, want none beyond the first", n-1)
	}
}

// TestKeyRotation: a new key is found without a restart, at most a minute late.
func TestKeyRotation(t *testing.T) {
	i := newIssuer(t)
	now := noon
	v := i.verifier(t, func() time.Time { return now })
	if err := v.Verify(bearing(i.sign("RS256", "k1", goodClaims())), nil); err != nil {
		t.Fatal(err)
	}
	i.kid.Store("k2")
	rotated := bearing(i.sign("RS256", "k2", goodClaims()))
	refused(t, v.Verify(rotated, nil), bearerChallenge)
	now = noon.Add(jwksRest)
	if err := v.Verify(rotated, nil); err != nil {
		t.Error(err)
	}
	if n := i.fetches.Load(); n != 2 {
		t.Errorf("%d fetches, want 2", n)
	}
}

// TestKeysUnavailable: not knowing is not a refusal, and heals by itself.
func TestKeysUnavailable(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t, clockAt(noon))
	r := bearing(i.sign("RS256", "k1", goodClaims()))
	for name, answer := range map[string]http.HandlerFunc{
		"500":            func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "CANARY", 500) },
		"404":            http.NotFound,
		"garbage":        func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>CANARY")) },
		"connection cut": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"too large":      func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, maxJWKS+1)) },
	} {
		i.answering(answer)
		err := v.Verify(r, nil)
		if !fault.Is(err, fault.Transient) || Challenge(err) != "" || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %v", name, err)
		}
	}
	i.answer.Store(nil)
	if err := v.Verify(r, nil); err != nil {
		t.Errorf("after the key server came back: %v", err)
	}
}

// TestFetchIsBounded: a key server that hangs costs the request no more than its own deadline.
func TestFetchIsBounded(t *testing.T) {
	i := newIssuer(t)
	asked, release := make(chan struct{}), make(chan struct{})
	i.answering(func(http.ResponseWriter, *http.Request) { close(asked); <-release })
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	err := i.verifier(t, clockAt(noon)).Verify(bearing(i.sign("RS256", "k1", goodClaims())).WithContext(ctx), nil)
	close(release)
	if !fault.Is(err, fault.Transient) {
		t.Errorf("got %v", err)
	}
	for given, want := range map[time.Duration]time.Duration{0: fetchTimeout, time.Hour: fetchTimeout, time.Second: time.Second} {
		if got := patient(&http.Client{Timeout: given}).Timeout; got != want {
			t.Errorf("a client with timeout %s fetches with %s, want %s", given, got, want)
		}
	}
}

// FuzzOIDC: whoever does not hold the key does not get in.
func FuzzOIDC(f *testing.F) {
	i := newIssuer(f)
	v := i.verifier(f, clockAt(noon))
	good := i.sign("RS256", "k1", goodClaims())
	if err := v.Verify(bearing(good), nil); err != nil { // the keys are known from here on
		f.Fatal(err)
	}
	parts := strings.Split(good, ".")
	f.Add(parts[0] + "." + parts[1] + ".")
	f.Add(segment(map[string]string{"alg": "none"}) + "." + parts[1] + ".")
	f.Add(parts[0] + "." + segment(claims{}) + "." + parts[2])
	f.Add(`{"payload":"","signatures":[]}`)
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		if token == good {
			return
		}
		if err := v.Verify(bearing(token), nil); !fault.Is(err, fault.Denied) {
			t.Errorf("%q: %v", token, err)
		}
	})
}
