// Package storage is a server of Cloud Storage's JSON API, as far as the usage export uses it: objects.get (metadata, and media with ranges),
// objects.insert (media, multipart and resumable), objects.list, objects.rewrite, objects.delete, buckets.get and buckets.testIamPermissions. It
// speaks the real wire protocol and checks every request against the published contract. Tests drive our clients against it, and `providerdesk
// up` mounts it, where it keeps its state in a folder.
//
// The contract (contract_gen.go) is generated from the discovery document in google.golang.org/api. A request that breaks it is answered 400
// in Cloud Storage's error shape with the reason. An op, as faults and calls name it, is the published id of a method; one published method
// speaks several protocols, so there are ops beside: storage.objects.download, storage.uploads.start, .chunk, .status and .cancel.
//
// What it does where a client could go wrong:
//   - A generation is a time in microseconds, and is never given twice. Preconditions on it are 412, or 304 for a read that wants another.
//   - The CRC32C and MD5 that a caller states, in the metadata or in X-Goog-Hash, are those of what arrived, or it is 400 and nothing is kept.
//   - A chunk that is not the last is a multiple of 256 KiB and begins where the last one ended. With Options.Persist less of it is kept than
//     came, and the Range of the 308 says so. A session that is done answers its object again; one that is cancelled is 499, then 410.
//   - A rewrite of more than Options.Rewrite bytes takes several calls with a token, which is good for that rewrite only.
//   - A page of a listing may have fewer objects than were asked for (Options.Page), and still have a successor.
//
// Beside the API it has controls:
//
//	/faults, /calls      those of every simulator: {"op":"storage.objects.insert","fault":"commit_then_drop"}; see package server
//	POST   /corruptions  {"bucket":"acme-usage","name":"a.csv","at":0}: that byte of the object is another from now on, its checksum is not
//
// Guaranteed: a change is in the journal, synced, before its answer, and the bytes that it names before the change; a request is executed
// entirely or not at all. There is no goroutine of its own and no clock but Options.Now and the timer of a delay. Not promised: access
// control, versions that are no longer live, any other method or parameter (they are refused, not ignored). The bytes of what was deleted are
// removed at the next start.
package storage

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// Options of a server; the zero value is a server in memory with one bucket, open to everybody.
type Options struct {
	Now     func() time.Time // default time.Now
	Seed    uint64           // of all ids
	Dir     string           // keeps the state; empty: memory
	Buckets []string         // that are there; default acme-usage

	RequireToken bool     // a call without a bearer token is 401
	Denied       []string // permissions that the caller's test does not find; nothing is refused for them

	Persist int64 // most bytes of a chunk that are kept, a multiple of 256 KiB; default all of them
	Rewrite int64 // most bytes that one call rewrites; default all of them
	Page    int   // most objects of a page; default 1000
}

// Server is the simulator; see the package comment.
type Server struct {
	*server.Server
	opts       Options
	ids        server.IDs
	operations map[string]operation

	mu      sync.Mutex
	state   *state
	journal *server.Journal[change]
	blobs   *server.Blobs
	made    []objectRecord // by requests, at most maxMade
}

const maxMade = 100_000 // objects that History knows

// operation executes one op. It reads the state and stages its change in tx.
type operation func(tx *tx, rq *request) (server.Reply, error)

// Call is one call that the server received.
type Call = server.Call

// New opens a server, with the state that Options.Dir holds.
func New(o Options) (*Server, error) {
	s := &Server{opts: o.withDefaults(), ids: server.IDs(o.Seed), state: newState()}
	if s.opts.Persist%granule != 0 || s.opts.Persist < 0 {
		return nil, fmt.Errorf("open Cloud Storage: a chunk is kept in multiples of %d bytes", granule)
	}
	s.Server = server.New(s.behaviour())
	s.operations = s.allOperations()
	var err error
	if s.journal, err = server.OpenJournal(s.opts.Dir, journalFile, s.state, nil); err != nil {
		return nil, fmt.Errorf("open Cloud Storage: %w", err)
	}
	if s.blobs, err = server.OpenBlobs(s.opts.Dir, blobFolder, s.state.pieces()); err != nil {
		return nil, fmt.Errorf("open Cloud Storage: %w", err)
	}
	return s, nil
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Buckets == nil {
		o.Buckets = []string{"acme-usage"}
	}
	o.Page = cmp.Or(o.Page, mostObjects)
	return o
}

