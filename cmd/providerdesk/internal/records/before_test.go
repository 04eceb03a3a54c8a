package records

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

// FuzzBefore: the page after before(prefix) begins with the ids that have the prefix, and leaves out all that sort below them.
func FuzzBefore(f *testing.F) {
	for _, s := range []string{"", "a", "another", "00", "\x00\x00"} {
		f.Add([]byte(s), uint8(1), []byte("other"))
	}
	f.Fuzz(func(t *testing.T, a []byte, digits uint8, b []byte) {
		id, other := digest(a), digest(b)
		prefix := id[:1+int(digits)%idLength]
		from := before(prefix)
		if from >= id {
			t.Errorf("the page after %q has no %s", from, id)
		}
		if other[:len(prefix)] < prefix && other > from {
			t.Errorf("the page after %q begins with %s, before %s", from, other, prefix)
		}
	})
}

// digest is an id with as many zeros in front as the seed has, for the edges.
func digest(seed []byte) string {
	sum := sha256.Sum256(seed)
	for i := range min(len(seed), 3) {
		if seed[i] == 0 {
			sum[i] = 0
		}
	}
	return hex.EncodeToString(sum[:])
}

// FuzzDecision: what is taken for a decision names a person and a verdict, and an object if and only if it adopts.
func FuzzDecision(f *testing.F) {
	f.Add([]byte(`{"verdict":"veto","who":"anna"}`))
	f.Add([]byte(`{"verdict":"adopt","who":"anna","object":"projects/1/cases/2"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var w Words
		if Strict(body, &w) != nil {
			return
		}
		d, err := w.Decision()
		if err != nil {
			return
		}
		if d.Who == "" || (d.Object != nil) != (d.Verdict == "adopt") || wordsOf(d).Object != w.Object {
			t.Errorf("%q is taken for %+v", body, d)
		}
	})
}
