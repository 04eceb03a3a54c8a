// Package bigquery is a server of BigQuery's REST API v2 as far as a monthly export uses it: datasets.get, tables.get, insert and patch, load
// jobs (jobs.insert, jobs.get) from Parquet files, tabledata.list. It speaks the real wire protocol and checks every request against the
// published contract (contract_gen.go, out of the discovery document in google.golang.org/api). Tests drive our client against it, and
// `providerdesk up` mounts it at /sim/bigquery/, where it keeps its state in a folder. A request that breaks the contract is answered 400 in
// Google's error shape with the field and the reason. An op, as faults and calls name it, is the published id of a method:
// "bigquery.jobs.insert".
//
// What it does where a client could go wrong:
//   - The id of a job is used once, for ever: a second insert is 409 "Already Exists: Job", whatever became of the first.
//   - A job is PENDING when it is inserted, RUNNING for some polls, or some time, and then DONE: with status.errorResult, and then nothing was
//     changed, or with everything that it does in one step.
//   - The files are read when the job ends, as real Parquet. Decimals stay exact. The target type follows decimalTargetTypes, precision and
//     scale as documented; a value that does not fit fails the job, and nothing is rounded.
//   - WRITE_TRUNCATE with a partition decorator (table$202610) replaces that partition, by nothing if the files hold no row; a row of another
//     partition fails the job. Without a decorator it replaces the table and its schema.
//   - A schema that does not match the table fails the job: a type or mode that differs, a column that is missing on either side without
//     ALLOW_FIELD_ADDITION; a column of the file that is not in the schema; nulls where REQUIRED.
//   - A job in a location other than US and EU is found only by a caller who names the location. A dataset is not found in another location.
//   - Tables have etags: a patch with a stale If-Match is 412. A patch can add columns that are NULLABLE, and take none away.
//
// Beside the API it has controls:
//
//	/faults, /calls     those of every simulator: {"op":"bigquery.jobs.insert","fault":"commit_then_drop","times":1}; see package server
//	POST /jobs          {"reason":"backendError","times":1}: so many jobs end with that error, and change nothing
//	GET  /tables/NAME   the rows and the exact sums of BilledCost by BillingCurrency of each partition; NAME is DATASET.TABLE
//
// Guaranteed: a change is in the journal, synced, before its answer; a request is executed entirely or not at all. There is no goroutine of its
// own and no clock but Options.Now and the timer of a delay, so it runs inside a synctest bubble. Not promised: queries, other formats,
// wildcards in URIs, nested columns, quotas, permissions, partial responses (fields), hostile files (the library that reads Parquet takes as much
// memory as a file says), that failures of jobs set by a control outlive the process. What is not simulated is refused with 400, never ignored.
package bigquery

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// Options of a server; the zero value is a server in memory with one dataset and no files.
type Options struct {
	Now  func() time.Time // default time.Now
	Seed uint64           // of all ids
	Dir  string           // keeps the state; empty: memory

	Project  string            // default acme-prod
	Datasets map[string]string // id to location; default billing in EU
	// Objects opens the file of a URI and says how long it is. An error that is fs.ErrNotExist is a file that is not there; a reader that is an
	// io.Closer is closed. Default: there are none.
	Objects func(uri string) (io.ReaderAt, int64, error)

	RequireToken bool          // a call without a bearer token is 401
	JobPolls     int           // gets of a job that find it unfinished; default 1, negative: done in the first answer
	JobTime      time.Duration // after which a job is done without polls; default 10s
}

// Server is the simulator; see the package comment.
type Server struct {
	*server.Server
	opts Options
	ids  server.IDs

	mu      sync.Mutex
	state   *state
	journal *server.Journal[change]
	blobs   *server.Blobs
	failing []string // the reasons with which the next jobs end
}

// Call is one call that the server received.
type Call = server.Call

