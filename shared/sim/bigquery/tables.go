package bigquery

import (
	"fmt"
	"slices"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

func (tx *tx) getDataset(rq *request) (any, error) {
	id := rq.params["datasetId"]
	location, f := tx.dataset(id)
	if f != nil {
		return nil, f
	}
	return map[string]any{
		"kind": "bigquery#dataset", "etag": "d-1", "id": tx.opts.Project + ":" + id, "location": location, "type": "DEFAULT",
		"datasetReference": map[string]any{"projectId": tx.opts.Project, "datasetId": id},
	}, nil
}

// dataset returns where a dataset is.
func (tx *tx) dataset(id string) (string, *rest.Failure) {
	location, ok := tx.opts.Datasets[id]
	if !ok {
		return "", rest.Fail("NOT_FOUND", "Not found: Dataset %s:%s", tx.opts.Project, id)
	}
	return location, nil
}

func (tx *tx) getTable(rq *request) (any, error) {
	t, f := tx.table(rq)
	if f != nil {
		return nil, f
	}
	return tx.wireTable(t), nil
}

// table is the one that a path names.
func (tx *tx) table(rq *request) (tableRecord, *rest.Failure) {
	dataset, id := rq.params["datasetId"], rq.params["tableId"]
	if _, f := tx.dataset(dataset); f != nil {
		return tableRecord{}, f
	}
	t, ok := tx.state.tables[tableKey{dataset, id}]
	if !ok {
		return t, rest.Fail("NOT_FOUND", "Not found: Table %s:%s.%s", tx.opts.Project, dataset, id)
	}
	return t, nil
}

// name is a table as messages call it.
func (tx *tx) name(t tableRecord) string {
	return fmt.Sprintf("%s:%s.%s", tx.opts.Project, t.Dataset, t.ID)
}

func (tx *tx) insertTable(rq *request) (any, error) {
	dataset := rq.params["datasetId"]
	if _, f := tx.dataset(dataset); f != nil {
		return nil, f
	}
	ref := rq.object.object("tableReference")
	if ref.text("projectId") != tx.opts.Project || ref.text("datasetId") != dataset || !isTable(ref.text("tableId")) {
		return nil, rest.Invalid("tableReference", "The reference must name the project and the dataset of the path, and a table of letters, digits and _.")
	}
	t, f := readTable(rq.object)
	if f != nil {
		return nil, f
	}
	t.Dataset, t.ID, t.Created = dataset, ref.text("tableId"), tx.at
	if _, ok := tx.state.tables[tableKey{t.Dataset, t.ID}]; ok {
		return nil, rest.Fail("ALREADY_EXISTS", "Already Exists: Table %s", tx.name(t))
	}
	return tx.wireTable(tx.touch(t)), nil
}

// touch stages a table that has changed.
func (tx *tx) touch(t tableRecord) tableRecord {
	t.Serial, t.Modified = tx.next(), tx.at
	tx.putTable(t)
	return t
}

// readTable reads what a body says of a table, all of it.
func readTable(body object) (t tableRecord, f *rest.Failure) {
	if name := body.beyond("kind", "tableReference", "description", "schema", "timePartitioning", "clustering"); name != "" {
		return t, unsupported(name)
	}
	t.Description = body.text("description")
	if t.Columns, f = readColumns(body.object("schema")); f != nil {
		return t, f
	}
	if t.Partitioned, f = readPartitioning(body.object("timePartitioning"), t.Columns); f != nil {
		return t, f
	}
	t.Clustered, f = readClustering(body.object("clustering"), t.Columns)
	return t, f
}

func unsupported(name string) *rest.Failure {
	return rest.Invalid(name, "This simulator has not got this field.")
}

// patchTable adds columns and sets the description. A table that has changed since the caller read it is not touched.
func (tx *tx) patchTable(rq *request) (any, error) {
	t, f := tx.table(rq)
	if f != nil {
		return nil, f
	}
	if match := rq.Header.Get("If-Match"); match != "" && match != "*" && match != t.etag() {
		return nil, stale()
	}
	if name := rq.object.beyond("kind", "tableReference", "description", "schema"); name != "" {
		return nil, unsupported(name)
	}
	if d := rq.object.text("description"); d != "" {
		t.Description = d
	}
	if schema := rq.object.object("schema"); schema != nil {
		columns, f := readColumns(schema)
		if f != nil {
			return nil, f
		}
		if p := merge(t.Columns, columns, true, false); p != nil {
			return nil, rest.Fail("INVALID_ARGUMENT", "Provided Schema does not match Table %s. %s", tx.name(t), p.Message)
		}
		t.Columns = union(t.Columns, columns)
	}
	return tx.wireTable(tx.touch(t)), nil
}

// etag names a state of the table.
func (t tableRecord) etag() string { return fmt.Sprintf("t-%d", t.Serial) }

// rows are how many the table has, and their bytes.
func (t tableRecord) rows() (rows, bytes int64) {
	for _, g := range t.Segments {
		rows, bytes = rows+g.Rows, bytes+g.Bytes
	}
	return rows, bytes
}

// wireTable is a table as answers show it.
func (tx *tx) wireTable(t tableRecord) any {
	rows, bytes := t.rows()
	out := map[string]any{
		"kind": "bigquery#table", "etag": t.etag(), "id": tx.name(t), "type": "TABLE", "location": tx.opts.Datasets[t.Dataset],
		"tableReference": map[string]any{"projectId": tx.opts.Project, "datasetId": t.Dataset, "tableId": t.ID},
		"schema":         wireSchema(t.Columns),
		"numRows":        number(rows), "numBytes": number(bytes),
		"creationTime": millis(t.Created), "lastModifiedTime": millis(t.Modified),
	}
	if t.Description != "" {
		out["description"] = t.Description
	}
	if t.Partitioned.Type != "" {
		out["timePartitioning"] = map[string]any{"type": t.Partitioned.Type, "field": t.Partitioned.Field}
	}
	if len(t.Clustered) > 0 {
		out["clustering"] = map[string]any{"fields": slices.Clone(t.Clustered)}
	}
	return out
}
