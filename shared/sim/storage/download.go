package storage

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// download answers the content of an object, or a range of it. It is a stranger's: a browser must not take it for a page.
func (s *Server) download(tx *tx, rq *request) (server.Reply, error) {
	r, err := tx.found(rq)
	if err != nil {
		return server.Reply{}, err
	}
	c := r.Content
	h := http.Header{
		"Content-Type": {r.Settings.Type}, "Content-Disposition": {"attachment"}, "X-Content-Type-Options": {"nosniff"}, "Etag": {r.etag()},
		"X-Goog-Generation": {strconv.FormatInt(r.Generation, 10)}, "X-Goog-Metageneration": {"1"}, "X-Goog-Storage-Class": {"STANDARD"},
		"X-Goog-Hash": {"crc32c=" + c.crc32c(), "md5=" + c.md5()}, "X-Goog-Stored-Content-Length": {strconv.FormatInt(c.Bytes, 10)},
	}
	first, end, ranged, f := rangeOf(rq.Header.Get("Range"), c.Bytes)
	if f != nil {
		return server.Reply{}, f
	}
	status := http.StatusOK
	if ranged {
		status = http.StatusPartialContent
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, end-1, c.Bytes))
	}
	h.Set("Content-Length", strconv.FormatInt(end-first, 10))
	return server.Reply{Status: status, Header: h, Stream: &stream{server: s, pieces: c.Pieces, skip: first, left: end - first}}, nil
}

var rangeForm = regexp.MustCompile(`^bytes=(\d{0,18})-(\d{0,18})$`)

// rangeOf reads "bytes=5-9", "bytes=5-" and "bytes=-5". What it cannot read is no range: the answer is the whole, as HTTP has it.
func rangeOf(text string, size int64) (first, end int64, ranged bool, f *failure) {
	m := rangeForm.FindStringSubmatch(text)
	if m == nil || m[1] == "" && m[2] == "" {
		return 0, size, false, nil
	}
	first, last := number(m[1]), number(m[2])
	switch {
	case first < 0:
		first, end = max(0, size-last), size
	case last < 0:
		end = size
	case last < first:
		return 0, size, false, nil
	default:
		end = min(last+1, size)
	}
	if first >= end {
		return 0, 0, false, &failure{code: http.StatusRequestedRangeNotSatisfiable, reason: "requestedRangeNotSatisfiable", message: "Request range not satisfiable"}
	}
	return first, end, true, nil
}

// stream reads pieces one after the other, each when it is its turn.
type stream struct {
	server     *Server
	pieces     []piece
	skip, left int64
	now        bytes.Reader
}

func (r *stream) Read(p []byte) (int, error) {
	for r.now.Len() == 0 {
		if r.left == 0 || len(r.pieces) == 0 {
			return 0, io.EOF
		}
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n, _ := r.now.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	if r.left == 0 {
		r.now.Reset(nil)
	}
	return n, nil
}

func (r *stream) next() error {
	p := r.pieces[0]
	r.pieces = r.pieces[1:]
	if r.skip >= p.Bytes {
		r.skip -= p.Bytes
		return nil
	}
	r.server.mu.Lock()
	data, err := r.server.blobs.Load(p.ID)
	r.server.mu.Unlock()
	if err == nil && int64(len(data)) != p.Bytes {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		r.now.Reset(data[r.skip:])
		r.skip = 0
	}
	return err
}
