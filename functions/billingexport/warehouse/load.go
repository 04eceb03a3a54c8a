package warehouse

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/api/bigquery/v2"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Phase is how far a load has come.
type Phase string

// The phases.
const (
	Absent  Phase = "absent" // no job has been started
	Running Phase = "running"
	Done    Phase = "done"
)

// State is how far a Load came: Done once both of its jobs are.
type State struct {
	Phase   Phase  `json:"phase"`
	Current Loaded `json:"current"`
	Ledger  Loaded `json:"ledger,omitzero"` // zero: nothing is appended
}

// Loaded is one load job, as it is told to people.
type Loaded struct {
	Phase   Phase  `json:"phase"`
	Job     string `json:"job,omitempty"` // its id
	Attempt int    `json:"attempt,omitempty"`
	Files   int64  `json:"files,omitempty"`
	Bytes   int64  `json:"bytes,omitempty"`
	Rows    int64  `json:"rows,omitempty"`
}

// How a load waits.
const (
	firstPoll    = 500 * time.Millisecond
	longestPoll  = 5 * time.Second
	reserve      = 5 * time.Second // of the context's time, for what follows
	firstRetry   = 30 * time.Second
	longestRetry = time.Hour
	maxAttempts  = 100 // of one table: more than the ledger's patience makes
)

// Load starts the jobs of j that were not started yet, waits for them a little, and says how far they came. Calling it again goes on with the
// same jobs, whoever started them. See the package comment for its errors; after every one of them that is not of kind fault.Invalid, Denied
// or Missing calling it again is right.
func (w *Warehouse) Load(ctx context.Context, j Job) (State, error) {
	ones, err := j.ones()
	if err != nil {
		return State{}, err
	}
	end := w.o.Now().Add(w.o.Wait)
	if d, ok := ctx.Deadline(); ok && d.Add(-reserve).Before(end) {
		end = d.Add(-reserve)
	}
	for wait := firstPoll; ; wait = min(2*wait, longestPoll) {
		s, err := stateOf(ones, func(o one) (Loaded, error) { return w.advance(ctx, o) })
		if err != nil || s.Phase == Done || w.o.Now().Add(wait).After(end) || !pause(ctx, wait) {
			return s, err
		}
	}
}

// Look says how far the jobs of j are, and starts none.
func (w *Warehouse) Look(ctx context.Context, j Job) (State, error) {
	ones, err := j.ones()
	if err != nil {
		return State{}, err
	}
	return stateOf(ones, func(o one) (Loaded, error) {
		l, _, err := w.last(ctx, o)
		return l, err
	})
}

// stateOf joins what is known of the jobs, up to the first that fails.
func stateOf(ones []one, look func(one) (Loaded, error)) (State, error) {
	var s State
	for _, o := range ones {
		l, err := look(o)
		if o.kind == ofMonth {
			s.Current, s.Phase = l, l.Phase
		} else {
			s.Ledger = l
		}
		if l.Phase != s.Phase {
			s.Phase = Running
		}
		if err != nil {
			return s, err
		}
	}
	return s, nil
}

// advance brings one job forward: what was never tried, or failed long enough ago, is started.
func (w *Warehouse) advance(ctx context.Context, o one) (Loaded, error) {
	l, failed, err := w.last(ctx, o)
	if err != nil || l.Phase != Absent {
		return l, err
	}
	if l.Attempt == maxAttempts {
		return l, fault.New(fault.Invalid, "%d load jobs have failed; the last is %s", maxAttempts, o.id(maxAttempts))
	}
	if failed != nil {
		if err := w.judge(o, l.Attempt, failed); err != nil {
			return l, err
		}
	}
	return w.start(ctx, o, l.Attempt+1)
}

// last finds the latest attempt. If that failed, or there is none, the phase is Absent; Attempt is the number of those that failed.
func (w *Warehouse) last(ctx context.Context, o one) (_ Loaded, failed *bigquery.Job, err error) {
	l := Loaded{Phase: Absent}
	for n := 1; n <= maxAttempts; n++ {
		job, err := w.job(ctx, o, n)
		switch {
		case fault.Is(err, fault.Missing):
			return l, failed, nil
		case err != nil:
			return l, nil, err
		case job.Status.ErrorResult == nil:
			return loaded(job, n), nil, nil
		}
		l.Attempt, failed = n, job
	}
	return l, failed, nil
}

// job reads an attempt; fault.Missing if it was not made.
func (w *Warehouse) job(ctx context.Context, o one, attempt int) (*bigquery.Job, error) {
	job, err := call(ctx, "read a load job", func(ctx context.Context) (*bigquery.Job, error) {
		return w.api.Jobs.Get(w.o.Project, o.id(attempt)).Location(w.o.Location).Context(ctx).Do()
	})
	if err != nil {
		return nil, err
	}
	return job, w.ours(job, o)
}

