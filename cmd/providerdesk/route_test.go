package main

import (
	"os"
	"strings"
	"testing"
)

// What an example would become, without anything running, written or sent.
func TestRoute(t *testing.T) {
	c := cli{env: map[string]string{"SET": "s"}, now: frozen}
	friday := []string{"--config", "testdata/route.yaml", "--at", "2026-03-27T17:05:00Z"} // five past six in Berlin
	route := func(args ...string) string {
		t.Helper()
		return c.ok(t, append(append([]string{"route"}, args...), friday...)...)
	}
	golden(t, "route-hours.golden", route("testdata/alertmanager.json"))
	golden(t, "route-hours.json", route("testdata/alertmanager.json", "--json"))
	golden(t, "route-each.golden", route("testdata/alertmanager-warning.json"))
	golden(t, "route-monitoring.golden", route("testdata/monitoring.json", "--sender", "raw-monitoring"))
	body, err := os.ReadFile("testdata/alertmanager.json")
	if err != nil {
		t.Fatal(err)
	}
	c.in = string(body)
	out := c.ok(t, "route", "-", "--config", "testdata/route.yaml", "--at", "2026-03-27T09:05:00+01:00")
	if !strings.Contains(out, "P2: 2 alerts (route line 22)") {
		t.Errorf("in business hours, from standard input\n%s", out)
	}
}

func TestRouteOfWhatCannotBe(t *testing.T) {
	c := cli{env: map[string]string{"SET": "s"}, in: "{}"}
	for name, tt := range map[string]struct {
		code int
		args []string
		says string
	}{
		"several senders":       {exitUsage, []string{"testdata/monitoring.json"}, "several senders send this: name one of cloud-monitoring, raw-monitoring"},
		"nobody's":              {exitUsage, []string{"-"}, "no sender of the configuration sends what is in the file"},
		"a sender that is none": {exitUsage, []string{"-", "--sender", "nagios"}, `the configuration has no sender "nagios"`},
		"another's":             {exitFailed, []string{"testdata/monitoring.json", "--sender", "prod-alertmanager"}, "version must be"},
		"a time that is none":   {exitUsage, []string{"-", "--at", "noon"}, "--at must be a time such as"},
		"no file":               {exitUsage, []string{"testdata/none.json"}, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			r := c.run(t, append([]string{"route", "--config", "testdata/route.yaml"}, tt.args...)...)
			if r.code != tt.code || !strings.Contains(r.err, tt.says) {
				t.Errorf("exit code %d, out %q, err %q", r.code, r.out, r.err)
			}
		})
	}
}
