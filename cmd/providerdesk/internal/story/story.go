// Package story shows what providerdesk does, against a site of its own: one incident becomes one case, whatever repeats, breaks or comes
// two hundred times at once. Every figure it prints is read from the support desk and from the ledger, and compared with what it must be.
package story

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/outbox"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// Story is the teller with what it needs.
type Story struct {
	Site    *site.Site
	Clock   *Clock // of the site
	Screen  screen.Screen
	Command func(ctx context.Context, args ...string) error // runs providerdesk on the site and shows what it prints

	client http.Client
	wrong  []string
	step   int
}

// Clock is the real time, or a while ahead of it: what is due later can be shown now.
type Clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

// Now is the time on the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

// Forward moves the clock.
func (c *Clock) Forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// Tell tells the whole story. Its error names every figure that was not what it must be.
func (s *Story) Tell(ctx context.Context) error {
	s.client.Transport = &http.Transport{MaxIdleConnsPerHost: crowd}
	defer s.client.CloseIdleConnections()
	for _, chapter := range []func(context.Context) error{
		s.checked, s.fires, s.repeats, s.losesAnAnswer, s.comesAtOnce, s.resolves, s.refuses, s.shows,
	} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return s.verdict()
}

func (s *Story) verdict() error {
	if len(s.wrong) > 0 {
		return fault.New(fault.Bug, "not as it must be: %s", strings.Join(s.wrong, "; "))
	}
	return nil
}

// crowd is how many deliveries of one incident come at once.
const crowd = 200

func (s *Story) checked(ctx context.Context) error {
	s.title("The configuration is checked")
	return s.Command(ctx, "check")
}

func (s *Story) fires(ctx context.Context) error {
	s.title("Alertmanager fires: two critical alerts of one group")
	if err := s.deliver(ctx, latency("firing")); err != nil {
		return err
	}
	return s.expect(ctx, figures{cases: 1, creates: 1, done: 1})
}

func (s *Story) repeats(ctx context.Context) error {
	s.title("The same notification comes again: nothing to do")
	if err := s.deliver(ctx, latency("firing")); err != nil {
		return err
	}
	return s.expect(ctx, figures{cases: 1, creates: 1, done: 1})
}

// losesAnAnswer is the failure that makes others open a second case.
func (s *Story) losesAnAnswer(ctx context.Context) error {
	s.title("Another incident, and the connection breaks after the desk has opened the case")
	if err := s.fault(ctx, "cases.create", "commit_then_drop"); err != nil {
		return err
	}
	if err := s.deliver(ctx, disk()); err != nil {
		return err
	}
	if err := s.expect(ctx, figures{cases: 2, creates: 2, done: 1, unknown: 1}); err != nil {
		return err
	}
	s.say("Nobody knows whether the case is there. It is not opened again: half a minute later it is searched for by its marker.")
	s.Clock.Forward(searched)
	if err := s.Site.Sweep(ctx); err != nil {
		return err
	}
	return s.expect(ctx, figures{cases: 2, creates: 2, done: 2})
}

// searched is when an effect in doubt has been due for its first search.
const searched = 31 * time.Second

func (s *Story) comesAtOnce(ctx context.Context) error {
	s.title(fmt.Sprintf("%d deliveries of one incident at the same time", crowd))
	started := time.Now()
	errs := make(chan error, crowd)
	for range crowd {
		go func() { errs <- s.send(ctx, memory()) }()
	}
	var failed error
	for range crowd {
		if err := <-errs; err != nil {
			failed = err
		}
	}
	if failed != nil {
		return failed
	}
	if err := s.idle(ctx); err != nil {
		return err
	}
	s.say(fmt.Sprintf("%d accepted and handled in %v.", crowd, time.Since(started).Round(10*time.Millisecond)))
	return s.expect(ctx, figures{cases: 3, creates: 3, done: 3})
}

func (s *Story) resolves(ctx context.Context) error {
	s.title("The first incident ends: its case gets a comment")
	if err := s.deliver(ctx, latency("resolved")); err != nil {
		return err
	}
	return s.expect(ctx, figures{cases: 3, creates: 3, comments: 1, done: 4})
}

func (s *Story) refuses(ctx context.Context) error {
	s.title("Somebody sends with a wrong token")
	sender, err := s.sender()
	if err != nil {
		return err
	}
	sender.Auth = config.Auth{Basic: sender.Auth.Basic, Bearer: wrongToken()}
	_, err = s.outbox().Send(ctx, sender, latency("firing"))
	if err == nil {
		s.miss("a wrong token is accepted")
		return nil
	}
	s.say(err.Error())
	s.say("What to change: the credentials in Alertmanager, or senders[].auth.bearer in the configuration.")
	return s.expect(ctx, figures{cases: 3, creates: 3, comments: 1, done: 4})
}

func (s *Story) shows(ctx context.Context) error {
	s.title("What an operator sees")
	for _, args := range [][]string{{"cases", "list"}, {"ledger", "list"}} {
		s.Screen.Line("")
		s.Screen.Line("$ providerdesk %s", strings.Join(args, " "))
		if err := s.Command(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// deliver sends a notification and waits until it has been handled.
func (s *Story) deliver(ctx context.Context, body []byte) error {
	if err := s.send(ctx, body); err != nil {
		return err
	}
	return s.idle(ctx)
}

func (s *Story) send(ctx context.Context, body []byte) error {
	sender, err := s.sender()
	if err != nil {
		return err
	}
	_, err = s.outbox().Send(ctx, sender, body)
	return err
}

func (s *Story) outbox() outbox.Outbox {
	return outbox.Outbox{Base: s.Site.URL(), Client: &s.client, Now: s.Clock.Now}
}

// sender is the Alertmanager of the configuration.
func (s *Story) sender() (config.Sender, error) {
	for _, sender := range s.Site.Config().Senders {
		if sender.Source == "alertmanager" {
			return sender, nil
		}
	}
	return config.Sender{}, fault.New(fault.Missing, "the configuration has no Alertmanager")
}

func wrongToken() config.Secret {
	guess := func(string) (string, bool) { return "guessed", true }
	s, err := config.NewSecret("env:GUESSED", config.Sources{Env: guess})
	if err != nil {
		return config.Secret{}
	}
	return s
}

func (s *Story) title(text string) {
	s.step++
	s.Screen.Line("")
	s.Screen.Line("%s", s.Screen.Bold(fmt.Sprintf("%d. %s", s.step, text)))
}

func (s *Story) say(text string) { s.Screen.Text(text, "   ") }

func (s *Story) miss(what string) {
	s.wrong = append(s.wrong, fmt.Sprintf("step %d: %s", s.step, what))
	s.Screen.Line("   %s", s.Screen.Bad(what))
}