// start makes an attempt, or meets it. The table is looked after first: a job cannot.
func (w *Warehouse) start(ctx context.Context, o one, attempt int) (Loaded, error) {
	absent := Loaded{Phase: Absent, Attempt: attempt - 1}
	s, err := w.prepare(ctx, o.job.Lens, o.kind)
	if err != nil {
		return absent, err
	}
	job, err := call(ctx, "start a load job", func(ctx context.Context) (*bigquery.Job, error) {
		return w.api.Jobs.Insert(w.o.Project, w.request(o, attempt, s)).Context(ctx).Do()
	})
	if isThere(err) {
		job, err = w.met(ctx, o, attempt)
	} else if err == nil {
		err = w.ours(job, o)
	}
	switch {
	case err != nil:
		return absent, err
	case job.Status.ErrorResult != nil:
		return absent, w.judge(o, attempt, job)
	}
	return loaded(job, attempt), nil
}

// met reads the attempt that stood in the way of ours.
func (w *Warehouse) met(ctx context.Context, o one, attempt int) (*bigquery.Job, error) {
	job, err := w.job(ctx, o, attempt)
	if fault.Is(err, fault.Missing) {
		return nil, again(0, "the load job %s is there and cannot be found", o.id(attempt))
	}
	return job, err
}

// request is the job as it is sent. The schema is the table's, so that a column of somebody else's is no obstacle. A partition may get columns that
// were added since; what is appended may not, for there the option would be about the whole table.
func (w *Warehouse) request(o one, attempt int, s *bigquery.TableSchema) *bigquery.Job {
	load := &bigquery.JobConfigurationLoad{
		DestinationTable:   &bigquery.TableReference{ProjectId: w.o.Project, DatasetId: w.o.Dataset, TableId: o.table()},
		SourceUris:         o.uris,
		SourceFormat:       "PARQUET",
		Schema:             s,
		DecimalTargetTypes: []string{"NUMERIC", "BIGNUMERIC"},
		CreateDisposition:  "CREATE_NEVER",
		WriteDisposition:   "WRITE_APPEND",
	}
	if o.kind == ofMonth {
		load.WriteDisposition, load.SchemaUpdateOptions = "WRITE_TRUNCATE", []string{"ALLOW_FIELD_ADDITION"}
	}
	return &bigquery.Job{
		JobReference:  &bigquery.JobReference{ProjectId: w.o.Project, JobId: o.id(attempt), Location: w.o.Location},
		Configuration: &bigquery.JobConfiguration{Load: load},
	}
}

// ours refuses a job that cannot be read, and one of our name that loads into something else: another installation in the same project.
func (w *Warehouse) ours(job *bigquery.Job, o one) error {
	if job.Status == nil || job.Status.State == "" || job.Configuration == nil || job.Configuration.Load == nil || job.Configuration.Load.DestinationTable == nil {
		return unreadable("read a load job")
	}
	to := job.Configuration.Load.DestinationTable
	if to.DatasetId != w.o.Dataset || to.TableId != o.table() {
		return fault.New(fault.Invalid, "a load job of our name loads into another table: two installations share a project and a manifest")
	}
	return nil
}

func loaded(job *bigquery.Job, attempt int) Loaded {
	l := Loaded{Phase: Running, Attempt: attempt}
	if job.JobReference != nil {
		l.Job = job.JobReference.JobId
	}
	if job.Status.State == "DONE" {
		l.Phase = Done
	}
	if s := job.Statistics; s != nil && s.Load != nil {
		l.Files, l.Bytes, l.Rows = s.Load.InputFiles, s.Load.InputFileBytes, s.Load.OutputRows
	}
	return l
}

// judge says what follows from a job that failed: nothing is left to be done, or not yet, or, with nil, the next attempt.
func (w *Warehouse) judge(o one, attempt int, job *bigquery.Job) error {
	why := reason(job.Status.ErrorResult)
	if why == "invalid" {
		return fault.Wrap(fault.Invalid, fmt.Errorf("the load job %s failed for good: %s", o.id(attempt), why), "load into BigQuery")
	}
	wait := min(firstRetry<<min(attempt-1, 10), longestRetry)
	if s := job.Statistics; s != nil && s.EndTime > 0 {
		wait = min(wait, time.UnixMilli(s.EndTime).Add(wait).Sub(w.o.Now()))
	}
	if wait > 0 {
		return again(wait, "the load job %s failed: %s", o.id(attempt), why)
	}
	return nil
}

// reason is the word by which BigQuery says why. Its message may hold anything; who wants it looks at the job.
func reason(e *bigquery.ErrorProto) string {
	if e.Reason == "" || strings.Trim(e.Reason, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_") != "" {
		return "unknown"
	}
	return e.Reason
}

var errRuns = errors.New("the load job still runs")
