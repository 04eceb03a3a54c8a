package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

var update = flag.Bool("update", false, "write the golden files anew")

// environment is what the test files refer to.
func environment(name string) (string, bool) {
	v, ok := map[string]string{
		"SET": "s", "EMPTY": "", "BUS_TOKEN": "b", "HUB_API_TOKEN": "h", "ALERTMANAGER_TOKEN": "a", "GCM_PASSWORD": "g", "STANDARD": "w",
	}[name]
	return v, ok
}

// TestGood shows, beside each good file, the whole configuration with its defaults; secrets as ***.
func TestGood(t *testing.T) {
	for _, file := range glob(t, "testdata/good/*.yaml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			c, err := Load(file, environment)
			if err != nil {
				t.Fatal(err)
			}
			checkConfig(t, c)
			b, err := json.MarshalIndent(c, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			compare(t, file, append(b, '\n'))
		})
	}
}

// TestBroken shows, beside each broken file, every problem with its line and key.
func TestBroken(t *testing.T) {
	for _, file := range glob(t, "testdata/broken/*.yaml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			c, err := Load(file, environment)
			var problems Problems
			if !errors.As(err, &problems) || c != nil {
				t.Fatalf("%v, %v", c, err)
			}
			for i, p := range problems {
				if p.File != file || p.Message == "" || i > 0 && p.Line < problems[i-1].Line {
					t.Errorf("problem %+v", p)
				}
			}
			compare(t, file, []byte(err.Error()+"\n"))
		})
	}
}

func glob(t testing.TB, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	return files
}

func compare(t *testing.T, file string, got []byte) {
	t.Helper()
	golden := strings.TrimSuffix(file, ".yaml") + ".golden"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; got:\n%s", golden, got)
	}
}

// checkConfig holds what the rest of the system relies on.
func checkConfig(t *testing.T, c *Config) {
	t.Helper()
	if c.Ledger.Settle < time.Minute || c.Ledger.CallTimeout < time.Second || c.Ledger.CallTimeout >= c.Ledger.Settle {
		t.Errorf("ledger %+v", c.Ledger)
	}
	if count(c.Push.OIDC != nil, !c.Push.Bearer.IsZero(), c.Push.Platform) != 1 {
		t.Errorf("push %+v", c.Push)
	}
	for name, d := range c.Desks {
		if d.Kind == "google" && (d.Parent == "" || d.Classification == "") || d.Kind == "hub" && (d.Organization == "" || d.Token.IsZero()) ||
			d.TimeZone == "" || (d.Budget.Cases > 0) != (d.Budget.Per > 0) || slug(name) != "" {
			t.Errorf("desk %s: %+v", name, d)
		}
	}
	names := map[string]bool{}
	for _, s := range c.Senders {
		a := s.Auth
		n := count(!a.Bearer.IsZero(), a.Basic != nil, a.HMAC != nil, !a.StandardWebhook.IsZero(), a.OIDC != nil)
		if n > 1 || n == 0 && s.Subscription == "" || names[s.Name] || s.Tenant == "" || slug(s.Name) != "" {
			t.Errorf("sender %+v", s)
		}
		if a.HMAC != nil && (a.HMAC.Secret.IsZero() || a.HMAC.Header == "" || (a.HMAC.TimestampHeader == "") != (a.HMAC.Replay == ReplayIdentity)) {
			t.Errorf("sender %+v", s)
		}
		names[s.Name] = true
	}
	checkRoutes(t, c)
	checkOnboarding(t, c.Onboarding)
	checkBilling(t, c.Billing)
}

func checkBilling(t *testing.T, b Billing) {
	t.Helper()
	if b.Organization == "" {
		return
	}
	if b.Token.IsZero() || bucket(b.Bucket) != "" || len(b.Lenses) == 0 || b.Has("tenant") && b.Issuer == "" || !b.Markup.IsPositive() ||
		b.Markup.Exponent() < -markupDigits || b.Closed < 1 || b.Window < 1 || b.InFlight < 1 || b.BigQuery != nil && !strings.HasPrefix(b.Bucket, "gs://") {
		t.Errorf("billing %+v", b)
	}
}

func checkOnboarding(t *testing.T, o Onboarding) {
	t.Helper()
	if o.Organization == "" { // nobody is taken in
		return
	}
	a := o.Auth
	if o.Auth.HMAC != nil && o.Auth.HMAC.TimestampHeader == "" {
		t.Errorf("onboarding by a signature without a time: %+v", o.Auth.HMAC)
	}
	ways := count(!a.Bearer.IsZero(), a.Basic != nil, a.HMAC != nil, !a.StandardWebhook.IsZero(), a.OIDC != nil)
	if o.Token.IsZero() || ways != 1 || o.Me == "" || o.MaxTenants < 1 || o.InFlight < 1 || o.Resends < 0 || o.Tokens == nil {
		t.Errorf("onboarding %+v", o)
	}
	for i, d := range o.Reminders {
		if d < time.Hour || i > 0 && d <= o.Reminders[i-1] {
			t.Errorf("reminders %v", o.Reminders)
		}
	}
}

func checkRoutes(t *testing.T, c *Config) {
	t.Helper()
	if n := len(c.Routes); n == 0 || c.Routes[n-1].When != "true" {
		t.Fatal("no route takes everything")
	}
	for _, r := range c.Routes {
		if _, ok := c.Desks[r.Desk]; !ok || len(r.Priority) != 2 || r.Line == 0 || r.OneCasePer == "" || r.Refire.Do == "" || r.Resolve.Do == "" {
			t.Errorf("route %+v", r)
		}
	}
}

func count(ways ...bool) int {
	n := 0
	for _, w := range ways {
		if w {
			n++
		}
	}
	return n
}

func TestLoadOfNoFile(t *testing.T) {
	if _, err := Load("testdata/none.yaml", environment); !fault.Is(err, fault.Missing) {
		t.Error(err)
	}
}

func TestLargeFile(t *testing.T) {
	_, err := Parse("f", bytes.Repeat([]byte("#"), maxFile+1), environment)
	if err == nil || !strings.Contains(err.Error(), "f:1: the file is larger") {
		t.Error(err)
	}
	if _, err = Parse("f", []byte("a: \xff"), environment); err == nil || !strings.Contains(err.Error(), "not UTF-8") {
		t.Error(err)
	}
}

// TestNoLiteralSecretInAProblem: what somebody wrote into the file by mistake must not reach a log.
func TestNoLiteralSecretInAProblem(t *testing.T) {
	_, err := Load("testdata/broken/secrets.yaml", environment)
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	for _, file := range append(glob(f, "testdata/good/*.yaml"), glob(f, "testdata/broken/*.yaml")...) {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("fuzz", data, environment)
		var problems Problems
		switch {
		case err == nil:
			checkConfig(t, c)
		case !errors.As(err, &problems) || len(problems) == 0 || c != nil:
			t.Errorf("%v, %v", c, err)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Message == "" {
				t.Errorf("problem %+v", p)
			}
		}
	})
}
