package signature

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

const chatProject = "123456789012"

// certificates answers as Google does for a service account: a certificate for each key id.
func (i *issuer) certificates(t testing.TB, from, until time.Time) http.HandlerFunc {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "chat"}, NotBefore: from, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &i.key.PublicKey, i.key)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]string{i.kid.Load().(string): text, "broken": "CANARY"})
	}
}

func chatClaims(changes claims) claims {
	c := claims{"iss": GoogleChatAccount, "aud": chatProject, "iat": noon.Unix(), "exp": noon.Add(time.Hour).Unix()}
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

// TestGoogleChatProject: a token that Chat has signed itself, for the project's number.
func TestGoogleChatProject(t *testing.T) {
	i, other := newIssuer(t), newIssuer(t)
	i.answering(i.certificates(t, noon.Add(-time.Hour), noon.Add(24*time.Hour)))
	v, err := GoogleChat(GoogleChatConfig{ProjectNumber: chatProject, Keys: i.URL, Client: i.Client(), Now: clockAt(noon)})
	v = must(t, v, err)
	if err := v.Verify(bearing(i.sign("RS256", "k1", chatClaims(nil))), nil); err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"another project":     i.sign("RS256", "k1", chatClaims(claims{"aud": "210987654321"})),
		"no audience":         i.sign("RS256", "k1", chatClaims(claims{"aud": nil})),
		"two audiences":       i.sign("RS256", "k1", chatClaims(claims{"aud": []string{chatProject, "x"}})),
		"another issuer":      i.sign("RS256", "k1", chatClaims(claims{"iss": "CANARY@system.gserviceaccount.com"})),
		"Google's issuer":     i.sign("RS256", "k1", chatClaims(claims{"iss": "https://accounts.google.com", "email": GoogleChatAccount, "email_verified": true})),
		"expired":             i.sign("RS256", "k1", chatClaims(claims{"exp": noon.Add(-2 * time.Minute).Unix()})),
		"from the future":     i.sign("RS256", "k1", chatClaims(claims{"iat": noon.Add(2 * time.Minute).Unix()})),
		"another key":         other.sign("RS256", "k1", chatClaims(nil)),
		"an unknown key":      i.sign("RS256", "CANARY", chatClaims(nil)),
		"a broken key's name": i.sign("RS256", "broken", chatClaims(nil)),
		"another algorithm":   i.sign("HS256", "k1", chatClaims(nil)),
		"no token":            "CANARY",
	} {
		t.Run(name, func(t *testing.T) { refused(t, v.Verify(bearing(token), nil), bearerChallenge) })
	}
	t.Run("no header", func(t *testing.T) { refused(t, v.Verify(with(), nil), bearerChallenge) })
	if n := i.fetches.Load(); n != 1 {
		t.Errorf("%d fetches; forged tokens cause none", n)
	}
}

// TestGoogleChatEndpoint: an identity token of Google's, for our URL and Chat's account.
func TestGoogleChatEndpoint(t *testing.T) {
	i := newIssuer(t)
	v, err := GoogleChat(GoogleChatConfig{Endpoint: audience, Keys: i.URL, Client: i.Client(), Now: clockAt(noon)})
	v = must(t, v, err)
	token := func(changes claims) string {
		c := goodClaims()
		c["email"] = GoogleChatAccount
		maps.Copy(c, changes)
		return i.sign("RS256", "k1", c)
	}
	if err := v.Verify(bearing(token(nil)), nil); err != nil {
		t.Fatal(err)
	}
	for name, changes := range map[string]claims{
		"another account":        {"email": pusher},
		"unverified":             {"email_verified": false},
		"another app":            {"aud": "https://CANARY.example.test"},
		"a path more":            {"aud": audience + "/"},
		"what the other way has": {"iss": GoogleChatAccount, "aud": chatProject},
	} {
		t.Run(name, func(t *testing.T) { refused(t, v.Verify(bearing(token(changes)), nil), bearerChallenge) })
	}
}

// TestGoogleChatCertificates: they are kept, looked at again at most once a minute for an unknown key, and refused when they are not valid.
func TestGoogleChatCertificates(t *testing.T) {
	i := newIssuer(t)
	now := noon
	i.answering(i.certificates(t, noon.Add(-time.Hour), noon.Add(time.Hour)))
	v, err := GoogleChat(GoogleChatConfig{ProjectNumber: chatProject, Keys: i.URL, Client: i.Client(), Now: func() time.Time { return now }})
	v = must(t, v, err)
	if err := v.Verify(bearing(i.sign("RS256", "k1", chatClaims(nil))), nil); err != nil {
		t.Fatal(err)
	}
	i.kid.Store("k2")
	rotated := bearing(i.sign("RS256", "k2", chatClaims(nil)))
	for _, later := range []time.Duration{0, 30 * time.Second, time.Minute - time.Nanosecond} {
		now = noon.Add(later)
		refused(t, v.Verify(rotated, nil), bearerChallenge)
	}
	if n := i.fetches.Load(); n != 1 {
		t.Errorf("%d fetches within a minute", n)
	}
	now = noon.Add(time.Minute)
	if err := v.Verify(rotated, nil); err != nil {
		t.Error(err)
	}
	for name, answer := range map[string]http.HandlerFunc{
		"expired":         i.certificates(t, noon.Add(-time.Hour), noon.Add(-time.Hour)),
		"not valid yet":   i.certificates(t, noon.Add(time.Hour), noon.Add(2*time.Hour)),
		"a key set":       func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"keys":[{"kty":"CANARY"}]}`)) },
		"nothing":         func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{}`)) },
		"no certificates": func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"k1":"CANARY"}`)) },
	} {
		i.answering(answer)
		fresh, err := GoogleChat(GoogleChatConfig{ProjectNumber: chatProject, Keys: i.URL, Client: i.Client(), Now: clockAt(noon)})
		err = must(t, fresh, err).Verify(rotated, nil)
		if !fault.Is(err, fault.Transient) || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
