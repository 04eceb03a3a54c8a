package tenantonboard

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/strict"
)

var updateRequests = flag.Bool("update-requests", false, "write the golden files of the requests anew")

// rulesOfTest allow four tenants, with people in two domains.
func rulesOfTest() Rules {
	return Rules{Domains: []string{"example.com", "example.net", "acme.example.com"}, MaxTenants: 4}
}

// mediaOf returns the Content-Type of a file.
func mediaOf(file string) string {
	return map[string]string{".yaml": "application/yaml", ".json": "application/json; charset=UTF-8", ".csv": "text/csv"}[filepath.Ext(file)]
}

func requestFiles(t testing.TB, folder string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/requests/" + folder + "/*")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		if mediaOf(file) == "" {
			continue
		}
		if all[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	if len(all) < 3 {
		t.Fatalf("%d files in %s", len(all), folder)
	}
	return all
}

func compareRequest(t *testing.T, file string, got []byte) {
	t.Helper()
	golden := file + ".golden"
	if *updateRequests {
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

// TestRequests shows, beside each good request, what is stored of it, defaults filled in.
func TestRequests(t *testing.T) {
	for file, body := range requestFiles(t, "good") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			req, err := decodeRequest(mediaOf(file), body, rulesOfTest())
			if err != nil {
				t.Fatal(err)
			}
			checkRequest(t, req, rulesOfTest())
			got, err := json.MarshalIndent(req, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			compareRequest(t, file, append(got, '\n'))
		})
	}
}

// TestBrokenRequests shows, beside each broken request, every problem with its line. Nothing of what was sent is repeated: the canary that
// stands in them comes back in none, and keys are ours.
func TestBrokenRequests(t *testing.T) {
	for file, body := range requestFiles(t, "broken") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			_, err := decodeRequest(mediaOf(file), body, rulesOfTest())
			var problems strict.Problems
			if !errors.As(err, &problems) || !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			if strings.Contains(err.Error(), "c4n4ry") {
				t.Errorf("what came in comes out:\n%s", err)
			}
			compareRequest(t, file, []byte(problems.Error()+"\n"))
		})
	}
}

// checkRequest holds what the rest of the package relies on.
func checkRequest(t *testing.T, req Request, rules Rules) {
	t.Helper()
	if len(req.Tenants) == 0 || len(req.Tenants) > rules.MaxTenants {
		t.Errorf("%d tenants", len(req.Tenants))
	}
	keys := map[string]bool{}
	for _, x := range req.Tenants {
		if tenantKey(x.Key) != "" || keys[x.Key] || x.Line < 1 || x.OnFailure != Stop && x.OnFailure != Undo {
			t.Errorf("tenant %+v", x)
		}
		keys[x.Key] = true
		o := x.Organization
		if slices.Contains([]string{o.DisplayName, o.CompanyName, o.City, o.State, o.Zip, o.Domain, o.Type}, "") || !countries[o.Country] {
			t.Errorf("organization %+v", o)
		}
		checkUsers(t, x.Users)
		if x.Google != nil {
			checkGoogle(t, *x.Google)
		}
	}
}

func checkUsers(t *testing.T, users []User) {
	t.Helper()
	seen := map[string]bool{}
	for _, u := range users {
		address := strings.ToLower(u.Email)
		if len(u.Roles) == 0 || !strings.Contains(u.Email, "@") || seen[address] || slices.Contains(u.Roles, accountAdmin) != (len(u.Bindings) > 0) {
			t.Errorf("user %+v", u)
		}
		seen[address] = true
		for _, r := range u.Roles {
			if !slices.Contains(roleNames, r) {
				t.Errorf("role %s", r)
			}
		}
	}
	if len(users) > maxUsers {
		t.Errorf("%d users", len(users))
	}
}

func checkGoogle(t *testing.T, g Google) {
	t.Helper()
	if g.Parent == "" {
		t.Errorf("google %+v", g)
	}
	for _, m := range g.Members {
		for _, r := range m.Roles {
			if !strings.HasPrefix(r, "roles/") || r == owner && strings.HasPrefix(m.Member, "user:") {
				t.Errorf("member %+v", m)
			}
		}
	}
	for _, a := range g.APIs {
		if !strings.HasSuffix(a, ".googleapis.com") {
			t.Errorf("API %s", a)
		}
	}
	for _, c := range g.Contacts {
		if c.Language == "" || len(c.Categories) == 0 {
			t.Errorf("contact %+v", c)
		}
	}
}

func TestRequestLimits(t *testing.T) {
	org := `"organization":{"displayName":"A","companyName":"A","country":"US","city":"C","state":"S","zip":"1","domain":"a.example.com"}`
	users := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, `{"email":"u`+strings.Repeat("1", i%50)+string(rune('a'+i/50%26))+string(rune('a'+i/1300))+`@example.com","roles":["tenant_user"]}`)
		}
		return `{"tenants":[{"tenant":"acme",` + org + `,"users":[` + strings.Join(all, ",") + `]}]}`
	}
	tenants := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, `{"tenant":"t`+string(rune('0'+i))+`",`+org+`}`)
		}
		return `{"tenants":[` + strings.Join(all, ",") + `]}`
	}
	for _, tt := range []struct{ name, media, body, sentence string }{
		{"as many users as a tenant may have", "application/json", users(2000), ""},
		{"one user more", "application/json", users(2001), "is one of more than 2000 users"},
		{"as many tenants as allowed", "application/json", tenants(4), ""},
		{"one tenant more", "application/json", tenants(5), "has 5 tenants, and one request may have 4"},
		{"a large body", "application/yaml", strings.Repeat("#", maxRequest+1), "larger than"},
		{"a large table", "text/csv", strings.Repeat("#", maxRequest+1), "larger than"},
		{"many values", "application/json", `{"tenants":[` + strings.Repeat("[],", 250000) + `[]]}`, "too many values"},
		{"many values in YAML", "application/yaml", `tenants: [` + strings.Repeat("[],", 250000) + `[]]`, "more problems than these"},
		{"values within values", "application/json", strings.Repeat("[", 100000), "values within values"},
		{"values within values in YAML", "application/yaml", strings.Repeat("[", 100000), "not valid YAML"},
		{"aliases of aliases", "application/yaml", "tenants: [&a [x], *a]", "is an alias"},
		{"many rows without a tenant", "text/csv", strings.Join(columns(), ",") + strings.Repeat("\n,,,,,,,,,,", 90000), "more problems than these"},
		{"a form that we do not read", "text/plain", "tenants", "send application/yaml, application/json or text/csv"},
		{"another charset", "text/csv; charset=latin1", "tenants", "send application/yaml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := decodeRequest(tt.media, []byte(tt.body), rulesOfTest())
			if tt.sentence == "" && err != nil || tt.sentence != "" && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tt.sentence)) {
				t.Errorf("%.300v", err)
			}
			if err != nil && len(err.Error()) > 200<<10 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		})
	}
}

func TestMessages(t *testing.T) {
	for body, want := range map[string]string{
		`{"tenant":"acme"}`: "acme", ` {"tenant" : "a-1"} `: "a-1",
		``: "", `{}`: "", `null`: "", `{"tenant":"A"}`: "", `{"tenant":"a/b"}`: "", `{"tenant":7}`: "", `{"tenant":["acme"]}`: "", `{"tenant":"acme"}{}`: "",
		`{"tenant":"acme","x":1}`: "", `{"tenant":"acme","tenant":"beta"}`: "", `{"Tenant":"acme"}`: "", `tenant: acme`: "", "{\"tenant\":\"\xff\"}": "",
		`{"tenant":"acme","y":"` + strings.Repeat("y", maxMessage) + `"}`: "",
	} {
		m, err := decodeMessage([]byte(body))
		if m.Tenant != want || (err == nil) != (want != "") || err != nil && (!fault.Is(err, fault.Invalid) || fault.Public(err) == "") {
			t.Errorf("%.40q: %+v, %v", body, m, err)
		}
	}
}

// FuzzRequest: no body panics, and what is accepted is accepted again as it was stored.
func FuzzRequest(f *testing.F) {
	media := []string{"application/yaml", "application/json", "text/csv"}
	for _, folder := range []string{"good", "broken"} {
		for file, body := range requestFiles(f, folder) {
			f.Add(uint8(slices.Index(media, strings.TrimSuffix(mediaOf(file), "; charset=UTF-8"))), body)
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, body []byte) {
		req, err := decodeRequest(media[int(n)%len(media)], body, rulesOfTest())
		if err != nil {
			var problems strict.Problems
			if !fault.Is(err, fault.Invalid) || !errors.As(err, &problems) || len(problems) == 0 {
				t.Fatal(err)
			}
			for _, p := range problems {
				if p.Line < 1 || p.Message == "" {
					t.Errorf("problem %+v", p)
				}
			}
			return
		}
		checkRequest(t, req, rulesOfTest())
		stored, err := json.Marshal(req)
		if err != nil {
			t.Fatal(err)
		}
		again, err := decodeRequest("application/json", stored, rulesOfTest())
		if err != nil || !reflect.DeepEqual(unlined(again), unlined(req)) {
			t.Errorf("%s: %+v, %v", stored, again, err)
		}
	})
}

// unlined returns a request without its lines.
func unlined(req Request) Request {
	for i := range req.Tenants {
		t := &req.Tenants[i]
		t.Line = 0
		for j := range t.Users {
			t.Users[j].Line = 0
		}
		if t.Google == nil {
			continue
		}
		t.Google.Line = 0
		for j := range t.Google.Members {
			t.Google.Members[j].Line = 0
		}
		for j := range t.Google.Contacts {
			t.Google.Contacts[j].Line = 0
		}
	}
	return req
}