func (s *Server) allOperations() map[string]operation {
	return map[string]operation{
		"storage.buckets.get":     s.getBucket,
		opTest:                    s.testPermissions,
		"storage.objects.get":     s.getObject,
		opDownload:                s.download,
		"storage.objects.list":    s.listObjects,
		"storage.objects.insert":  s.insert,
		"storage.objects.rewrite": s.rewrite,
		"storage.objects.delete":  s.deleteObject,
		opStart:                   s.startUpload,
		opChunk:                   s.takeChunk,
		opStatus:                  s.takeChunk,
		opCancel:                  s.cancelUpload,
	}
}

// behaviour is what makes the server Cloud Storage.
func (s *Server) behaviour() server.Behaviour {
	return server.Behaviour{
		Now: s.opts.Now, API: inAPI, Find: s.find, Control: s.control, Render: renderControl,
		Fail:    func(code int) server.Reply { return failCode(code).reply() },
		Garbage: server.Typed(http.StatusOK, rest.JSON, []byte(`{"kind": "storage#obj`)),
		Known:   func(op string) bool { return slices.Contains(Ops(), op) },
	}
}

func inAPI(path string) bool {
	return strings.HasPrefix(path, "/storage/") || strings.HasPrefix(path, "/upload/") || strings.HasPrefix(path, "/resumable/")
}

// Close releases the journal.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.journal.Close()
}

// execute runs a request as of a time: checks it, changes the state, makes the change durable.
func (s *Server) execute(rq *request, at time.Time) server.Reply {
	a, err := s.admitted(rq, at)
	switch {
	case err == nil:
		return a
	case rq.Op == opDownload:
		return failureOf(err).plain()
	}
	return failureOf(err).reply()
}

func (s *Server) admitted(rq *request, at time.Time) (server.Reply, error) {
	if f := s.admit(rq); f != nil {
		return server.Reply{}, f
	}
	return s.commit(rq, at)
}

// admit checks who calls and what, before anything is looked up.
func (s *Server) admit(rq *request) *failure {
	_, token, _ := strings.Cut(rq.Header.Get("Authorization"), "Bearer ")
	switch {
	case s.opts.RequireToken && strings.TrimSpace(token) == "":
		return &failure{code: http.StatusUnauthorized, reason: "required", message: "Anonymous caller does not have access."}
	case rq.TooLarge:
		return invalid(fmt.Sprintf("Request payload size exceeds the limit: %d bytes.", rq.Limit))
	case rq.BadQuery:
		return invalid("The query of the URL cannot be read.")
	}
	if f := checkQuery(rq.route, rq.Query); f != nil {
		return f
	}
	for _, name := range []string{"bucket", "sourceBucket", "destinationBucket"} {
		if b, ok := rq.params[name]; ok && !slices.Contains(s.opts.Buckets, b) {
			return &failure{code: http.StatusNotFound, reason: "notFound", message: "The specified bucket does not exist."}
		}
	}
	return rq.parse()
}

// commit executes under the lock. The state changes only once the journal has the change.
func (s *Server) commit(rq *request, at time.Time) (server.Reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := s.begin(at)
	a, err := s.operations[rq.Op](tx, rq)
	if err != nil {
		return server.Reply{}, err
	}
	return a, tx.commit()
}

// tx stages what one request changes.
type tx struct {
	*Server
	at     time.Time
	change change
}

func (s *Server) begin(at time.Time) *tx {
	return &tx{Server: s, at: at.UTC(), change: change{Serial: s.state.serial, Generation: s.state.generation}}
}

// next draws a name with the next value of the counter.
func (tx *tx) next(purpose string) string {
	tx.change.Serial++
	return server.Letters(tx.ids.Draw(purpose, tx.change.Serial), server.Alphanumeric, 28)
}

// save keeps the bytes of a request; the change that names them comes after.
func (tx *tx) save(data []byte) ([]piece, error) {
	if len(data) == 0 {
		return nil, nil
	}
	p := piece{tx.next("piece"), int64(len(data))}
	return []piece{p}, tx.blobs.Save(p.ID, data)
}

func (tx *tx) commit() error {
	if len(tx.change.Objects)+len(tx.change.Uploads) == 0 {
		return nil
	}
	if err := tx.journal.Append(tx.change); err != nil {
		return err
	}
	tx.state.apply(tx.change)
	if len(tx.made) < maxMade {
		tx.Server.made = append(tx.Server.made, tx.change.Objects...)
	}
	return nil
}
