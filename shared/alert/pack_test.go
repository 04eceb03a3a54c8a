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
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// checkPacked: what is passed on arrives as it was, as far as JSON carries it, whatever was before it in the buffer.
func checkPacked(t *testing.T, in Incident) {
	t.Helper()
	whole, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	packed := bytes.TrimPrefix(in.Append([]byte("before ")), []byte("before "))
	got, err := Unpack(packed)
	if err != nil {
		t.Fatalf("%v\nin %s", err, packed)
	}
	var want Incident
	if err := json.Unmarshal(whole, &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("packed   %s\narrived  %+v\nwas      %+v", packed, got, want)
	}
	if got, err := Unpack(whole); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("whole %s\narrived %+v, %v", whole, got, err)
	}
}

// TestPack packs what has everything, what has nothing, and what there is.
func TestPack(t *testing.T) {
	var full Incident
	fill(t, reflect.ValueOf(&full).Elem())
	checkPacked(t, full)
	checkPacked(t, Incident{})
	checkPacked(t, Incident{Alerts: []Alert{}, Title: "\"\\<>&\u2028\x00\x7f ü 😀 \xff", Labels: map[string]string{"b<": "\n", "a": ""}})
	for _, source := range []string{SourceAlertmanager, SourceMonitoring} {
		decode, _ := byName(source)
		files, _ := filepath.Glob(filepath.Join("testdata", source, "*.json"))
		for _, file := range files {
			list, _ := decode(readFile(t, file)) // some are refused
			for _, in := range list {
				checkPacked(t, in)
			}
		}
	}
}

// TestPackedAlerts shows what travels of an alert, by what was before it.
func TestPackedAlerts(t *testing.T) {
	noon := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	link := []Link{{"Runbook", "https://r.example.com"}}
	full := Alert{Fingerprint: "f1", Status: Firing, Severity: Error, Name: "n", Summary: "s", Resource: "r", Condition: "c", Observed: "1", Threshold: "2",
		Labels: map[string]string{"a": "1", "b": "2"}, Annotations: map[string]string{"<": "\""}, Links: link, Starts: noon, Ends: noon.Add(time.Hour)}
	other := full
	other.Fingerprint, other.Labels = "f2", map[string]string{"0": "new", "b": "3", "c": ""}
	in := Incident{Status: Firing, Severity: Error, Labels: map[string]string{"a": "1"}, Links: link}
	for name, c := range map[string]struct {
		alerts []Alert
		want   string
	}{
		"none":                   {nil, `null`},
		"not one":                {[]Alert{}, `[]`},
		"as the incident":        {[]Alert{{Status: Firing, Severity: Error, Labels: in.Labels, Links: link}}, `[{}]`},
		"nothing of it":          {[]Alert{{}}, `[{"status":"","severity":"","labels":{"a":null},"links":[]}]`},
		"everything":             {[]Alert{full}, `[{"fingerprint":"f1","name":"n","summary":"s","resource":"r","condition":"c","observed":"1","threshold":"2","labels":{"b":"2"},"annotations":{"<":"\""},"starts":"2026-01-31T12:00:00Z","ends":"2026-01-31T13:00:00Z"}]`},
		"the same twice":         {[]Alert{full, full}, `,{}]`},
		"other labels":           {[]Alert{full, other}, `{"fingerprint":"f2","labels":{"0":"new","a":null,"b":"3","c":""}}]`},
		"nothing after it":       {[]Alert{full, {}}, `{"fingerprint":"","status":"","severity":"","name":"","summary":"","resource":"","condition":"","observed":"","threshold":"","labels":{"a":null,"b":null},"annotations":{"<":null},"links":[],"starts":"0001-01-01T00:00:00Z","ends":"0001-01-01T00:00:00Z"}]`},
		"and again as the first": {[]Alert{full, other, full}, `{"fingerprint":"f1","labels":{"0":null,"a":"1","b":"2","c":null}}]`},
	} {
		in.Alerts = c.alerts
		checkPacked(t, in)
		if packed := string(in.Append(nil)); !strings.Contains(packed, c.want+`,"received":`) {
			t.Errorf("%s: packed as %s\nwant %s", name, packed, c.want)
		}
	}
}

// TestPackedIsSmall holds a message of a usual group against its notification.
func TestPackedIsSmall(t *testing.T) {
	all, err := Alertmanager(usual())
	if err != nil {
		t.Fatal(err)
	}
	whole, _ := json.Marshal(all[0])
	packed := len(all[0].Append(nil))
	t.Logf("a notification of 5 alerts has %d bytes, its incident whole %d, packed %d", len(usual()), len(whole), packed)
	if 2*packed > len(whole) {
		t.Error("that is not small")
	}
}

func TestNotUnpacked(t *testing.T) {
	for name, c := range map[string]struct {
		data string
		want error
	}{
		"empty":                     {``, errPacked},
		"no object":                 {`[]`, errPacked},
		"more behind":               {`{} {}`, errMore},
		"an unknown field":          {`{"lables":{}}`, errPacked},
		"an alert's":                {`{"listed":[{"lables":{}}]}`, errPacked},
		"an alert that is none":     {`{"listed":[1]}`, errPacked},
		"alerts in two ways":        {`{"listed":[],"alerts":[]}`, errPacked},
		"a label that is no text":   {`{"listed":[{"labels":{"a":1}}]}`, errPacked},
		"a small one that is large": {`{"labels":{` + many(1000) + `},"listed":[{}` + strings.Repeat(`,{}`, 1000) + `]}`, errMany},
		"many alerts":               {`{"listed":[{}` + strings.Repeat(`,{}`, maxEntries) + `]}`, errMany},
	} {
		if _, err := Unpack([]byte(c.data)); !errors.Is(err, c.want) || !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// many are so many labels.
func many(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`"%d":""`, i))
	}
	return strings.Join(all, ",")
}

// FuzzUnpack: whatever comes is refused with a sentence, or is an incident that arrives again as it is.
func FuzzUnpack(f *testing.F) {
	var full Incident
	fill(f, reflect.ValueOf(&full).Elem())
	f.Add(full.Append(nil))
	f.Add([]byte(`{"status":"firing","labels":{"a":"1"},"links":[{"name":"n","url":"u"}],"listed":[{"labels":{"a":null},"links":[]},{"starts":"2026-01-01T00:00:00+01:00"},null]}`))
	f.Add([]byte(`{"alerts":[{"labels":{"a":"1"}},{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := Unpack(data)
		if err != nil {
			if !fault.Is(err, fault.Invalid) || fault.Public(err) == "" {
				t.Fatal(err)
			}
			return
		}
		checkPacked(t, in)
	})
}

// fill gives everything in v a value, so that no field can be forgotten.
func fill(t testing.TB, v reflect.Value) {
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
