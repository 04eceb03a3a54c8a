package hub

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind is the type of a parameter.
type kind int

const (
	text kind = iota
	truth
	truthOrText // "false" and false are both accepted
	count
	texts   // an array of text
	objects // an array of objects
)

// field is one parameter of the guide's tables, in a query or in a body.
type field struct {
	Name     string
	Kind     kind
	Required bool
	Most     int            // characters of a text, elements of an array; 0: 255 and 1000
	Enum     []string       // of a text or of every element
	Form     *regexp.Regexp // of a text
	Fields   []field        // of the objects
}

var (
	country   = regexp.MustCompile(`^[A-Z]{2}$`)
	severity  = regexp.MustCompile(`^[1-4] - [A-Z][a-z]+$`)
	allRoles  = append(append([]string{}, providerRoles...), tenantRoles...)
	fileField = field{Name: "fileReferences", Kind: objects, Most: 20, Fields: []field{
		{Name: "fileName", Required: true, Most: 1024},
		{Name: "action", Required: true, Enum: []string{"ADD", "REMOVE"}},
		{Name: "fileId", Required: true},
	}}
	userField = field{Name: "users", Kind: objects, Required: true, Most: 100, Fields: []field{
		{Name: "username", Required: true},
		{Name: "idpId"},
	}}
)

var exchangeBody = []field{{Name: "refreshToken", Required: true, Most: 4096}}

var tenantBody = []field{
	{Name: "tenantType", Required: true, Enum: []string{"DEFAULT", "INTERNAL"}},
	{Name: "country", Required: true, Form: country},
	{Name: "displayName", Required: true},
	{Name: "companyName", Required: true},
	{Name: "city", Required: true},
	{Name: "state", Required: true},
	{Name: "zip", Required: true},
	{Name: "domain", Required: true},
	{Name: "adminUserEmail"},
	{Name: "tag"},
}

var addUsersBody = []field{
	{Name: "serviceRolesItems", Kind: objects, Most: 100, Fields: []field{
		{Name: "serviceId", Required: true},
		{Name: "roleNamesToAdd", Kind: texts, Most: 100},
	}},
	{Name: "orgRolesToAdd", Kind: texts, Required: true, Most: 8, Enum: allRoles},
	{Name: "orgRoleBindingOrgs", Kind: texts},
	userField,
}

var emailsBody = []field{{Name: "emails", Kind: texts, Required: true, Most: 100}}

var userRolesBody = []field{
	userField,
	{Name: "roleNamesToAdd", Kind: texts, Most: 100, Enum: allRoles},
	{Name: "roleNamesToRemove", Kind: texts, Most: 100},
}

var tenantQuery = []field{{Name: "tenantId"}}

var usageQuery = []field{
	{Name: "startTime", Kind: count}, {Name: "endTime", Kind: count}, {Name: "tenantId"}, {Name: "serviceIds", Most: 4096},
	{Name: "detailView", Kind: truth}, {Name: "providerReport", Kind: truth},
}

var subscriptionsQuery = []field{{Name: "tenantId"}, {Name: "allTenants", Kind: truth}, {Name: "providerReport", Kind: truth}}

var ticketBody = []field{
	{Name: "severity", Required: true, Form: severity},
	{Name: "issueCategoryId", Required: true, Enum: issueCategories()},
	{Name: "userAgreedToEula", Kind: truthOrText, Required: true},
	{Name: "internalTicketId"},
	fileField,
	{Name: "phoneNumber"},
	{Name: "preferredContactMethod"},
	{Name: "description", Required: true, Most: 32_000},
	{Name: "timeZone"},
	{Name: "category", Required: true, Enum: ticketCategories()},
	{Name: "title", Required: true},
	{Name: "orgId", Required: true},
}

var ticketUpdateBody = []field{
	{Name: "closeReason", Enum: closeReasons},
	{Name: "caseId"},
	{Name: "additionalDetails", Most: 32_000},
	{Name: "supportTicketAction", Enum: []string{"CLOSE", "REOPEN", "ESCALATE"}},
	{Name: "customerNumber"},
	fileField,
}

var ticketsQuery = []field{
	{Name: "orgName"}, {Name: "category"}, {Name: "severity"}, {Name: "status"}, {Name: "subject"},
	{Name: "includeTenantOrgs", Kind: truth}, {Name: "internalTicketId"},
	{Name: "pageStart", Kind: count}, {Name: "pageLimit", Kind: count}, {Name: "userTicketsOnly", Kind: truth},
}

func named(fields []field, name string) *field {
	for i := range fields {
		if fields[i].Name == name {
			return &fields[i]
		}
	}
	return nil
}

// checkQuery compares a query with the parameters of a method.
func checkQuery(fields []field, query url.Values) *failure {
	var bad violations
	for name, values := range query {
		f := named(fields, name)
		switch {
		case f == nil:
			bad.add(name, "The method has no such parameter.")
		case len(values) > 1:
			bad.add(name, "The parameter is not repeated.")
		default:
			f.checkText(&bad, name, values[0])
		}
	}
	return bad.failure()
}

