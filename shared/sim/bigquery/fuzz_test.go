package bigquery

import (
	"encoding/json"
	"testing"
)

// Whatever a request holds is answered in JSON, as a success or as a refusal, never with a failure of the server.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{tableBody("t", chargeSchema), loading("j", "charges$202609", "gs://b/a", truncate), `{"schema":` + chargeSchema + `}`, `{"a":[{}]}`, "null", ""} {
		for n := range 3 {
			f.Add(n, seed)
		}
	}
	f.Fuzz(func(t *testing.T, n int, body string) {
		d := open(t, Options{JobPolls: -1})
		d.make()
		d.put("gs://b/a", sold(9, "1", "EUR"))
		to := [][2]string{{"POST", tables}, {"POST", jobs}, {"PATCH", tables + "/charges"}}[uint(n)%3]
		a := d.send(to[0], to[1], body)
		if a.err != nil || a.status >= 500 || !json.Valid([]byte(a.body)) {
			t.Fatalf("%d %v %s", a.status, a.err, a.body)
		}
	})
}
