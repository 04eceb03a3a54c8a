package ledger_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// A JSON value as a test makes it, so that it can be written in many ways and changed in one place.
type (
	jsonObject []member
	member     struct {
		name  string
		value any // jsonObject, []any, string, number, bool, nil
	}
	number struct{ digits, exponent int }
)

// letters are those that have several spellings, or look alike.
var letters = []rune(`aAbé<&"\/` + "\u2028\u00a0\n\té😀")

func word(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(6) {
		b.WriteRune(letters[r.IntN(len(letters))])
	}
	return b.String()
}

func value(r *rand.Rand, depth int) any {
	n := 7
	if depth == 0 {
		n = 5
	}
	switch r.IntN(n) {
	case 0:
		return word(r)
	case 1, 2:
		return number{r.IntN(2_000_001) - 1_000_000, r.IntN(13) - 6}
	case 3:
		return r.IntN(2) == 0
	case 4:
		return nil
	case 5:
		a := make([]any, r.IntN(4))
		for i := range a {
			a[i] = value(r, depth-1)
		}
		return a
	}
	return members(r, depth-1)
}

func members(r *rand.Rand, depth int) jsonObject {
	o := jsonObject{}
	for i := range 1 + r.IntN(4) {
		o = append(o, member{word(r) + strconv.Itoa(i), value(r, depth)})
	}
	return o
}

// spell writes v in one of its ways: any order, any escape, any form of a number, nulls in objects or not, any space.
func spell(b *bytes.Buffer, r *rand.Rand, v any) {
	b.WriteString([]string{"", " ", "\n\t"}[r.IntN(3)])
	switch v := v.(type) {
	case jsonObject:
		spellObject(b, r, v)
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			spell(b, r, e)
		}
		b.WriteByte(']')
	case string:
		spellString(b, r, v)
	case number:
		b.WriteString(v.spell(r))
	default:
		fmt.Fprint(b, map[any]string{nil: "null", true: "true", false: "false"}[v])
	}
}

