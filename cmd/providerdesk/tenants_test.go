package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/tenants"
	"github.com/providerdesk/providerdesk/functions/tenantonboard"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/proctest"
)

// example is the request that a first start leaves in its folder.
func example(dir string) string { return site.Folder(dir).Example() }

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
}

// control uses the controls of a simulator.
func control(t *testing.T, method, url, body string) {
	t.Helper()
	if status := request(t, method, url, "", body, nil); status/100 != 2 {
		t.Fatalf("%s %s answered %d", method, url, status)
	}
}

// calls are the exact counts of calls by op at a simulator, since it was started.
func calls(t *testing.T, base, sim string) map[string]int {
	t.Helper()
	var got struct{ Counts map[string]int }
	request(t, http.MethodGet, base+"/sim/"+sim+"/calls", "", "", &got)
	return got.Counts
}

// standings are all tenants with their statuses.
func standings(t *testing.T, dir string) map[string]tenantonboard.Status {
	t.Helper()
	var all []tenants.Standing
	decode(t, cli{}.ok(t, "tenants", "list", "--data", dir, "--json"), &all)
	by := map[string]tenantonboard.Status{}
	for _, s := range all {
		by[s.Tenant] = s.Status
	}
	return by
}

// hubOf is a client of the simulated hub of an installation.
func hubOf(t *testing.T, c *config.Config) *hub.Client {
	t.Helper()
	client, err := site.Hub(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// organizations are the names of those that onboarding has made at the hub, and who is in them or invited, with repeats if there are any.
func organizations(t *testing.T, c *config.Config) (names, people []string) {
	t.Helper()
	client := hubOf(t, c)
	all, err := client.Tenants(t.Context(), c.Onboarding.Organization)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range all {
		if !strings.HasPrefix(o.Tag, "onb-") {
			continue
		}
		names = append(names, o.DisplayName)
		members, err := client.Users(t.Context(), o.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range members {
			people = append(people, m.Username)
		}
		invitations, err := client.Invitations(t.Context(), o.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range invitations {
			people = append(people, i.Username)
		}
	}
	slices.Sort(names)
	slices.Sort(people)
	return names, people
}

// anyRun makes what differs from run to run the same in every test: times, ids and digests.
func anyRun(text string) string {
	for pattern, instead := range map[string]string{
		`\b[0-9a-f]{16}\b`: "0123456789abcdef",
		`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`: "00000000-0000-0000-0000-000000000000",
		`20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{8} UTC`:                   "2026-03-01 12:00:00 UTC",
	} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, instead)
	}
	return text
}

// The story of the example: planned, applied, and then there is nothing left to do. One tenant is READY, the other waits for who is invited.
func TestTwoTenantsAreTakenIn(t *testing.T) {
	dir, s := running(t, time.Now)
	golden(t, "tenants-plan.golden", anyRun(cli{}.ok(t, "tenants", "plan", example(dir), "--data", dir)))
	if n := calls(t, s.URL(), "hub")["tenants.create"]; n != 0 {
		t.Fatalf("a plan has created %d tenants", n)
	}
	who := cli{env: map[string]string{"USER": "anna"}}
	var all []tenants.Detail
	decode(t, who.ok(t, "tenants", "apply", example(dir), "--data", dir, "--yes", "--wait", "--json"), &all)
	if len(all) != 2 || all[0].Status != tenantonboard.Ready || all[1].Status != tenantonboard.Invited {
		t.Fatalf("after it: %+v", all)
	}
	if n := calls(t, s.URL(), "hub")["tenants.create"]; n != 2 {
		t.Errorf("%d tenants were created, want 2", n)
	}
	golden(t, "tenants-show-acme.golden", anyRun(cli{}.ok(t, "tenants", "show", "acme", "--data", dir, "--drift")))
	golden(t, "tenants-show-beta.golden", anyRun(cli{}.ok(t, "tenants", "show", "beta", "--data", dir)))
	golden(t, "tenants-list.golden", anyRun(cli{}.ok(t, "tenants", "list", "--data", dir)))
	golden(t, "tenants-replan.golden", anyRun(cli{}.ok(t, "tenants", "plan", example(dir), "--data", dir)))
	if out := (cli{}).ok(t, "tenants", "show", "acme", "--audit", "--data", dir); !strings.Contains(out, "by anna\n  accepted plan ") || !strings.Contains(out, "\n  ended: READY\n") {
		t.Errorf("the history is\n%s", out)
	}
	if out := (cli{}).ok(t, "tenants", "list", "--data", dir, "--status", "ready"); !strings.Contains(out, "acme ") || strings.Contains(out, "beta ") {
		t.Errorf("those that are ready:\n%s", out)
	}
	if got := (cli{}).ok(t, "__complete", "tenants", "show", "--data", dir, ""); !strings.HasPrefix(got, "acme\nbeta\n:") {
		t.Errorf("the names complete to %q", got)
	}
}

// Off a terminal a line is written for every change.
func TestWhatIsWaitedForIsSaidLineByLine(t *testing.T) {
	dir, _ := running(t, time.Now)
	out := cli{}.ok(t, "tenants", "apply", example(dir), "--data", dir, "--yes", "--wait")
	for _, want := range []string{"\nacme: READY\n", "\nbeta: INVITED\n", "\nacme    READY\n", "\nbeta    INVITED  2 invitations to be accepted"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "\x1b") {
		t.Errorf("colours in a pipe: %q", out)
	}
}

func TestAllThatIsWrongWithAFileIsSaidByLine(t *testing.T) {
	dir, s := running(t, time.Now)
	for _, command := range []string{"plan", "apply"} {
		args := []string{"tenants", command, "testdata/tenants-bad.yaml", "--data", dir}
		if command == "apply" {
			args = append(args, "--yes")
		}
		r := cli{}.run(t, args...)
		if r.code != exitUsage || r.out != "" {
			t.Errorf("%s: exit code %d, out %q", command, r.code, r.out)
		}
		golden(t, "tenants-bad.golden", r.err)
	}
	if n := calls(t, s.URL(), "hub"); len(n) != 0 {
		t.Errorf("the hub was asked: %v", n)
	}
}

// The forms of a request, and standard input.
func TestARequestInEveryForm(t *testing.T) {
	dir, _ := running(t, time.Now)
	asCSV := "tenant,displayName,companyName,country,city,state,zip,domain,email,roles\n" +
		"acme,Acme,Acme Ltd,DE,Berlin,Berlin,10115,acme.test.example,anna@lorem.com,tenant_admin;tenant_user\n"
	asJSON := `{"tenants":[{"tenant":"acme","organization":{"displayName":"Acme","companyName":"Acme Ltd","country":"DE","city":"Berlin","state":"Berlin",` +
		`"zip":"10115","domain":"acme.test.example"},"users":[{"email":"anna@lorem.com","roles":["tenant_admin","tenant_user"]}]}]}`
	var digests []string
	for _, args := range [][]string{{asCSV, "--form", "csv"}, {asJSON}, {asJSON, "--form", "json"}} {
		var all []tenants.Planned
		decode(t, cli{in: args[0]}.ok(t, append([]string{"tenants", "plan", "-", "--json", "--data", dir}, args[1:]...)...), &all)
		digests = append(digests, all[0].Plan.Digest)
	}
	if slices.Sort(digests); digests[0] != digests[2] || len(digests[0]) != 16 {
		t.Errorf("the same request has the plans %v", digests)
	}
}

// outcomes: how a run ends is the exit code, and what a person must do is said.
func TestHowItEndsIsTheExitCode(t *testing.T) {
	dir, s := running(t, time.Now)
	sim := s.URL() + "/sim/hub"
	apply := []string{"tenants", "apply", example(dir), "--data", dir, "--yes", "--wait"}

	control(t, http.MethodPost, sim+"/switches", `{"tokenScope":"organization"}`)
	if r := (cli{}).run(t, apply...); r.code != exitWaits || !strings.Contains(r.out, "AWAITING_TENANT_TOKEN  the hub does not let us in") {
		t.Fatalf("without a token: exit code %d\n%s%s", r.code, r.out, r.err)
	}
	control(t, http.MethodDelete, sim+"/switches", "")
	control(t, http.MethodPost, sim+"/faults", `{"op":"users.add","fault":"status:400","times":100}`)
	if r := (cli{}).run(t, apply...); r.code != exitFailed || !strings.Contains(r.out, "Mend the cause, then retry the tenant") {
		t.Fatalf("refused by the hub: exit code %d\n%s%s", r.code, r.out, r.err)
	}
	if out := (cli{}).ok(t, "tenants", "show", "beta", "--data", dir); !strings.Contains(out, "✓ organization\n") || !strings.Contains(out, "\n✗ users\n") || !strings.Contains(out, "What to do\n") {
		t.Errorf("what failed is shown as\n%s", out)
	}
	control(t, http.MethodDelete, sim+"/faults", "")
	for _, tenant := range []string{"acme", "beta"} {
		cli{}.ok(t, "tenants", "retry", tenant, "--data", dir, "--wait")
	}
	if got := standings(t, dir); got["acme"] != tenantonboard.Ready || got["beta"] != tenantonboard.Invited {
		t.Errorf("after the retry: %v", got)
	}
	if names, _ := organizations(t, s.Config()); !slices.Equal(names, []string{"Acme", "Beta"}) {
		t.Errorf("the hub has %v", names)
	}
	out := cli{}.ok(t, "tenants", "offboard", "beta", "--data", dir, "--yes", "--wait")
	if !strings.Contains(out, "    - revoke the invitation of carl@beta.test.example\n") || standings(t, dir)["beta"] != tenantonboard.Offboarded {
		t.Errorf("offboarding said\n%s", out)
	}
}

// What is in the way is said, and nothing is done.
func TestABlockedPlanIsNotApplied(t *testing.T) {
	dir, s := running(t, time.Now)
	client := hubOf(t, s.Config())
	for range 2 {
		_, err := client.CreateTenant(t.Context(), s.Config().Onboarding.Organization, hub.TenantDraft{TenantType: "DEFAULT", Country: "DE", DisplayName: "Acme",
			CompanyName: "Acme Ltd", City: "Berlin", State: "Berlin", Zip: "10115", Domain: "acme.test.example"})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"plan"}, {"apply", "--yes"}, {"plan", "--json"}, {"apply", "--yes", "--json"}} {
		r := cli{}.run(t, slices.Concat([]string{"tenants", args[0], example(dir), "--data", dir}, args[1:])...)
		if r.code != exitRefused || !strings.Contains(r.out, "2 organizations could be this tenant's") || !strings.Contains(r.err, "1 thing in the way") {
			t.Errorf("%v: exit code %d\n%s%s", args, r.code, r.out, r.err)
		}
	}
	if got := standings(t, dir); len(got) != 0 {
		t.Errorf("there are %v", got)
	}
}

func TestTenantsThatAreNotThere(t *testing.T) {
	dir, s := running(t, time.Now)
	without := filepath.Join(t.TempDir(), "without.yaml")
	text, err := os.ReadFile(filepath.Join(dir, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), "onboarding:")
	_, after, _ := strings.Cut(rest, "endpoints:")
	if err := os.WriteFile(without, []byte(before+"endpoints:"+after), 0o600); err != nil {
		t.Fatal(err)
	}
	guessed := filepath.Join(t.TempDir(), "guessed.yaml")
	wrong := strings.Replace(string(text), filepath.Join(dir, "secrets", "tenants"), filepath.Join(dir, "secrets", "bus"), 1)
	if err := os.WriteFile(guessed, []byte(wrong), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no such tenant":         {[]string{"show", "nobody"}, exitFailed, "no tenant has such a key"},
		"no such tenant to take": {[]string{"offboard", "nobody", "--yes"}, exitFailed, "no tenant has such a key"},
		"no such tenant to help": {[]string{"retry", "nobody"}, exitFailed, "no tenant has such a key"},
		"a key that escapes":     {[]string{"show", "../../api/ledger"}, exitFailed, "no tenant has such a key"},
		"no onboarding":          {[]string{"list", "--config", without}, exitUsage, "it has no section onboarding"},
		"a wrong token":          {[]string{"list", "--config", guessed}, exitFailed, "providerdesk: "},
		"a server that is down":  {[]string{"list", "--server", "http://127.0.0.1:1"}, exitFailed, "connection refused"},
	} {
		r := cli{}.run(t, slices.Concat([]string{"tenants"}, tc.args, []string{"--data", dir})...)
		if r.code != tc.code || r.out != "" || !strings.Contains(r.err, tc.says) {
			t.Errorf("%s: exit code %d, out %q, err %q", name, r.code, r.out, r.err)
		}
	}
	if out := (cli{}).ok(t, "tenants", "list", "--data", dir); out != "no tenants\n" {
		t.Errorf("none are %q", out)
	}
	push := `{"message":{"data":"eyJ0ZW5hbnQiOiJhY21lIn0=","messageId":"1"},"subscription":"projects/local/subscriptions/tenant-onboarding-onboardtenant"}`
	for _, path := range []string{"/OnboardTenant", "/SweepTenants", "/InvitationSweep", "/TenantWebhook/tenants"} {
		if status := request(t, http.MethodPost, s.URL()+path, "guess", push, nil); status != http.StatusUnauthorized {
			t.Errorf("%s lets anybody in: %d", path, status)
		}
	}
}

// TestKillLeavesNoTwins kills a process between an organization that was made, of which nobody knows, and another one that was being asked for.
// After the next start, an hour later by its clock, both tenants are where they should be, and everything is there once.
func TestKillLeavesNoTwins(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first := start(t, dir, 0)
	for _, fault := range []string{`{"op":"tenants.create","fault":"commit_then_drop","times":1}`, `{"op":"tenants.create","fault":"delay:10m","times":9}`} {
		control(t, http.MethodPost, first.base+"/sim/hub/faults", fault)
	}
	cli{}.ok(t, "tenants", "apply", example(dir), "--data", dir, "--yes")
	proctest.Until(t, "one creation in doubt, one under way", func() bool {
		states := map[ledger.State]int{}
		for _, r := range listedRecords(t, dir) {
			states[r.State]++
		}
		return maps.Equal(states, map[ledger.State]int{ledger.Unknown: 1, ledger.Calling: 1})
	})
	first.kill(t)

	second := start(t, dir, time.Hour, "--sweep-every", "100ms")
	proctest.Until(t, "both tenants are there", func() bool {
		got := standings(t, dir)
		return got["acme"] == tenantonboard.Ready && got["beta"] == tenantonboard.Invited
	})
	if n := calls(t, second.base, "hub"); n["tenants.create"] != 1 || n["users.add"] != 4 {
		t.Errorf("after the kill %d organizations and %d times users were asked for, want 1 and 4", n["tenants.create"], n["users.add"])
	}
	c, err := site.Load(site.Folder(dir).Config(), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	site.Redirect(c, second.base)
	names, people := organizations(t, c)
	if !slices.Equal(names, []string{"Acme", "Beta"}) ||
		!slices.Equal(people, []string{"anna@lorem.com", "bob@lorem.com", "carl@beta.test.example", "dora@beta.test.example"}) {
		t.Errorf("the hub has %v with %v", names, people)
	}
	second.kill(t)
	third := start(t, dir, time.Hour, "--sweep-every", "100ms")
	if out := (cli{}).ok(t, "tenants", "plan", example(dir), "--data", dir); !strings.Contains(out, "2 tenants: 0 to create, 0 to change, 0 to take away, 0 blocked") {
		t.Errorf("after another kill there is something to do:\n%s", out)
	}
	if n := calls(t, third.base, "hub"); n["tenants.create"]+n["users.add"] != 0 {
		t.Errorf("after another kill: %v", n)
	}
}
