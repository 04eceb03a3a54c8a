package storage

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

//go:generate go run ./gen

// What the generated tables are made of.
type (
	field  = rest.Field
	method = rest.Method
)

// The ops that faults and calls tell apart beside the published ids: one published method speaks several protocols.
const (
	opTest     = "storage.buckets.testIamPermissions"
	opDownload = "storage.objects.download" // objects.get with alt=media
	opStart    = "storage.uploads.start"    // objects.insert that begins a resumable upload
	opChunk    = "storage.uploads.chunk"
	opStatus   = "storage.uploads.status"
	opCancel   = "storage.uploads.cancel"
)

// route is a way to a method.
type route struct {
	method *method
	upload bool
	http   string
	path   *regexp.Regexp
}

var routes = compile(methods)

func compile(methods []method) []route {
	var all []route
	for i := range methods {
		m := &methods[i]
		all = append(all, route{m, false, m.HTTP, pattern(m.Path)})
		for _, verb := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
			if m.Upload != "" {
				all = append(all, route{m, true, verb, pattern(m.Upload)}, route{m, true, verb, pattern("/resumable" + m.Upload)})
			}
		}
	}
	return all
}

var placeholder = regexp.MustCompile(`\\\{(\w+)\\\}`)

// pattern matches an escaped path: a parameter is one segment of it.
func pattern(path string) *regexp.Regexp {
	return regexp.MustCompile("^" + placeholder.ReplaceAllString(regexp.QuoteMeta(path), "(?P<$1>[^/]+)") + "$")
}

// find returns the route of a request and the values of its path parameters, nil if there is no such method.
func find(httpMethod string, u *url.URL) (*route, map[string]string) {
	for i := range routes {
		r := &routes[i]
		if r.http != httpMethod {
			continue
		}
		if found := r.path.FindStringSubmatch(u.EscapedPath()); found != nil {
			return r, unescape(r.path.SubexpNames(), found)
		}
	}
	return nil, nil
}

func unescape(names, values []string) map[string]string {
	params := map[string]string{}
	for i := 1; i < len(names); i++ {
		params[names[i]], _ = url.PathUnescape(values[i]) // the URL has been parsed: every escape is one
	}
	return params
}

// op is the name under which faults and calls know a request.
func (r *route) op(verb string, header http.Header, query url.Values) string {
	switch {
	case r.upload && verb == http.MethodDelete:
		return opCancel
	case r.upload && verb == http.MethodPut && strings.HasPrefix(header.Get("Content-Range"), "bytes */"):
		return opStatus
	case r.upload && verb == http.MethodPut:
		return opChunk
	case r.upload && query.Get("uploadType") == "resumable":
		return opStart
	case r.method.Download && query.Get("alt") == "media":
		return opDownload
	}
	return r.method.Op
}

// refused are parameters that the contract has and the simulator has not.
var refused = map[string]bool{
	"fields": true, "softDeleted": true, "restoreToken": true, "versions": true, "matchGlob": true, "filter": true, "includeFoldersAsPrefixes": true,
	"includeTrailingDelimiter": true, "kmsKeyName": true, "destinationKmsKeyName": true, "predefinedAcl": true, "destinationPredefinedAcl": true,
	"contentEncoding": true, "dropContextGroups": true,
}

// checkQuery compares the query with the parameters that the method and the API have. A session of an upload has a parameter of its own.
func checkQuery(r *route, query url.Values) *failure {
	for name, values := range query {
		f := rest.Parameter(name, r.method.Params, standard)
		switch {
		case name == "upload_id" && r.upload:
		case f == nil:
			return invalid("Unknown parameter: " + server.Clip(name))
		case refused[name]:
			return invalid("This simulator has no " + name + ".")
		case len(values) != 1 && !f.Array:
			return invalid("The parameter is not repeated: " + name)
		case f.Wrong(values[0]) != "":
			return invalid("Invalid value of " + name + ": " + f.Wrong(values[0]))
		case f.Format == "int64" && number(values[0]) < 0:
			return invalid("Invalid unsigned integer value of " + name + ".")
		}
	}
	return nil
}

// number reads a number of the query, -1 if it is none.
func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return -1
	}
	return n
}
