package alert

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// checkAppend: Append writes what encoding/json does.
func checkAppend(t *testing.T, in Incident) {
	t.Helper()
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(in); err != nil {
		t.Fatal(err)
	}
	if got := append(in.Append([]byte("before ")), '\n'); string(got) != "before "+want.String() {
		t.Errorf("appended %s\nwant     %s", got, &want)
	}
}

func TestAppend(t *testing.T) {
	var full Incident
	fill(t, reflect.ValueOf(&full).Elem())
	checkAppend(t, full)
	checkAppend(t, Incident{})
	checkAppend(t, Incident{Alerts: []Alert{}, Title: "\"\\<>&\u2028\x00\x7f ü 😀 \xff", Labels: map[string]string{"b<": "\n", "a": ""}})
	for _, source := range []string{SourceAlertmanager, SourceMonitoring} {
		decode, _ := byName(source)
		files, _ := filepath.Glob(filepath.Join("testdata", source, "*.json"))
		for _, file := range files {
			list, _ := decode(readFile(t, file)) // some are refused
			for _, in := range list {
				checkAppend(t, in)
			}
		}
	}
}

// TestPlainLen puts every byte at every place of a text, among ordinary ones and among its neighbours in value.
func TestPlainLen(t *testing.T) {
	for c := range 256 {
		odd := c < ' ' || c >= 0x80 || c == '"' || c == '\\'
		for at := range 20 {
			for _, other := range []string{"a", " ", "~", "!", "#", "[", "]", "\x7f"} {
				text := strings.Repeat(other, at) + string([]byte{byte(c)}) + strings.Repeat(other, 9)
				want := len(text)
				if odd {
					want = at
				}
				if got := plainLen(text); got != want {
					t.Fatalf("%q: %d, want %d", text, got, want)
				}
			}
		}
	}
}

// fill gives everything in v a value, so that no field can be forgotten.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString("text of " + v.Type().String())
	case reflect.Int:
		v.SetInt(7)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{"one": "1", "two": "2"}))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(t, v.Index(0))
		fill(t, v.Index(1))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 1, 31, 15, 4, 5, 120, time.FixedZone("", 3600))))
			return
		}
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	default:
		t.Fatalf("%s: this test does not know how to fill it", v.Type())
	}
}
