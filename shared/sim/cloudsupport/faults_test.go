package cloudsupport

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// What a fault leaves of a call that would have made a case: what the caller sees, and whether the case is there.
func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		fault  string
		status int // 0: the connection breaks
		cases  int
		later  int // after an hour
	}{
		{"status:503", 503, 0, 0},
		{"status:429", 429, 0, 0},
		{"commit_then_drop", 0, 1, 1},
		{"commit_then_status:409", 409, 1, 1},
		{"garbage", 200, 1, 1},
		{"late:10m", 504, 0, 1},
	} {
		d := open(t, Options{})
		draft := d.draft("a", "b", "P3")
		d.must("POST", "/faults", fmt.Sprintf(`{"op":"cases.create","fault":%q}`, tt.fault))
		a := d.send("POST", "/v2/projects/acme-prod/cases", draft)
		if a.status != tt.status || (a.err != nil) != (tt.status == 0) {
			t.Errorf("%s: caller sees %d %v %s", tt.fault, a.status, a.err, a.body)
		}
		if tt.status >= 400 && !strings.Contains(a.body, fmt.Sprintf(`"code": %d`, tt.status)) || tt.status == 429 && a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %v %s", tt.fault, a.header, a.body)
		}
		if tt.fault == "garbage" && strings.HasSuffix(a.body, "}") {
			t.Errorf("readable: %s", a.body)
		}
		if n := len(d.Cases()); n != tt.cases {
			t.Errorf("%s: %d cases, want %d", tt.fault, n, tt.cases)
		}
		d.advance(time.Hour)
		all := d.Cases()
		if len(all) != tt.later {
			t.Fatalf("%s: %d cases later, want %d", tt.fault, len(all), tt.later)
		}
		if strings.HasPrefix(tt.fault, "late") && all[0].Created != d.at.Add(-50*time.Minute) {
			t.Errorf("executed at %v", all[0].Created)
		}
	}
}

// What is wrong with a control is said in the API's own shape.
func TestFaultsAreChecked(t *testing.T) {
	d := open(t, Options{})
	for _, body := range []string{
		``, `{"op":"cases.make","fault":"drop"}`, `{"op":"cases.create","fault":"explode"}`, `{"op":"cases.list","fault":"search_lag:1m"}`,
	} {
		a := d.send("POST", "/faults", body)
		if a.status != 400 || !strings.Contains(a.body, "INVALID_ARGUMENT") || strings.Contains(a.body, "fieldViolations") != (body != "") {
			t.Errorf("%.60s: %d %s", body, a.status, a.body)
		}
	}
	for _, a := range []answered{d.send("PATCH", "/faults", ""), d.send("POST", "/calls", ""), d.send("GET", "/", "")} {
		if a.status != 404 || !strings.Contains(a.body, "NOT_FOUND") {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
}

// A call is noted with its op and with the marker of what it writes or looks for.
func TestCalls(t *testing.T) {
	d := open(t, Options{})
	const marker = "REFABCDEFGHIJ234567KLMNOPQRST"
	d.create("projects/acme-prod", "a", "see "+marker+".", "P3")
	d.send("GET", "/v2/projects/acme-prod/cases:search?query="+marker, "")
	d.send("GET", "/v2/nothing", "")
	log, _ := d.Calls()
	if log[1].Op != "cases.create" || log[1].Marker != marker || log[1].Method != "POST" || log[1].Path != "/v2/projects/acme-prod/cases" || log[1].Status != 200 {
		t.Errorf("create %+v", log[1])
	}
	if log[2].Marker != marker || log[3].Op != "unknown" || log[3].Status != 404 {
		t.Errorf("%+v", log[2:])
	}
}
