package hub

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// columns are those of the guide, in its order.
var columns = []string{
	"Org Id", "Org Name", "Org Status", "Tag", "Service Id", "Service Name", "Subscription Id", "Sku Name", "Sku Description", "Datacenter",
	"Billable Usage Timestamp", "Price ()", "Usage Qty", "Commit Qty", "Billable Qty", "Product Family", "Customer Segment", "Cross Reference Sku",
}

const (
	columnTime  = 10
	columnPrice = 11
	extraColumn = "Invoice Group"
)

// usageFile writes the rows while they are read, so that a file of any size needs no memory.
func (tx *tx) usageFile(rq *request) (reply, error) {
	w, err := tx.window(rq)
	if err != nil {
		return reply{}, err
	}
	f := &file{window: w, order: w.order()}
	h := http.Header{"Content-Type": {"text/csv"}}
	switch tx.switches.ContentDisposition {
	case "file":
		h.Set("Content-Disposition", `attachment; filename="usage-report-`+w.period.first.String()+`.csv"`)
	case "chaos":
		h.Set("Content-Disposition", `attachment; filename="../x.csv"`)
	}
	return reply{Status: http.StatusOK, Header: h, Stream: &rows{next: f.next}}, nil
}

// order says which column stands where; the last one is the extra column.
func (w *window) order() []int {
	order := make([]int, len(columns))
	for i := range order {
		order[i] = i
	}
	if w.switches.CSVExtraColumn {
		order = slices.Insert(order, 3, len(columns))
	}
	if w.switches.CSVReordered {
		slices.Reverse(order)
	}
	return order
}

// file is where the writing of a usage file stands.
type file struct {
	*window
	order   []int
	started bool
	batches []batchOf // of the organization at hand
	org     int
	i       int // row of the first batch
}

// batchOf is one series with what its rows have in common.
type batchOf struct {
	series series
	cells  []string
}

// next appends one line.
func (f *file) next(b []byte) ([]byte, bool) {
	if !f.started {
		f.started = true
		return f.header(b), !f.switches.CSVHeaderOnly
	}
	for f.org < len(f.scope.orgs) {
		if f.batches == nil {
			f.batches = f.allBatches(f.scope.orgs[f.org])
		}
		if len(f.batches) == 0 {
			f.batches, f.org = nil, f.org+1
			continue
		}
		if r, ok := f.take(); ok {
			return f.line(b, f.batches[0].cells, r), true
		}
	}
	return b, false
}

// take returns the next row of the first batch, and moves on after the last one.
func (f *file) take() (row, bool) {
	x := &f.batches[0].series
	if f.summary && f.i == 0 {
		f.i++
		return x.sum()
	}
	if f.summary || f.i >= x.len() {
		f.batches, f.i = append([]batchOf{}, f.batches[1:]...), 0
		return row{}, false
	}
	f.i++
	return x.row(f.i - 1)
}

func (f *file) allBatches(o orgRecord) []batchOf {
	all := []batchOf{}
	for m := f.period.first; m < f.period.end; m++ {
		for _, s := range f.s.catalogue(o, f.at) {
			if !f.scope.has(s.ID) {
				continue
			}
			for _, sub := range s.Subscriptions {
				if sub.Term {
					continue
				}
				for _, k := range sub.Skus {
					all = append(all, batchOf{f.series(o, k, m), f.cells(o, s, sub, k)})
				}
			}
		}
	}
	return all
}

// cells are the columns that are the same in every row of a series; the time and the quantities are filled in later.
func (f *file) cells(o orgRecord, s service, sub subscription, k sku) []string {
	id := sub.UUID
	if f.switches.CSVSubscription == "sid" {
		id = sub.SID
	}
	return []string{
		o.ID, o.Details.DisplayName, "ACTIVE", o.Details.Tag, s.ID, s.Name, id, k.Name, k.Description, k.Datacenter,
		"", string(decimal(nil, k.Price, priceScale)), "", "", "", k.Family, segment, k.CrossReference, "default",
	}
}

func (f *file) header(b []byte) []byte {
	if f.switches.CSVMark {
		b = append(b, "\ufeff"...)
	}
	names := append(slices.Clone(columns), extraColumn)
	if f.switches.PriceHeader == "(USD)" {
		names[columnPrice] = "Price (USD)"
	}
	for i, c := range f.order {
		b = f.cell(b, i, names[c])
	}
	return f.end(b)
}

func (f *file) line(b []byte, cells []string, r row) []byte {
	for i, c := range f.order {
		switch c {
		case columnTime:
			b = f.cell(b, i, f.time(r.at))
		case columnPrice + 1:
			b = f.cell(b, i, string(decimal(nil, r.usage, quantityScale)))
		case columnPrice + 2:
			b = f.cell(b, i, string(decimal(nil, r.commit, quantityScale)))
		case columnPrice + 3:
			b = f.cell(b, i, string(decimal(nil, r.billable, quantityScale)))
		default:
			b = f.cell(b, i, cells[c])
		}
	}
	return f.end(b)
}

// cell appends the i-th cell of a line.
func (f *file) cell(b []byte, i int, text string) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	if f.switches.CSVPlain && !strings.ContainsAny(text, "\",\r\n") {
		return append(b, text...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(text, `"`, `""`)...)
	return append(b, '"')
}

func (f *file) end(b []byte) []byte {
	if f.switches.CSVPlain {
		return append(b, '\n')
	}
	return append(b, "\r\n"...)
}

func (f *file) time(ms int64) string {
	switch f.switches.CSVTime {
	case "seconds":
		return strconv.FormatInt(ms/1000, 10)
	case "rfc3339":
		return time.UnixMilli(ms).UTC().Format(time.RFC3339)
	case "date":
		return time.UnixMilli(ms).UTC().Format(time.DateTime)
	case "us":
		return time.UnixMilli(ms).UTC().Format("1/2/06")
	}
	return strconv.FormatInt(ms, 10)
}