func spellObject(b *bytes.Buffer, r *rand.Rand, o jsonObject) {
	var all jsonObject
	for _, m := range o {
		if m.value != nil || r.IntN(2) == 0 {
			all = append(all, m)
		}
	}
	if r.IntN(2) == 0 {
		all = append(all, member{"absent" + word(r), nil})
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	b.WriteByte('{')
	for i, m := range all {
		if i > 0 {
			b.WriteByte(',')
		}
		spellString(b, r, m.name)
		b.WriteByte(':')
		spell(b, r, m.value)
	}
	b.WriteByte('}')
}

func spellString(b *bytes.Buffer, r *rand.Rand, s string) {
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case c > 0xffff && r.IntN(2) == 0:
			fmt.Fprintf(b, `\u%04x\u%04X`, 0xd800+(c-0x10000)>>10, 0xdc00+(c-0x10000)&0x3ff)
		case c <= 0xffff && (c < ' ' || c == '"' || c == '\\' || r.IntN(2) == 0):
			fmt.Fprintf(b, `\u%04x`, c)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
}

func (n number) spell(r *rand.Rand) string {
	zeros := r.IntN(4)
	s := strconv.Itoa(n.digits) + strings.Repeat("0", zeros)
	if n.digits == 0 {
		s = []string{"0", "-0"}[r.IntN(2)]
	}
	e := n.exponent - zeros
	if r.IntN(2) == 0 {
		s += "." + strings.Repeat("0", 1+r.IntN(3))
	}
	if e == 0 && r.IntN(2) == 0 {
		return s
	}
	return s + []string{"e", "E"}[r.IntN(2)] + fmt.Sprintf([]string{"%d", "%+d", "%03d"}[r.IntN(3)], e)
}

func spelt(r *rand.Rand, v any) []byte {
	var b bytes.Buffer
	spell(&b, r, v)
	return b.Bytes()
}

// near changes one thing in v, as little as there is.
func near(r *rand.Rand, v any) any {
	switch v := v.(type) {
	case jsonObject:
		o := append(jsonObject(nil), v...)
		i := r.IntN(len(o))
		switch {
		case o[i].value != nil && r.IntN(4) == 0:
			o[i].value = nil // the member is gone
		case o[i].value != nil && r.IntN(3) == 0:
			o[i].name += "x"
		default:
			o[i].value = near(r, o[i].value)
		}
		return o
	case []any:
		a := append([]any(nil), v...)
		switch {
		case len(a) == 0 || r.IntN(3) == 0:
			return append(a, nil) // in an array a null has a place
		case len(a) > 1 && r.IntN(2) == 0:
			return a[1:]
		}
		i := r.IntN(len(a))
		a[i] = near(r, a[i])
		return a
	case string:
		return []string{v + " ", strings.ToUpper(v) + "x", v + "\u0301", "x" + v}[r.IntN(4)]
	case number:
		if r.IntN(3) == 0 {
			return v.spell(r) // a string of digits is no number
		}
		return number{v.digits + 1, v.exponent}
	case bool:
		return []any{!v, nil, strconv.FormatBool(v)}[r.IntN(3)]
	}
	return []any{false, "null", "", number{}, jsonObject{}}[r.IntN(5)]
}

func printOf(t testing.TB, payload []byte) string {
	t.Helper()
	f, err := ledger.Fingerprint(payload)
	if err != nil {
		t.Fatalf("%s: %v", payload, err)
	}
	return f
}

func TestFingerprint(t *testing.T) {
	const n = 10_000
	r := rand.New(rand.NewPCG(1, 2))
	same, different := 0, 0
	for range n {
		v := members(r, 3)
		a, b, c := spelt(r, v), spelt(r, v), spelt(r, near(r, v))
		if !json.Valid(a) || !json.Valid(b) || !json.Valid(c) {
			t.Fatalf("the test writes no JSON: %s", a)
		}
		if printOf(t, a) == printOf(t, b) {
			same++
		} else {
			t.Errorf("say the same, differ in print:\n%s\n%s", a, b)
		}
		if printOf(t, a) != printOf(t, c) {
			different++
		} else {
			t.Errorf("differ, and have one print:\n%s\n%s", a, c)
		}
		if t.Failed() {
			break
		}
	}
	t.Logf("%d of %d pairs equal, %d of %d near-misses different", same, n, different, n)
}

func TestFingerprintRefuses(t *testing.T) {
	for _, s := range []string{"", "{", "{} {}", "{}x", "[1,]", "01", `"\x"`, strings.Repeat("[", 20_000)} {
		if f, err := ledger.Fingerprint([]byte(s)); !fault.Is(err, fault.Invalid) || f != "" {
			t.Errorf("%.20q: %q, %v", s, f, err)
		}
	}
}

// Whatever JSON comes has one print, the same one after another encoder has rewritten it.
func FuzzFingerprint(f *testing.F) {
	for _, s := range []string{`{}`, `null`, `[1,1.0,10e-1]`, `{"a":null,"b":"\u00e9"}`, `1e400`, `-0`, `{"a":1,"a":2}`, `"\ud800"`, `1e-9999`, `[[[]]]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		got, err := ledger.Fingerprint(payload)
		if err != nil {
			if json.Valid(payload) {
				t.Fatalf("JSON is refused: %v", err)
			}
			return
		}
		if !json.Valid(payload) {
			t.Fatal("what is no JSON has a print")
		}
		dec := json.NewDecoder(bytes.NewReader(payload))
		dec.UseNumber()
		var v any
		if err := dec.Decode(&v); err != nil {
			t.Fatal(err)
		}
		again, err := json.MarshalIndent(v, " ", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if printOf(t, again) != got {
			t.Fatalf("another print when written as %s", again)
		}
	})
}
