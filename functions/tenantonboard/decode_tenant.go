package tenantonboard

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/shared/strict"
)

// decoder reads requests of all forms once they are values.
type decoder struct {
	*strict.Reader
	rules   Rules
	tenants map[string]int // lines of the keys
}

func newDecoder(rules Rules, o strict.Options) *decoder {
	return &decoder{strict.New(o), rules, map[string]int{}}
}

// What a request may name.
var (
	roleNames = []string{
		"provider_account_admin", "provider_admin", "provider_billing_user", "provider_operations_admin", "provider_support_user",
		"tenant_admin", "tenant_billing_user", "tenant_user",
	}
	apiNames    = []string{"cloudresourcemanager", "cloudsupport", "essentialcontacts", "recommender", "servicehealth", "serviceusage"}
	memberRoles = map[string]string{
		"organizationViewer":  "roles/resourcemanager.organizationViewer",
		"supportAccountAdmin": supportAccountAdmin,
		"techSupportEditor":   "roles/cloudsupport.techSupportEditor",
		"techSupportViewer":   "roles/cloudsupport.techSupportViewer",
	}
	contactCategories = []string{"ALL", "BILLING", "LEGAL", "PRODUCT_UPDATES", "SECURITY", "SUSPENSION", "TECHNICAL", "TECHNICAL_INCIDENTS"}
	readableNames     = []string{"recommender", "servicehealth"}
)

const (
	accountAdmin        = "provider_account_admin"
	supportAccountAdmin = "roles/cloudsupport.admin"
	owner               = "roles/owner"
	maxName             = 200 // characters
)

