package billingexport

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/hub"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
)

// A history is drawn from a seed: restatements, tenants that come late, go and come back, a hub that fails for a while, a configuration that
// changes, requests for some tenants or from the archive, and deaths at any write.
type history struct {
	*world
	*rand.Rand
	orgs   []string
	months []hub.Period
	told   map[string]int
}

const events = 14 // of a history

func (h *history) happen() {
	org := h.orgs[h.IntN(len(h.orgs))]
	month := h.months[h.IntN(len(h.months))]
	switch h.IntN(9) {
	case 0, 1, 2:
		h.must(h.hub.Restate(org, month.String()))
		h.told["restatements"]++
	case 3:
		h.hidden[org] = !h.hidden[org]
		h.told["tenants that come or go"]++
	case 4:
		op := []string{"usage.file", "usage.report", "subscriptions.list", "tenants.list"}[h.IntN(4)]
		h.must(h.hub.ArmFault(op, []string{"status:503", "drop", "garbage", "status:429"}[h.IntN(4)], 1+h.IntN(40)))
		h.told["failures of the hub"]++
	case 5:
		h.config.Billing.Markup = decimal.New(int64(100+h.IntN(30)), -2)
		h.start() // with another configuration
		h.told["changes of the markup"]++
	case 6:
		h.request(fmt.Sprintf(`{"months":[%q],"tenants":[%q]}`, month, org))
		h.told["requests for one tenant"]++
	case 7:
		h.request(fmt.Sprintf(`{"months":[%q],"archive":true}`, month))
		h.told["requests from the archive"]++
	}
	h.request(fmt.Sprintf(`{"months":[%q]}`, month))
	h.told["requests"]++
}

// request asks for something, sometimes while another run is under way.
func (h *history) request(text string) {
	time.Sleep(time.Duration(1+h.IntN(120)) * time.Minute)
	if h.IntN(3) > 0 {
		h.p.fatal = h.p.writes + 1 + h.IntN(60)
	}
	h.ask(text)
	if h.IntN(3) > 0 {
		h.settle()
	}
}

// playHistory plays one and returns what broke a promise.
func playHistory(t *testing.T, seed uint64, told map[string]int, spoil func(*rules)) (wrong []string) {
	synctest.Test(t, func(t *testing.T) {
		h := &history{newWorld(t, simhub.Options{Rows: 4, Skus: 1, Tenants: 1}), rand.New(rand.NewPCG(seed, 5)), nil, []hub.Period{october, october.Add(-1)}, told}
		h.world.spoil(spoil)
		all, err := h.p.source.Tenants(t.Context())
		h.must(err)
		for _, o := range all {
			h.orgs = append(h.orgs, o.ID)
		}
		h.hidden[h.orgs[h.IntN(len(h.orgs))]] = true // it comes late
		h.habit = habit{twice: h.IntN(2) == 0, backward: h.IntN(2) == 0}
		for range events {
			h.happen()
		}
		h.settle()
		clear(h.hidden)
		h.hub.ClearFaults()
		for _, m := range h.months { // everything is well again: each month becomes published
			h.run(fmt.Sprintf(`{"months":[%q]}`, m))
			h.audit(m)
			h.verified(m)
			told["revisions"] += len(h.revisions(m))
		}
		told["deaths"] += h.deaths
		wrong = h.wrong
	})
	return wrong
}

// verified lets Verify look at the newest revision of a month.
func (w *world) verified(p hub.Period) {
	all := w.revisions(p)
	if len(all) == 0 || all[len(all)-1].State != revision.Published {
		w.complain("%s is not published in the end", p)
		return
	}
	for _, part := range all[len(all)-1].Parts {
		if a, ok := accountOf(part, revision.Tenant); !ok || !a.Markup.Equal(w.config.Billing.Markup) {
			w.complain("%s of %s is not charged as it is configured", part.Org, p)
		}
	}
	checks, err := w.p.Verify(w.Context(), p, 0)
	w.must(err)
	for c := range checks {
		if c.Problem != "" {
			w.complain("%s: %s", c.What, c.Problem)
		}
	}
}

// TestHistories: whatever happens, in the end what is current is what was published first and all corrections, to the last digit.
func TestHistories(t *testing.T) {
	begun := time.Now()
	const shards = 2
	var mu sync.Mutex
	sum, bad := map[string]int{}, 0
	t.Run("seeds", func(t *testing.T) {
		for i := range shards {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				told := map[string]int{}
				for seed := i; seed < seeds; seed += shards {
					if wrong := playHistory(t, uint64(seed), told, nil); len(wrong) > 0 {
						t.Errorf("seed %d: %d wrong: %.900s", seed, len(wrong), wrong)
						mu.Lock()
						bad++
						mu.Unlock()
					}
				}
				mu.Lock()
				defer mu.Unlock()
				for k, n := range told {
					sum[k] += n
				}
			})
		}
	})
	t.Logf("%d histories, %d wrong, %v: %v", seeds, bad, time.Since(begun).Round(time.Second), sum)
}
