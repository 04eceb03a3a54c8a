package hub

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

func TestEpoch(t *testing.T) {
	for n, want := range map[int64]string{
		1536856769:       "2018-09-13T16:39:29Z",     // the guide's seconds
		1537029569000:    "2018-09-15T16:39:29Z",     // its milliseconds
		1573708230248000: "2019-11-14T05:10:30.248Z", // its microseconds, in a field that should be milliseconds
		1:                "1970-01-01T00:00:01Z",
		1e11 - 1:         "5138-11-16T09:46:39Z",
		1e11:             "1973-03-03T09:46:40Z",
		1e14 - 1:         "5138-11-16T09:46:39.999Z",
		1e14:             "1973-03-03T09:46:40Z",
		0:                "", -1: "", 1e17: "",
	} {
		got, ok := Epoch(n)
		if ok != (want != "") || ok && got.Format(time.RFC3339Nano) != want {
			t.Errorf("%d is %v, %v, want %s", n, got, ok, want)
		}
	}
}

func TestTolerance(t *testing.T) {
	o, ok := objectOf([]byte(`{"a":" x ","n":5,"b":true,"f":"TRUE","z":null,"e":"","l":["a",{"id":" b "},null,7],"one":"x","o":{"k":"v"},
		"ms":"1537029569000","rfc":"2018-09-15T16:39:29Z","exp":1.537029569e12,"d":"51987.0","m":0.10,"bad":"1,5","big":1e400}`))
	if !ok {
		t.Fatal("not read")
	}
	for name, got := range map[string]any{
		"a": o.text("a") == "x", "number as text": o.text("n") == "5", "first that is there": o.text("z", "e", "a") == "x", "object as text": o.text("o") == "",
		"flag": o.flag("b") && o.flag("f") && !o.flag("a") && !o.flag("z") && !o.flag("none"),
		"list": slices.Equal(o.texts("l", "id"), []string{"a", "b", "7"}), "list of one": slices.Equal(o.texts("one"), []string{"x"}),
		"no list": o.texts("none") == nil && o.texts("z") == nil, "object": o.object("o").text("k") == "v", "no object": o.object("a").text("k") == "",
		"times":    o.time("ms").Equal(o.time("rfc")) && o.time("ms").Equal(o.time("exp")) && o.time("a").IsZero() && o.time("z").IsZero(),
		"decimals": o.number("d") == "51987.0" && o.number("m") == "0.10" && o.number("bad") == "" && o.number("big") == "",
	} {
		if got != true {
			t.Error(name)
		}
	}
	for _, text := range []string{"", "null", "[]", "1", `"a"`, "{", `{"a":1}x`} {
		if _, ok := objectOf([]byte(text)); ok {
			t.Errorf("%q was read as an object", text)
		}
	}
	for text, want := range map[string]int{`[1,2]`: 2, `[]`: 0, `{"x":[1]}`: 1, `{"x":[]}`: 0, `{"x":null}`: -1, `{}`: -1, `null`: -1, ``: -1, `"a"`: -1} {
		got, ok := listOf([]byte(text), "x")
		if ok != (want >= 0) || ok && len(got) != want {
			t.Errorf("%q is a list of %d, %v", text, len(got), ok)
		}
	}
}

