package chat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	slackPatience = 3 * time.Second
	maxLog        = 1000    // deliveries that are remembered
	maxAnswer     = 1 << 20 // bytes of an answer
)

// pauses are how long Slack waits before it sends a notice again.
var pauses = []time.Duration{0, time.Minute, 5 * time.Minute}

// Delivery is one request that a platform made to the callback.
type Delivery struct {
	Platform string    `json:"platform"`
	Path     string    `json:"path"` // below the callback
	Event    string    `json:"event,omitempty"`
	Attempt  int       `json:"attempt"` // from 1
	Status   int       `json:"status"`  // 0: no answer
	Answer   string    `json:"answer,omitempty"`
	Failure  string    `json:"failure,omitempty"`
	Held     bool      `json:"held,omitempty"` // not sent yet
	Person   string    `json:"person,omitempty"`
	At       time.Time `json:"at"`
}

// outgoing is a request that waits for its time.
type outgoing struct {
	platform, path, kind string // kind is the Content-Type
	body                 []byte
	event                string // Slack's event_id; such a request is made again when it fails
	person               string
	in                   message // where an answer is said
	attempt              int     // that were made
	reason               string  // why it is made again
	due                  time.Time
	held                 bool
}

// deliveries are what was sent and what will be; the lock of the server is its lock.
type deliveries struct {
	log       []Delivery
	waiting   []outgoing
	duplicate int // of the next requests are made twice
	hold      int // of the next requests wait for Send
}

func (d *deliveries) queue(o outgoing) { d.waiting = append(d.waiting, o) }

func (d *deliveries) note(one Delivery) Delivery {
	if d.log = append(d.log, one); len(d.log) > maxLog {
		d.log = slices.Delete(d.log, 0, len(d.log)-maxLog)
	}
	return one
}

// Disturb makes the next requests twice, or holds the next ones back until Send makes them, the latest first.
func (s *Server) Disturb(duplicate, hold int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deliveries.duplicate, s.deliveries.hold = duplicate, hold
}

// Deliveries are the last requests that were made, and what waits.
func (s *Server) Deliveries() (made []Delivery, waiting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.deliveries.log), len(s.deliveries.waiting)
}

// Next is when the next request that waits is due; false if none waits.
func (s *Server) Next() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.deliveries.waiting) == 0 {
		return time.Time{}, false
	}
	first := slices.MinFunc(s.deliveries.waiting, func(a, b outgoing) int { return a.due.Compare(b.due) })
	return first.due, true
}

// Send makes what is due: first what was held back, the latest first, then what is to be made again.
func (s *Server) Send(ctx context.Context) []Delivery {
	var made []Delivery
	for _, o := range s.due() {
		made = append(made, s.deliver(ctx, o))
	}
	return made
}

func (s *Server) due() []outgoing {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opts.Now()
	var held, late, rest []outgoing
	for _, o := range s.deliveries.waiting {
		switch {
		case o.held:
			o.held = false
			held = append(held, o)
		case o.due.After(now):
			rest = append(rest, o)
		default:
			late = append(late, o)
		}
	}
	s.deliveries.waiting = rest
	slices.Reverse(held)
	return append(held, late...)
}

// send makes requests at once, as far as nothing disturbs them.
func (s *Server) send(ctx context.Context, all []outgoing) []Delivery {
	made := []Delivery{}
	for _, o := range all {
		times, held := s.disturbed(&o)
		if held {
			made = append(made, Delivery{Platform: o.platform, Path: o.path, Event: o.event, Held: true, Person: o.person, At: s.opts.Now().UTC()})
		}
		for range times {
			made = append(made, s.deliver(ctx, o))
		}
	}
	return made
}

// disturbed says how often a request is made now.
func (s *Server) disturbed(o *outgoing) (times int, held bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &s.deliveries
	switch {
	case s.callback == "":
		return 0, false
	case d.hold > 0:
		d.hold--
		o.held = true
		d.queue(*o)
		return 0, true
	case d.duplicate > 0:
		d.duplicate--
		return 2, false
	}
	return 1, false
}

