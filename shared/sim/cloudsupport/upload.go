package cloudsupport

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strconv"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// Google's upload protocols: "media" (the body is the file, the metadata stands in the query), "multipart" (multipart/related: JSON, then
// the file) and "resumable" (a first request with the metadata, then chunks to the URL that it answers).

// media is the file of an upload.
type media struct {
	kind string // MIME type
	data []byte
	more bool // of a resumable upload: see carryOn
}

// parseUpload reads whichever protocol the query names.
func (rq *request) parseUpload() *rest.Failure {
	kind := rq.Header.Get("Content-Type")
	if rq.Verb == http.MethodPut && rq.Query.Get("upload_id") == "" {
		return rest.Invalid("upload_id", "Only the chunks of a resumable upload are put.")
	}
	switch cmp.Or(rq.Query.Get("uploadType"), rq.Query.Get("upload_protocol"), "media") {
	case "multipart":
		return rq.parseRelated(kind)
	case "resumable":
		return rq.parseResumable(kind)
	case "media", "raw":
		return rq.parseRaw(kind)
	}
	return rest.Invalid("uploadType", "The upload protocol must be media, multipart or resumable.")
}

func (rq *request) parseRaw(kind string) *rest.Failure {
	rq.object = object{}
	if name := rq.Query.Get("attachment.filename"); name != "" {
		rq.object["attachment"] = object{"filename": name}
	}
	return rq.finish(kind, rq.Body)
}

// finish takes the file, once the metadata is there.
func (rq *request) finish(kind string, data []byte) *rest.Failure {
	if f := checkRequired(rq.method, rq.object).Failure(); f != nil {
		return f
	}
	if len(data) > maxMedia {
		return rest.Invalid("media", "The file has more than %d bytes.", maxMedia)
	}
	if _, _, err := mime.ParseMediaType(kind); err != nil {
		kind = "application/octet-stream"
	}
	rq.media = &media{kind: kind, data: data}
	return nil
}

func (rq *request) parseRelated(contentType string) *rest.Failure {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/related" || params["boundary"] == "" {
		return rest.Fail("INVALID_ARGUMENT", "A multipart upload must be of type multipart/related with a boundary.")
	}
	r := multipart.NewReader(bytes.NewReader(rq.Body), params["boundary"])
	metaKind, meta, err := part(r)
	if err != nil {
		return rest.Fail("INVALID_ARGUMENT", "A multipart upload must begin with its metadata.")
	}
	fileKind, file, err := part(r)
	if err != nil {
		return rest.Fail("INVALID_ARGUMENT", "A multipart upload must have the file as its second part.")
	}
	if _, err := r.NextRawPart(); !errors.Is(err, io.EOF) {
		return rest.Fail("INVALID_ARGUMENT", "A multipart upload must end after its second part.")
	}
	if f := rq.parseJSON(meta, metaKind); f != nil {
		return f
	}
	return rq.finish(fileKind, file)
}

func part(r *multipart.Reader) (kind string, data []byte, err error) {
	p, err := r.NextRawPart()
	if err != nil {
		return "", nil, err
	}
	data, err = io.ReadAll(p)
	return p.Header.Get("Content-Type"), data, err
}

// parseResumable reads the first request; the chunks are only understood together with what came before them.
func (rq *request) parseResumable(contentType string) *rest.Failure {
	rq.media = &media{more: true, kind: cmp.Or(rq.Header.Get("X-Upload-Content-Type"), "application/octet-stream")}
	if rq.Query.Get("upload_id") != "" {
		rq.object = object{}
		return nil
	}
	if f := rq.parseJSON(rq.Body, contentType); f != nil {
		return f
	}
	return checkRequired(rq.method, rq.object).Failure()
}

const (
	maxUploads   = 32        // sessions at a time; the oldest gives way
	chunkGranule = 256 << 10 // a chunk that is not the last must be a multiple of it
)

// uploads are the sessions under way. They do not outlive the process: a client begins again, as the protocol has it.
type uploads struct {
	sessions []*upload
	begun    uint64
}

type upload struct {
	id     string
	path   string
	object object
	kind   string
	data   []byte
	done   any // the answer, once the file is complete: a client that lost it asks again
}

