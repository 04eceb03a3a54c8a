// Package store is the state that functions share: small documents in collections, read by key, written many at a time or not at all, and
// found again by one of two indexed fields.
//
// The interface is as small as the ledger and the functions need, so that an embedded file (store/bolt) and Firestore (store/firestore)
// keep the same promises; store/storetest has a subtest for each of them, and a memory version for tests in virtual time.
//
// Promised by every implementation:
//   - Get returns the document as last committed (no stale reads), or an error of kind fault.Missing.
//   - Commit writes all or nothing. Each write states what must be there before; when that does not hold Commit returns an error of kind
//     fault.Conflict and nothing was written.
//   - A nil error from Commit means the writes are durable. When the acknowledgement is lost Commit reads back, recognises its own write
//     by a fresh id that every write carries, and returns nil. Any other error leaves open whether the writes were done, unless it is of
//     kind fault.Conflict or fault.Invalid. A commit of deletes alone leaves nothing that could carry the id: its lost acknowledgement
//     stays an error of kind fault.Transient.
//   - Query sees every commit that returned before it began.
//   - Enumerations are stored as strings, times in UTC with microseconds.
//
// Not promised: that an expired document is gone (compare Expire yourself), an order between commits of different callers, transactions
// that read and write (decide again on fault.Conflict instead).
package store

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Limits of one commit and one document, the tighter of Firestore's and bolt's.
const (
	MaxData   = 900 << 10 // bytes of Doc.Data
	MaxState  = 256       // bytes of Doc.State
	MaxWrites = 400       // writes in one Commit
	MaxCommit = 8 << 20   // bytes of Data in one Commit
	MaxQuery  = 1000      // documents in one Query
)

// Key names a document. ID is UTF-8 of at most 256 bytes and must not be empty, ".", "..", enclosed in "__", or hold '/'. A Collection is
// a lower-case word.
type Key struct{ Collection, ID string }

func (k Key) String() string { return k.Collection + "/" + k.ID }

// Version is opaque: it changes with every write of a document.
type Version string

// Doc is one document.
type Doc struct {
	Key
	Data   []byte    // JSON, at most MaxData bytes
	State  string    // indexed, may be empty
	Due    time.Time // indexed; zero: never due
	Expire time.Time // the store may delete the document after this; zero: kept

	Version Version   // set by the store
	Updated time.Time // set by the store, its own clock
}

// Query selects documents of one collection: those in State ordered by ID, or those with a Due at or before DueBy ordered by Due, or,
// with neither, all ordered by ID. State and DueBy exclude each other.
type Query struct {
	Collection string
	State      string
	DueBy      time.Time
	AfterID    string // only with an order by ID: the page after this one
	Limit      int    // 1 to MaxQuery
}

// DB is a store of documents.
type DB interface {
	Get(ctx context.Context, key Key) (Doc, error)
	// Commit returns the new version of every document written, in order ("" for a delete).
	Commit(ctx context.Context, writes ...Write) ([]Version, error)
	Query(ctx context.Context, q Query) ([]Doc, error)
}

// Op is what a Write does.
type Op string

const (
	OpCreate  Op = "create"  // the document must be missing
	OpReplace Op = "replace" // the document must be there at the given version
	OpDelete  Op = "delete"  // the document must be there at the given version
)

// Write is one step of a commit. Make it with Create, Replace or Delete.
type Write struct {
	Op  Op
	Doc Doc
	At  Version
}

// Create writes a document that must not exist yet.
func Create(d Doc) Write { return Write{Op: OpCreate, Doc: d} }

// Replace overwrites a document that must still be at version v.
func Replace(d Doc, v Version) Write { return Write{Op: OpReplace, Doc: d, At: v} }

// Delete removes a document that must still be at version v.
func Delete(k Key, v Version) Write { return Write{Op: OpDelete, Doc: Doc{Key: k}, At: v} }

