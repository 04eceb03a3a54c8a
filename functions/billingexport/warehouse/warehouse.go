// Package warehouse loads published revisions into BigQuery: two tables for every lens, made by it where they are missing and never dropped.
//
//	focus_<lens>_current   the month as last published: a revision replaces its month's partition as a whole
//	focus_<lens>_ledger    what was ever published: the files of a month's first revision, and the corrections of every later one
//
// The sum of a month is the same in both, whenever no load of it is under way: in current the partition of the billing period, in ledger the
// rows whose charge period lies in the month. Lenses are never mixed in a table.
//
// # How
//
// A load is two load jobs of BigQuery, which read Parquet files out of the bucket. A job does everything at its end in one step, or nothing. Its
// id says what it loads and is used once, for ever:
//
//	be_<lens>_<current|ledger>_<month>_<first 24 digits of the manifest's sha256>_<attempt>
//
// So whoever repeats a load, after a crash, a lost answer, or at the same time, meets the job that is there: the second insert is 409. The next
// attempt is made only when the one before has ended and failed, and a job that failed has changed nothing. That is what keeps the rows of
// the ledger table from being appended twice. [Warehouse.Load] starts what is missing, waits a little and says how far it came; it never
// blocks for as long as a job may take.
//
// The effect export.load (effect.go) does that for a ledger: class Keyed, the job's id is the key. A load that still runs is reported to it as
// certainly not finished, so that it comes again. Revisions of a month are loaded one after the other, each after the one that its
// corrections start from: an older one never overwrites a newer.
//
// # What a failure means
//
// A job that BigQuery calls invalid is fault.Invalid for ever: the same file in the same table fails again. Every other failure of a job (a
// backend, a quota, a right that is missing) is tried again with a new attempt, after half a minute at first and after an hour at most;
// the ledger parks the effect after a day of it. A table that somebody else made in another form is fault.Invalid before anything is
// loaded, and a load of no file, or of more than MaxFiles, is so before anything is asked. A month without usage is a Parquet file without
// rows: loading it empties the partition.
//
// Not promised: that jobs are remembered for ever. BigQuery forgets them after half a year; the ledger keeps its records longer than that. Nor
// that the two tables agree while a load is under way, or after a load that failed for good and that somebody set aside.
package warehouse

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"google.golang.org/api/bigquery/v2"
	"google.golang.org/api/option"

	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// Objects is where published revisions are; a blob.Bucket is one.
type Objects interface {
	Open(ctx context.Context, name string) (blob.Reader, error)
}

// Options of a Warehouse.
type Options struct {
	Project  string
	Dataset  string
	Location string // of the dataset: EU, US, europe-west3
	Endpoint string // base URL that replaces Google's

	Transport gapi.Options // its Endpoint is not used

	Bucket Objects // of published revisions
	Root   string  // its URI as BigQuery reads it, gs://NAME/ or gs://NAME/FOLDER/

	Wait time.Duration    // in one Load, for its jobs; default 15s, well below a call of the ledger. Negative: none
	Now  func() time.Time // default time.Now
}

// Warehouse is a dataset of BigQuery. It keeps no state and may be used by many.
type Warehouse struct {
	o   Options
	api *bigquery.Service
}

var (
	projectForm = regexp.MustCompile(`^[a-z][a-z0-9.:-]{4,98}[a-z0-9]$`)
	datasetForm = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
	rootForm    = regexp.MustCompile(`^gs://[a-z0-9][a-z0-9._-]+/([^*\s]+/)?$`)
)

// New returns a warehouse. It does no I/O.
func New(ctx context.Context, o Options) (*Warehouse, error) {
	switch {
	case !projectForm.MatchString(o.Project) || !datasetForm.MatchString(o.Dataset) || o.Location == "":
		return nil, fault.New(fault.Invalid, "BigQuery needs the id of a project, the id of a dataset and where it is")
	case !rootForm.MatchString(o.Root):
		return nil, fault.New(fault.Invalid, "BigQuery reads from a bucket of Cloud Storage, gs://NAME/ or gs://NAME/FOLDER/, only")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wait == 0 {
		o.Wait = 15 * time.Second
	}
	o.Transport.Endpoint = o.Endpoint
	hc, err := gapi.Client(o.Transport)
	if err != nil {
		return nil, err
	}
	opts := []option.ClientOption{option.WithHTTPClient(hc)}
	if o.Endpoint != "" {
		opts = append(opts, option.WithEndpoint(strings.TrimSuffix(o.Endpoint, "/")+"/bigquery/v2/"))
	}
	api, err := bigquery.NewService(ctx, opts...)
	if err != nil {
		return nil, fault.Wrap(fault.Bug, err, "make the client of BigQuery")
	}
	return &Warehouse{o: o, api: api}, nil
}

// Check asks whether the dataset is there, where it should be.
func (w *Warehouse) Check(ctx context.Context) error {
	d, err := call(ctx, "read the dataset", func(ctx context.Context) (*bigquery.Dataset, error) {
		return w.api.Datasets.Get(w.o.Project, w.o.Dataset).DatasetView("METADATA").Context(ctx).Do()
	})
	if err != nil {
		return err
	}
	if !strings.EqualFold(d.Location, w.o.Location) {
		return fault.New(fault.Invalid, "the dataset is not in the location that is configured")
	}
	return nil
}

// call makes one call of the API and classifies its failure. A success that says nothing is no answer.
func call[T any](ctx context.Context, doing string, do func(context.Context) (*T, error)) (*T, error) {
	var out *T
	err := gapi.Do(ctx, doing, func(ctx context.Context) (err error) {
		out, err = do(ctx)
		return err
	})
	if err == nil && out == nil {
		err = unreadable(doing)
	}
	return out, err
}

func unreadable(doing string) error {
	return fault.Wrap(fault.Transient, errors.New("the answer does not say what was asked for"), doing)
}

// isThere reports whether something was not made because something of that name is there. A failed precondition is a conflict as well, and not
// this one.
func isThere(err error) bool {
	return fault.Is(err, fault.Conflict) && gapi.Status(err) == http.StatusConflict
}

// pause waits, or ends early with its context.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// again is an error after which nothing is open and the same is to be tried later.
func again(after time.Duration, format string, args ...any) error {
	err := fault.Wrap(fault.Transient, fmt.Errorf(format, args...), "load into BigQuery")
	return fault.Unsent(fault.After(err, after))
}
