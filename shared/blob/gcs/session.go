package gcs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/api/googleapi"
	"google.golang.org/api/storage/v1"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// session is a resumable upload to an incoming name.
type session struct {
	bucket *bucket
	name   string // of the incoming object
	url    string // whoever has it may write
	at     int64  // bytes that have arrived for good
}

// start begins a session. One of which the answer was lost makes nothing: another is begun.
func (b *bucket) start(ctx context.Context, name, id, kind string) (*session, error) {
	meta, err := json.Marshal(&storage.Object{Name: name, ContentType: kind, Metadata: map[string]string{writer: id}})
	if err != nil {
		return nil, fault.Wrap(fault.Bug, err, "describe an object")
	}
	at := b.uploads(url.Values{"uploadType": {"resumable"}, "ifGenerationMatch": {"0"}})
	s := &session{bucket: b, name: name}
	return s, b.attempt(ctx, func() error {
		content := &loan{bytes: meta}
		defer content.take()
		header := http.Header{"Content-Type": {typeJSON}, "X-Upload-Content-Type": {kind}}
		return b.send(ctx, "begin an upload", request{http.MethodPost, at, header, content, int64(len(meta))}, func(resp *http.Response) error {
			if err := googleapi.CheckResponse(resp); err != nil {
				return err
			}
			s.url, err = b.sessionURL(resp.Header.Get("Location"))
			return err
		})
	})
}

var errForeign = errors.New("the answer names no session of this API")

// sessionURL takes an address only where we would upload anyway.
func (b *bucket) sessionURL(location string) (string, error) {
	given, err := url.Parse(location)
	ours, wrong := url.Parse(b.uploads(url.Values{}))
	if err != nil || wrong != nil || given.Scheme != ours.Scheme || given.Host != ours.Host || given.User != nil || given.Fragment != "" {
		return "", fault.Wrap(fault.Transient, errForeign, "begin an upload")
	}
	if given.Path != ours.Path && given.Path != "/resumable"+ours.Path || given.Query().Get("upload_id") == "" {
		return "", fault.Wrap(fault.Transient, errForeign, "begin an upload")
	}
	return given.String(), nil
}

var (
	errStuck = errors.New("the upload does not go on")
	errOver  = errors.New("the upload is over, or has lost what it had")
)

// unknown is the total of a chunk that is not the last.
const unknown = -1

// send sends the next bytes of a session, the last ones if there is a total, which makes the object. After a failure it asks how far the
// session is and goes on from there.
func (s *session) send(ctx context.Context, data []byte, total int64, hash string) (*storage.Object, error) {
	first, end := s.at, s.at+int64(len(data))
	stuck := fault.Wrap(fault.Transient, errStuck, "upload an object")
	for fails, ask := 0, false; fails < tries; {
		p, err := s.put(ctx, pick(ask, nil, data[s.at-first:]), total, hash)
		switch {
		case err != nil && (!repeatable(err) || !pause(ctx, max(s.bucket.backoff<<fails, fault.RetryAfter(err)))):
			return nil, err
		case err != nil:
			fails, ask, stuck = fails+1, true, err
			continue
		case p.made != nil && total != unknown:
			return p.made, nil
		case p.made != nil, p.at < first, p.at > end:
			return nil, fault.Wrap(fault.Transient, errOver, "upload an object")
		case p.at == end && total == unknown:
			s.at = end
			return nil, nil
		case p.at > s.at:
			fails = 0
		case !ask:
			fails++ // nothing of it was kept
		}
		if s.at, ask = p.at, p.at == end; ask {
			fails++ // all of it is there, but no object: that is asked for
		}
	}
	return nil, stuck
}

func pick(first bool, a, b []byte) []byte {
	if first {
		return a
	}
	return b
}

// progress is an answer to a chunk: how far the session is, or what it made.
type progress struct {
	at   int64
	made *storage.Object
}

// put sends bytes from where the session is; none ask how far it is.
func (s *session) put(ctx context.Context, data []byte, total int64, hash string) (p progress, err error) {
	content := &loan{bytes: data}
	defer content.take()
	header := http.Header{"Content-Range": {contentRange(s.at, int64(len(data)), total)}}
	if total != unknown {
		header.Set("X-Goog-Hash", "crc32c="+hash)
	}
	err = s.bucket.send(ctx, "upload an object", request{http.MethodPut, s.url, header, content, int64(len(data))}, func(resp *http.Response) error {
		if resp.StatusCode == http.StatusPermanentRedirect {
			p.at, err = arrived(resp.Header.Get("Range"))
			return err
		}
		p.made, err = decode(resp)
		return err
	})
	if fault.Is(err, fault.Missing) {
		err = fault.Wrap(fault.Transient, errOver, "upload an object")
	}
	return p, tampered(err)
}

func contentRange(at, n, total int64) string {
	span, all := "*", "*"
	if n > 0 {
		span = fmt.Sprintf("%d-%d", at, at+n-1)
	}
	if total != unknown {
		all = strconv.FormatInt(total, 10)
	}
	return "bytes " + span + "/" + all
}

var arrivedForm = regexp.MustCompile(`^(?:bytes=)?0-(\d{1,18})$`)

// arrived is how many bytes an answer says that it has. Without a range there are none.
func arrived(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	m := arrivedForm.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return 0, fault.Wrap(fault.Transient, errOver, "upload an object")
	}
	last, err := strconv.ParseInt(m[1], 10, 64)
	return last + 1, err
}

// cancel ends a session; what the API has of it is gone. It answers a cancelled session with an error of its own, which says nothing.
func (s *session) cancel(ctx context.Context) {
	_ = s.bucket.send(ctx, "cancel an upload", request{method: http.MethodDelete, url: s.url, header: http.Header{}}, func(*http.Response) error { return nil })
}
