package billingexport

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/functions/billingexport/warehouse"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/chat/slack"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/say"
	"github.com/providerdesk/providerdesk/shared/sim/bigquery"
	simchat "github.com/providerdesk/providerdesk/shared/sim/chat"
)

// following is a world with a chat room and a warehouse.
type following struct {
	*world
	chat   *simchat.Server
	tables *bigquery.Server
}

const root = "gs://acme-usage/export/"

func newFollowing(t *testing.T) *following {
	w := &following{world: newWorld(t, hubOptions)}
	w.config.Billing.Rooms = []config.Room{{Slack: "C0CASES"}}
	w.config.Billing.BigQuery = &config.BigQuery{Project: "acme-prod", Dataset: "billing", Location: "EU"}
	var err error
	w.chat, err = simchat.New(simchat.Options{})
	w.must(err)
	w.tables, err = bigquery.New(bigquery.Options{Objects: w.object})
	w.must(err)
	t.Cleanup(func() { w.chat.Close(); w.tables.Close() })
	w.deps = func(p *process, d *Deps) {
		room, err := slack.NewRoom(slack.RoomOptions{Token: "xoxb-1", Endpoint: "http://chat.test/slack/api", Files: "http://chat.test/slack/files",
			BotUser: simchat.BotUser, Base: mortalRemote{p, w.chat.Transport()}})
		w.must(err)
		d.Rooms = say.Rooms{chat.Slack: room}
		d.Warehouse, err = warehouse.New(t.Context(), warehouse.Options{Project: "acme-prod", Dataset: "billing", Location: "EU", Bucket: d.Bucket, Root: root,
			Transport: gapi.Options{Token: gapi.StaticToken("token"), Base: mortalRemote{p, w.tables.Transport()}, Backoff: time.Millisecond}})
		w.must(err)
	}
	w.start()
	return w
}

// object is how the warehouse reads the bucket.
func (w *following) object(uri string) (io.ReaderAt, int64, error) {
	data, _, err := blob.ReadAll(w.Context(), w.bucket, strings.TrimPrefix(uri, root), 1<<28)
	if err != nil {
		return nil, 0, fs.ErrNotExist
	}
	return bytes.NewReader(data), int64(len(data)), nil
}

// mortalRemote is a remote whose calls are writes of a process: it may die after each.
type mortalRemote struct {
	p    *process
	base http.RoundTripper
}

func (m mortalRemote) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	err = m.p.write("remote calls", func() error {
		resp, err = m.base.RoundTrip(r)
		return err
	})
	if err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	return resp, nil
}

// sum is that of a table.
func (w *following) sum(table string) decimal.Decimal {
	v, err := w.tables.Table("billing." + table)
	w.must(err)
	var d decimal.Decimal
	for _, p := range v.Partitions {
		d = d.Add(p.Billed["USD"])
	}
	return d
}

// followed plays the script with one death, and says what is wrong in the end.
func followed(t *testing.T, s scenario) (wrong []string, writes int, points map[ledger.Point]int, deaths int) {
	synctest.Test(t, func(t *testing.T) {
		w := newFollowing(t)
		p := w.p
		p.fatal, p.point, p.nth = s.death, s.point, s.nth
		for w.advance() {
		}
		said := w.chat.Messages(simchat.Slack, "C0CASES", "")
		if len(said) != 2 || !strings.Contains(fmt.Sprint(said[1]), "revision 2") {
			w.complain("said were %d messages: %v", len(said), said)
		}
		shown, err := w.p.Show(t.Context(), october, 0)
		w.must(err)
		for _, total := range shown.Totals {
			current, all := w.sum("focus_"+string(total.Lens)+"_current"), w.sum("focus_"+string(total.Lens)+"_ledger")
			if !current.Equal(total.Amount) || !all.Equal(total.Amount) {
				w.complain("lens %s: %s is charged, the table has %s, its ledger %s", total.Lens, total.Amount, current, all)
			}
		}
		if len(shown.Totals) != 2 || shown.Manifest.State != revision.Published || len(w.announced) != 2 {
			w.complain("%d totals, %s, %d announced", len(shown.Totals), shown.Manifest.State, len(w.announced))
		}
		wrong, writes, points, deaths = w.wrong, p.writes, p.points, w.deaths
	})
	return wrong, writes, points, deaths
}

// TestFollows: a revision is loaded, told and announced once, wherever the process dies.
func TestFollows(t *testing.T) {
	wrong, writes, points, _ := followed(t, scenario{})
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	all := []scenario{}
	for n := 1; n <= writes; n += 5 {
		all = append(all, scenario{death: n})
	}
	for _, at := range ledger.Points {
		for n := range points[at] {
			all = append(all, scenario{point: at, nth: n + 1})
		}
	}
	died := 0
	for _, s := range thinned(all) {
		wrong, _, _, deaths := followed(t, s)
		if died += deaths; len(wrong) > 0 {
			t.Errorf("%s: %.600s", s, wrong)
		}
	}
	t.Logf("%d scenarios, %d deaths", len(all), died)
}

// TestLensAdded: a lens that is added to a published month begins with corrections that are all of its charges.
func TestLensAdded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newFollowing(t)
		w.config.Billing.Lenses = []string{"provider"}
		w.start()
		w.run(`{"months":["2026-10"]}`)
		w.config.Billing.Lenses = []string{"provider", "tenant"}
		w.start()
		w.run(`{"months":["2026-10"]}`)
		w.expect(w.newest(october), 2, revision.Published, 1, 2)
		w.audit(october)
		w.verified(october)
		w.checked()
		shown, err := w.p.Show(t.Context(), october, 0)
		w.must(err)
		for _, total := range shown.Totals {
			current, all := w.sum("focus_"+string(total.Lens)+"_current"), w.sum("focus_"+string(total.Lens)+"_ledger")
			if !current.Equal(total.Amount) || !all.Equal(total.Amount) || total.Amount.IsZero() {
				t.Errorf("lens %s: %s is charged, the table has %s, its ledger %s", total.Lens, total.Amount, current, all)
			}
		}
	})
}
