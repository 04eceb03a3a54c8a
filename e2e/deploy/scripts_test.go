//go:build !race

package deploy

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// cloud is a gcloud that takes notes of what it is asked, and a server in the place of the services.
type cloud struct {
	t     *testing.T
	bin   string
	notes string
	url   string
}

// fakeGcloud answers what the scripts ask for: where a revision is, and a token.
const fakeGcloud = `#!/usr/bin/env bash
printf '%%s\n' "$*" >>%[1]s
case "$*" in
  "run services describe"*) printf '{"status": {"traffic": [{"tag": "old", "url": "http://old.invalid"}, {"percent": 0, "tag": "b-1234", "url": "%[2]s/%%s"}]}}\n' "$4" ;;
  "auth print-identity-token"*) echo token-of-the-pusher ;;
esac
`

func newCloud(t *testing.T, serve http.HandlerFunc) cloud {
	t.Helper()
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	c := cloud{t, t.TempDir(), filepath.Join(t.TempDir(), "notes"), server.URL}
	if err := os.WriteFile(filepath.Join(c.bin, "gcloud"), fmt.Appendf(nil, fakeGcloud, c.notes, server.URL), 0o700); err != nil {
		t.Fatal(err)
	}
	return c
}

// script is one of infra/build, with this gcloud.
func (c cloud) script(name string, args ...string) *exec.Cmd {
	s := script(c.t, name, args...)
	s.Env = append(os.Environ(), "PATH="+c.bin+":"+os.Getenv("PATH"), "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
	return s
}

// asked are the commands that gcloud got.
func (c cloud) asked() []string {
	data, err := os.ReadFile(c.notes)
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

// healthy answers as the functions do: a stranger is refused, the pusher's empty event is none.
func healthy(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/problem+json")
	switch {
	case r.Header.Get("Authorization") == "Bearer token-of-the-pusher":
		w.WriteHeader(http.StatusBadRequest)
	default:
		w.WriteHeader(http.StatusUnauthorized)
	}
}

const builder = "projects/acme-desk/serviceAccounts/providerdesk-builder@acme-desk.iam.gserviceaccount.com"

// TestDeploy: every target is deployed from the staged source, without traffic, with flags that the real gcloud knows.
func TestDeploy(t *testing.T) {
	c := newCloud(t, healthy)
	staged := filepath.Join(t.TempDir(), "staged")
	must(t, script(t, "stage.sh", "billingexport", staged))
	must(t, c.script("deploy.sh", "billingexport", staged, "europe-west3", "b-1234", builder))
	all := targets(t, "billingexport")
	if got := c.asked(); len(got) != len(all) {
		t.Fatalf("%d deployments of %d targets: %q", len(got), len(all), got)
	}
	for i, got := range c.asked() {
		for _, want := range []string{"run deploy " + all[i].Service + " ", "--function " + all[i].Name + " ", "--no-traffic", "--tag b-1234", "--source " + staged} {
			if !strings.Contains(got+" ", want) {
				t.Errorf("%s: gcloud %s: no %q", all[i].Name, got, want)
			}
		}
	}
	lint(t, c.asked()[0])
	for name, args := range map[string][]string{
		"nothing":             {},
		"no such function":    {"billing", staged, "europe-west3", "b-1234", builder},
		"what is not staged":  {"billingexport", t.TempDir(), "europe-west3", "b-1234", builder},
		"a tag that is none":  {"billingexport", staged, "europe-west3", "1234 --allow-unauthenticated", builder},
		"one thing too many":  {"billingexport", staged, "europe-west3", "b-1234", builder, "more"},
		"a tag with capitals": {"billingexport", staged, "europe-west3", "B-1234", builder},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(c.asked())
			refuses(t, c.script("deploy.sh", args...))
			if len(c.asked()) != before {
				t.Error("gcloud was asked all the same")
			}
		})
	}
}

// lint has the real gcloud read a command: it must get as far as asking who we are, which a flag that it does not know would prevent.
func lint(t *testing.T, line string) {
	t.Helper()
	required(t, "gcloud")
	c := command(t, "gcloud", append(strings.Fields(line), "--project", "acme-desk")...)
	c.Env = append(os.Environ(), "CLOUDSDK_CONFIG="+t.TempDir(), "CLOUDSDK_CORE_DISABLE_PROMPTS=1", "CLOUDSDK_CORE_CHECK_GCE_METADATA=false")
	if out := refuses(t, c); !strings.Contains(out, "do not currently have an active account") {
		t.Errorf("gcloud %s:\n%s", line, out)
	}
}

// TestSmoke: a function that answers as it should passes; one that lets strangers in, fails, is not there or refuses the pusher does not.
func TestSmoke(t *testing.T) {
	args := []string{"casewebhook", "europe-west3", "b-1234", "pusher@acme-desk.iam.gserviceaccount.com", "https://providerdesk.acme-desk.internal"}
	t.Run("healthy", func(t *testing.T) {
		c := newCloud(t, healthy)
		out := must(t, c.script("smoke.sh", args...))
		if n := strings.Count(out, "ok "); n != len(targets(t, "casewebhook")) {
			t.Errorf("%d targets are ok:\n%s", n, out)
		}
		if !slices.ContainsFunc(c.asked(), func(s string) bool {
			return strings.Contains(s, "--impersonate-service-account "+args[3]) && strings.Contains(s, "--audiences "+args[4])
		}) {
			t.Errorf("no token of the pusher was asked for: %q", c.asked())
		}
	})
	for name, serve := range map[string]http.HandlerFunc{
		"strangers are let in": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) },
		"it fails":             func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"another page":         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		"the pusher is refused": func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Authorization")
			healthy(w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			if out := refuses(t, newCloud(t, serve).script("smoke.sh", args...)); !strings.Contains(out, "FAIL") {
				t.Error(out)
			}
		})
	}
	t.Run("no revision", func(t *testing.T) {
		args := slices.Replace(slices.Clone(args), 2, 3, "b-5678")
		if out := refuses(t, newCloud(t, healthy).script("smoke.sh", args...)); !strings.Contains(out, "no revision with the tag b-5678") {
			t.Error(out)
		}
	})
}

// TestPromote: all services of a function get the tag's revision, whichever tag: to roll back is to promote an older one.
func TestPromote(t *testing.T) {
	c := newCloud(t, healthy)
	must(t, c.script("promote.sh", "tenantonboard", "europe-west3", "b-1234"))
	var want []string
	for _, one := range targets(t, "tenantonboard") {
		want = append(want, "run services update-traffic "+one.Service+" --quiet --region europe-west3 --to-tags b-1234=100")
	}
	if got := c.asked(); !slices.Equal(got, want) {
		t.Errorf("asked %q, want %q", got, want)
	}
	lint(t, want[0])
	refuses(t, c.script("promote.sh", "tenantonboard", "europe-west3"))
	refuses(t, c.script("promote.sh", "tenants", "europe-west3", "b-1234"))
}
