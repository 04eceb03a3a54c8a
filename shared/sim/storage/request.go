package storage

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

const (
	maxMedia   = 64 << 20 // bytes of one request with content
	maxPayload = 1 << 20  // bytes of any other
)

// request is one call of the API.
type request struct {
	*server.Request
	route  *route
	params map[string]string // of the path
	object metadata          // what the caller says of an object
	kind   string            // type of the content that came with it
	media  []byte
}

// find routes a request.
func (s *Server) find(r *http.Request) (*server.Method, server.Reply) {
	route, params := find(r.Method, r.URL)
	if route == nil {
		return nil, (&failure{code: http.StatusNotFound, reason: "notFound", message: "Not Found"}).reply()
	}
	op := route.op(r.Method, r.Header, r.URL.Query())
	limit := int64(maxPayload)
	if route.upload {
		limit = maxMedia
	}
	run := func(_ context.Context, in *server.Request, at time.Time) server.Reply {
		return s.execute(&request{Request: in, route: route, params: params}, at)
	}
	return &server.Method{Op: op, Limit: limit, Run: run}, server.Reply{}
}

// parse reads the body as the op has it.
func (rq *request) parse() *failure {
	kind := rq.Header.Get("Content-Type")
	switch rq.Op {
	case opChunk:
		return nil
	case opStart, "storage.objects.rewrite":
		return rq.parseJSON(kind, rq.Body)
	case "storage.objects.insert":
		return rq.parseUpload(kind)
	}
	if len(rq.Body) > 0 {
		return invalid("The method " + rq.Op + " takes no request body.")
	}
	return nil
}

// parseUpload reads whichever protocol the query names.
func (rq *request) parseUpload(kind string) *failure {
	switch {
	case !rq.route.upload:
		return invalid("Content is inserted at /upload.")
	case rq.Verb != http.MethodPost:
		return invalid("Only the chunks of a resumable upload are put.")
	}
	switch rq.Query.Get("uploadType") {
	case "media":
		rq.kind, rq.media = kind, rq.Body
		return nil
	case "multipart":
		return rq.parseRelated(kind)
	}
	return invalid("The uploadType must be media, multipart or resumable.")
}

// parseRelated reads multipart/related: the metadata, then the content.
func (rq *request) parseRelated(contentType string) *failure {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/related" || params["boundary"] == "" {
		return invalid("A multipart upload must be of type multipart/related with a boundary.")
	}
	r := multipart.NewReader(bytes.NewReader(rq.Body), params["boundary"])
	metaKind, meta, err := part(r)
	if err != nil {
		return invalid("A multipart upload must begin with its metadata.")
	}
	if rq.kind, rq.media, err = part(r); err != nil {
		return invalid("A multipart upload must have the content as its second part.")
	}
	if _, err := r.NextRawPart(); !errors.Is(err, io.EOF) {
		return invalid("A multipart upload must end after its second part.")
	}
	return rq.parseJSON(metaKind, meta)
}

func part(r *multipart.Reader) (kind string, data []byte, err error) {
	p, err := r.NextRawPart()
	if err != nil {
		return "", nil, err
	}
	data, err = io.ReadAll(p)
	return p.Header.Get("Content-Type"), data, err
}

// metadata is what a caller says of an object.
type metadata struct {
	settings
	claims
	Name string
}

// claims are the checksums that a caller states.
type claims struct {
	CRC32C string `json:"crc32c,omitempty"`
	MD5    string `json:"md5,omitempty"`
}

// parseJSON reads metadata. Every field must be one of the schema, and one that the simulator keeps.
func (rq *request) parseJSON(kind string, body []byte) *failure {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if parsed, _, err := mime.ParseMediaType(kind); err != nil || parsed != "application/json" {
		return invalid("The metadata must be of type application/json.")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return invalid("Parse Error")
	}
	m := &rq.object
	places := map[string]any{
		"name": &m.Name, "contentType": &m.Type, "contentDisposition": &m.Disposition, "cacheControl": &m.Cache, "crc32c": &m.CRC32C,
		"md5Hash": &m.MD5, "metadata": &m.Metadata, "bucket": new(string),
	}
	for name, raw := range fields {
		if f := fill(name, raw, places[name]); f != nil {
			return f
		}
	}
	return nil
}

func fill(name string, raw json.RawMessage, place any) *failure {
	known := false
	for _, f := range schemas["Object"] {
		known = known || f.Name == name
	}
	switch {
	case !known:
		return invalid("Unknown field: " + server.Clip(name))
	case place == nil:
		return invalid("This simulator does not keep " + server.Clip(name) + ".")
	case json.Unmarshal(raw, place) != nil:
		return invalid("Invalid value for: " + server.Clip(name))
	}
	return nil
}

// kindOf is the type of the content, whoever says it.
func (m metadata) kindOf(of string) string { return cmp.Or(m.Type, of, "application/octet-stream") }

// named is the name of the object to be inserted: of the query, or else of the metadata.
func (rq *request) named() (string, *failure) {
	name := cmp.Or(rq.Query.Get("name"), rq.object.Name)
	switch {
	case rq.object.Name != "" && rq.object.Name != name:
		return "", invalid("The name in the metadata is another than that in the query.")
	case name == "":
		return "", &failure{code: http.StatusBadRequest, reason: "required", message: "Required parameter: name"}
	}
	return name, checkName(name)
}

func checkName(name string) *failure {
	if len(name) > 1024 || strings.ContainsAny(name, "\r\n") || name == "." || name == ".." || strings.HasPrefix(name, ".well-known/acme-challenge/") {
		return invalid("Invalid object name.")
	}
	return nil
}
