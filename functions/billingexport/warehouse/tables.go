package warehouse

import (
	"context"
	"errors"
	"slices"
	"strings"

	"google.golang.org/api/bigquery/v2"

	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// kind is which of the two tables of a lens.
type kind string

const (
	ofMonth kind = "current"
	ofAll   kind = "ledger"
)

// periodColumn divides a table into months.
var periodColumn = map[kind]string{ofMonth: "BillingPeriodStart", ofAll: "ChargePeriodStart"}

var described = map[kind]string{
	ofMonth: "Usage charges as last published, a partition a month. Written by billingexport; whole months are replaced.",
	ofAll:   "Usage charges and their later corrections, as published one after the other. Written by billingexport; rows are only appended.",
}

// tableName is what a table is called.
func tableName(l revision.Lens, k kind) string { return "focus_" + string(l) + "_" + string(k) }

// Tables are the names of a lens's tables in the dataset.
func Tables(l revision.Lens) (current, ledger string) {
	return tableName(l, ofMonth), tableName(l, ofAll)
}

// clustering of a lens: by whom the charges are told apart first.
func clustering(l revision.Lens) []string {
	if l == revision.Tenant {
		return []string{"BillingAccountId", "ServiceName", "SkuId"}
	}
	return []string{"SubAccountId", "ServiceName", "SkuId"}
}

// table is ours, as it is made.
func (w *Warehouse) table(l revision.Lens, k kind) *bigquery.Table {
	return &bigquery.Table{
		TableReference:   &bigquery.TableReference{ProjectId: w.o.Project, DatasetId: w.o.Dataset, TableId: tableName(l, k)},
		Description:      described[k],
		Schema:           schema(),
		TimePartitioning: &bigquery.TimePartitioning{Type: "MONTH", Field: periodColumn[k]},
		Clustering:       &bigquery.Clustering{Fields: clustering(l)},
	}
}

// maxWrites is how often a table that changes under our hands is written before somebody else's time has come.
const maxWrites = 4

// prepare makes a table, or adds the columns that it lacks, and returns its schema: ours, and what others have added to it.
func (w *Warehouse) prepare(ctx context.Context, l revision.Lens, k kind) (*bigquery.TableSchema, error) {
	for range maxWrites {
		t, err := w.read(ctx, tableName(l, k))
		if fault.Is(err, fault.Missing) {
			t, err = w.create(ctx, l, k)
		}
		if err != nil {
			return nil, err
		}
		if t == nil {
			continue // somebody else was quicker
		}
		full, complete, err := completed(t, k)
		if err != nil || complete {
			return full, err
		}
		if err := w.extend(ctx, t, full); err != nil && !fault.Is(err, fault.Conflict) {
			return nil, err
		}
	}
	return nil, again(0, "the table %s changes all the time", tableName(l, k))
}

func (w *Warehouse) read(ctx context.Context, name string) (*bigquery.Table, error) {
	return call(ctx, "read the table "+name, func(ctx context.Context) (*bigquery.Table, error) {
		return w.api.Tables.Get(w.o.Project, w.o.Dataset, name).View("BASIC").Context(ctx).Do()
	})
}

// create makes a table; nil if somebody else just has.
func (w *Warehouse) create(ctx context.Context, l revision.Lens, k kind) (*bigquery.Table, error) {
	t, err := call(ctx, "make the table "+tableName(l, k), func(ctx context.Context) (*bigquery.Table, error) {
		return w.api.Tables.Insert(w.o.Project, w.o.Dataset, w.table(l, k)).Context(ctx).Do()
	})
	if isThere(err) {
		return nil, nil
	}
	return t, err
}

// extend writes a schema, unless the table has changed since it was read: that is fault.Conflict.
func (w *Warehouse) extend(ctx context.Context, t *bigquery.Table, full *bigquery.TableSchema) error {
	name := t.TableReference.TableId
	_, err := call(ctx, "add columns to the table "+name, func(ctx context.Context) (*bigquery.Table, error) {
		c := w.api.Tables.Patch(w.o.Project, w.o.Dataset, name, &bigquery.Table{Schema: full}).Context(ctx)
		c.Header().Set("If-Match", t.Etag)
		return c.Do()
	})
	return err
}

// completed is the schema of a table with the columns that it lacks behind its own, and whether it lacks none. It is fault.Invalid if the table
// is not one that we made.
func completed(t *bigquery.Table, k kind) (full *bigquery.TableSchema, complete bool, err error) {
	if t.Etag == "" || t.Schema == nil || t.TableReference == nil || slices.Contains(t.Schema.Fields, nil) {
		return nil, false, unreadable("read a table")
	}
	if p := t.TimePartitioning; p == nil || p.Type != "MONTH" || p.Field != periodColumn[k] {
		return nil, false, foreign(t, "is not divided into months by "+periodColumn[k])
	}
	full, complete = &bigquery.TableSchema{Fields: slices.Clone(t.Schema.Fields)}, true
	for _, c := range schema().Fields {
		switch has := fieldOf(t.Schema, c.Name); {
		case has == nil:
			full.Fields, complete = append(full.Fields, c), false
		case has.Type != c.Type || has.Mode != "" && has.Mode != "NULLABLE":
			return nil, false, foreign(t, "has a column "+c.Name+" of another type or mode")
		}
	}
	return full, complete, nil
}

func fieldOf(s *bigquery.TableSchema, name string) *bigquery.TableFieldSchema {
	for _, f := range s.Fields {
		if strings.EqualFold(f.Name, name) {
			return f
		}
	}
	return nil
}

func foreign(t *bigquery.Table, why string) error {
	return fault.Wrap(fault.Invalid, errors.New("it "+why+": somebody else made or changed it, and must rename it"), "use the table "+t.TableReference.TableId)
}
