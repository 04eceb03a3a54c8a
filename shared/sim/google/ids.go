package google

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// Ids are drawn from the seed and a counter that is part of the state: the same requests get the same.

// draw returns 32 bytes for a purpose.
func (s *Server) draw(purpose string, n uint64) [32]byte {
	var key [8]byte
	binary.BigEndian.PutUint64(key[:], s.opts.Seed)
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(purpose))
	mac.Write(binary.BigEndian.AppendUint64(nil, n))
	return [32]byte(mac.Sum(nil))
}

// next draws with the next value of the counter.
func (tx *tx) next(purpose string) [32]byte {
	tx.change.Serial++
	return tx.draw(purpose, tx.change.Serial)
}

// pageToken names a place in one listing and no other: the listing's identity is signed into it.
func (s *Server) pageToken(listing, place string) string {
	return base64.RawURLEncoding.EncodeToString(append(s.sign(listing, place), place...))
}

func (s *Server) sign(listing, place string) []byte {
	h := s.draw("page\x00"+listing+"\x00"+place, 0)
	return h[:12]
}

// place reads a page token back; false for a token of another listing, or of nobody.
func (s *Server) place(listing, token string) (string, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) < 12 {
		return "", false
	}
	place := string(raw[12:])
	return place, hmac.Equal(raw[:12], s.sign(listing, place))
}
