package billingexport

import (
	"testing"

	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
)

// A month is exported, exported again without a change, and restated.
func TestExport(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, simhub.Options{Tenants: 1, Rows: 8, Skus: 2})
		w.run(`{"months":["2026-10"]}`)
		w.expect(w.newest(october), 1, revision.Published, 0, 1)
		w.run(`{"months":["2026-10"]}`)
		w.expect(w.newest(october), 1, revision.Published, 0, 1)
		w.must(w.hub.Restate(simhub.TenantLorem, "2026-10"))
		w.run(`{"months":["2026-10"]}`)
		s, err := w.p.Show(t.Context(), october, 0)
		w.must(err)
		w.expect(s.Manifest, 2, revision.Published, 1, 2)
		if len(s.Manifest.Parts) != 3 || len(s.Grave) > 0 || len(s.Totals) != 2 || len(s.Delta) != 2 {
			t.Errorf("%d parts, totals %v, delta %v, %v", len(s.Manifest.Parts), s.Totals, s.Delta, s.Grave)
		}
		w.audit(october, simhub.TenantCoke, simhub.TenantLorem)
		w.verified(october)
		w.checked()
	})
}
