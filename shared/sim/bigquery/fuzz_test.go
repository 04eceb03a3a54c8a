package bigquery

import (
	"encoding/json"
	"math/big"
	"testing"
	"unicode/utf8"
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

// Whatever a row holds, it is there to the last digit after its job, or the job has failed and there is nothing.
func FuzzRow(f *testing.F) {
	for _, c := range []charge{sold(9, "1", "EUR"), sold(9, "-2.5", "USD"), {}} {
		f.Add(c.BilledCost[:], c.BillingCurrency, c.Start, c.Quantity[:])
	}
	f.Fuzz(func(t *testing.T, cost []byte, currency string, start int64, quantity []byte) {
		d := open(t, Options{})
		d.make()
		row := charge{BillingCurrency: currency, Start: start}
		copy(row.BilledCost[:], cost)
		copy(row.Quantity[:], quantity)
		reason, message := d.run("j", "charges", d.put("gs://b/a", row), "")
		if reason != "" {
			if d.want(""); fits(row) {
				t.Fatalf("%+v: %s: %s", row, reason, message)
			}
			return
		}
		var got struct {
			Rows []struct{ F []struct{ V *string } }
		}
		if err := json.Unmarshal([]byte(d.send("GET", tables+"/charges/data", "").body), &got); err != nil || len(got.Rows) != 1 {
			t.Fatalf("%d rows: %v", len(got.Rows), err)
		}
		cells := got.Rows[0].F
		if exact(*cells[0].V, 18) != row.BilledCost || exact(*cells[3].V, 9) != row.Quantity || currency != "" && *cells[1].V != currency {
			t.Errorf("%+v is read as %s, %s", row, *cells[0].V, *cells[3].V)
		}
	})
}

// fits reports whether the table holds a row: NUMERIC has 29 digits before the point and 9 behind it, BIGNUMERIC 38 before it.
func fits(row charge) bool {
	quantity := new(big.Int).SetBytes(row.Quantity[:])
	if row.Quantity[0]&0x80 != 0 {
		quantity.Sub(new(big.Int).Lsh(big.NewInt(1), 128), quantity)
	}
	return quantity.Cmp(new(big.Int).Exp(big.NewInt(10), big.NewInt(29+9), nil)) < 0 && utf8.ValidString(row.BillingCurrency)
}
