package bigquery

import (
	"encoding/json"
	"testing"
	"time"
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

// Whatever a file holds, its job ends: the rows are in the table, or the job has failed and nothing is.
func FuzzFile(f *testing.F) {
	f.Add(parquetOf(f, sold(9, "1", "EUR"), sold(9, "-2.5", "USD")))
	f.Add(parquetOf[charge](f))
	f.Add([]byte("PAR1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d := open(t, Options{})
		d.make()
		d.files["gs://b/a"] = data
		d.must("POST", jobs, loading("j", "charges", "gs://b/a", ""))
		d.at = d.at.Add(time.Minute)
		status := d.must("GET", jobs+"/j", "").object("status")
		if status.text("state") != "DONE" {
			t.Fatal("the job does not end")
		}
		if status.object("errorResult") != nil {
			d.want("")
		}
	})
}
