package bigquery

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

const (
	rowsPage    = 1000
	maxRowsPage = 10_000
)

// listRows is tabledata.list: a page of the rows, in the order in which they were loaded. A page token is good until the table changes.
func (tx *tx) listRows(rq *request) (any, error) {
	t, f := tx.table(rq)
	if f != nil {
		return nil, f
	}
	start, f := tx.start(rq, t)
	if f != nil {
		return nil, f
	}
	size := rowsPage
	if n, err := strconv.Atoi(rq.Query.Get("maxResults")); err == nil && n > 0 {
		size = min(n, maxRowsPage)
	}
	write := timeText(rq.Query.Get("formatOptions.useInt64Timestamp") == "true", rq.Query.Get("formatOptions.timestampOutputFormat"))
	rows := []any{}
	err := tx.each(t, start, func(row []*string) bool {
		if len(rows) == size {
			return false
		}
		rows = append(rows, wireRow(t.Columns, row, write))
		return true
	})
	if err != nil {
		return nil, err
	}
	total, _ := t.rows()
	out := map[string]any{"kind": "bigquery#tableDataList", "etag": t.etag(), "totalRows": number(total), "rows": rows}
	if next := start + int64(len(rows)); next < total {
		out["pageToken"] = tx.ids.PageToken("rows\x00"+tx.name(t)+"\x00"+t.etag(), number(next))
	}
	return out, nil
}

// start is the index of the first row of a page.
func (tx *tx) start(rq *request, t tableRecord) (int64, *rest.Failure) {
	token, index := rq.Query.Get("pageToken"), rq.Query.Get("startIndex")
	if token != "" {
		place, ok := tx.ids.Place("rows\x00"+tx.name(t)+"\x00"+t.etag(), token)
		if !ok {
			return 0, rest.Invalid("pageToken", "The page token is not valid for this request.")
		}
		index = place
	}
	if index == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(index, 10, 64)
	if err != nil || n < 0 {
		return 0, rest.Invalid("startIndex", "The value must be a number that is not negative.")
	}
	return n, nil
}

// each calls do with the rows of a table from an index on, until it has enough. A row that was loaded before a column was added is shorter.
func (s *Server) each(t tableRecord, from int64, do func([]*string) bool) error {
	for _, g := range t.Segments {
		if from >= g.Rows {
			from -= g.Rows
			continue
		}
		more, err := s.eachOf(g, from, do)
		if err != nil || !more {
			return err
		}
		from = 0
	}
	return nil
}

func (s *Server) eachOf(g segment, from int64, do func([]*string) bool) (more bool, err error) {
	data, err := s.blobs.Load(g.Blob)
	if err != nil {
		return false, err
	}
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return false, err
	}
	dec := json.NewDecoder(bufio.NewReader(zip))
	for n := int64(0); ; n++ {
		var row []*string
		if err := dec.Decode(&row); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return true, err
		}
		if n >= from && !do(row) {
			return false, nil
		}
	}
}

// wireRow writes a row as answers have it: a cell for every column of the table.
func wireRow(columns []column, row []*string, timestamp func(int64) string) any {
	cells := make([]any, len(columns))
	for i, c := range columns {
		var v any
		if i < len(row) && row[i] != nil {
			v = cell(c.Type, *row[i], timestamp)
		}
		cells[i] = map[string]any{"v": v}
	}
	return map[string]any{"f": cells}
}

func cell(kind, text string, timestamp func(int64) string) string {
	n, _ := strconv.ParseInt(text, 10, 64)
	switch kind {
	case "TIMESTAMP":
		return timestamp(n)
	case "DATE":
		return time.Unix(n*86400, 0).UTC().Format(time.DateOnly)
	}
	return text
}

// timeText is how a caller wants timestamps: as seconds in floating point, unless something else is said.
func timeText(asInt bool, format string) func(micros int64) string {
	switch {
	case asInt || format == "INT64":
		return number
	case format == "ISO8601_STRING":
		return func(n int64) string { return time.UnixMicro(n).UTC().Format("2006-01-02T15:04:05.999999Z") }
	}
	return func(n int64) string { return strconv.FormatFloat(float64(n)/1e6, 'E', -1, 64) }
}