// Check returns the fault.Invalid that every implementation gives for writes outside the limits. A commit writes a document once.
func Check(writes []Write) error {
	if len(writes) == 0 || len(writes) > MaxWrites {
		return fault.New(fault.Invalid, "a commit takes 1 to %d writes, not %d", MaxWrites, len(writes))
	}
	seen, size := make(map[Key]bool, len(writes)), 0
	for _, w := range writes {
		if err := checkWrite(w); err != nil {
			return err
		}
		if seen[w.Doc.Key] {
			return fault.New(fault.Invalid, "a commit writes %s twice", w.Doc.Key)
		}
		seen[w.Doc.Key] = true
		size += len(w.Doc.Data)
	}
	if size > MaxCommit {
		return fault.New(fault.Invalid, "a commit has %d bytes, more than %d", size, MaxCommit)
	}
	return nil
}

func checkWrite(w Write) error {
	if err := CheckKey(w.Doc.Key); err != nil {
		return err
	}
	if err := checkDoc(w.Doc); err != nil {
		return err
	}
	switch {
	case w.Op != OpCreate && w.Op != OpReplace && w.Op != OpDelete:
		return fault.New(fault.Invalid, "%s: no such write as %q", w.Doc.Key, w.Op)
	case w.Op == OpCreate && w.At != "":
		return fault.New(fault.Invalid, "%s: a create takes no version", w.Doc.Key)
	case w.Op != OpCreate && w.At == "":
		return fault.New(fault.Invalid, "%s: a %s needs a version", w.Doc.Key, w.Op)
	}
	return nil
}

func checkDoc(d Doc) error {
	switch {
	case len(d.Data) > MaxData:
		return fault.New(fault.Invalid, "%s has %d bytes, more than %d", d.Key, len(d.Data), MaxData)
	case !isState(d.State):
		return fault.New(fault.Invalid, "state %.40q of %s is too long or not UTF-8", d.State, d.Key)
	case !isStorable(d.Due) || !isStorable(d.Expire):
		return fault.New(fault.Invalid, "%s has a time outside the years 1 to 9999", d.Key)
	}
	return nil
}

func isState(s string) bool { return len(s) <= MaxState && utf8.ValidString(s) }

func isStorable(t time.Time) bool { y := t.UTC().Year(); return 1 <= y && y <= 9999 }

// CheckKey returns the fault.Invalid that every implementation gives for a key outside the rules of Key.
func CheckKey(k Key) error {
	if !isCollection(k.Collection) {
		return fault.New(fault.Invalid, "collection %q is not a lower-case word", k.Collection)
	}
	if !isID(k.ID) {
		return fault.New(fault.Invalid, "document id %.40q of %s is empty, dotted, reserved, too long, not UTF-8 or has a slash", k.ID, k.Collection)
	}
	return nil
}

func isCollection(s string) bool {
	return s != "" && s[0] != '_' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") == ""
}

func isID(s string) bool {
	reserved := strings.HasPrefix(s, "__") && strings.HasSuffix(s, "__")
	return s != "" && s != "." && s != ".." && len(s) <= 256 && !strings.Contains(s, "/") && !reserved && utf8.ValidString(s)
}

// CheckQuery returns the fault.Invalid that every implementation gives for a query outside the rules of Query.
func CheckQuery(q Query) error {
	switch {
	case q.Limit < 1 || q.Limit > MaxQuery:
		return fault.New(fault.Invalid, "a query takes a limit of 1 to %d, not %d", MaxQuery, q.Limit)
	case q.State != "" && !q.DueBy.IsZero():
		return fault.New(fault.Invalid, "a query is by state or by due time, not both")
	case !q.DueBy.IsZero() && q.AfterID != "":
		return fault.New(fault.Invalid, "a query by due time has no page after an id")
	case !isState(q.State):
		return fault.New(fault.Invalid, "a query by a state that is too long or not UTF-8")
	case !isStorable(q.DueBy):
		return fault.New(fault.Invalid, "a query by a due time outside the years 1 to 9999")
	case q.AfterID != "":
		return CheckKey(Key{q.Collection, q.AfterID})
	}
	return CheckKey(Key{q.Collection, "any"})
}

// Time returns t as a store keeps it: in UTC, with microseconds. Zero stays zero.
func Time(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// Missing is the error of Get for a document that is not there.
func Missing(k Key) error {
	return fault.Wrap(fault.Missing, fmt.Errorf("no document %s", k), "get")
}
