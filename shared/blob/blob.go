// Package blob keeps files that are written once: a directory or a bucket of Cloud Storage, behind one interface with one suite (blobtest).
//
// An object is written to nowhere first and gets its name with Commit, so that a name can depend on the content, nothing unfinished ever has
// a name, and a process that dies leaves no object.
//
// Promised by every implementation:
//   - Commit with Absent makes the object only if there is none of that name, and with a Generation replaces exactly that generation; else it
//     is fault.Conflict and nothing was changed.
//   - A nil error of Commit means that the object is durable and its bytes at the remote have the checksum of those that were written.
//   - When the acknowledgement of Commit is lost, it looks, recognises its own object, and returns nil. Any other error leaves open whether the
//     object is there, unless it is of kind fault.Conflict or fault.Invalid.
//   - Open and List see every commit that returned before they began. A reader reads one generation, whatever is committed meanwhile, and
//     ends with an error, not with io.EOF, if the bytes are not those of the object's checksum.
//   - Memory is bounded whatever the size: at most Chunk bytes a writer.
//
// Not promised: that a writer which is neither committed nor aborted leaves no rest behind; what it leaves lies under "incoming/", which List
// does not show and a bucket's lifecycle rule may delete after a day.
package blob

import (
	"context"
	"io"
	"time"
)

// Limits of every implementation.
const (
	MaxName = 700     // bytes
	Chunk   = 8 << 20 // bytes that a writer holds in memory at most
)

// Generation is a version of an object: it changes with every commit, and is never used again for that name.
type Generation int64

// Absent is the generation of an object that is not there.
const Absent Generation = 0

// Sum identifies content.
type Sum struct {
	SHA256 string `json:"sha256"` // hex
	CRC32C string `json:"crc32c"` // base64 of the big-endian bytes, as Cloud Storage writes it
	Bytes  int64  `json:"bytes"`
}

// Object is a file that is there.
type Object struct {
	Name       string
	Generation Generation
	Bytes      int64
	CRC32C     string // as in Sum
	Created    time.Time
}

// Bucket is a place for objects.
type Bucket interface {
	// Create begins an object. Nothing is visible of it before Commit.
	Create(ctx context.Context, contentType string) (Writer, error)
	// Open reads an object; fault.Missing if there is none.
	Open(ctx context.Context, name string) (Reader, error)
	// List returns at most limit objects whose names begin with prefix, ordered by name, those after the name given.
	List(ctx context.Context, prefix, after string, limit int) ([]Object, error)
}

// Writer takes the bytes of an object. It belongs to one goroutine.
type Writer interface {
	io.Writer
	// Sum is what was written so far.
	Sum() Sum
	// Commit gives the object its name and ends the writer. at says what must be there before.
	Commit(ctx context.Context, name string, at Generation) (Object, error)
	// Abort ends the writer and leaves nothing. After Commit it does nothing.
	Abort()
}

// Reader reads one object.
type Reader interface {
	io.ReadCloser
	Object() Object
}