// carryOn begins a session or takes its next chunk.
func (u *uploads) carryOn(tx *tx, rq *request) (any, error) {
	if id := rq.Query.Get("upload_id"); id != "" {
		return u.chunk(tx, rq, id)
	}
	// A session's id is drawn without the state's counter, which moves only with a change.
	u.begun++
	id := letters(tx.ids.Draw("upload", u.begun), 28)
	u.sessions = append(u.sessions, &upload{id: id, path: rq.Path, object: rq.object, kind: rq.media.kind})
	if len(u.sessions) > maxUploads {
		u.sessions = u.sessions[1:]
	}
	where := *rq.Base
	where.Path += rq.Path
	where.RawQuery = url.Values{"uploadType": {"resumable"}, "upload_id": {id}}.Encode()
	return server.Reply{Status: http.StatusOK, Header: http.Header{"Location": {where.String()}, "X-Guploader-Uploadid": {id}}}, nil
}

func (u *uploads) chunk(tx *tx, rq *request, id string) (any, error) {
	var up *upload
	for _, s := range u.sessions {
		if s.id == id && s.path == rq.Path {
			up = s
		}
	}
	if up == nil {
		return nil, rest.NotFound()
	}
	if up.done != nil {
		return up.done, nil
	}
	first, total, f := contentRange(rq.Header.Get("Content-Range"), len(rq.Body))
	if f == nil {
		f = up.check(first, total, len(rq.Body))
	}
	if f != nil {
		return nil, f
	}
	up.data = append(up.data, rq.Body...)
	if total < 0 || len(up.data) < total {
		return up.incomplete(rq), nil
	}
	return up.complete(tx, rq)
}

func (up *upload) check(first, total, n int) *rest.Failure {
	switch {
	case first >= 0 && first != len(up.data):
		return rest.Invalid("Content-Range", "The chunk does not begin where the last one ended.")
	case len(up.data)+n > maxMedia:
		return rest.Invalid("media", "The file has more than %d bytes.", maxMedia)
	case total < 0 && n%chunkGranule != 0:
		return rest.Invalid("Content-Range", "A chunk that is not the last must be a multiple of %d bytes.", chunkGranule)
	case total >= 0 && len(up.data)+n != total && first >= 0:
		return rest.Invalid("Content-Range", "The chunk does not end where the file ends.")
	}
	return nil
}

// incomplete asks for more. Clients that say so get it as a 200 with the real code in a header.
func (up *upload) incomplete(rq *request) server.Reply {
	h := http.Header{}
	if len(up.data) > 0 {
		h.Set("Range", fmt.Sprintf("bytes=0-%d", len(up.data)-1))
	}
	if rq.Header.Get("X-GUploader-No-308") == "yes" {
		h.Set("X-Http-Status-Code-Override", "308")
		return server.Reply{Status: http.StatusOK, Header: h}
	}
	return server.Reply{Status: http.StatusPermanentRedirect, Header: h}
}

func (up *upload) complete(tx *tx, rq *request) (any, error) {
	d, _, err := tx.dossier(rq.param)
	if err != nil {
		return nil, err
	}
	rq.object, rq.media = up.object, &media{kind: up.kind, data: up.data}
	out, err := tx.attachment(d, rq)
	if err == nil {
		up.done, up.data = out, nil
	}
	return out, err
}

var rangeForm = regexp.MustCompile(`^bytes (?:(\d{1,10})-(\d{1,10})|\*)/(?:(\d{1,10})|\*)$`)

// contentRange reads "bytes 0-9/10", "bytes 0-9/*", "bytes */10" and "bytes */*". First and total are -1 for a star. No header is the
// whole file at once.
func contentRange(text string, n int) (first, total int, f *rest.Failure) {
	if text == "" {
		return 0, n, nil
	}
	m := rangeForm.FindStringSubmatch(text)
	if m == nil {
		return 0, 0, rest.Invalid("Content-Range", "The range cannot be read.")
	}
	first, end, total := number(m[1]), number(m[2]), number(m[3])
	if first >= 0 && end-first+1 != n || first < 0 && n > 0 {
		return 0, 0, rest.Invalid("Content-Range", "The range is not that of the body.")
	}
	return first, total, nil
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return n
}
