package gcs

import (
	"context"
	"errors"
	"mime"
	"time"

	"google.golang.org/api/storage/v1"

	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
)

const (
	least   = 64 << 10         // bytes that a writer begins with
	cleanup = 30 * time.Second // for what is left of a writer that has ended
)

// upload is a writer. Its functions keep the context of Create, which Write and Abort do not get.
type upload struct {
	bucket *bucket
	id     string
	kind   string
	digest *blob.Digest
	buffer []byte // not sent yet
	*session
	flush func() error
	clean func() // ends the session and deletes what it made
	tried bool   // to make the incoming object
	made  bool   // it was made, and the session is over
	err   error  // the first failure, or that it ended
}

var errEnded = errors.New("the writer has ended")

// Create begins an object. It does no I/O.
func (b *bucket) Create(ctx context.Context, contentType string) (blob.Writer, error) {
	if _, _, err := mime.ParseMediaType(contentType); err != nil {
		return nil, fault.New(fault.Invalid, "an object needs a type of content")
	}
	u := &upload{bucket: b, id: b.newID(), kind: contentType, digest: blob.NewDigest()}
	u.flush = func() error { return u.flushed(ctx) }
	u.clean = func() { u.cleaned(ctx) }
	return u, ctx.Err()
}

func (u *upload) Sum() blob.Sum { return u.digest.Sum() }

// Write fills the buffer, and sends it when there is more to come: the last chunk is known only at Commit.
func (u *upload) Write(p []byte) (n int, err error) {
	for u.err == nil && n < len(p) {
		if len(u.buffer) == blob.Chunk {
			u.err = u.flush()
			continue
		}
		taken := min(len(p)-n, blob.Chunk-len(u.buffer))
		u.keep(p[n : n+taken])
		n += taken
	}
	return n, u.err
}

// keep takes some bytes for which there is room in a chunk.
func (u *upload) keep(p []byte) {
	if need := len(u.buffer) + len(p); need > cap(u.buffer) {
		u.buffer = append(make([]byte, 0, min(blob.Chunk, max(least, need, 2*cap(u.buffer)))), u.buffer...)
	}
	u.buffer = append(u.buffer, p...)
	u.digest.Write(p)
}

func (u *upload) flushed(ctx context.Context) (err error) {
	if u.session == nil {
		u.session, err = u.bucket.start(ctx, u.bucket.prefix+blob.Incoming+u.id, u.id, u.kind)
	}
	if err == nil {
		_, err = u.send(ctx, u.buffer, unknown, "")
	}
	u.buffer = u.buffer[:0]
	return err
}

// Commit writes a small object to its name, or the rest of a large one to its incoming name and then that to its own.
func (u *upload) Commit(ctx context.Context, name string, at blob.Generation) (blob.Object, error) {
	err := u.err
	if !u.end() {
		return blob.Object{}, fault.Wrap(fault.Bug, errEnded, "commit an object")
	}
	defer u.clean()
	if err = errors.Join(err, blob.CheckName(name)); err != nil {
		return blob.Object{}, err
	}
	if at < blob.Absent {
		return blob.Object{}, fault.New(fault.Conflict, "the object is not at the generation that was expected")
	}
	d := deed{name: name, at: at, id: u.id, kind: u.kind, sum: u.Sum()}
	if u.session == nil {
		return u.bucket.settle(ctx, d, func() (*storage.Object, error) { return u.bucket.insert(ctx, d, u.buffer) })
	}
	u.tried = true
	incoming, err := u.send(ctx, u.buffer, d.sum.Bytes, d.sum.CRC32C)
	if err != nil {
		return blob.Object{}, err
	}
	u.made = true
	return u.bucket.settle(ctx, d, func() (*storage.Object, error) { return u.bucket.rewrite(ctx, d, incoming) })
}

func (u *upload) Abort() {
	if u.end() {
		u.clean()
	}
}

// end reports whether the writer ends with this call.
func (u *upload) end() bool {
	ended := errors.Is(u.err, errEnded)
	u.err = errEnded
	return !ended
}

// cleaned leaves nothing, as far as the network lets it, even when the context of Create has ended.
func (u *upload) cleaned(ctx context.Context) {
	u.buffer = nil
	if u.session == nil || u.url == "" {
		return
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), cleanup)
	defer stop()
	if !u.made {
		u.cancel(ctx)
	}
	if u.tried {
		_ = u.bucket.remove(ctx, u.name) // what is left is the lifecycle rule's
	}
}
