package hub_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

const header = `"Org Id","Org Name","Org Status","Tag","Service Id","Service Name","Subscription Id","Sku Name","Sku Description","Datacenter","Billable Usage Timestamp","Price ()","Usage Qty","Commit Qty","Billable Qty","Product Family","Customer Segment","Cross Reference Sku"`

const row = `"o","Coke, Inc","ACTIVE"," tag ","s","VMC","sub","sku","text","dc","1537029569000","0.123456789","1","0","1.000000001","fam","seg","cross"`

func rowsOf(text string) (rows []hub.UsageRow, r *hub.UsageReader, err error) {
	if r, err = hub.NewUsageReader(strings.NewReader(text)); err != nil {
		return nil, nil, err
	}
	for {
		u, err := r.Next()
		if err != nil {
			return rows, r, err
		}
		rows = append(rows, u)
	}
}

func TestUsageReader(t *testing.T) {
	reordered := strings.Replace(header, `"Org Id","Org Name"`, `"Org Name","Org Id"`, 1)
	for _, tt := range []struct {
		name, text string
		currency   string
		check      func(r hub.UsageRow) bool
	}{
		{"as shown", header + "\r\n" + row + "\r\n", "", func(r hub.UsageRow) bool {
			return r.OrgID == "o" && r.OrgName == "Coke, Inc" && r.Tag == "tag" && r.Price == "0.123456789" && r.Billable == "1.000000001" &&
				r.Time.Format("2006-01-02T15:04:05Z07:00") == "2018-09-15T16:39:29Z" && r.Line == 2 && r.Cells[3] == " tag " && r.Extra == nil
		}},
		{"byte order mark, LF, no last line end", "\xef\xbb\xbf" + header + "\n" + row, "", func(r hub.UsageRow) bool { return r.OrgID == "o" }},
		{"other order", reordered + "\n" + strings.Replace(row, `"o","Coke, Inc"`, `"Coke, Inc","o"`, 1), "", func(r hub.UsageRow) bool { return r.OrgID == "o" && r.OrgName == "Coke, Inc" }},
		{"currency, case, padding", strings.NewReplacer("Price ()", " PRICE (USD) ", "Org Id", " org id").Replace(header) + "\n" + row, "USD", func(r hub.UsageRow) bool { return r.OrgID == "o" && r.Price != "" }},
		{"a column more", header + `,"New Thing"` + "\n" + row + `," v"`, "", func(r hub.UsageRow) bool { return r.Extra["x_New Thing"] == " v" }},
		{"a column less that nobody needs", strings.Replace(header, `"Org Name",`, "", 1) + "\n" + strings.Replace(row, `"Coke, Inc",`, "", 1), "", func(r hub.UsageRow) bool { return r.OrgName == "" && r.OrgStatus == "ACTIVE" }},
		{"a line break in a cell", header + "\n" + strings.Replace(row, "text", "te\nxt", 1), "", func(r hub.UsageRow) bool { return r.SkuDescription == "te\nxt" }},
		{"a time of no known form", header + "\n" + strings.Replace(row, "1537029569000", "10/1/18", 1), "", func(r hub.UsageRow) bool {
			return r.Problem == "Billable Usage Timestamp" && r.Time.IsZero() && r.Timestamp == "10/1/18"
		}},
		{"a price with a sign of money", header + "\n" + strings.Replace(row, "0.123456789", "$0.12", 1), "", func(r hub.UsageRow) bool { return r.Problem == "Price ()" && r.Price == "" }},
		{"a price that would eat the memory", header + "\n" + strings.Replace(row, "0.123456789", "1e999999999", 1), "", func(r hub.UsageRow) bool { return r.Problem == "Price ()" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rows, r, err := rowsOf(tt.text)
			if err != io.EOF || len(rows) != 1 {
				t.Fatalf("%d rows: %v", len(rows), err)
			}
			if r.Currency != tt.currency || !tt.check(rows[0]) {
				t.Errorf("currency %q, row %+v", r.Currency, rows[0])
			}
		})
	}
}

func TestUsageReaderKeepsDuplicates(t *testing.T) {
	rows, _, err := rowsOf(header + "\n" + row + "\n" + row + "\n")
	var v hub.View
	if err != io.EOF || len(rows) != 2 || v.Add(rows[0]) || !v.Add(rows[1]) {
		t.Errorf("%d rows: %v", len(rows), err)
	}
}

func TestUsageReaderRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		kind       fault.Kind
	}{
		{"nothing", "", fault.Invalid},
		{"only a byte order mark", "\xef\xbb\xbf", fault.Invalid},
		{"another file", "a,b,c\n1,2,3\n", fault.Invalid},
		{"an error page", "<html>" + person + "</html>", fault.Invalid},
		{"no price", strings.Replace(header, "Price ()", "Cost", 1), fault.Invalid},
		{"a column twice", strings.Replace(header, "Org Name", "Org Id", 1), fault.Invalid},
		{"two prices", strings.Replace(header, "Tag", "Price (EUR)", 1), fault.Invalid},
		{"too many columns", strings.Repeat("a,", 300) + "a", fault.Invalid},
		{"a short row", header + "\n" + `"o"` + "\n", fault.Transient},
		{"cut in a quote", header + "\n" + row[:40], fault.Transient},
		{"an endless row", header + "\n\"" + strings.Repeat("a", 3<<20), fault.Transient},
	} {
		_, _, err := rowsOf(tt.text)
		if err == nil || err == io.EOF || fault.Of(err) != tt.kind || strings.Contains(err.Error(), person) {
			t.Errorf("%s: kind %q, want %q: %v", tt.name, fault.Of(err), tt.kind, err)
		}
	}
}

func TestUsageTime(t *testing.T) {
	const want = "2018-10-01T12:30:00Z"
	for _, s := range []string{"1538397000", "1538397000000", "1538397000000000", "2018-10-01T12:30:00Z", "2018-10-01T14:30:00+02:00", "2018-10-01 12:30:00"} {
		if got, ok := hub.UsageTime(s); !ok || got.Format("2006-01-02T15:04:05Z07:00") != want {
			t.Errorf("%q is %v, %v", s, got, ok)
		}
	}
	if got, ok := hub.UsageTime("2018-10-01"); !ok || got.Hour() != 0 || got.Day() != 1 {
		t.Errorf("a date is %v, %v", got, ok)
	}
	for _, s := range []string{"", "0", "10/1/18", "1/10/2018", "153839700", "15383970000", "-1538397000", "1538397000.5", "1.5e12", "Oct 1 2018", "0000000000", "99999999999999999999"} {
		if got, ok := hub.UsageTime(s); ok {
			t.Errorf("%q was read as %v", s, got)
		}
	}
}

// A hub that takes times in the other unit than the guide's example says so, or shows another month, or nothing.
func TestUnitOfTheFile(t *testing.T) {
	month := hub.PeriodOf(time.Now())
	at := func(when time.Time) string {
		return header + "\n" + strings.Replace(row, "1537029569000", fmt.Sprint(when.UnixMilli()), 1) + "\n"
	}
	good, other := at(month.Start()), at(month.Start().AddDate(-1, 0, 0))
	for _, tt := range []struct {
		name        string
		ms, s       string // what comes for either unit; a text without a line end is a refusal
		unit        hub.Unit
		inside, out int
		calls       int
		err         error
		kind        fault.Kind
	}{
		{"right at once", good, "400", "", 1, 0, 1, nil, ""},
		{"the other is asked for by a refusal", "400", good, "", 1, 0, 2, nil, ""},
		{"the other month", other, good, "", 1, 0, 2, nil, ""},
		{"nothing, so the other", header + "\n", good, "", 1, 0, 2, nil, ""},
		{"both nothing", header + "\n", header + "\n", "", 0, 0, 2, nil, ""},
		{"nothing, and the other refused", header + "\n", "400", "", 0, 0, 2, nil, ""},
		{"both the other month", other, other, "", 0, 2, 2, hub.ErrPeriodMismatch, fault.Transient},
		{"the other month, and the other refused", other, "400", "", 0, 1, 2, hub.ErrPeriodMismatch, fault.Transient},
		{"both refused", "400", "400", "", 0, 0, 2, nil, fault.Invalid},
		{"the unit is known", "400", good, hub.Milliseconds, 0, 0, 1, nil, fault.Invalid},
		{"the unit is known, another month", other, good, hub.Milliseconds, 0, 1, 1, hub.ErrPeriodMismatch, fault.Transient},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWire(t, func(rw http.ResponseWriter, r *http.Request) {
				text := tt.ms
				if len(r.URL.Query().Get("startTime")) == 10 {
					text = tt.s
				}
				if text == "400" {
					rw.WriteHeader(400)
					return
				}
				io.WriteString(rw, text)
			})
			rows, tally := client(t, hub.Options{Endpoint: w.URL + "/api"}).UsageRows(t.Context(), master, hub.UsageQuery{Period: month, Unit: tt.unit})
			var last error
			for _, last = range rows {
			}
			_, calls := w.seen()
			if fault.Of(last) != tt.kind || tt.err != nil && !errors.Is(last, tt.err) || tally.Inside != tt.inside || tally.Outside != tt.out || len(calls) != tt.calls {
				t.Errorf("%d inside, %d outside, %d calls: %v", tally.Inside, tally.Outside, len(calls), last)
			}
		})
	}
}
