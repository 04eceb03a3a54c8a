package storage

import (
	"crypto/md5"
	"encoding"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

const (
	granule  = 256 << 10 // a chunk that is not the last is a multiple of it
	lifetime = 7 * 24 * time.Hour
)

// startUpload begins a session.
func (s *Server) startUpload(tx *tx, rq *request) (server.Reply, error) {
	name, f := rq.named()
	if f != nil {
		return server.Reply{}, f
	}
	tx.expire()
	up := uploadRecord{
		ID: tx.next("upload"), Bucket: rq.params["bucket"], Name: name, Settings: rq.object.settings, Claims: rq.object.claims, Begun: tx.at,
		Unless: map[string]string{},
	}
	up.Settings.Type = rq.object.kindOf(rq.Header.Get("X-Upload-Content-Type"))
	for key := range rq.Query {
		if strings.HasPrefix(key, "if") {
			up.Unless[key] = rq.Query.Get(key)
		}
	}
	tx.change.Uploads = append(tx.change.Uploads, up)
	where := *rq.Base
	where.Path += rq.Path
	where.RawQuery = url.Values{"uploadType": {"resumable"}, "name": {name}, "upload_id": {up.ID}}.Encode()
	return server.Reply{Status: http.StatusOK, Header: http.Header{"Location": {where.String()}, "X-Guploader-Uploadid": {up.ID}}}, nil
}

// expire forgets the sessions whose time is over.
func (tx *tx) expire() {
	for _, up := range tx.state.uploads {
		if tx.at.Sub(up.Begun) > lifetime {
			tx.change.Uploads = append(tx.change.Uploads, uploadRecord{ID: up.ID, Gone: true})
		}
	}
}

var errGone = &failure{code: http.StatusGone, reason: "uploadBrokenConnection", message: "The upload session is over."}

// session finds the session that a request belongs to.
func (tx *tx) session(rq *request) (uploadRecord, error) {
	id := rq.Query.Get("upload_id")
	if id == "" {
		return uploadRecord{}, invalid("Only the chunks of a resumable upload are put.")
	}
	up, ok := tx.state.uploads[id]
	if !ok || up.Bucket != rq.params["bucket"] || tx.at.Sub(up.Begun) > lifetime {
		return up, errGone
	}
	return up, nil
}

// takeChunk takes the next bytes of a session, or says how far it is.
func (s *Server) takeChunk(tx *tx, rq *request) (server.Reply, error) {
	up, err := tx.session(rq)
	if err != nil {
		return server.Reply{}, err
	}
	if up.Done != nil {
		return answer(up.Done.wire(rq.Base))
	}
	r, f := contentRange(rq.Header.Get("Content-Range"), int64(len(rq.Body)))
	if f == nil {
		f = up.check(r, int64(len(rq.Body)))
	}
	if f != nil {
		return server.Reply{}, f
	}
	data := rq.Body
	if s.opts.Persist > 0 && int64(len(data)) > s.opts.Persist {
		data = data[:s.opts.Persist]
	}
	if up, err = up.with(tx, data); err != nil {
		return server.Reply{}, err
	}
	if up.Content.Bytes == r.total {
		return up.complete(tx, rq)
	}
	if len(data) > 0 {
		tx.change.Uploads = append(tx.change.Uploads, up)
	}
	return up.incomplete(), nil
}

// check refuses a chunk that does not go on where the session is.
func (up uploadRecord) check(r span, n int64) *failure {
	switch {
	case r.first >= 0 && r.first != up.Content.Bytes:
		return &failure{code: http.StatusServiceUnavailable, reason: "backendError", message: "The chunk does not begin where the last one ended."}
	case r.total < 0 && n%granule != 0:
		return invalid(fmt.Sprintf("A chunk that is not the last must be a multiple of %d bytes.", granule))
	case r.total >= 0 && up.Content.Bytes+n > r.total:
		return invalid("There is more content than the total.")
	}
	return nil
}

// with is the session after some more bytes.
func (up uploadRecord) with(tx *tx, data []byte) (uploadRecord, error) {
	pieces, err := tx.save(data)
	if err != nil {
		return up, err
	}
	h, err := resume(up.Hash)
	if err != nil {
		return up, err
	}
	h.Write(data)
	c := &up.Content
	c.Pieces = append(c.Pieces[:len(c.Pieces):len(c.Pieces)], pieces...)
	c.Bytes += int64(len(data))
	c.CRC = crc32.Update(c.CRC, castagnoli(), data)
	c.MD5 = h.Sum(nil)
	up.Hash, err = h.(encoding.BinaryMarshaler).MarshalBinary()
	return up, err
}

var errHash = errors.New("the state of a hash cannot be read")

func resume(state []byte) (hash.Hash, error) {
	h := md5.New()
	if len(state) == 0 {
		return h, nil
	}
	if err := h.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
		return nil, errHash
	}
	return h, nil
}

// incomplete asks for more.
func (up uploadRecord) incomplete() server.Reply {
	h := http.Header{"X-Guploader-Uploadid": {up.ID}}
	if up.Content.Bytes > 0 {
		h.Set("Range", fmt.Sprintf("bytes=0-%d", up.Content.Bytes-1))
	}
	return server.Reply{Status: http.StatusPermanentRedirect, Header: h}
}

// complete makes the object; preconditions are about this moment.
func (up uploadRecord) complete(tx *tx, rq *request) (server.Reply, error) {
	if f := up.Content.check(up.Claims, rq.Header); f != nil {
		return server.Reply{}, f
	}
	unless := url.Values{}
	for name, v := range up.Unless {
		unless.Set(name, v)
	}
	if f := tx.conditions(up.Bucket, up.Name, unless, "", http.StatusPreconditionFailed); f != nil {
		return server.Reply{}, f
	}
	r := tx.put(objectRecord{Bucket: up.Bucket, Name: up.Name, Settings: up.Settings, Content: up.Content})
	out, err := answer(r.wire(rq.Base))
	r.Content.Pieces = nil // they are the object's from now on
	up.Done, up.Content, up.Hash = &r, content{}, nil
	tx.change.Uploads = append(tx.change.Uploads, up)
	return out, err
}

// cancelUpload ends a session. Cloud Storage answers it with a code of its own.
func (s *Server) cancelUpload(tx *tx, rq *request) (server.Reply, error) {
	up, err := tx.session(rq)
	if err != nil {
		return server.Reply{}, err
	}
	tx.change.Uploads = append(tx.change.Uploads, uploadRecord{ID: up.ID, Gone: true})
	return server.Reply{Status: 499}, nil
}

// span is a Content-Range; first and total are -1 for a star.
type span struct{ first, total int64 }

var spanForm = regexp.MustCompile(`^bytes (?:(\d{1,18})-(\d{1,18})|\*)/(?:(\d{1,18})|\*)$`)

// contentRange reads "bytes 0-9/10", "bytes 0-9/*", "bytes */10" and "bytes */*". No header is the whole content at once.
func contentRange(text string, n int64) (span, *failure) {
	if text == "" {
		return span{0, n}, nil
	}
	m := spanForm.FindStringSubmatch(text)
	if m == nil {
		return span{}, invalid("The Content-Range cannot be read.")
	}
	first, end, total := number(m[1]), number(m[2]), number(m[3])
	if first >= 0 && end-first+1 != n || first < 0 && n > 0 || total >= 0 && first >= 0 && end >= total {
		return span{}, invalid("The Content-Range is not that of the body.")
	}
	return span{first, total}, nil
}
