package alert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// grammar has what is JSON and what is not quite.
var grammar = []string{
	`{}`, ` { } `, `{"a":1}`, `{"a":[]}`, `{"a":[1,2 , 3]}`, `{"a":{"b":null}}`, "{\"a\"\t:\r\n true}", `{"a":false}`, `{"":""}`,
	`{"a":-0.5e+10}`, `{"a":0}`, `{"a":10}`, `{"a":1E5}`, `{"a":-1.0e-1}`, `{"a":"\"\\\/\b\f\n\r\t\u00e9"}`, `{"a\u0062":"\ud83d\ude00"}`, `{"a":"\ud800"}`, `{"a":"ü😀"}`,
	`{"a":"x\"y\u0026","b":"x\"y\u0026","c":"x\"y\u0026z","d":["x\"y\u0026","x\"y"]}`, `{"a":"\"","b":"\"","c":"\""}`, `{"a":"\"","b":"\`, `{"a":"\"","b":"\"x}`,
	``, ` `, `{`, `}`, `[`, `{]`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{"a" 1}`, `{a:1}`, `{'a':1}`, `{"a":1 "b":2}`, `{"a":1}}`, `{"a":1}x`, `{}{}`,
	`{"a":[1,]}`, `{"a":[,1]}`, `{"a":[1 2]}`, `{"a":01}`, `{"a":-}`, `{"a":1.}`, `{"a":.5}`, `{"a":1e}`, `{"a":+1}`, `{"a":1e+}`, `{"a":0x1}`, `{"a":--1}`,
	`{"a":tru}`, `{"a":truex}`, `{"a":True}`, `{"a":nul}`, `{"a":NaN}`, `{"a":"`, `{"a":"\`, `{"a":"\"`, `{"a":"\x"}`, `{"a":"\u12"}`, `{"a":"\u12g4"}`, `{"a":"\u00_4"}`, `{"a":"\u007f\u0080\u0000"}`, `{"a":"\u003c\u0026 ü\u00FC"}`, `{"a":"\u00+4"}`, `{"a":"\u00`, "{\"a\":\"\n\"}", "{\"a\":\"\x00\"}",
	"{\"a\":1}\x00", "\ufeff{}", "{\u00a0}", `{"a":1}//`, `[1]`, `1`, `"a"`, `null`,
	`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, strings.Repeat(`{"a":`, 32) + `1` + strings.Repeat(`}`, 32), strings.Repeat(`{"a":`, 33) + `1` + strings.Repeat(`}`, 33),
}

// checkRead holds read against encoding/json: it takes what that takes, less what it says it refuses, and reads the same.
func checkRead(t *testing.T, body []byte) {
	t.Helper()
	got, err := read(body)
	switch {
	case errors.Is(err, errTwice), errors.Is(err, errDeep), errors.Is(err, errLarge):
		return
	case err == nil:
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.UseNumber()
		var want map[string]any
		if derr := dec.Decode(&want); derr != nil || !json.Valid(body) || !reflect.DeepEqual(plain(value(got)), any(want)) {
			t.Errorf("read %q as %v, encoding/json as %v (%v)", body, got, want, derr)
		}
	case errors.Is(err, errObject):
		if !json.Valid(body) || bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
			t.Errorf("%q: %v", body, err)
		}
	case json.Valid(body) && utf8.Valid(body):
		t.Errorf("%q is refused: %v", body, err)
	}
}

// plain turns a value into what encoding/json reads.
func plain(v value) any {
	switch {
	case v.kind() == '{':
		m := map[string]any{}
		for f := range v.items() {
			m[f[0].name] = plain(f)
		}
		return m
	case v.kind() == '[':
		list := []any{}
		for f := range v.items() {
			list = append(list, plain(f))
		}
		return list
	case v.isNumber():
		return json.Number(v.text())
	case v.kind() == '"':
		return v.text()
	}
	return map[string]any{"true": true, "false": false}[v.text()]
}

func TestRead(t *testing.T) {
	for _, body := range grammar {
		checkRead(t, []byte(body))
	}
	for body, want := range map[string]error{
		"": errEmpty, "[]": errObject, "{} x": errJSON, "{\"a\":\"\xff\"}": errUTF8, `{"a":1,"a":1}`: errTwice,
		strings.Repeat(`{"a":`, 33) + `1` + strings.Repeat(`}`, 33): errDeep, strings.Repeat(" ", MaxBody+1): errLarge,
	} {
		if _, err := read([]byte(body)); !errors.Is(err, want) {
			t.Errorf("%.20q: %v, want %v", body, err, want)
		}
	}
	many := `{"a":{"0":1`
	for i := range 40 {
		if _, err := read(fmt.Appendf(nil, `%s,"%d":1}}`, many, i)); !errors.Is(err, errTwice) {
			t.Errorf("the name of field 0 to %d again: %v", i, err)
		}
		many += fmt.Sprintf(`,"%d":1`, i+1)
		checkRead(t, []byte(many+"}}"))
	}
	if _, err := read([]byte(strings.Repeat(`{"a":`, 32) + `1` + strings.Repeat(`}`, 32))); err != nil {
		t.Errorf("32 levels: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	for _, body := range grammar {
		f.Add([]byte(body))
	}
	files, _ := filepath.Glob(filepath.Join("testdata", "*", "*.json"))
	for _, file := range files {
		f.Add(readFile(f, file))
	}
	f.Fuzz(checkRead)
}