func TestStatusOfInvitation(t *testing.T) {
	made := time.UnixMilli(1573708054269).UTC()
	end := made.Add(openFor)
	for _, tt := range []struct {
		name string
		i    Invitation
		now  time.Time
		want InvitationStatus
		send bool
	}{
		{"new", Invitation{Stored: "AVAILABLE", Generated: made, Expires: end}, made, Pending, false},
		{"last day", Invitation{Stored: "AVAILABLE", Generated: made, Expires: end}, end.Add(-nearEnd), Pending, true},
		{"last millisecond", Invitation{Stored: "AVAILABLE", Generated: made, Expires: end}, end.Add(-time.Millisecond), Pending, true},
		{"its end", Invitation{Stored: "AVAILABLE", Generated: made, Expires: end}, end, Expired, true},
		{"revoked, as in the guide", Invitation{Stored: "AVAILABLE", Generated: made, Expires: end, RevokedAt: made.Add(time.Minute)}, made, Revoked, false},
		{"revoked, then over", Invitation{Stored: "AVAILABLE", Generated: made, Expires: end, RevokedAt: made}, end, Revoked, false},
		{"revoked by status", Invitation{Stored: "revoked", Generated: made, Expires: end}, made, Revoked, false},
		{"redeemed", Invitation{Stored: "REDEEMED", Generated: made, Expires: end, RevokedAt: made}, end, Redeemed, false},
		{"no end given", Invitation{Stored: "AVAILABLE", Generated: made}, end, Expired, true},
		{"no time at all", Invitation{Stored: "AVAILABLE"}, end, Pending, false},
	} {
		if got := tt.i.Status(tt.now); got != tt.want || tt.i.Resendable(tt.now) != tt.send {
			t.Errorf("%s: %s, resendable %v", tt.name, got, tt.i.Resendable(tt.now))
		}
	}
}

// The two readings of the guide, in every zone, and both units: always exactly the month.
func TestBoundsMeanTheMonthUnderEveryReading(t *testing.T) {
	n := 0
	for month := range 36 {
		p := Period{2024, time.January}.Add(month)
		for offset := -12; offset <= 14; offset++ {
			zone := time.FixedZone("", offset*3600)
			for _, u := range []Unit{Seconds, Milliseconds} {
				s, e := p.bounds(u)
				start, end := timeOf(s).In(zone), timeOf(e).In(zone)
				first := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC) }
				if !first(start).Equal(p.Start()) || !first(end).Equal(p.End()) { // both rounded down, the end excluded
					t.Errorf("%v, %s, %+d, rounded down: %v to %v", p, u, offset, first(start), first(end))
				}
				if got := nearestLastDay(end); !got.Equal(p.End().AddDate(0, 0, -1)) {
					t.Errorf("%v, %s, %+d, rounded to the nearest: until %v", p, u, offset, got)
				}
				n++
			}
		}
	}
	t.Logf("%d months, zones and units", n)
}

// nearestLastDay is the last day of a month that is nearest to t, as a date.
func nearestLastDay(t time.Time) time.Time {
	last := func(months int) time.Time {
		return time.Date(t.Year(), t.Month()+time.Month(months)+1, 0, 0, 0, 0, 0, time.UTC)
	}
	day := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), 0, 0, 0, time.UTC)
	before, after := last(-1), last(0)
	if day.Sub(before) <= after.Sub(day) {
		return before
	}
	return after
}

func TestPeriod(t *testing.T) {
	p, err := ParsePeriod("2026-12")
	if err != nil || p.String() != "2026-12" || p.Add(1).String() != "2027-01" || p.Add(-12).String() != "2025-12" {
		t.Errorf("%v, %v", p, err)
	}
	if !p.Contains(p.Start()) || p.Contains(p.End()) || !p.Contains(p.End().Add(-1)) || p.Contains(p.Start().Add(-1)) {
		t.Error("bounds of the month")
	}
	if PeriodOf(time.Date(2026, 12, 31, 23, 0, 0, 0, time.FixedZone("", -2*3600))) != (Period{2027, time.January}) {
		t.Error("a month is in UTC")
	}
	for _, s := range []string{"", "2026", "2026-13", "2026-1", "26-01", "2026-01-01", "0001-01"} {
		if _, err := ParsePeriod(s); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", s, err)
		}
	}
	now := time.Date(2026, 10, 6, 0, 0, 0, 0, time.UTC)
	for s, ok := range map[string]bool{"2026-10": true, "2026-05": true, "2026-04": false, "2026-11": false} {
		p, _ := ParsePeriod(s)
		if err := p.check(now, false); (err == nil) != ok || err != nil && !errors.Is(err, ErrOutOfWindow) {
			t.Errorf("%s: %v", s, err)
		}
	}
	if err := (Period{2026, time.April}).check(now, true); err != nil {
		t.Errorf("archive: %v", err)
	}
	if err := (Period{}).check(now, true); !fault.Is(err, fault.Invalid) {
		t.Errorf("no month: %v", err)
	}
}

