package chat

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"sync"
	"time"
)

const (
	issuer  = "https://accounts.google.com"
	caller  = "chat@system.gserviceaccount.com"
	keyBits = 2048
)

// signingKey signs as Google does. It is made when it is first needed: that takes a while.
type signingKey struct {
	mu  sync.Mutex
	key *rsa.PrivateKey
}

func (k *signingKey) get() (*rsa.PrivateKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.key != nil {
		return k.key, nil
	}
	made, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, err
	}
	k.key = made
	return made, nil
}

func keyID(key *rsa.PrivateKey) string {
	h := sha256.Sum256(key.N.Bytes())
	return hex.EncodeToString(h[:8])
}

// token is a bearer token of Google Chat for an audience, good for an hour.
func (k *signingKey) token(audience string, now time.Time) (string, error) {
	key, err := k.get()
	if err != nil {
		return "", err
	}
	head := segment(map[string]any{"alg": "RS256", "typ": "JWT", "kid": keyID(key)})
	body := segment(map[string]any{
		"iss": issuer, "aud": audience, "azp": "112233445566778899000", "sub": "112233445566778899000", "email": caller, "email_verified": true,
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	})
	h := sha256.Sum256([]byte(head + "." + body))
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, h[:])
	if err != nil {
		return "", err
	}
	return head + "." + body + "." + base64.RawURLEncoding.EncodeToString(sig), nil
}

func segment(v map[string]any) string {
	data, _ := json.Marshal(v) // of texts and numbers: cannot fail
	return base64.RawURLEncoding.EncodeToString(data)
}

// jwks is the public half, as Google publishes its keys.
func (k *signingKey) jwks() (any, error) {
	key, err := k.get()
	if err != nil {
		return nil, err
	}
	number := func(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
	return map[string]any{"keys": []any{map[string]string{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": keyID(key), "n": number(key.N.Bytes()), "e": number(big.NewInt(int64(key.E)).Bytes()),
	}}}, nil
}
