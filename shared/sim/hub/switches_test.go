package hub

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// Every switch is an ambiguity, every ambiguity a switch, and every reading can be chosen, in New and by POST /switches.
func TestAmbiguities(t *testing.T) {
	fields := reflect.TypeFor[Switches]()
	all := Ambiguities()
	if len(all) != fields.NumField() {
		t.Errorf("%d ambiguities, %d switches", len(all), fields.NumField())
	}
	w := newWorld(t, Options{})
	for _, a := range all {
		before := w.Switches()
		for i, reading := range a.Readings {
			s := Switches{}
			check(t, a.Set(&s, reading))
			chosen := newWorld(t, Options{Switches: s}).Switches()
			if (i == 0) != (chosen == before) {
				t.Errorf("%s: the reading %s is no other", a.Name, reading)
			}
			data, err := json.Marshal(chosen)
			check(t, err)
			var one map[string]json.RawMessage
			check(t, json.Unmarshal(data, &one))
			w.control("POST", "/switches", `{"`+a.Name+`":`+string(one[a.Name])+`}`)
			if w.Switches() != chosen {
				t.Errorf("%s: POST does not choose %s", a.Name, reading)
			}
		}
		if a.Trap == "" || len(a.Readings) < 2 {
			t.Errorf("%+v", a)
		}
		w.control("DELETE", "/switches", "")
		if a.Set(&Switches{}, "nonsense") == nil {
			t.Errorf("%s takes nonsense", a.Name)
		}
	}
	list := w.control("GET", "/switches", "").object(t)
	if len(list["ambiguities"].([]any)) != len(all) || len(list["switches"].(map[string]any)) != len(all) {
		t.Errorf("%v", list)
	}
	for _, body := range []string{`{"unit":"hours"}`, `{"none":1}`, `{"rateLimit":-1}`, `{"failUsersPercent":101}`, `{"padding":"yes"}`} {
		refused(t, body, w.raw("POST", "/switches", body), 400, "")
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []Options{{Rows: -1}, {Rows: maxUsageRows + 1}, {Skus: -1}, {Tenants: -1}, {TokenLife: -1}, {Latency: -1}, {Switches: Switches{Unit: "x"}}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

// Under every reading of every ambiguity each example of the guide is answered, and never with a 5xx.
func TestEveryReading(t *testing.T) {
	for _, a := range Ambiguities() {
		for _, reading := range a.Readings {
			w := newWorld(t, Options{})
			fill := prepare(w)
			access := w.access(Provider, providerRoles...)
			s := Switches{AddUsersPatch: true, BindingsOptional: true}
			check(t, a.Set(&s, reading))
			check(t, w.SetSwitches(s))
			for _, e := range examples {
				got := w.as(access, e.method, fill.Replace(e.path), fill.Replace(e.body))
				if got.err != nil || got.status >= 500 || got.status >= 400 && !strings.Contains(got.body, "majorErrorCode") {
					t.Errorf("%s=%s, %s: %d %v %s", a.Name, reading, e.section, got.status, got.err, got.body)
				}
			}
		}
	}
}
