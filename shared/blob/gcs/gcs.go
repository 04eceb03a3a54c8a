// Package gcs is a blob.Bucket in Cloud Storage, over its JSON API.
//
// Content of at most blob.Chunk bytes is one request: a multipart upload to its final name, with the precondition and the checksum. More is
// uploaded chunk by chunk to "incoming/<random>" (a resumable session), and Commit rewrites that to the final name with the precondition, which
// within a bucket copies no bytes, and deletes it.
//
// Uploads are spoken by hand, not by the generated client: that one repeats a request on its own terms, and gapi promises that a write leaves once.
// Here every write carries the id of its writer, as metadata of the object, and is one of those that can be repeated because a second execution
// does nothing:
//
//	insert, rewrite to the final name   conditional; in doubt the object there is looked at: it is ours if it has our id and our checksum
//	start of a session                  a session without an end makes nothing
//	chunk                               after any failure the session is asked how far it is, and goes on from there out of memory
//	delete of the incoming object       of our generation of a random name; what fails is left to the lifecycle rule
//
// A write is tried four times, with a pause before each repeat that doubles. When another object is at the name and one of our attempts got
// no answer, ours may have been there before it: that is fault.Transient, not fault.Conflict.
//
// A reader reads one generation in ranges of at most 4 MiB, each of them whole before the caller sees any of it, so no connection waits for a slow
// caller; Open has the first. A range that breaks is resumed where it broke, three times. Of a generation that is replaced there is nothing more
// to read: for an object that is larger than a range that is fault.Conflict in the middle.
//
// A session's address is a credential: it goes to the API's own host and path only, and is in no error.
//
// Not promised: that a bucket with object versioning, retention or default encryption keys of customers behaves; that an incoming object is
// deleted when the process dies: set a lifecycle rule on the prefix.
package gcs

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"google.golang.org/api/option"
	"google.golang.org/api/storage/v1"

	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// Options of a bucket.
type Options struct {
	Bucket    string
	Prefix    string       // folder in the bucket, without slashes around it; empty: the whole bucket
	Transport gapi.Options // its CallTimeout is of one request, default 2 minutes; its Backoff is also that before a write is repeated

	NewID func() string // of a writer, a fresh random one each time; default random
}

const (
	google    = "https://storage.googleapis.com"
	writer    = "providerdesk-writer" // key of the metadata that holds a writer's id
	tries     = 4                     // of a write
	timeout   = 2 * time.Minute
	backoff   = 250 * time.Millisecond
	maxPrefix = 300 // bytes: Cloud Storage takes names of 1024
)

type bucket struct {
	name    string
	prefix  string // empty, or with a slash behind it
	base    string // of the API's addresses, without a slash behind it
	http    *http.Client
	objects *storage.ObjectsService
	newID   func() string
	backoff time.Duration
}

