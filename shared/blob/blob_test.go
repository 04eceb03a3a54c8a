package blob

import (
	"errors"
	"io"
	"path"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// A name that passes is a path below a folder, whatever a file system or a URL makes of it.
func FuzzCheckName(f *testing.F) {
	for _, s := range []string{"a", "a/b", "a//b", "../a", "a/..", "/a", "incoming/x", "incoming", ".x", "a\x00", "a b=c", strings.Repeat("a", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if CheckName(s) != nil {
			return
		}
		if len(s) > MaxName || !utf8.ValidString(s) || path.Clean("/x/"+s) != "/x/"+s || strings.HasPrefix(s, Incoming) || strings.ContainsAny(s, "\x00\r\n\t") {
			t.Errorf("%q", s)
		}
	})
}

// Every way in which bytes can be other than those of the object ends a reader with an error that is not the end.
func TestVerified(t *testing.T) {
	const text = "123456789"
	o := Object{Bytes: 9, CRC32C: SumOf([]byte(text)).CRC32C}
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		r    io.Reader
		want error
	}{
		"the same":             {strings.NewReader(text), nil},
		"the same, slowly":     {iotest.OneByteReader(strings.NewReader(text)), nil},
		"the end comes along":  {iotest.DataErrReader(strings.NewReader(text)), nil},
		"another byte":         {strings.NewReader("123456788"), ErrCorrupt},
		"another, at the end":  {iotest.DataErrReader(strings.NewReader("123456788")), ErrCorrupt},
		"too short":            {strings.NewReader("12345678"), ErrCorrupt},
		"nothing":              {strings.NewReader(""), ErrCorrupt},
		"too long":             {strings.NewReader(text + "0"), ErrCorrupt},
		"endless":              {endless{}, ErrCorrupt},
		"it breaks":            {io.MultiReader(strings.NewReader("1234"), iotest.ErrReader(broken)), broken},
		"it breaks at the end": {io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), broken},
	} {
		r := Verified(c.r, o)
		if _, err := io.ReadAll(r); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := r.Read(make([]byte, 1)); c.want == nil && err != io.EOF || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s, again: %v", name, err)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
