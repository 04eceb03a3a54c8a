package warehouse

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/big"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/shopspring/decimal"
	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/functions/billingexport/focus"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/sim/bigquery"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const root = "gs://usage/exports/"

var (
	september = hub.Period{Year: 2026, Month: time.September}
	october   = hub.Period{Year: 2026, Month: time.October}
)

// bucket is a bucket as far as it is read: by us by name, by BigQuery by URI.
type bucket struct {
	mu   sync.Mutex
	data map[string][]byte
}

func (b *bucket) put(name string, data []byte) revision.File {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data[name] = data
	sum := sha256.Sum256(data)
	return revision.File{Name: name, Format: revision.Parquet, Sum: blob.Sum{SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(data))}}
}

func (b *bucket) get(name string) ([]byte, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	data, ok := b.data[name]
	return data, ok
}

func (b *bucket) Open(_ context.Context, name string) (blob.Reader, error) {
	data, ok := b.get(name)
	if !ok {
		return nil, fault.New(fault.Missing, "no such object")
	}
	return object{bytes.NewReader(data), name}, nil
}

// read is how BigQuery gets at a file.
func (b *bucket) read(uri string) (io.ReaderAt, int64, error) {
	name, ok := strings.CutPrefix(uri, root)
	data, there := b.get(name)
	if !ok || !there {
		return nil, 0, fs.ErrNotExist
	}
	return bytes.NewReader(data), int64(len(data)), nil
}

type object struct {
	*bytes.Reader
	name string
}

func (o object) Close() error        { return nil }
func (o object) Object() blob.Object { return blob.Object{Name: o.name, Bytes: o.Size()} }

// fileType is focus.Row as a Parquet file has it, told by its fields and their comments: decimals of 16 bytes, optional texts, times in microseconds.
var fileType = func() reflect.Type {
	var all []reflect.StructField
	for i := range reflect.TypeFor[focus.Row]().NumField() {
		f := reflect.TypeFor[focus.Row]().Field(i)
		kind, tag := parquetOf(f.Type)
		all = append(all, reflect.StructField{Name: f.Name, Type: kind, Tag: reflect.StructTag(`parquet:"` + columnName(f.Name) + tag + `"`)})
	}
	return reflect.StructOf(all)
}()

func columnName(field string) string {
	if strings.HasPrefix(field, "X") {
		return "x_" + field[1:]
	}
	return field
}

func parquetOf(t reflect.Type) (reflect.Type, string) {
	switch t {
	case reflect.TypeFor[decimal.Decimal]():
		return reflect.TypeFor[[16]byte](), ",decimal(18:38)"
	case reflect.TypeFor[decimal.NullDecimal]():
		return reflect.TypeFor[[16]byte](), ",optional,decimal(9:38)"
	case reflect.TypeFor[time.Time]():
		return reflect.TypeFor[int64](), ",timestamp(microsecond)"
	case reflect.TypeFor[int64]():
		return reflect.TypeFor[int64](), ",optional"
	}
	return reflect.TypeFor[string](), ",optional"
}