var (
	keyForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,38}[a-z0-9]$`)
	hostForm    = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]$`)
	localForm   = regexp.MustCompile("^[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}$")
	orgForm     = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
	parentForm  = regexp.MustCompile(`^(projects/([a-z][a-z0-9-]{4,28}[a-z0-9]|[1-9][0-9]{0,18})|organizations/[1-9][0-9]{0,18})$`)
	topicForm   = regexp.MustCompile(`^projects/[a-z][a-z0-9-]{4,28}[a-z0-9]/topics/[A-Za-z][A-Za-z0-9._~+%-]{2,254}$`)
	apiForm     = regexp.MustCompile(`^[a-z][a-z0-9-]{1,62}(\.[a-z0-9-]{1,63}){0,3}\.googleapis\.com$`)
	roleForm    = regexp.MustCompile(`^roles/[A-Za-z0-9_]{1,60}(\.[A-Za-z0-9_]{1,60})?$`)
	languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$`)
)

func (d *decoder) request(root strict.Value, req *Request) {
	there := root.Mapping(strict.Fields{
		"tenants": func(v strict.Value) {
			v.List(func(e strict.Value) { req.Tenants = append(req.Tenants, d.tenant(e)) })
		},
	}, "tenants")
	switch v, ok := there["tenants"]; {
	case !ok:
	case len(req.Tenants) == 0:
		v.Problem("must have at least one tenant")
	case len(req.Tenants) > d.rules.MaxTenants:
		v.Problem("has %d tenants, and one request may have %d; send several requests", len(req.Tenants), d.rules.MaxTenants)
	}
}

func (d *decoder) tenant(v strict.Value) Tenant {
	t := Tenant{OnFailure: Stop, Line: v.Line()}
	there := v.Mapping(strict.Fields{
		"tenant":       strict.Text(&t.Key, tenantKey),
		"organization": func(v strict.Value) { organization(v, &t.Organization) },
		"users":        func(v strict.Value) { t.Users = d.users(v) },
		"google":       func(v strict.Value) { t.Google = d.google(v) },
		"prune":        strict.Yes(&t.Prune),
		"onFailure":    strict.OneOf(&t.OnFailure, Stop, Undo),
	}, "tenant", "organization")
	there["tenant"].Unique(t.Key, "the key of another tenant", d.tenants)
	return t
}

func organization(v strict.Value, o *Organization) {
	o.Type = "DEFAULT"
	v.Mapping(strict.Fields{
		"displayName": strict.Text(&o.DisplayName, name),
		"companyName": strict.Text(&o.CompanyName, name),
		"country":     strict.Text(&o.Country, country),
		"city":        strict.Text(&o.City, name),
		"state":       strict.Text(&o.State, name),
		"zip":         strict.Text(&o.Zip, name),
		"domain":      strict.Text(&o.Domain, host),
		"type":        strict.OneOf(&o.Type, "DEFAULT", "INTERNAL"),
	}, "displayName", "companyName", "country", "city", "state", "zip", "domain")
}

func (d *decoder) users(v strict.Value) (users []User) {
	addresses := map[string]int{}
	v.List(func(e strict.Value) {
		if len(users) == maxUsers {
			e.Problem("is one of more than %d users; a tenant has at most that many", maxUsers)
		}
		users = append(users, d.user(e, addresses))
	})
	return users
}

func (d *decoder) user(v strict.Value, addresses map[string]int) User {
	u := User{Line: v.Line()}
	there := v.Mapping(strict.Fields{
		"email":    strict.Text(&u.Email, d.address),
		"roles":    words(&u.Roles, hubRole),
		"bindings": words(&u.Bindings, binding),
	}, "email", "roles")
	there["email"].Unique(strings.ToLower(u.Email), "the address of another user of this tenant", addresses)
	atLeastOne(there, "roles", u.Roles)
	bound, ok := there["bindings"]
	switch binds := slices.Contains(u.Roles, accountAdmin); {
	case binds && !ok:
		v.Problem("must have bindings: role %s manages organizations, and they are named there", accountAdmin)
	case binds:
		atLeastOne(there, "bindings", u.Bindings)
	case ok && len(u.Roles) > 0:
		bound.Problem("is only for role %s; remove it", accountAdmin)
	}
	return u
}

func (d *decoder) google(v strict.Value) *Google {
	g := &Google{Line: v.Line()}
	there := v.Mapping(strict.Fields{
		"parent":        strict.Text(&g.Parent, matching(parentForm, "must be projects/ID, projects/NUMBER or organizations/NUMBER")),
		"apis":          words(&g.APIs, api),
		"members":       func(v strict.Value) { g.Members = d.members(v) },
		"contacts":      func(v strict.Value) { g.Contacts = d.contacts(v) },
		"testCase":      strict.Yes(&g.TestCase),
		"supportEvents": strict.Text(&g.SupportEvents, matching(topicForm, "must be a topic, as projects/P/topics/T")),
		"readable":      words(&g.Readable, one(readableNames)),
	}, "parent")
	whole := strings.HasPrefix(g.Parent, "organizations/")
	for key, wants := range map[string]bool{"apis": false, "supportEvents": true} {
		if f, ok := there[key]; ok && g.Parent != "" && whole != wants {
			f.Problem("is for a parent that is %s; remove it, or name another parent", map[bool]string{true: "an organization", false: "a project"}[wants])
		}
	}
	for _, m := range g.Members {
		if g.Parent != "" && !whole && slices.ContainsFunc(m.Roles, func(r string) bool { return slices.Contains(ofOrganizations, r) }) {
			v.Add(m.Line, v.At("members"), "has a role that can be given on an organization only, as supportAccountAdmin or organizationViewer; remove it")
		}
	}
	return g
}

func (d *decoder) members(v strict.Value) (members []Member) {
	seen := map[string]int{}
	v.List(func(e strict.Value) {
		m := Member{Line: e.Line()}
		there := e.Mapping(strict.Fields{
			"member": strict.Text(&m.Member, d.member),
			"roles":  words(&m.Roles, memberRole),
		}, "member", "roles")
		there["member"].Unique(strings.ToLower(m.Member), "another member", seen)
		atLeastOne(there, "roles", m.Roles)
		if strings.HasPrefix(m.Member, "user:") && slices.Contains(m.Roles, owner) {
			there["roles"].Problem("must not have %s: Google makes nobody owner this way; invite the owner in the console", owner)
		}
		members = append(members, m)
	})
	return members
}

func (d *decoder) contacts(v strict.Value) (contacts []Contact) {
	seen := map[string]int{}
	v.List(func(e strict.Value) {
		c := Contact{Language: "en", Line: e.Line()}
		there := e.Mapping(strict.Fields{
			"email":      strict.Text(&c.Email, d.address),
			"categories": words(&c.Categories, one(contactCategories)),
			"language":   strict.Text(&c.Language, matching(languageTag, "must be a language tag such as en or pt-BR")),
		}, "email", "categories")
		there["email"].Unique(strings.ToLower(c.Email), "the address of another contact", seen)
		atLeastOne(there, "categories", c.Categories)
		contacts = append(contacts, c)
	})
	return contacts
}

// A reading makes of a word what is stored, and says what is wrong with it, "" if nothing is.
type reading func(string) (string, string)

// words reads a list of words, each there once.
func words(dst *[]string, read reading) func(strict.Value) {
	return func(v strict.Value) {
		seen := map[string]bool{}
		v.List(func(e strict.Value) {
			s := e.Scalar("a word")
			if s == "" {
				return
			}
			word, message := read(s)
			switch {
			case message != "":
				e.Problem("%s", message)
			case seen[word]:
				e.Problem("is in the list twice; remove one")
			default:
				seen[word], *dst = true, append(*dst, word)
			}
		})
	}
}

// atLeastOne says so of a list that is there and empty.
func atLeastOne(there map[string]strict.Value, key string, words []string) {
	if v, ok := there[key]; ok && len(words) == 0 && v.Empty() {
		v.Problem("must have at least one")
	}
}

func one(of []string) reading {
	return func(s string) (string, string) { return s, strict.Words(of...)(s) }
}

func hubRole(s string) (string, string) {
	s = strings.TrimPrefix(s, rolePrefix)
	return s, strict.Words(roleNames...)(s)
}

func binding(s string) (string, string) {
	return s, matching(orgForm, "must be the id of an organization, such as 9d9648a7-115a-4a06-a613-a0c4077469f7")(s)
}

func api(s string) (string, string) {
	switch {
	case slices.Contains(apiNames, s):
		return s + ".googleapis.com", ""
	case apiForm.MatchString(s):
		return s, ""
	}
	return "", "must be " + strict.Alternatives(apiNames) + ", or a whole name that ends in .googleapis.com" + strict.Suggest(s, apiNames)
}

func memberRole(s string) (string, string) {
	if full, ok := memberRoles[s]; ok {
		return full, ""
	}
	if roleForm.MatchString(s) {
		return s, ""
	}
	short := []string{"organizationViewer", "supportAccountAdmin", "techSupportEditor", "techSupportViewer"}
	return "", "must be " + strict.Alternatives(short) + ", or a whole name that begins with roles/" + strict.Suggest(s, short)
}

// matching makes a check of a pattern and the sentence that says what to write.
func matching(pattern *regexp.Regexp, sentence string) strict.Check {
	return func(s string) string {
		if pattern.MatchString(s) {
			return ""
		}
		return sentence
	}
}

func tenantKey(s string) string {
	return matching(keyForm, "must be 2 to 40 of the characters a-z, 0-9 and -, with no - at its ends")(s)
}

func host(s string) string {
	return matching(hostForm, "must be a domain such as example.com")(s)
}

func country(s string) string {
	if countries[s] {
		return ""
	}
	return "must be the two capital letters of a country in ISO 3166-1, such as DE"
}

// name is what the hub shows to people. It trims spaces, so a name with spaces at its ends would never be the one that is there.
func name(s string) string {
	switch {
	case strings.TrimSpace(s) != s:
		return "must not begin or end with a space"
	case utf8.RuneCountInString(s) > maxName:
		return "is too long; write at most 200 characters"
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "must be one line of printable characters"
	}
	return ""
}

// address is a person's mail address, in one of the domains that are allowed.
func (d *decoder) address(s string) string {
	local, domain, _ := strings.Cut(s, "@")
	a, err := mail.ParseAddress(s)
	switch {
	case err != nil, a.Address != s, len(s) > 254, !localForm.MatchString(local), !hostForm.MatchString(domain):
		return "must be a mail address such as jo@example.com"
	case len(d.rules.Domains) > 0 && !slices.Contains(d.rules.Domains, strings.ToLower(domain)):
		return "is an address outside the domains that the configuration allows: " + strings.Join(d.rules.Domains, ", ")
	}
	return ""
}

// member is somebody who can be named one by one. A service account is no person: its domain is Google's.
func (d *decoder) member(s string) string {
	kind, address, _ := strings.Cut(s, ":")
	switch kind {
	case "user", "group":
		return d.address(address)
	case "serviceAccount":
		return (&decoder{}).address(address)
	}
	return "must be user:, group: or serviceAccount: and an address; whole domains and everybody are not let in from here"
}