// checkText checks a scalar as it stands in a query, and the texts of a body.
func (f *field) checkText(bad *violations, path, value string) {
	most := f.Most
	if most == 0 || f.Kind == texts {
		most = 255
	}
	switch {
	case !utf8.ValidString(value) || strings.ContainsRune(value, 0):
		bad.add(path, "The value is not text.")
	case utf8.RuneCountInString(value) > most:
		bad.add(path, "The value has more than %d characters.", most)
	case f.Kind == truth || f.Kind == truthOrText:
		if value != "true" && value != "false" {
			bad.add(path, "The value must be true or false.")
		}
	case f.Kind == count:
		if n, err := strconv.ParseInt(value, 10, 64); err != nil || n < 0 {
			bad.add(path, "The value must be a number that is not negative.")
		}
	case f.Required && strings.TrimSpace(value) == "":
		bad.add(path, "The value must not be blank.")
	case value != "" && len(f.Enum) > 0 && !slices.Contains(f.Enum, value):
		bad.add(path, "The value must be one of %s.", strings.Join(f.Enum, ", "))
	case value != "" && f.Form != nil && !f.Form.MatchString(value):
		bad.add(path, "The value does not have the form %s.", f.Form)
	}
}

// checkBody compares a JSON object with the fields of a method: names, types, what must be there, nothing twice, nothing after it.
func checkBody(fields []field, body []byte) *failure {
	c := checker{dec: json.NewDecoder(bytes.NewReader(body))}
	c.dec.UseNumber()
	err := c.begin(fields)
	if err == nil {
		if _, more := c.dec.Token(); !errors.Is(more, io.EOF) {
			err = errSyntax
		}
	}
	if err != nil {
		return fail(400, "INVALID_BODY", "The body must be one JSON object.")
	}
	return c.bad.failure()
}

// checker walks through a body token by token.
type checker struct {
	dec *json.Decoder
	bad violations
}

var errSyntax = errors.New("not one JSON object")

func (c *checker) begin(fields []field) error {
	t, err := c.dec.Token()
	if err != nil || t != json.Delim('{') {
		return errSyntax
	}
	return c.object(fields, "")
}

// object checks what follows an opening brace.
func (c *checker) object(fields []field, path string) error {
	seen := map[string]bool{}
	for c.dec.More() {
		t, err := c.dec.Token()
		if err != nil {
			return err
		}
		name, _ := t.(string)
		if seen[name] {
			c.bad.add(path+name, "The field stands there twice.")
		}
		seen[name] = true
		if err := c.member(named(fields, name), path+name); err != nil {
			return err
		}
	}
	for _, f := range fields {
		if f.Required && !seen[f.Name] {
			c.bad.add(path+f.Name, "The field is missing.")
		}
	}
	_, err := c.dec.Token()
	return err
}

func (c *checker) member(f *field, path string) error {
	if f == nil {
		c.bad.add(path, "The method has no such field.")
		var skipped json.RawMessage
		return c.dec.Decode(&skipped)
	}
	if f.Kind == texts || f.Kind == objects {
		return c.array(f, path)
	}
	var v any
	if err := c.dec.Decode(&v); err != nil {
		return err
	}
	c.scalar(f, path, v)
	return nil
}

func (c *checker) scalar(f *field, path string, v any) {
	switch v := v.(type) {
	case string:
		if f.Kind == truth {
			c.bad.add(path, "The value must be true or false.")
			return
		}
		f.checkText(&c.bad, path, v)
	case bool:
		if f.Kind != truth && f.Kind != truthOrText {
			c.bad.add(path, "The value has the wrong type.")
		}
	default:
		c.bad.add(path, "The value has the wrong type.")
	}
}

func (c *checker) array(f *field, path string) error {
	var raw json.RawMessage
	if err := c.dec.Decode(&raw); err != nil {
		return err
	}
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil || items == nil {
		c.bad.add(path, "The value must be an array.")
		return nil
	}
	most := f.Most
	if most == 0 {
		most = 1000
	}
	if len(items) > most {
		c.bad.add(path, "The array has more than %d elements.", most)
		return nil
	}
	if f.Required && len(items) == 0 {
		c.bad.add(path, "The array must not be empty.")
	}
	return c.items(f, path, items)
}

func (c *checker) items(f *field, path string, items []json.RawMessage) error {
	for _, item := range items {
		inner := checker{dec: json.NewDecoder(bytes.NewReader(item))}
		inner.dec.UseNumber()
		t, err := inner.dec.Token()
		if err != nil {
			return err
		}
		switch {
		case f.Kind == objects && t == json.Delim('{'):
			err = inner.object(f.Fields, path+".")
		case f.Kind == texts && isText(t):
			f.checkText(&inner.bad, path, t.(string))
		default:
			inner.bad.add(path, "An element has the wrong type.")
		}
		if err != nil {
			return err
		}
		c.bad = append(c.bad, inner.bad...)
	}
	return nil
}

func isText(t json.Token) bool {
	_, ok := t.(string)
	return ok
}