func unscaled(d decimal.Decimal, scale int32) (out [16]byte) {
	n := d.Shift(scale).BigInt()
	if n.Sign() < 0 {
		n.Add(n, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	n.FillBytes(out[:])
	return out
}

// focusFile is a Parquet file of rows.
func focusFile(t testing.TB, rows ...focus.Row) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewWriter(&b, parquet.SchemaOf(reflect.New(fileType).Interface()))
	for _, row := range rows {
		to, from := reflect.New(fileType).Elem(), reflect.ValueOf(row)
		for i := range from.NumField() {
			switch v := from.Field(i).Interface().(type) {
			case decimal.Decimal:
				to.Field(i).Set(reflect.ValueOf(unscaled(v, 18)))
			case decimal.NullDecimal:
				to.Field(i).Set(reflect.ValueOf(unscaled(v.Decimal, 9)))
			case time.Time:
				to.Field(i).SetInt(v.UnixMicro())
			default:
				to.Field(i).Set(from.Field(i))
			}
		}
		if err := w.Write(to.Addr().Interface()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// charged is a row of a month.
func charged(m hub.Period, org, cost string) focus.Row {
	c := decimal.RequireFromString(cost)
	return focus.Row{BilledCost: c, EffectiveCost: c, ContractedCost: c, ListCost: c, BillingCurrency: "EUR", SubAccountId: org, BillingAccountId: "provider",
		BillingPeriodStart: m.Start(), BillingPeriodEnd: m.End(), ChargePeriodStart: m.Start().AddDate(0, 0, 3), ChargePeriodEnd: m.Start().AddDate(0, 0, 4),
		PricingQuantity: decimal.NewNullDecimal(decimal.RequireFromString("1.000000001")), ServiceName: "VMware Cloud on AWS", XSourceRow: 1, Tags: `{"a":"b"}`}
}

// costs are what each tenant is charged, in a revision.
type costs map[string][]string

// world is BigQuery, a bucket and our warehouse in front of them.
type world struct {
	testing.TB
	*Warehouse
	sim    *bigquery.Server
	bucket *bucket
}

func newWorld(t testing.TB, o bigquery.Options) *world {
	t.Helper()
	w := &world{TB: t, bucket: &bucket{data: map[string][]byte{}}}
	o.Objects, o.RequireToken = w.bucket.read, true
	if o.Datasets == nil {
		o.Datasets = map[string]string{"billing": "europe-west3"}
	}
	var err error
	w.sim, err = bigquery.New(o)
	w.must(err)
	w.Warehouse = w.warehouse(nil)
	return w
}

// in runs a test in virtual time.
func in(t *testing.T, o bigquery.Options, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(newWorld(t, o)) })
}

// warehouse is another process's.
func (w *world) warehouse(change func(*Options)) *Warehouse {
	w.Helper()
	o := Options{Project: "acme-prod", Dataset: "billing", Location: "europe-west3", Endpoint: "https://bigquery.test", Bucket: w.bucket, Root: root,
		Transport: gapi.Options{Token: gapi.StaticToken("token"), Base: w.sim.Transport(), Backoff: time.Millisecond}}
	if change != nil {
		change(&o)
	}
	out, err := New(w.Context(), o)
	w.must(err)
	return out
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) fails(err error, kind fault.Kind) {
	w.Helper()
	if !fault.Is(err, kind) {
		w.Errorf("%v is %q, want %q", err, fault.Of(err), kind)
	}
}

func (w *world) arm(op, text string, times int) {
	w.Helper()
	w.must(w.sim.ArmFault("bigquery."+op, text, times))
}

// calls is how often an op was called.
func (w *world) calls(op string) int {
	_, counts := w.sim.Calls()
	return counts["bigquery."+op]
}

// file puts a Parquet file of a tenant's month into the bucket.
func (w *world) file(name string, m hub.Period, org string, costs ...string) revision.File {
	w.Helper()
	var rows []focus.Row
	for _, c := range costs {
		rows = append(rows, charged(m, org, c))
	}
	f := w.bucket.put(name, focusFile(w, rows...))
	f.Lens, f.Rows = revision.Provider, int64(len(rows))
	return f
}

// publish puts a revision into the bucket: what tenants are charged, and the corrections since the published one before.
func (w *world) publish(m hub.Period, rev, since int, of costs, corrections ...string) {
	w.Helper()
	out := revision.Manifest{V: 1, Month: m.String(), Revision: rev, State: revision.Published, Since: since, Made: m.End()}
	for _, org := range []string{"a", "b", "c"} {
		if list, ok := of[org]; ok {
			folder := revision.PartFolder(m, org, fmt.Sprintf("digest-%s-%d", org, rev))
			out.Parts = append(out.Parts, revision.Part{Org: org, Files: []revision.File{
				w.file(folder+revision.FocusFile(revision.Provider, revision.Parquet), m, org, list...),
				{Name: folder + revision.FocusFile(revision.Provider, revision.CSV), Lens: revision.Provider, Format: revision.CSV, Rows: 1},
				{Name: folder + revision.FocusFile(revision.Tenant, revision.Parquet), Lens: revision.Tenant, Format: revision.Parquet, Rows: 1},
			}})
		}
	}
	if len(corrections) > 0 {
		out.Delta = []revision.File{w.file(revision.Folder(m, rev)+revision.DeltaFile(revision.Provider, revision.Parquet), m, "a", corrections...)}
	}
	data, err := json.Marshal(out)
	w.must(err)
	w.bucket.put(revision.Folder(m, rev)+revision.ManifestFile, data)
}

// sum is what is in a month's partition of a table: how many rows, and the sum of BilledCost.
func (w *world) sum(table string, m hub.Period) (int64, decimal.Decimal) {
	w.Helper()
	v, err := w.sim.Table("billing." + table)
	w.must(err)
	for _, p := range v.Partitions {
		if p.Partition == m.Start().Format("200601") {
			if keys := len(p.Billed); keys != 1 {
				w.Errorf("%d currencies in %s", keys, table)
			}
			return p.Rows, p.Billed["EUR"]
		}
	}
	return 0, decimal.Decimal{}
}

// want compares a month's partitions with what was published: the rows of its last revision, and all rows that were ever appended.
func (w *world) want(m hub.Period, of costs, appended int64) {
	w.Helper()
	var total decimal.Decimal
	var n int64
	for list := range maps.Values(of) {
		for _, c := range list {
			total, n = total.Add(decimal.RequireFromString(c)), n+1
		}
	}
	rows, sum := w.sum("focus_provider_current", m)
	if rows != n || !sum.Equal(total) {
		w.Errorf("current has %d rows of %s in %s, want %d of %s", rows, m, sum, n, total)
	}
	rows, sum = w.sum("focus_provider_ledger", m)
	if rows != appended || !sum.Equal(total) {
		w.Errorf("ledger has %d rows of %s in %s, want %d of %s", rows, m, sum, appended, total)
	}
}

// pass lets virtual time pass.
func (w *world) pass(d time.Duration) { time.Sleep(d) }

// job is a load of a revision's provider lens.
func (w *world) job(m hub.Period, rev int) Job {
	w.Helper()
	manifest, sum, err := w.manifest(w.Context(), m, rev)
	w.must(err)
	return w.jobOf(manifest, m, revision.Provider, sum)
}

// loads loads a revision to its end.
func (w *world) loads(j Job) State {
	w.Helper()
	for range 200 {
		s, err := w.Load(w.Context(), j)
		w.must(err)
		if s.Phase == Done {
			return s
		}
		time.Sleep(time.Minute)
	}
	w.Fatal("a load does not end")
	return State{}
}
