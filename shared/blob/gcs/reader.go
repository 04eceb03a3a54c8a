package gcs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

const (
	most    = 4 << 20 // bytes of a range
	resumed = 3       // times that a range is asked for again
)

// ranges reads one generation of an object, range after range.
type ranges struct {
	object blob.Object
	fetch  func(first, end int64, into *bytes.Buffer) error
	next   int64 // first byte that was not asked for yet
	buffer bytes.Buffer
	err    error
}

type reader struct {
	io.Reader
	*ranges
}

func newReader(ctx context.Context, b *bucket, o blob.Object) (blob.Reader, error) {
	r := &ranges{object: o, fetch: func(first, end int64, into *bytes.Buffer) error { return b.fetch(ctx, o, first, end, into) }}
	if o.Bytes > 0 {
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
	return &reader{blob.Verified(r.source(), o), r}, nil
}

func (r *ranges) Object() blob.Object { return r.object }

var errClosed = errors.New("the reader is closed")

func (r *ranges) Close() error {
	r.err = errClosed
	r.buffer = bytes.Buffer{}
	return nil
}

// source is the bytes of the ranges, not checked yet.
func (r *ranges) source() io.Reader { return source{r} }

type source struct{ *ranges }

func (s source) Read(p []byte) (int, error) {
	if s.err == nil && s.buffer.Len() == 0 {
		s.err = s.fill()
	}
	if s.err != nil {
		return 0, s.err
	}
	return s.buffer.Read(p)
}

// fill reads the next range.
func (r *ranges) fill() error {
	if r.next >= r.object.Bytes {
		return io.EOF
	}
	end := min(r.next+most, r.object.Bytes)
	r.buffer.Reset()
	r.buffer.Grow(int(end - r.next))
	if err := r.fetch(r.next, end, &r.buffer); err != nil {
		return err
	}
	r.next = end
	return nil
}

// fetch reads a range and resumes it where it broke.
func (b *bucket) fetch(ctx context.Context, o blob.Object, first, end int64, into *bytes.Buffer) error {
	for n := 0; ; n++ {
		before := int64(into.Len())
		err := b.part(ctx, o, first+before, end, into)
		got := first + int64(into.Len())
		switch {
		case err == nil && got == end:
			return nil
		case err == nil && got > end:
			return fault.Wrap(fault.Transient, errTooMuch, "read an object")
		case err == nil:
			err = fault.Wrap(fault.Transient, io.ErrUnexpectedEOF, "read an object")
		}
		if n == resumed || !repeatable(err) || !pause(ctx, b.backoff<<n) {
			return err
		}
	}
}

var (
	errTooMuch    = errors.New("the answer is longer than the range")
	errOtherRange = errors.New("the answer is not the range that was asked for")
)

var errReplaced = errors.New("the object was replaced while it was read")

// part reads what one answer brings of a range.
func (b *bucket) part(ctx context.Context, o blob.Object, first, end int64, into *bytes.Buffer) error {
	err := gapi.Download(ctx, "read an object", end-first, into, func(ctx context.Context) (*http.Response, error) {
		get := b.objects.Get(b.name, b.prefix+o.Name).Generation(int64(o.Generation)).Context(ctx)
		get.Header().Set("Range", fmt.Sprintf("bytes=%d-%d", first, end-1))
		resp, err := get.Download()
		if err != nil {
			return nil, err
		}
		want := fmt.Sprintf("bytes %d-%d/%d", first, end-1, o.Bytes)
		if resp.StatusCode != http.StatusPartialContent || resp.Header.Get("Content-Range") != want {
			resp.Body.Close()
			return nil, fault.Wrap(fault.Transient, errOtherRange, "read an object")
		}
		return resp, nil
	})
	if fault.Is(err, fault.Missing) {
		return fault.Wrap(fault.Conflict, errReplaced, "read an object")
	}
	return err
}
