package tenantonboard

import (
	"mime"
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/strict"
)

// Limits of a request.
const (
	maxRequest = 1 << 20 // bytes
	maxValues  = 200000
	maxUsers   = 2000 // of a tenant
	maxMessage = 1 << 10
)

// Rules are what an installation allows in a request.
type Rules struct {
	Domains    []string // in lower case; people's addresses must be in one of them. Empty: in any
	MaxTenants int
}

// form is how a request is written.
type form string

const (
	formYAML form = "yaml"
	formJSON form = "json"
	formCSV  form = "csv" // see decode_csv.go
)

// formOf returns the form that a Content-Type names, "" if it is none of ours.
func formOf(contentType string) form {
	media, params, err := mime.ParseMediaType(contentType)
	if charset, ok := params["charset"]; err != nil || ok && !strings.EqualFold(charset, "utf-8") {
		return ""
	}
	switch media {
	case "application/json":
		return formJSON
	case "text/csv":
		return formCSV
	case "application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml":
		return formYAML
	}
	return ""
}

// decodeRequest reads a request. Its error is fault.Invalid and holds a strict.Problems with everything that must be changed, none of which
// repeats what was sent.
func decodeRequest(contentType string, body []byte, rules Rules) (Request, error) {
	d := newDecoder(rules, strict.Options{Bytes: maxRequest, Values: maxValues, Empty: "write tenants, and how each should be", Hostile: true})
	var req Request
	var root strict.Value
	var ok bool
	switch formOf(contentType) {
	case formYAML:
		root, ok = d.YAML(body)
	case formJSON:
		root, ok = d.JSON(body)
	case formCSV:
		root, ok = d.csv(body)
	default:
		return req, fault.New(fault.Invalid, "the body is neither YAML, JSON nor CSV by its Content-Type: send application/yaml, application/json or text/csv")
	}
	if ok {
		d.request(root, &req)
	}
	if problems := d.Problems(); len(problems) > 0 {
		return Request{}, fault.Wrap(fault.Invalid, problems, "decode the request")
	}
	return req, nil
}

// delivery is a message of topic "tenant-onboarding".
type delivery struct {
	Tenant string `json:"tenant"`
}

// decodeMessage reads a message. An error is fault.Invalid: it can never succeed.
func decodeMessage(data []byte) (m delivery, err error) {
	r := strict.New(strict.Options{Bytes: maxMessage, Values: 10, Empty: "name a tenant", Hostile: true})
	if root, ok := r.JSON(data); ok {
		root.Mapping(strict.Fields{"tenant": strict.Text(&m.Tenant, tenantKey)}, "tenant")
	}
	if problems := r.Problems(); len(problems) > 0 {
		return delivery{}, fault.New(fault.Invalid, `the message is not {"tenant":"key"}: %s`, problems[0].Message)
	}
	return m, nil
}