// deliver makes one request and says what is answered where people see it.
func (s *Server) deliver(ctx context.Context, o outgoing) Delivery {
	o.attempt++
	done := Delivery{Platform: o.platform, Path: o.path, Event: o.event, Attempt: o.attempt, Person: o.person, At: s.opts.Now().UTC()}
	resp, err := s.request(ctx, o)
	if err != nil {
		done.Failure = failureOf(err)
	} else {
		done.Status = resp.StatusCode
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		resp.Body.Close()
		if err == nil && resp.StatusCode == http.StatusOK {
			done.Answer = s.answered(o, body)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if done.Status/100 != 2 && (err != nil || resp.Header.Get("X-Slack-No-Retry") != "1") {
		s.again(o, done)
	}
	return s.deliveries.note(done)
}

// again puts a notice of Slack's back. Nothing else is ever sent again.
func (s *Server) again(o outgoing, done Delivery) {
	if o.event == "" || o.attempt > len(pauses) {
		return
	}
	o.reason = "http_error"
	if done.Status == 0 {
		o.reason = done.Failure
	}
	o.due = s.opts.Now().Add(pauses[o.attempt-1])
	s.deliveries.queue(o)
}

func failureOf(err error) string {
	if errors.Is(err, context.DeadlineExceeded) || os.IsTimeout(err) {
		return "http_timeout"
	}
	return "connection_failed"
}

func (s *Server) request(ctx context.Context, o outgoing) (*http.Response, error) {
	s.mu.Lock()
	target := s.callback + o.path
	s.mu.Unlock()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(o.body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", o.kind)
	if o.platform == Slack {
		s.signSlack(req, o)
		return s.opts.HTTP.Do(req)
	}
	token, err := s.key.token(target, s.opts.Now())
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("User-Agent", "Google-Dynamite")
	return s.opts.HTTP.Do(req)
}

// signSlack signs with the time of this attempt.
func (s *Server) signSlack(req *http.Request, o outgoing) {
	ts := strconv.FormatInt(s.opts.Now().Unix(), 10)
	req.Header.Set("X-Slack-Request-Timestamp", ts)
	req.Header.Set("X-Slack-Signature", slackSignature(s.opts.SigningSecret, ts, o.body))
	req.Header.Set("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
	if o.attempt > 1 {
		req.Header.Set("X-Slack-Retry-Num", strconv.Itoa(o.attempt-1))
		req.Header.Set("X-Slack-Retry-Reason", o.reason)
	}
}

// answered reads what a webhook says in its answer. What all are to see becomes a message; the rest is for the person alone.
func (s *Server) answered(o outgoing, body []byte) string {
	var a struct {
		Text     string `json:"text"`
		Response string `json:"response_type"`
		Host     struct {
			Chat struct {
				Create struct {
					Message struct {
						Text string `json:"text"`
					} `json:"message"`
				} `json:"createMessageAction"`
			} `json:"chatDataAction"`
		} `json:"hostAppDataAction"`
	}
	if json.Unmarshal(body, &a) != nil {
		return ""
	}
	text := a.Text
	if o.platform == Google {
		s.mu.Lock()
		addOn := s.addOn
		s.mu.Unlock()
		if addOn { // the other dialect says nothing
			text = a.Host.Chat.Create.Message.Text
		}
		s.sayAs(GoogleApp, o.in, text)
	} else if a.Response == "in_channel" {
		s.sayAs(BotUser, o.in, text)
	}
	return text
}

// sayAs puts what was answered into the space.
func (s *Server) sayAs(author string, in message, text string) {
	if strings.TrimSpace(text) == "" || in.Space == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := s.begin(s.opts.Now())
	sp := s.state.spaces[key{in.Platform, in.Space}]
	m, err := tx.written(sp, Saying{Person: author, Thread: in.Thread, Text: text})
	if err != nil {
		return
	}
	if m.Platform == Slack {
		m.Text = text // is Slack's own text already
		tx.change.Messages = []message{m}
	}
	_ = tx.commit() // a journal that cannot be written refuses every request, too
}
