package bigquery

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// Where the state is kept, in the folder of the options.
const (
	journalFile = "bigquery.jsonl"
	blobFolder  = "bigquery-rows"
)

// The records are what the server keeps and writes to its journal.

// tableRecord is a table with what names its rows.
type tableRecord struct {
	Dataset     string       `json:"dataset"`
	ID          string       `json:"id"`
	Serial      uint64       `json:"serial"` // of the last change; its etag
	Description string       `json:"description,omitempty"`
	Columns     []column     `json:"columns"`
	Partitioned partitioning `json:"partitioned,omitzero"`
	Clustered   []string     `json:"clustered,omitempty"`
	Created     time.Time    `json:"created"`
	Modified    time.Time    `json:"modified"`
	Segments    []segment    `json:"segments,omitempty"`
}

type column struct {
	Name        string `json:"name"`
	Type        string `json:"type"` // in the older of two spellings
	Mode        string `json:"mode"`
	Description string `json:"description,omitempty"`
}

// partitioning is how a table is divided; without a type it is not.
type partitioning struct {
	Type  string `json:"type,omitempty"`
	Field string `json:"field,omitempty"`
}

// segment is what one job put into one partition.
type segment struct {
	Partition string            `json:"partition,omitempty"`
	Blob      string            `json:"blob"`
	Job       string            `json:"job"`
	Rows      int64             `json:"rows"`
	Bytes     int64             `json:"bytes"`
	Billed    map[string]string `json:"billed,omitempty"` // by currency, exact
}

// jobRecord is a load job. Its id is never used again.
type jobRecord struct {
	ID       string    `json:"id"`
	Location string    `json:"location"`
	Load     load      `json:"load"`
	Created  time.Time `json:"created"`
	Polls    int       `json:"polls,omitempty"` // that still find it unfinished
	Polled   bool      `json:"polled,omitempty"`
	Due      time.Time `json:"due"`
	Ended    time.Time `json:"ended,omitzero"`
	Error    *proto    `json:"error,omitempty"`
	Files    int64     `json:"files,omitempty"`
	Bytes    int64     `json:"bytes,omitempty"`
	Rows     int64     `json:"rows,omitempty"`
}

// load is the configuration of a job.
type load struct {
	Dataset     string       `json:"dataset"`
	Table       string       `json:"table"`
	Partition   string       `json:"partition,omitempty"` // of a decorator
	URIs        []string     `json:"uris"`
	Create      string       `json:"create"`
	Write       string       `json:"write"`
	Updates     []string     `json:"updates,omitempty"`
	Targets     []string     `json:"targets"`
	Columns     []column     `json:"columns,omitempty"`
	Partitioned partitioning `json:"partitioned,omitzero"`
	Clustered   []string     `json:"clustered,omitempty"`
}

// change is what one request does to the state: records to insert or replace, all together or not at all. It is also a line of the journal.
type change struct {
	Serial uint64        `json:"serial,omitempty"`
	Tables []tableRecord `json:"tables,omitempty"`
	Jobs   []jobRecord   `json:"jobs,omitempty"`
}

func (c change) empty() bool { return len(c.Tables)+len(c.Jobs) == 0 }

type tableKey struct{ dataset, id string }

// state is everything that requests read and change.
type state struct {
	serial uint64
	tables map[tableKey]tableRecord
	jobs   map[string]jobRecord
}

func newState() *state {
	return &state{tables: map[tableKey]tableRecord{}, jobs: map[string]jobRecord{}}
}

// Replay does a change of the journal again.
func (s *state) Replay(c change) error {
	s.apply(c)
	return nil
}

func (s *state) apply(c change) {
	s.serial = max(s.serial, c.Serial)
	for _, r := range c.Tables {
		s.tables[tableKey{r.Dataset, r.ID}] = r
	}
	for _, r := range c.Jobs {
		s.jobs[r.ID] = r
	}
}

// Changes returns what rebuilds the state, in lines that do not grow with it.
func (s *state) Changes() []change {
	all := []change{{Serial: s.serial}}
	for _, r := range s.tables {
		all = append(all, change{Tables: []tableRecord{r}})
	}
	for _, r := range s.jobs {
		all = append(all, change{Jobs: []jobRecord{r}})
	}
	return all
}

// blobs are the names of the rows that tables have.
func (s *state) blobs() map[string]bool {
	known := map[string]bool{}
	for _, t := range s.tables {
		for _, g := range t.Segments {
			known[g.Blob] = true
		}
	}
	return known
}

// due are the jobs that are done by a time, in the order in which they are.
func (s *state) due(at time.Time) []jobRecord {
	var all []jobRecord
	for _, j := range s.jobs {
		if !j.done() && !j.Due.After(at) {
			all = append(all, j)
		}
	}
	slices.SortFunc(all, func(a, b jobRecord) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID)) })
	return all
}

func (tx *tx) putTable(r tableRecord) { tx.change.Tables = append(tx.change.Tables, r) }

func (tx *tx) putJob(r jobRecord) { tx.change.Jobs = append(tx.change.Jobs, r) }

// millis writes a time as BigQuery does.
func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// number writes a 64-bit number as JSON APIs of Google do.
func number(n int64) string { return strconv.FormatInt(n, 10) }
