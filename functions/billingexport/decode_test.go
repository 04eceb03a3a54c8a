package billingexport

import (
	"reflect"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/fault"
)

func TestDecodeRequest(t *testing.T) {
	for _, c := range []struct {
		text string
		want Request
	}{
		{`{}`, Request{}},
		{`{"months":["2026-09","2026-10"],"tenants":["acme"],"by":"anna@example.com"}`, Request{Months: []string{"2026-09", "2026-10"}, Tenants: []string{"acme"}, By: "anna@example.com"}},
		{`{"months":["2024-01"],"archive":true}`, Request{Months: []string{"2024-01"}, Archive: true}},
	} {
		if got, err := decodeRequest([]byte(c.text)); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v", c.text, got, err)
		}
	}
	for _, c := range []struct{ text, says string }{
		{``, "{} for what is due"},
		{`[]`, "the message is not like"},
		{`{"month":["2026-09"]}`, "months"},
		{`{"months":["2026-9"]}`, "is written like 2026-09"},
		{`{"months":["2026-09","2026-09"]}`, "months"},
		{`{"months":["2026-13"]}`, "is written like 2026-09"},
		{`{"tenants":["../etc"]}`, "is the id of an organization"},
		{`{"archive":true}`, "names its months"},
		{`{"archive":"yes","months":["2026-09"]}`, "archive"},
		{`{"by":"a\nb"}`, "one line"},
		{`{} {}`, "the message is not like"},
		{`{"months":["` + strings.Join(strings.Split("2025-01 2025-02 2025-03 2025-04 2025-05 2025-06 2025-07 2025-08 2025-09 2025-10 2025-11 2025-12 2026-01", " "), `","`) + `"]}`, "at most 12 months"},
	} {
		_, err := decodeRequest([]byte(c.text))
		if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.Public(err), c.says) {
			t.Errorf("%s: %v", c.text, err)
		}
		if c.text != "" && strings.Contains(fault.Public(err), "etc") {
			t.Errorf("%s: is repeated: %v", c.text, err)
		}
	}
}

func TestDecodeTask(t *testing.T) {
	got, err := decodeTask([]byte(`{"month":"2026-10","org":"acme","run":"20261106T060000.000000Z"}`))
	if err != nil || got != (task{"2026-10", "acme", "20261106T060000.000000Z"}) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{``, `{}`, `{"month":"2026-10","org":"acme"}`, `{"month":"2026-10","org":"a/b","run":"20261106T060000.000000Z"}`,
		`{"month":"2026-10","org":"acme","run":"../x"}`, `{"month":"2026-10","org":"acme","run":"20261106T060000.000000Z","x":1}`} {
		if _, err := decodeTask([]byte(bad)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func FuzzDecodeRequest(f *testing.F) {
	f.Add([]byte(`{"months":["2026-09"],"tenants":["acme"],"archive":true,"by":"anna@example.com"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		q, err := decodeRequest(data)
		if err == nil && q.check() != nil {
			t.Errorf("%q is taken and then refused", data)
		}
		if err != nil && (!fault.Is(err, fault.Invalid) || fault.Public(err) == "") {
			t.Errorf("%q: %v", data, err)
		}
	})
}

func FuzzDecodeTask(f *testing.F) {
	f.Add([]byte(`{"month":"2026-10","org":"acme","run":"20261106T060000.000000Z"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if k, err := decodeTask(data); err == nil && (aMonth(k.Month) != "" || anOrganization(k.Org) != "" || aRun(k.Run) != "") {
			t.Errorf("%q: %+v", data, k)
		}
	})
}