// New opens a server, with the state that Options.Dir holds.
func New(o Options) (*Server, error) {
	s := &Server{opts: o.withDefaults(), ids: server.IDs(o.Seed), state: newState()}
	s.Server = server.New(s.behaviour())
	var err error
	if s.journal, err = server.OpenJournal(s.opts.Dir, journalFile, s.state, nil); err != nil {
		return nil, fmt.Errorf("open BigQuery: %w", err)
	}
	if s.blobs, err = server.OpenBlobs(s.opts.Dir, blobFolder, s.state.blobs()); err != nil {
		return nil, fmt.Errorf("open BigQuery: %w", errors.Join(err, s.journal.Close()))
	}
	return s, nil
}

// behaviour is what makes the server this API.
func (s *Server) behaviour() server.Behaviour {
	return server.Behaviour{
		Now: s.opts.Now, Find: s.find, Control: s.control, Render: rest.Control,
		API:     func(path string) bool { return strings.HasPrefix(path, "/bigquery/v2/") },
		Fail:    func(code int) server.Reply { return reply(rest.FailCode(code)) },
		Garbage: server.Typed(http.StatusOK, rest.JSON, []byte(`{"kind": "bigq`)),
		Known: func(op string) bool {
			return slices.ContainsFunc(methods, func(m method) bool { return m.Op == op })
		},
	}
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Project = cmp.Or(o.Project, "acme-prod")
	if o.Datasets == nil {
		o.Datasets = map[string]string{"billing": "EU"}
	}
	if o.Objects == nil {
		o.Objects = noObjects
	}
	o.JobPolls = cmp.Or(o.JobPolls, 1)
	o.JobTime = cmp.Or(o.JobTime, 10*time.Second)
	return o
}

// Close releases the journal.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.journal.Close()
}

// operations has an entry for every method of the contract.
var operations = map[string]func(*tx, *request) (any, error){
	"bigquery.datasets.get":   (*tx).getDataset,
	"bigquery.jobs.get":       (*tx).getJob,
	"bigquery.jobs.insert":    (*tx).insertJob,
	"bigquery.tabledata.list": (*tx).listRows,
	"bigquery.tables.get":     (*tx).getTable,
	"bigquery.tables.insert":  (*tx).insertTable,
	"bigquery.tables.patch":   (*tx).patchTable,
}

// execute runs a request as of a time: checks it, changes the state, makes the change durable.
func (s *Server) execute(rq *request, at time.Time) server.Reply {
	if f := s.admit(rq); f != nil {
		return reply(f)
	}
	out, err := s.commit(rq, at)
	if err != nil {
		return reply(rest.FailureOf(err))
	}
	return render(rq, out)
}

// admit checks who calls and what, before anything is looked up.
func (s *Server) admit(rq *request) *rest.Failure {
	if f := cmp.Or(s.authenticate(rq), rest.Unreadable(rq.Request), checkQuery(rq.route, rq.Query).Failure()); f != nil {
		return f
	}
	if rq.params["projectId"] != s.opts.Project {
		return rest.Fail("PERMISSION_DENIED", "Access Denied: the caller does not have permission in this project, or it does not exist.")
	}
	return rq.parse()
}

// commit executes under the lock. The state changes only once the journal has the change.
func (s *Server) commit(rq *request, at time.Time) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.finishDue(at); err != nil {
		return nil, err
	}
	tx := s.begin(at)
	out, err := operations[rq.route.method.Op](tx, rq)
	if err != nil {
		return nil, err
	}
	return out, tx.commit()
}

// tx stages what one request changes.
type tx struct {
	*Server
	at     time.Time
	change change
}

// begin opens a transaction; the caller holds the lock.
func (s *Server) begin(at time.Time) *tx {
	return &tx{Server: s, at: at.UTC().Truncate(time.Millisecond), change: change{Serial: s.state.serial}}
}

// next is the next value of the counter.
func (tx *tx) next() uint64 {
	tx.change.Serial++
	return tx.change.Serial
}

func (tx *tx) commit() error {
	if tx.change.empty() {
		return nil
	}
	if err := tx.journal.Append(tx.change); err != nil {
		return err
	}
	tx.state.apply(tx.change)
	return nil
}
