package billingexport

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/focusfile"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// snapshot is every object and its checksum. What one run fetched says when it asked, which a disturbance changes: those documents are left out.
func (w *world) snapshot() map[string]string {
	all := map[string]string{}
	for o, err := range blob.All(context.Background(), w.bucket, "") {
		w.must(err)
		if !strings.Contains(o.Name, "/fetched/") {
			all[o.Name] = o.CRC32C
		}
	}
	return all
}

// compare complains of every object that is not as it was.
func (w *world) compare(want map[string]string) {
	got := w.snapshot()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		switch {
		case got[name] == "":
			w.complain("%s is missing", name)
		case got[name] != want[name]:
			w.complain("%s is another one", name)
		}
	}
	for name := range got {
		if want[name] == "" {
			w.complain("%s is too much", name)
		}
	}
}

// sums are those of a lens by currency.
type sums map[revision.Lens]map[string]decimal.Decimal

func (s sums) add(l revision.Lens, currency string, d decimal.Decimal) {
	if s[l] == nil {
		s[l] = map[string]decimal.Decimal{}
	}
	s[l][currency] = s[l][currency].Add(d)
}

// rows adds the rows of Parquet files, read back.
func (w *world) rows(s sums, files []revision.File) {
	for _, f := range files {
		if f.Format != revision.Parquet {
			continue
		}
		data, _, err := blob.ReadAll(context.Background(), w.bucket, f.Name, 1<<28)
		w.must(err)
		for row, err := range focusfile.Read(f.Format, bytes.NewReader(data), int64(len(data))) {
			w.must(err)
			s.add(f.Lens, row.BillingCurrency, row.BilledCost)
		}
	}
}

// revisions returns those of a month, oldest first.
func (w *world) revisions(p hub.Period) (all []revision.Manifest) {
	for o, err := range blob.All(context.Background(), w.bucket, revision.MonthFolder(p)) {
		w.must(err)
		if !strings.HasSuffix(o.Name, "/"+revision.ManifestFile) {
			continue
		}
		data, _, err := blob.ReadAll(context.Background(), w.bucket, o.Name, revision.MaxManifest)
		w.must(err)
		man, err := revision.DecodeManifest(data)
		w.must(err)
		all = append(all, man)
	}
	return all
}

// audit holds a month's ledger against what is current, and every revision against the tenants.
func (w *world) audit(p hub.Period, tenants ...string) {
	ledger, current := sums{}, sums{}
	published, once := 0, map[string]bool{}
	for i, man := range w.revisions(p) {
		if man.Revision != i+1 {
			w.complain("%s has no revision %d", man.Month, i+1)
		}
		if _, told := w.announced[business(man.Month, man.Revision)]; !told {
			w.complain("revision %d of %s was not announced", man.Revision, man.Month)
		}
		for _, org := range append(slices.Sorted(maps.Keys(once)), tenants...) {
			if _, there := man.PartOf(org); !there {
				w.complain("revision %d of %s lacks %s", man.Revision, man.Month, org)
			}
		}
		for _, part := range man.Parts {
			once[part.Org] = true // and in every later one
		}
		if man.State != revision.Published {
			continue
		}
		if man.Since != published {
			w.complain("revision %d of %s starts from %d, not from %d", man.Revision, man.Month, man.Since, published)
		}
		current = sums{}
		for _, part := range man.Parts {
			w.rows(current, part.Files)
			if published == 0 {
				w.rows(ledger, part.Files)
			}
		}
		w.rows(ledger, man.Delta)
		published = man.Revision
	}
	if w.current[p.String()] != published {
		w.complain("current.json of %s names %d, and %d is published", p, w.current[p.String()], published)
	}
	for l, of := range current {
		for c, d := range of {
			if !d.Equal(ledger[l][c]) {
				w.complain("%s, lens %s: current is %s %s, the ledger %s", p, l, c, d, ledger[l][c])
			}
		}
	}
	for l, of := range ledger {
		for c, d := range of {
			if !d.Equal(current[l][c]) {
				w.complain("%s, lens %s: the ledger has %s %s, current %s", p, l, c, d, current[l][c])
			}
		}
	}
}