func TestVerdicts(t *testing.T) {
	asked := []User{{Username: "A@x.example"}, {Username: "b@x.example"}, {Username: "c@x.example"}}
	for _, tt := range []struct{ name, body, want string }{
		{"as in the guide", `{"message":"m","addedUsers":{"users":["a@x.example","b@x.example","c@x.example"],"status":"SUCCESS","failedUsers":[],"detailedStatus":{"a@x.example":"Success"}}}`, "joined joined joined"},
		{"not wrapped", `{"users":["a@x.example"],"status":"SUCCESS","failedUsers":["b@x.example"]}`, "joined failed unknown"},
		{"invited apart", `{"addedUsers":{"users":["a@x.example"]},"invitedUsers":{"users":["b@x.example"]}}`, "joined invited unknown"},
		{"invited as a list", `{"addedUsers":{"users":["a@x.example"]},"invitedUsers":["b@x.example"]}`, "joined invited unknown"},
		{"invited within", `{"addedUsers":{"users":["a@x.example"],"invitedUsers":["c@x.example"]}}`, "joined unknown invited"},
		{"failed as objects", `{"addedUsers":{"users":[],"failedUsers":[{"username":"a@x.example","reason":"no"}]}}`, "failed unknown unknown"},
		{"added and failed", `{"addedUsers":{"users":["a@x.example"],"failedUsers":["A@X.example"]}}`, "failed unknown unknown"},
		{"words against", `{"addedUsers":{"users":["a@x.example","b@x.example"],"detailedStatus":{"a@x.example":"Failed: quota","b@x.example":"Invitation sent"}}}`, "failed invited unknown"},
		{"words of neither", `{"addedUsers":{"users":["a@x.example"],"detailedStatus":{"a@x.example":"pending review"}}}`, "unknown unknown unknown"},
		{"nothing", `{}`, "unknown unknown unknown"},
		{"no JSON", `ok`, "unknown unknown unknown"},
	} {
		got := addedOf([]byte(tt.body), asked)
		var words []string
		for _, u := range asked {
			words = append(words, string(got.Verdicts[u.Username]))
		}
		if s := strings.Join(words, " "); s != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, s, tt.want)
		}
	}
}

func TestUserAsInTheGuide(t *testing.T) {
	m, ok := memberOf([]byte(`{"user":{"firstName":"John","lastName":"Doe","username":" johndoe@lorem.com ","email":"johndoe@lorem.com","idpId":"lorem","domain":"lorem.com","accessible":"true"},
		"orgRoles":{"orgRoles":[{"id":"msp:provider_operations_admin","name":"Provider Operations Administrator","memberType":"DIRECT"},{"id":"msp:provider_admin","memberType":"GROUP"}]},
		"serviceRolesList":[{"serviceId":"I8_","roles":[{"roleId":"log-intelligence:admin","name":"log-intelligence:admin","hidden":false}]}]}`))
	if !ok || m.Username != "johndoe@lorem.com" || m.IdP != "lorem" || !m.Accessible || len(m.Roles) != 2 || !m.Roles[0].Direct || m.Roles[1].Direct ||
		m.Services[0].Roles[0] != "log-intelligence:admin" {
		t.Errorf("%+v, %v", m, ok)
	}
	if got := m.RoleNames(); !slices.Equal(got, []string{ProviderAdmin, ProviderOperations}) {
		t.Errorf("roles %q", got)
	}
	if _, ok := memberOf([]byte(`{"user":{}}`)); ok {
		t.Error("nobody was read as a user")
	}
}

