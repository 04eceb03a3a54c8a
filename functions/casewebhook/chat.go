package casewebhook

import (
	"context"
	"log/slog"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/commands"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/platform"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/run"
)

// maxCommand is the most bytes of a request from a chat or another system.
const maxCommand = 1 << 20

// working is said at once to who types a command; the result follows in the chat.
const working = "Working on it…"

// ReceptionDeps is what taking commands in needs: neither store nor desks.
type ReceptionDeps struct {
	Config    *config.Config
	Publisher publish.Publisher
	Fronts    map[chat.Platform]chat.Front
	Log       *slog.Logger
	Now       func() time.Time
}

// Reception takes in what people do in chats and what other systems ask for. It checks who sent it, answers at once, and publishes one message
// on topic "case-commands"; everything else is CaseCommand's. It is safe for concurrent use.
type Reception struct {
	ReceptionDeps
	senders map[string]sender
}

// NewReception returns a reception.
func NewReception(ctx context.Context, d ReceptionDeps) (*Reception, error) {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	r := &Reception{ReceptionDeps: d, senders: map[string]sender{}}
	for _, s := range d.Config.Senders {
		if s.Source != config.SourceCommands {
			continue
		}
		v, err := platform.Verifier(ctx, s.Auth, d.Now)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "sender "+s.Name)
		}
		r.senders[s.Name] = sender{s, v}
	}
	return r, nil
}

// ChatWebhook takes in a request of a chat platform: POST /slack/commands, /slack/interactions, /slack/events, /google. What is forged,
// replayed, stale or unsigned is answered 401, another workspace's 403; 503 means that it was not made durable and should come again.
func (r *Reception) ChatWebhook(ctx context.Context, q *http.Request) (run.Response, error) {
	if err := run.RequireMethod(q, http.MethodPost); err != nil {
		return run.Response{}, err
	}
	front, sub, want := r.front(q.URL.Path)
	if front == nil {
		return run.Response{}, fault.New(fault.Missing, "no chat platform is configured here; the URL ends in /slack/commands, /slack/interactions, /slack/events or /google")
	}
	body, err := run.Body(q, maxCommand)
	if err != nil {
		return run.Response{}, err
	}
	if err := front.Verify(q, body); err != nil {
		return run.Response{}, err
	}
	if kind, _, err := mime.ParseMediaType(q.Header.Get("Content-Type")); err != nil || kind != want {
		return run.Response{}, run.Status(fault.New(fault.Invalid, "the body is not what this address takes by its Content-Type: send %s", want), http.StatusUnsupportedMediaType)
	}
	e, err := front.Parse(sub, q.Header.Get("Content-Type"), body)
	if fault.Is(err, fault.Denied) {
		err = run.Status(err, http.StatusForbidden)
	}
	if err != nil {
		return run.Response{}, err
	}
	return r.answer(ctx, front, e, body)
}

const (
	typeForm = "application/x-www-form-urlencoded"
	typeJSON = "application/json"
)

// front returns the platform of a URL, what follows the platform's name in it, and the type of body that it takes.
func (r *Reception) front(url string) (front chat.Front, sub, contentType string) {
	switch last := path.Base(url); {
	case last == "google":
		return r.Fronts[chat.Google], "", typeJSON
	case path.Base(path.Dir(url)) != "slack":
		return nil, "", ""
	case last == "commands" || last == "interactions":
		return r.Fronts[chat.Slack], last, typeForm
	case last == "events":
		return r.Fronts[chat.Slack], last, typeJSON
	}
	return nil, "", ""
}

// answer makes an event durable, if it is anything to us, and then answers.
func (r *Reception) answer(ctx context.Context, front chat.Front, e chat.Event, body []byte) (run.Response, error) {
	text := ""
	if concerns(e) {
		p := e.Place
		if _, err := r.publish(ctx, commands.Message{Chat: &e}, string(p.Platform), p.Space, p.Thread); err != nil {
			return run.Response{}, err
		}
		if e.Kind == chat.Command {
			text = working
		}
	}
	contentType, answer := front.Answer(e, body, text)
	return run.Response{Status: http.StatusOK, Raw: answer, Header: http.Header{"Content-Type": {contentType}}}, nil
}

