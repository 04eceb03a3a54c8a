package focusfile_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// Whatever lines are in a file, reading them ends in one refusal, which is the file's fault, or in rows that come back when they are written.
func FuzzLines(f *testing.F) {
	for _, format := range []revision.Format{revision.CSV, revision.JSONL} {
		f.Add(format == revision.CSV, unzipped(f, write(f, format)))
		f.Add(format == revision.CSV, unzipped(f, write(f, format, full(), bare(), full())))
	}
	f.Add(true, bytes.ReplaceAll(unzipped(f, write(f, revision.CSV, bare())), []byte("2026-10-01"), []byte("0001-01-01")))
	f.Fuzz(func(t *testing.T, csv bool, lines []byte) {
		format := revision.JSONL
		if csv {
			format, lines = revision.CSV, bytes.ReplaceAll(lines, []byte("\r"), nil) // it does not come back, as Read says
		}
		rows, err := read(format, zipped(t, lines))
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatal(err)
		}
		again, err := read(format, write(t, format, rows...))
		if err != nil || !reflect.DeepEqual(again, rows) {
			t.Errorf("%+v is written and read as %+v, %v", rows, again, err)
		}
	})
}
