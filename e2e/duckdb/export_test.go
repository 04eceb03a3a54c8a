package duckdb

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/charge"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/blob/dir"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// formats in the order in which the files are read: Parquet, which has types of its own, is what the others are compared with.
var formats = []revision.Format{revision.Parquet, revision.CSV, revision.JSONL}

// export charges a generated usage file, and returns the FOCUS files of a lens.
func export(t *testing.T, rows int64, in revision.Account) ([]file, *usage) {
	t.Helper()
	bucket, err := dir.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	u := newUsage()
	month := hub.PeriodOf(october)
	fetched := revision.Fetched{Month: month.String(), Org: org, Run: "run", Raw: []revision.Raw{store(t, bucket, u, rows, month)}}
	charged, err := charge.Charge(t.Context(), bucket, fetched, stated(), revision.PartFolder(month, org, "digest"), charge.Options{
		Month: month, Org: org, Master: master, Lenses: []revision.Account{in}, Formats: formats,
	})
	if err != nil {
		t.Fatal(err)
	}
	if charged.Rows != rows || charged.Quarantine != nil || bill.Grave(charged.Verdicts) || len(charged.Files) != len(formats) {
		t.Fatalf("%d rows and %d files of %d rows, verdicts %+v", charged.Rows, len(charged.Files), rows, charged.Verdicts)
	}
	var files []file
	for _, f := range charged.Files {
		files = append(files, file{f.Format, copied(t, bucket, f), columns()})
	}
	return files, u
}

// store puts the usage file where fetch would.
func store(t *testing.T, b blob.Bucket, u *usage, rows int64, month hub.Period) revision.Raw {
	t.Helper()
	w, err := b.Create(t.Context(), "text/csv")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if err := u.write(w, rows); err != nil {
		t.Fatal(err)
	}
	sum := w.Sum()
	name := revision.RawName(month, org, revision.UsageFile, sum.SHA256)
	if _, err := blob.Once(t.Context(), b, w, name); err != nil {
		t.Fatal(err)
	}
	return revision.Raw{Kind: revision.UsageFile, Name: name, Sum: sum}
}

// stated is what a usage report would say: the currency of every line.
func stated() charge.Stated {
	s := charge.Stated{Currencies: map[string][]string{"": {"USD", "EUR", "JPY"}}}
	for n := range lines {
		s.Currencies[crossReference(n)] = []string{currencyOf(n)}
	}
	return s
}

// copied copies a file out of the bucket, to where DuckDB can read it.
func copied(t *testing.T, b blob.Bucket, f revision.File) (path string) {
	t.Helper()
	in, err := b.Open(t.Context(), f.Name)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	path = filepath.Join(t.TempDir(), "focus."+string(f.Format))
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(out, in); err != nil || n != f.Bytes {
		t.Fatalf("%d bytes of %d: %v", n, f.Bytes, err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// The lenses, the tenant's with a markup that makes prices of more than nine decimals.
func asProvider() revision.Account { return revision.Account{Lens: revision.Provider} }

func asTenant() revision.Account {
	return revision.Account{Lens: revision.Tenant, Issuer: "Société Acme", Markup: decimal.RequireFromString("1.175")}
}
