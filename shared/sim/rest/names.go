package rest

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Join makes the path of a field inside another.
func Join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

// Camel turns display_name into displayName.
func Camel(name string) string {
	head, tail, _ := strings.Cut(name, "_")
	var b strings.Builder
	b.WriteString(head)
	for word := range strings.SplitSeq(tail, "_") {
		r, n := utf8.DecodeRuneInString(word)
		if n > 0 {
			b.WriteRune(unicode.ToUpper(r))
			b.WriteString(word[n:])
		}
	}
	return b.String()
}

// Snake turns displayName into display_name.
func Snake(name string) string {
	var b strings.Builder
	for _, r := range name {
		if unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// ProjectNumber makes up a project's number: twelve digits that follow from the id.
func ProjectNumber(id string) string {
	h := sha256.Sum256([]byte("project " + id))
	return strconv.FormatUint(100_000_000_000+binary.BigEndian.Uint64(h[:])%900_000_000_000, 10)
}