// concerns reports whether an event is more than the platform's own business. What programs say, ourselves among them, is not: an answer would be
// answered. A message that begins a thread is not in the thread of a case, which begins with a message of ours.
func concerns(e chat.Event) bool {
	switch e.Kind {
	case chat.Joined:
		return true
	case chat.Command, chat.Click:
		return !e.Person.Bot
	case chat.Message:
		begins := e.Place.Thread == "" || e.Place.Thread == e.Message
		return !e.Person.Bot && (e.Mention || !begins)
	}
	return false
}

// publish makes a message durable. Those of one thread keep their order.
func (r *Reception) publish(ctx context.Context, m commands.Message, key ...string) ([]string, error) {
	data, err := commands.Encode(m)
	if err != nil {
		return nil, err
	}
	ids, err := r.Publisher.Publish(ctx, publish.Message{Topic: commands.Topic, Data: data, OrderingKey: strings.Join(key, " ")})
	if fault.Is(err, fault.Invalid) {
		return nil, err
	}
	return ids, fault.Wrap(fault.Transient, err, "publish a command") // whatever it is, it must come again
}

// CommentWebhook takes in a comment or a command of another system in a person's name: POST /{sender}, see commands.Request. It answers 202 when
// it is durable, 403 when that person may not, and 503 when it should come again; a repeat with the same id does no harm.
func (r *Reception) CommentWebhook(ctx context.Context, q *http.Request) (run.Response, error) {
	if err := run.RequireMethod(q, http.MethodPost); err != nil {
		return run.Response{}, err
	}
	s := r.senders[path.Base(q.URL.Path)]
	if s.verify == nil {
		return run.Response{}, fault.New(fault.Missing, "no sender of this name with source: commands is configured; the URL ends in its name")
	}
	body, err := run.Body(q, maxCommand)
	if err != nil {
		return run.Response{}, err
	}
	if err := s.verify.Verify(q, body); err != nil {
		return run.Response{}, err
	}
	if err := run.RequireJSON(q); err != nil {
		return run.Response{}, err
	}
	asked, err := commands.DecodeRequest(body)
	if err != nil {
		return run.Response{}, err
	}
	asked.Sender, asked.Tenant = s.Name, s.Tenant
	if err := commands.Admit(r.Config, asked); fault.Is(err, fault.Denied) {
		return run.Response{}, run.Status(err, http.StatusForbidden)
	} else if err != nil {
		return run.Response{}, err
	}
	ids, err := r.publish(ctx, commands.Message{Request: &asked}, "request", s.Name, asked.Desk, path.Base(asked.Case))
	if err != nil {
		return run.Response{}, err
	}
	return run.Response{Status: http.StatusAccepted, Body: accepted{IDs: ids}}, nil
}

// openReception opens what taking commands in needs: the configuration, Pub/Sub and the platforms' checks, neither store nor desks.
func openReception(ctx context.Context) (*Reception, error) {
	d, err := published(ctx)
	if err != nil {
		return nil, err
	}
	fronts, err := Fronts(ctx, d.Config, time.Now)
	if err != nil {
		return nil, err
	}
	return NewReception(ctx, ReceptionDeps{Config: d.Config, Publisher: d.Publisher, Fronts: fronts, Log: d.Log})
}

func openChatWebhook(ctx context.Context) (run.HTTPHandler, error) {
	r, err := openReception(ctx)
	if err != nil {
		return nil, err
	}
	return r.ChatWebhook, nil
}

func openCommentWebhook(ctx context.Context) (run.HTTPHandler, error) {
	r, err := openReception(ctx)
	if err != nil {
		return nil, err
	}
	return r.CommentWebhook, nil
}

func openCaseCommand(ctx context.Context) (run.EventHandler, error) {
	f, err := open(ctx)
	if err != nil {
		return nil, err
	}
	return f.CaseCommand, nil
}
