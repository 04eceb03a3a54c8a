package bigquery

import (
	"fmt"
	"slices"
)

// load carries out a job. What it stages is everything that the job does; on an error it stages nothing.
func (tx *tx) load(j *jobRecord) *proto {
	t, p := tx.destination(j)
	if p != nil {
		return p
	}
	rows := newSink(t, j.Load)
	for _, uri := range j.Load.URIs {
		bytes, p := tx.read(uri, rows)
		if p != nil {
			return p
		}
		j.Files, j.Bytes = j.Files+1, j.Bytes+bytes
	}
	segments, err := tx.keep(rows, j.ID)
	if err != nil {
		return &proto{Reason: "backendError", Message: "The rows cannot be written."}
	}
	t.Segments = append(t.left(j.Load), segments...)
	j.Rows = rows.count
	tx.touch(t)
	return nil
}

// destination is the table that a job loads into as it will be, with the job's schema.
func (tx *tx) destination(j *jobRecord) (tableRecord, *proto) {
	l := j.Load
	t, ok := tx.state.tables[tableKey{l.Dataset, l.Table}]
	if !ok {
		return tx.created(l)
	}
	full, _ := t.rows()
	switch {
	case l.Write == "WRITE_EMPTY" && full > 0:
		return t, &proto{Reason: "duplicate", Message: "Already Exists: Table " + tx.name(t)}
	case l.Partition != "" && !t.Partitioned.names(l.Partition):
		return t, mismatch("Invalid partition decorator of table %s: it names no partition.", tx.name(t))
	case l.Partitioned != (partitioning{}) && l.Partitioned != t.Partitioned, len(l.Clustered) > 0 && !slices.Equal(l.Clustered, t.Clustered):
		return t, mismatch("Incompatible table partitioning specification for table %s.", tx.name(t))
	}
	return tx.reshaped(t, l)
}

// created is a table that is made for a job.
func (tx *tx) created(l load) (tableRecord, *proto) {
	t := tableRecord{Dataset: l.Dataset, ID: l.Table, Columns: l.Columns, Partitioned: l.Partitioned, Clustered: l.Clustered, Created: tx.at}
	switch {
	case l.Create == "CREATE_NEVER":
		return t, &proto{Reason: "notFound", Message: "Not found: Table " + tx.name(t)}
	case len(l.Columns) == 0:
		return t, mismatch("This simulator makes no table out of the schema of a file.")
	case l.Partition != "" && !t.Partitioned.names(l.Partition):
		return t, mismatch("Invalid partition decorator of table %s: it names no partition.", tx.name(t))
	}
	return t, nil
}

// reshaped is a table with the schema of a job, if that goes with its own.
func (tx *tx) reshaped(t tableRecord, l load) (tableRecord, *proto) {
	switch {
	case len(l.Columns) == 0:
	case l.Write == "WRITE_TRUNCATE" && l.Partition == "":
		t.Columns = l.Columns
	default:
		if p := merge(t.Columns, l.Columns, l.allows("ALLOW_FIELD_ADDITION"), l.allows("ALLOW_FIELD_RELAXATION")); p != nil {
			p.Message = fmt.Sprintf("Provided Schema does not match Table %s. %s", tx.name(t), p.Message)
			return t, p
		}
		t.Columns = union(t.Columns, l.Columns)
	}
	return t, nil
}

// left is what stays of a table's rows when a job writes.
func (t tableRecord) left(l load) []segment {
	switch {
	case l.Write == "WRITE_APPEND" || l.Write == "WRITE_EMPTY":
		return slices.Clone(t.Segments)
	case l.Partition == "":
		return nil
	}
	return slices.DeleteFunc(slices.Clone(t.Segments), func(g segment) bool { return g.Partition == l.Partition })
}
