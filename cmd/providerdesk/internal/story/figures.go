package story

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// figures are what the support desk and the ledger say.
type figures struct {
	cases    int // that the desk has
	creates  int // calls of cases.create that the desk received
	comments int // calls of cases.comments.create
	done     int // effects that the ledger knows to have happened
	unknown  int // effects that may have happened
	other    int // effects in any other state
}

// atTheDesk are the effects that the story counts.
var atTheDesk = []string{"case.open", "case.comment", "case.change", "case.close", "case.duplicate"}

func (f figures) String() string {
	text := fmt.Sprintf("desk: cases %d, calls of cases.create %d, comments %d; ledger: done %d, in doubt %d", f.cases, f.creates, f.comments, f.done, f.unknown)
	if f.other > 0 {
		text += fmt.Sprintf(", other %d", f.other)
	}
	return text
}

// expect reads the figures, shows them, and notes when they are not what they must be.
func (s *Story) expect(ctx context.Context, want figures) error {
	got, err := s.read(ctx)
	if err != nil {
		return err
	}
	if got != want {
		s.miss(fmt.Sprintf("%v, but must be %v", got, want))
		return nil
	}
	s.Screen.Line("   %s %s", s.Screen.Good("ok"), got.String())
	return nil
}

func (s *Story) read(ctx context.Context) (f figures, err error) {
	if f.cases, err = s.countCases(ctx); err != nil {
		return f, err
	}
	var calls struct {
		Counts map[string]int `json:"counts"`
	}
	if err := s.control(ctx, http.MethodGet, "/calls", nil, &calls); err != nil {
		return f, err
	}
	f.creates, f.comments = calls.Counts["cases.create"], calls.Counts["cases.comments.create"]
	list, err := s.Site.Ledger().List(ctx, "", "", 1000)
	for _, r := range list {
		if !slices.Contains(atTheDesk, r.Kind) {
			continue // evidence comes later, and what chats are told is another story
		}
		switch r.State {
		case ledger.Succeeded:
			f.done++
		case ledger.Unknown:
			f.unknown++
		default:
			f.other++
		}
	}
	return f, err
}

func (s *Story) countCases(ctx context.Context) (n int, err error) {
	desks, letGo, err := site.Desks(s.Site.Config(), "", s.Clock.Now)
	if err != nil {
		return 0, err
	}
	defer letGo()
	for _, d := range desks {
		all, err := d.List(ctx, desk.Filter{})
		if err != nil {
			return n, err
		}
		n += len(all)
	}
	return n, nil
}

func (s *Story) fault(ctx context.Context, op, what string) error {
	body, err := json.Marshal(map[string]any{"op": op, "fault": what, "times": 1})
	if err != nil {
		return err
	}
	return s.control(ctx, http.MethodPost, "/faults", body, nil)
}

// control speaks to the controls of the simulated desk.
func (s *Story) control(ctx context.Context, method, path string, body []byte, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, s.Site.Simulator()+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return fault.Wrap(fault.Transient, err, "ask the simulator")
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fault.New(fault.Bug, "the simulator answered %d", resp.StatusCode)
	}
	if into == nil {
		return nil
	}
	return fault.Wrap(fault.Bug, json.NewDecoder(resp.Body).Decode(into), "read the simulator's answer")
}

// idleLimit is how long the bus may take to deliver everything.
const idleLimit = time.Minute

// idle returns when the bus has nothing more to deliver.
func (s *Story) idle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, idleLimit)
	defer cancel()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for {
		st, err := s.Site.Bus()
		if err != nil || st.Idle() {
			return err
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return fault.Wrap(fault.Transient, ctx.Err(), "wait for the bus")
		}
	}
}
