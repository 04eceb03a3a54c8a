package story

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/shared/alert"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func none(string) (string, bool) { return "", false }

func newStory(t *testing.T, out *bytes.Buffer) *Story {
	t.Helper()
	clock := &Clock{}
	s, err := site.Open(t.Context(), site.Options{
		Folder: site.Folder(t.TempDir()), Addr: "127.0.0.1:0", SweepEvery: time.Hour, Env: none, Log: slog.New(slog.DiscardHandler),
		Now: clock.Now, Advice: func(string) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	told := &Story{Site: s, Clock: clock, Screen: screen.New(out, none, time.UTC)}
	told.client.Transport = &http.Transport{}
	t.Cleanup(func() {
		told.client.CloseIdleConnections()
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return told
}

func TestAWrongFigureIsAFailure(t *testing.T) {
	var out bytes.Buffer
	s := newStory(t, &out)
	if err := s.expect(t.Context(), figures{}); err != nil || s.verdict() != nil {
		t.Fatalf("%v, %v\n%s", err, s.verdict(), out.String())
	}
	if err := s.expect(t.Context(), figures{cases: 1, creates: 1}); err != nil {
		t.Fatal(err)
	}
	want := "cases 0, calls of cases.create 0, comments 0; ledger: done 0, in doubt 0, but must be desk: cases 1, calls of cases.create 1"
	if err := s.verdict(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(out.String(), want) {
		t.Errorf("the verdict is %v, the screen\n%s", err, out.String())
	}
}

func TestAWrongTokenIsRefused(t *testing.T) {
	var out bytes.Buffer
	s := newStory(t, &out)
	if err := s.refuses(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "401 Unauthorized") {
		t.Errorf("the screen\n%s", out.String())
	}
}

// The notifications are such as Alertmanager sends: the decoder takes them.
func TestTheNotifications(t *testing.T) {
	for name, tc := range map[string]struct {
		body   []byte
		alerts int
		status alert.Status
	}{
		"latency":  {latency("firing"), 2, alert.Firing},
		"resolved": {latency("resolved"), 2, alert.Resolved},
		"disk":     {disk(), 1, alert.Firing},
		"memory":   {memory(), 1, alert.Firing},
	} {
		in, err := alert.Alertmanager(tc.body)
		if err != nil || len(in) != 1 || len(in[0].Alerts) != tc.alerts || in[0].Status != tc.status || in[0].Severity != alert.Critical {
			t.Errorf("%s: %+v, %v", name, in, err)
		}
	}
}
