package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"math/big"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Fingerprint returns hex(sha256) of the canonical form of a JSON value: members ordered by name, absent for null, numbers by value (1, 1.0
// and 10e-1 are one), strings by character. Two payloads that say the same have one fingerprint, however they were encoded.
func Fingerprint(payload []byte) (string, error) {
	dec := json.NewDecoder(bytes.NewReader(payload))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return "", fault.Wrap(fault.Invalid, err, "read payload")
	}
	if _, err := dec.Token(); err != io.EOF {
		return "", fault.New(fault.Invalid, "a payload is one JSON value")
	}
	var b bytes.Buffer
	if err := canonical(&b, v); err != nil {
		return "", err
	}
	h := sha256.Sum256(b.Bytes())
	return hex.EncodeToString(h[:]), nil
}

func canonical(b *bytes.Buffer, v any) error {
	switch v := v.(type) {
	case map[string]any:
		return canonicalObject(b, v)
	case []any:
		return canonicalArray(b, v)
	case json.Number:
		return canonicalNumber(b, v.String())
	}
	return json.NewEncoder(b).Encode(v)
}

func canonicalObject(b *bytes.Buffer, m map[string]any) error {
	names := make([]string, 0, len(m))
	for n, v := range m {
		if v != nil {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	b.WriteByte('{')
	for _, n := range names {
		if err := canonical(b, n); err != nil {
			return err
		}
		if err := canonical(b, m[n]); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

func canonicalArray(b *bytes.Buffer, a []any) error {
	b.WriteByte('[')
	for _, v := range a {
		if err := canonical(b, v); err != nil {
			return err
		}
		b.WriteByte(',')
	}
	b.WriteByte(']')
	return nil
}

// canonicalNumber writes a number as a reduced fraction. A number too long to be one that our own encoders write is kept as it is.
func canonicalNumber(b *bytes.Buffer, s string) error {
	if i := strings.IndexAny(s, "eE"); len(s) > 64 || i >= 0 && len(s)-i > 5 {
		b.WriteString(s + ";")
		return nil
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return fault.New(fault.Bug, "a JSON number is none")
	}
	b.WriteString(r.RatString() + ";")
	return nil
}
