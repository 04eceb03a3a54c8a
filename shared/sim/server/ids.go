package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"
)

// IDs is the seed of everything that looks random. Drawn with a counter that is part of the state, nobody can guess the next id, and the
// same requests get the same.
type IDs uint64

// Draw returns 32 bytes for a purpose.
func (seed IDs) Draw(purpose string, n uint64) [32]byte {
	var key [8]byte
	binary.BigEndian.PutUint64(key[:], uint64(seed))
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(purpose))
	mac.Write(binary.BigEndian.AppendUint64(nil, n))
	return [32]byte(mac.Sum(nil))
}

// PageToken names a place in one listing and no other: the listing's identity is signed into it.
func (seed IDs) PageToken(listing, place string) string {
	return base64.RawURLEncoding.EncodeToString(append(seed.sign(listing, place), place...))
}

func (seed IDs) sign(listing, place string) []byte {
	h := seed.Draw("page\x00"+listing+"\x00"+place, 0)
	return h[:12]
}

// Place reads a page token back; false for a token of another listing, or of nobody.
func (seed IDs) Place(listing, token string) (string, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) < 12 {
		return "", false
	}
	place := string(raw[12:])
	return place, hmac.Equal(raw[:12], seed.sign(listing, place))
}

// Digits makes a number of n digits, the first of them no zero.
func Digits(random [32]byte, n int) string {
	low := uint64(1)
	for range n - 1 {
		low *= 10
	}
	return strconv.FormatUint(low+binary.BigEndian.Uint64(random[:])%(9*low), 10)
}

// Alphabets for Letters.
const (
	Lower        = "0123456789abcdefghijklmnopqrstuvwxyz"
	Alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// Letters makes a text of n letters of an alphabet.
func Letters(random [32]byte, from string, n int) string {
	var b strings.Builder
	for _, c := range random[:n] {
		b.WriteByte(from[int(c)%len(from)])
	}
	return b.String()
}
