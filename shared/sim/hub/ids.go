package hub

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// Ids are drawn from the seed and a counter that is part of the state: nobody can guess the next one, and the same requests get the same.

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

func uuid(random [32]byte) string {
	random[6], random[8] = random[6]&0x0f|0x40, random[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", random[0:4], random[4:6], random[6:8], random[8:10], random[10:16])
}

func digits(random [32]byte, n int) string {
	low := uint64(1)
	for range n - 1 {
		low *= 10
	}
	return strconv.FormatUint(low+binary.BigEndian.Uint64(random[:])%(9*low), 10)
}

const (
	lower    = "0123456789abcdefghijklmnopqrstuvwxyz"
	alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

func letters(random [32]byte, from string, n int) string {
	var b strings.Builder
	for _, c := range random[:n] {
		b.WriteByte(from[int(c)%len(from)])
	}
	return b.String()
}