var (
	_          blob.Bucket = (*bucket)(nil)
	bucketForm             = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$`)
)

// New returns a bucket. It does no I/O.
func New(o Options) (blob.Bucket, error) {
	if !bucketForm.MatchString(o.Bucket) {
		return nil, fault.New(fault.Invalid, "not the name of a bucket of Cloud Storage")
	}
	if o.Transport.CallTimeout == 0 {
		o.Transport.CallTimeout = timeout
	}
	b := &bucket{name: o.Bucket, base: google, newID: o.NewID, backoff: o.Transport.Backoff}
	if b.newID == nil {
		b.newID = rand.Text
	}
	if b.backoff == 0 {
		b.backoff = backoff
	}
	if o.Prefix != "" {
		if err := blob.CheckName(o.Prefix); err != nil || len(o.Prefix) > maxPrefix {
			return nil, errors.Join(err, fault.New(fault.Invalid, "a folder in a bucket is at most %d bytes long", maxPrefix))
		}
		b.prefix = o.Prefix + "/"
	}
	return b, b.connect(o.Transport)
}

func (b *bucket) connect(o gapi.Options) (err error) {
	if o.Endpoint != "" {
		b.base = strings.TrimSuffix(o.Endpoint, "/")
	}
	if b.http, err = gapi.Client(o); err != nil {
		return err
	}
	s, err := storage.NewService(context.Background(), option.WithHTTPClient(b.http), option.WithEndpoint(b.base+"/storage/v1/")) // connects to nothing
	if err != nil {
		return fault.Wrap(fault.Bug, err, "make the client of Cloud Storage")
	}
	b.objects = s.Objects
	return nil
}

// uploads is the address that uploads go to.
func (b *bucket) uploads(query url.Values) string {
	return b.base + "/upload/storage/v1/b/" + url.PathEscape(b.name) + "/o?" + query.Encode()
}

// object is what we take an answer for. One that lacks what we rely on is no answer.
func (b *bucket) object(in *storage.Object) (blob.Object, error) {
	created, err := time.Parse(time.RFC3339, in.TimeCreated)
	name, ours := strings.CutPrefix(in.Name, b.prefix)
	if err != nil || !ours || in.Generation <= 0 || in.Crc32c == "" {
		return blob.Object{}, fault.Wrap(fault.Transient, errNoObject, "read an answer of Cloud Storage")
	}
	return blob.Object{Name: name, Generation: blob.Generation(in.Generation), Bytes: int64(in.Size), CRC32C: in.Crc32c, Created: created.UTC()}, nil
}

var errNoObject = errors.New("the answer does not describe an object of ours")

// get looks an object up.
func (b *bucket) get(ctx context.Context, name string) (found *storage.Object, err error) {
	err = gapi.Do(ctx, "look up an object", func(ctx context.Context) error {
		found, err = b.objects.Get(b.name, b.prefix+name).Context(ctx).Do()
		return err
	})
	return found, err
}

// attempt runs a write that can be repeated until it succeeds, is refused for good, or was tried often enough.
func (b *bucket) attempt(ctx context.Context, do func() error) error {
	for n := 0; ; n++ {
		err := do()
		if n == tries-1 || !repeatable(err) || !pause(ctx, max(b.backoff<<n, fault.RetryAfter(err))) {
			return err
		}
	}
}

func repeatable(err error) bool {
	return fault.Is(err, fault.Transient) || fault.Is(err, fault.Throttled)
}

// pause reports whether the time passed before the context ended, or would end.
func pause(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return false
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Open looks an object up and reads its first range. One that was replaced between the two is looked up again.
func (b *bucket) Open(ctx context.Context, name string) (blob.Reader, error) {
	if err := blob.CheckName(name); err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		found, err := b.get(ctx, name)
		if err != nil {
			return nil, err
		}
		o, err := b.object(found)
		if err != nil {
			return nil, err
		}
		r, err := newReader(ctx, b, o)
		if err == nil || n == tries-1 || !fault.Is(err, fault.Conflict) {
			return r, err
		}
	}
}

// List reads as many pages as it takes, without what is unfinished.
func (b *bucket) List(ctx context.Context, prefix, after string, limit int) ([]blob.Object, error) {
	var all []blob.Object
	for token := ""; len(all) < limit; {
		page, err := b.page(ctx, prefix, after, token, limit-len(all))
		if err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			o, err := b.object(item)
			if err != nil {
				return nil, err
			}
			if blob.CheckName(o.Name) == nil && o.Name > after && len(all) < limit {
				all = append(all, o)
			}
		}
		if page.NextPageToken == "" {
			break
		}
		if page.NextPageToken == token {
			return nil, fault.Wrap(fault.Transient, errEndless, "list objects")
		}
		token = page.NextPageToken
	}
	return all, nil
}

var errEndless = errors.New("the listing does not end")

const maxPage = 1000

// page asks for one page. The offset is included in what comes back, so it may be one more.
func (b *bucket) page(ctx context.Context, prefix, after, token string, limit int) (page *storage.Objects, err error) {
	list := b.objects.List(b.name).Prefix(b.prefix + prefix).MaxResults(int64(min(limit, maxPage-1) + 1)).Projection("noAcl")
	if after != "" {
		list.StartOffset(b.prefix + after)
	}
	err = gapi.Do(ctx, "list objects", func(ctx context.Context) error {
		page, err = list.PageToken(token).Context(ctx).Do()
		return err
	})
	return page, err
}