func TestRolesAndUsers(t *testing.T) {
	add, remove := Difference([]string{ProviderSupport, ProviderAdmin}, []string{ProviderBilling, ProviderAdmin, ProviderBilling})
	if !slices.Equal(add, []string{ProviderBilling}) || !slices.Equal(remove, []string{ProviderSupport}) {
		t.Errorf("add %q, remove %q", add, remove)
	}
	member := func(name string, roles ...string) (m Member) {
		m.Username = name
		for _, r := range roles {
			m.Roles = append(m.Roles, HeldRole{Name: r, Direct: true})
		}
		return m
	}
	all := []Member{member("a@x.example", ProviderAdmin, ProviderSupport), member("b@x.example", ProviderAdmin), member("c@x.example", TenantAdmin), member("d@x.example", TenantUser)}
	for name, want := range map[string]bool{"a@x.example": false, "C@X.example": true, "d@x.example": false, "nobody@x.example": false} {
		if got := LastAdmin(all, name); got != want {
			t.Errorf("last administrator %s: %v", name, got)
		}
	}
	if !LastAdmin(all[1:], "b@x.example") {
		t.Error("the last provider administrator was not seen")
	}
	now := time.Now()
	open := []Invitation{{Username: "E@x.example", Stored: "AVAILABLE", Expires: now.Add(time.Hour)}, {Username: "f@x.example", Expires: now}}
	for name, want := range map[string]Verdict{"A@x.example": Joined, "e@x.example": Invited, "f@x.example": Unknown, "g@x.example": Unknown} {
		if got := Locate(name, all, open, now); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func TestGroup(t *testing.T) {
	one := func(name string, roles ...string) AddUsers {
		return AddUsers{Users: []User{{Username: name}}, Roles: roles}
	}
	bound := one("d", ProviderAccountAdmin)
	bound.Bindings = []string{"t1", "t2"}
	bound2 := one("e", ProviderAccountAdmin)
	bound2.Bindings = []string{"t2", "t1"}
	served := one("f", TenantUser)
	served.Services = []ServiceRoles{{"s", []string{"b", "a"}}}
	served2 := one("g", TenantUser)
	served2.Services = []ServiceRoles{{"s", []string{"a", "b"}}}
	asked := []AddUsers{one("a", TenantUser, TenantBilling), one("b", TenantUser), one("c", TenantBilling, TenantUser), bound, bound2, served, served2}
	var got []string
	for _, g := range Group(asked) {
		names := ""
		for _, u := range g.Users {
			names += u.Username
		}
		got = append(got, names)
	}
	if !slices.Equal(got, []string{"ac", "b", "de", "fg"}) || len(asked[0].Users) != 1 || served.Services[0].Roles[0] != "b" {
		t.Errorf("grouped %q", got)
	}
}

func TestChecks(t *testing.T) {
	good := AddUsers{Users: []User{{Username: "a@x.example"}}, Roles: []string{TenantAdmin}}
	if err := good.check(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*AddUsers){
		"no users": func(u *AddUsers) { u.Users = nil }, "no roles": func(u *AddUsers) { u.Roles = nil },
		"the guide's jimdoe@.com": func(u *AddUsers) { u.Users = []User{{Username: "jimdoe@.com"}} },
		"a name":                  func(u *AddUsers) { u.Users = []User{{Username: "Jim <jim@x.example>"}} },
		"an unknown role":         func(u *AddUsers) { u.Roles = []string{"msp:provider_admn"} },
		"no bindings":             func(u *AddUsers) { u.Roles = []string{ProviderAccountAdmin} },
		"a binding that is none":  func(u *AddUsers) { u.Bindings = []string{"a/b"} },
		"a service without roles": func(u *AddUsers) { u.Services = []ServiceRoles{{Service: "s"}} },
	} {
		u := good
		change(&u)
		if err := u.check(); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "jim") {
			t.Errorf("%s: %v", name, err)
		}
	}
	user := User{Username: "a@x.example"}
	for name, err := range map[string]error{
		"nothing": checkChange(user, nil, nil), "no user": checkChange(User{}, []string{TenantUser}, nil),
		"unknown": checkChange(user, []string{"admin"}, nil), "account admin": checkChange(user, []string{ProviderAccountAdmin}, nil),
		"both": checkChange(user, []string{TenantUser}, []string{TenantUser}), "empty": checkChange(user, nil, []string{""}),
	} {
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := checkChange(user, nil, []string{"msp:a_role_of_tomorrow"}); err != nil {
		t.Errorf("a held role that the guide does not list cannot be removed: %v", err)
	}
}

func TestFindTenants(t *testing.T) {
	d := TenantDraft{Tag: " onb-1 ", Domain: "acme.example", DisplayName: "Acme"}
	tagged := Organization{ID: "1", Tag: "onb-1"}
	named := Organization{ID: "2", Domain: "ACME.example", DisplayName: "acme "}
	other := Organization{ID: "3", Tag: "onb-2", Domain: "acme.example", DisplayName: "Acme"}
	for _, tt := range []struct {
		all  []Organization
		want string
	}{
		{[]Organization{named, tagged, other}, "1"}, {[]Organization{named, other}, "2"}, {[]Organization{other}, ""}, {[]Organization{tagged, tagged}, "11"},
	} {
		got := ""
		for _, o := range FindTenants(tt.all, d) {
			got += o.ID
		}
		if got != tt.want {
			t.Errorf("found %q, want %q", got, tt.want)
		}
	}
}

func TestOrganizationAsInTheGuide(t *testing.T) {
	o, ok := organizationOf([]byte(`{"createTimestamp":1557857413135,"updateTimestamp":"1563265359178","id":" 9fb942e0 ","name":" jy99ayz7","tag":" hightouchVMC ","childOrgIds":[],"isFederated":"false","surprise":{"x":[1]}}`))
	if !ok || o.ID != "9fb942e0" || o.Name != "jy99ayz7" || o.Tag != "hightouchVMC" || o.Federated || o.Created.Year() != 2019 || o.Updated.IsZero() || !strings.Contains(string(o.Raw), `" hightouchVMC "`) {
		t.Errorf("%+v, %v", o, ok)
	}
}

const treeText = `[{"createTimestamp":1568178851354,"orgId":"t","orgName":"Coke","services":[
	{"serviceDefId":"s","serviceName":"VMC","serviceUsageAmount":0.10,"serviceBillableUsageAmount":"0.1",
	 "subscriptions":[{"sid":"1","subscriptionUuid":"u","skuData":{"skus":[{"crossReferenceSku":"c","unitPrice":"51987.0","currency":"USD","offerInfo":{"quantity":1},"usage":[],"totalUsageQuantity":0.123456789012345678}],"pageSize":1},
	   "subscriptionStartTime":1523123678000,"subscriptionEndTime":0,"status":"ACTIVE","subscriptionType":"TERM"}]},
	{"serviceDefId":"s2","subscriptions":null}],"orgUsageAmount":1e2,"orgBillableUsageAmount":0.0}]`

func read(text string, foreign func(string) bool) (items []UsageItem, err error) {
	err = readTree(io.NopCloser(strings.NewReader(text)), "read", foreign, func(i UsageItem) bool { items = append(items, i); return true })
	return items, err
}

func nobody(string) bool { return false }

func TestTree(t *testing.T) {
	for name, text := range map[string]string{
		"as in the guide":                    treeText,
		"children before their parents' ids": `[{"services":[{"subscriptions":[{"sid":"1","subscriptionUuid":"u","skuData":{"pageSize":"1","skus":[{"crossReferenceSku":"c","unitPrice":51987.0,"totalUsageQuantity":"0.123456789012345678"}]},"subscriptionStartTime":1523123678,"subscriptionType":"TERM"}],"serviceDefId":"s","serviceName":"VMC","serviceUsageAmount":"0.10"},{"serviceDefId":"s2"}],"orgId":"t","orgName":"Coke","orgUsageAmount":1e2}]`,
	} {
		items, err := read(text, nobody)
		if err != nil || len(items) != 4 {
			t.Fatalf("%s: %d items, %v", name, len(items), err)
		}
		s, v, o := items[0].Subscription, items[1].Service, items[3].Organization
		if s == nil || s.OrgID != "t" || s.ServiceID != "s" || s.ServiceName != "VMC" || s.ID != "1" || s.Type != "TERM" || !s.End.IsZero() || s.Start.Year() != 2018 || s.Truncated() ||
			s.Skus[0].UnitPrice != "51987.0" || s.Skus[0].TotalUsage != "0.123456789012345678" {
			t.Errorf("%s: subscription %+v", name, s)
		}
		if v == nil || v.OrgID != "t" || v.Amount != "0.10" || items[2].Service == nil || o == nil || o.Name != "Coke" || o.Amount != "1e2" {
			t.Errorf("%s: service %+v, organization %+v", name, v, o)
		}
	}
	for text, n := range map[string]int{"[]": 0, "null": 0, `[{"orgId":"t"}]`: 1} {
		if items, err := read(text, nobody); err != nil || len(items) != n {
			t.Errorf("%s: %d items, %v", text, len(items), err)
		}
	}
}

func TestTreeRefuses(t *testing.T) {
	for _, text := range []string{"", "{}", "1", "[", "[{", "[1]", `[{}]`, `[{"orgId":""}]`, `[{"orgId":"t","services":{}}]`, `[{"orgId":"t"}`, `[{"orgId":"t"}]x`,
		`[{"orgId":"t","services":[{"subscriptions":[1]}]}]`, `[{"orgId":"t","services":[{"subscriptions":[{"skuData":{"skus":["x"]}}]}]}]`, treeText[:300], "<html>"} {
		if _, err := read(text, nobody); !fault.Is(err, fault.Transient) || strings.Contains(err.Error(), "html") {
			t.Errorf("%.40q: %v", text, err)
		}
	}
	items, err := read(treeText, foreignTo("m", "other", false))
	if !errors.Is(err, ErrForeign) || len(items) != 0 {
		t.Errorf("foreign: %d items, %v", len(items), err)
	}
	for size, ok := range map[int]bool{1: true, 3: false} {
		s := &Subscription{Skus: make([]Sku, size), PageSize: 1}
		if s.Truncated() == ok {
			t.Errorf("%d of 1 skus: truncated %v", size, s.Truncated())
		}
	}
	if _, err := read(`[{"orgId":"t","services":[{"serviceDefId":"s","subscriptions":[{"x":"`+strings.Repeat("a", 2*maxElement)+`"}]}]}]`, nobody); !fault.Is(err, fault.Transient) {
		t.Errorf("an element without an end: %v", err)
	}
}

func TestTicketForms(t *testing.T) {
	for _, text := range []string{`{"id":"18625917011","status":"Open","createTimestamp":1}`, `{"id":18625917011,"status":" Open "}`, `{"supportTicket":{"id":"18625917011","status":"Open"}}`} {
		if got, ok := ticketOf([]byte(text)); !ok || got.ID != "18625917011" || got.Status != "Open" || got.Closed() {
			t.Errorf("%s: %+v", text, got)
		}
	}
	for status, want := range map[string]bool{"Closed": true, "CLOSED": true, "Closed - Resolved": true, "Open": false, "": false, "Not closed": false} {
		if (Ticket{Status: status}).Closed() != want {
			t.Errorf("%q", status)
		}
	}
	for location, want := range map[string]string{
		"/cphub/api/support/v1/orgs/o/support-requests/77": "77", "https://evil.example/support-requests/77/": "77", "/support-requests/": "",
		"/orgs/o/77": "", "": "", "/support-requests/..": "", "/support-requests/a%2fb": "", ":": "",
	} {
		if got := ticketID(location); got != want {
			t.Errorf("%q: %q, want %q", location, got, want)
		}
	}
	for raw, want := range map[string]string{`"General"`: "General", `{"issueCategoryId":"x","name":"X"}`: "x", `{"name":"X"}`: "X", `{}`: "", `null`: ""} {
		if c, ok := categoryOf(json.RawMessage(raw)); c.ID != want || ok != (want != "") {
			t.Errorf("%s: %+v, %v", raw, c, ok)
		}
	}
}

func TestBaseName(t *testing.T) {
	for name, want := range map[string]string{
		"a.zip": "a.zip", "/any/where/a.zip": "a.zip", `C:\Users\me\a.zip`: "a.zip", "../x.csv": "x.csv", "..": "", ".": "", "": "", "/": "", "a\r\nb": "", "dir/": "dir",
	} {
		if got := baseName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func jwt(claims string) string {
	return "h." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".s"
}

func TestLifeOfAToken(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for token, want := range map[string]time.Duration{
		jwt(`{"iat":1700000000,"exp":1700001800}`): 30 * time.Minute, // the hub's clock counts, not ours
		jwt(`{"exp":1800000600}`):                  10 * time.Minute,
		jwt(`{"exp":"1800000600"}`):                10 * time.Minute,
		jwt(`{"exp":1800000600.9}`):                10 * time.Minute,
		jwt(`{"exp":1799999999}`):                  0,
		jwt(`{"exp":99999999999999}`):              0,
		jwt(`{"exp":-5}`):                          0,
		jwt(`{"exp":1e400}`):                       0,
		jwt(`{}`):                                  0,
		jwt(`[]`):                                  0,
		"opaque":                                   0,
		"a.b":                                      0,
		"a.!!.c":                                   0,
		"h." + base64.URLEncoding.EncodeToString([]byte(`{"exp":1800000600}`)) + ".s": 10 * time.Minute,
	} {
		if got, ok := lifeOf(token, now); got != want || ok != (want > 0) {
			t.Errorf("%s: %v, %v, want %v", token, got, ok, want)
		}
	}
}

func TestQueriesAreExplicit(t *testing.T) {
	q := UsageQuery{Period: Period{2026, time.September}, Tenant: "t", Services: []string{"a", "b"}, Detail: true}
	got := maps.Collect(maps.All(q.values(Seconds)))
	if fmt.Sprint(got["startTime"], got["endTime"], got["detailView"], got["providerReport"], got["tenantId"], got["serviceIds"]) != "[1788264000] [1790856000] [false] [false] [t] [a,b]" {
		t.Errorf("%v", got)
	}
	for name, q := range map[string]UsageQuery{
		"provider with a tenant": {Period: q.Period, Tenant: "t", Provider: true}, "unit": {Period: q.Period, Unit: "us"},
		"service": {Period: q.Period, Services: []string{"a,b"}}, "tenant": {Period: q.Period, Tenant: "a b"}, "no month": {},
	} {
		if err := q.check(q.Period.Start()); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, q := range []SubscriptionQuery{{}, {Tenant: "t", All: true}, {All: true, Provider: true}, {Tenant: "t", Provider: true}} {
		if _, err := q.values(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", q, err)
		}
	}
	for want, q := range map[string]SubscriptionQuery{
		"allTenants=false&providerReport=false&tenantId=t": {Tenant: "t"}, "allTenants=true&providerReport=false": {All: true}, "allTenants=false&providerReport=true": {Provider: true},
	} {
		if v, err := q.values(); err != nil || v.Encode() != want {
			t.Errorf("%v, %v, want %s", v.Encode(), err, want)
		}
	}
}
