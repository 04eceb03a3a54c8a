// Package chat is one server that is two chat platforms, Slack and Google Chat, and the people on them. Tests drive our clients and our webhook
// against it, and `providerdesk up` mounts it at /sim/chat/, where it keeps its state in a folder.
//
//	/slack/api/METHOD      Slack's Web API; the contract (slackcontract.go) is written by hand
//	/slack/files/F…/NAME   the bytes of a file, for a bearer token; anybody else is sent to a login page
//	/google/v1/…           the Google Chat API; the contract (googlecontract_gen.go) is generated from the discovery document
//	/                      a page on which people read the channels and write into them
//	/messages              GET ?platform=slack&space=C0CASES&thread=… : the messages in their order, as JSON
//	/people/say, /people/command, /people/click, /people/add, /people/remove    POST: somebody does something; see people.go
//	/deliveries            GET lists what was sent to the callback, POST {"duplicate":1,"hold":1} disturbs it, DELETE ends that
//	/deliveries/send       POST sends what is due: retries, and what was held back, the latest first
//	/callback              POST {"url":"http://…/ChatWebhook","dialect":"addon"}: where the platforms call, and how Google does
//	/slack/errors          POST {"op":"chat.postMessage","error":"fatal_error","times":1}: Slack refuses with 200 and a code
//	/google/jwks           the key that Google's tokens are signed with
//	/faults, /calls        those of every simulator; see package server
//
// An op, as faults and calls name it, is a method of Slack ("chat.postMessage", "files.download" for bytes) or the published id of a method of
// Google ("chat.spaces.messages.create").
//
// What it does where a client could go wrong: Slack takes the same post twice and makes two messages, refuses blocks that break a limit or
// are together longer than 13,200 characters, lists the newest first and leaves metadata out unless asked. Google answers a request id
// it knows with the first message, refuses a message id it knows with 409, ignores a thread that comes without messageReplyOption, and
// lets an app change its own messages only.
//
// People's acts are requests to the callback, signed as the platforms sign: Slack's v0 HMAC, Google's RS256 token for the address as audience. Slack
// sends two notices of a message that mentions the bot, and a notice that was not answered 2xx within three seconds again, at once, after
// a minute and after five, with the same event_id. Google sends an app what was said to it and nothing else, once, and says its
// synchronous answer in the space.
//
// Guaranteed: a change is in the journal, synced, before its answer; ids are the same for the same seed and the same requests. There is no
// goroutine of its own and no clock but Options.Now, so a retry leaves when /deliveries/send, or Send, is called. Not promised: that deliveries
// and the signing key outlive the process; partial responses, rights of people, any other method.
package chat

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// The platforms.
const (
	Slack  = "slack"
	Google = "google"
)

// What a new server has, beside the people Anna, Ben and Chen.
const (
	Team        = "T0DESK"
	Channel     = "C0CASES"
	Space       = "spaces/CASES"
	BotUser     = "U0DESKBOT"
	GoogleApp   = "users/9001"
	slackBot    = "B0DESKBOT"
	slackApp    = "A0DESK"
	DefaultSign = "sim-slack-signing-secret" // Options.SigningSecret, unless given
)

// Options of a server; the zero value is a server in memory that nobody listens to.
type Options struct {
	Now  func() time.Time // default time.Now
	Seed uint64           // of all ids
	Dir  string           // keeps the state; empty: memory

	Callback      string       // base URL of the chat webhook: /slack/commands and so on and /google follow; empty: nobody is called
	HTTP          *http.Client // reaches it; default one that waits three seconds, as Slack does
	AddOn         bool         // Google speaks the dialect of add-ons
	SigningSecret string       // of Slack
	Tokens        []string     // that Slack and Google take; none: any, but Slack wants one
	EchoOwn       bool         // Slack sends a notice of the bot's own messages, too
}

// Server is the simulator; see the package comment.
type Server struct {
	*server.Server
	opts Options
	ids  server.IDs
	key  signingKey

	mu         sync.Mutex
	state      *state
	journal    *server.Journal[change]
	blobs      *server.Blobs
	errors     []slackError
	callback   string
	addOn      bool
	deliveries deliveries
}

// Call is one call that the server received.
type Call = server.Call

// New opens a server, with the state that Options.Dir holds.
func New(o Options) (*Server, error) {
	o = o.withDefaults()
	s := &Server{opts: o, ids: server.IDs(o.Seed), state: newState(), callback: o.Callback, addOn: o.AddOn}
	s.Server = server.New(s.behaviour())
	var err error
	if s.journal, err = server.OpenJournal(o.Dir, journalFile, s.state, s.seed); err != nil {
		return nil, fmt.Errorf("open the chat: %w", err)
	}
	if s.blobs, err = server.OpenBlobs(o.Dir, "chatfiles", s.state.blobs()); err != nil {
		return nil, fmt.Errorf("open the chat: %w", err)
	}
	return s, nil
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{Timeout: slackPatience}
	}
	if o.SigningSecret == "" {
		o.SigningSecret = DefaultSign
	}
	o.Callback = strings.TrimSuffix(o.Callback, "/")
	return o
}

func (s *Server) behaviour() server.Behaviour {
	return server.Behaviour{
		Now: s.opts.Now, API: inAPI, Find: s.find, Control: s.control, Render: renderControl, Fail: frontEnd,
		Garbage: server.Typed(http.StatusOK, "application/json", []byte(`{"ok": tr`)),
		Known:   known,
	}
}

func inAPI(path string) bool {
	return strings.HasPrefix(path, slackRoot) || strings.HasPrefix(path, slackFiles) || strings.HasPrefix(path, googleRoot+"/v1/")
}

// find routes a request to its platform.
func (s *Server) find(r *http.Request) (*server.Method, server.Reply) {
	if strings.HasPrefix(r.URL.Path, googleRoot) {
		return s.findGoogle(r)
	}
	return s.findSlack(r)
}

func known(op string) bool {
	if _, ok := slackMethods[op]; ok {
		return true
	}
	for i := range routes {
		if routes[i].method.Op == op {
			return true
		}
	}
	return false
}

// frontEnd is what stands before either platform and answers a bare code.
func frontEnd(code int) server.Reply {
	a := server.Typed(code, "text/plain; charset=utf-8", fmt.Appendf(nil, "Injected fault: %d.\n", code))
	a.Reason = "injected"
	if code == http.StatusTooManyRequests {
		a.Header.Set("Retry-After", "1")
	}
	return a
}

// Close releases the journal.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.journal.Close()
}

// tx stages what one request changes.
type tx struct {
	*Server
	at     time.Time
	change change
}

// begin opens a transaction; the caller holds the lock, or the server is not yet shared.
func (s *Server) begin(at time.Time) *tx {
	return &tx{Server: s, at: at.UTC().Truncate(time.Microsecond), change: change{Serial: s.state.serial, Last: s.state.last}}
}

// next draws with the next value of the counter.
func (tx *tx) next(purpose string) [32]byte {
	tx.change.Serial++
	return tx.ids.Draw(purpose, tx.change.Serial)
}

// moment is the time of a message: no two have the same.
func (tx *tx) moment() time.Time {
	t := tx.at
	if !t.After(tx.change.Last) {
		t = tx.change.Last.Add(time.Microsecond)
	}
	tx.change.Last = t
	return t
}

func (tx *tx) put(m message) { tx.change.Messages = append(tx.change.Messages, m) }

// commit makes the change durable, then true.
func (tx *tx) commit() error {
	if tx.change.empty() {
		return nil
	}
	if err := tx.journal.Append(tx.change); err != nil {
		return err
	}
	tx.state.apply(tx.change)
	return nil
}
