package chat

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

const (
	slackRoot  = "/slack/api/"
	slackFiles = "/slack/files/"
	maxBody    = 1 << 20
)

// slackError is a code that a method will answer.
type slackError struct {
	Op    string `json:"op"`
	Error string `json:"error"`
	Times int    `json:"times"`
}

// refusal of Slack: 200, and a code. Messages say what is wrong with the arguments.
type refusal struct {
	code     string
	messages []string
}

func (r *refusal) Error() string { return r.code }

func refuse(code string, messages ...string) *refusal { return &refusal{code, messages} }

func (r *refusal) reply() server.Reply {
	body := map[string]any{"ok": false, "error": r.code}
	if len(r.messages) > 0 {
		body["response_metadata"] = map[string]any{"messages": r.messages}
	}
	a := jsonReply(body)
	a.Reason = strings.Join(append([]string{r.code}, r.messages...), "; ")
	if r.code == "ratelimited" {
		a.Status = http.StatusTooManyRequests
		a.Header.Set("Retry-After", "1")
	}
	return a
}

func jsonReply(v any) server.Reply {
	data, err := json.Marshal(v)
	if err != nil {
		return frontEnd(http.StatusInternalServerError)
	}
	return server.Typed(http.StatusOK, "application/json; charset=utf-8", data)
}

// call is one call of a method, its arguments in one form whatever they came in.
type call struct {
	*server.Request
	texts map[string]string // flags and numbers, too
	jsons map[string]json.RawMessage
}

func (c *call) flag(name string) bool { return c.texts[name] == "true" || c.texts[name] == "1" }

func (c *call) number(name string, other int) int {
	if n, err := strconv.Atoi(c.texts[name]); err == nil && n > 0 {
		return n
	}
	return other
}

// findSlack routes a request. Slack answers a method that it does not have with 200.
func (s *Server) findSlack(r *http.Request) (*server.Method, server.Reply) {
	op, ok := strings.CutPrefix(r.URL.Path, slackRoot)
	if !ok {
		op = "files.download"
	} else if op == "files.download" {
		op = ""
	}
	m, ok := slackMethods[op]
	if !ok {
		return nil, refuse("unknown_method").reply()
	}
	if r.Method != http.MethodPost && (!m.reads || r.Method != http.MethodGet) {
		return nil, refuse("invalid_post_type", "[ERROR] the method does not take "+server.Clip(r.Method)).reply()
	}
	run := func(_ context.Context, rq *server.Request, at time.Time) server.Reply { return s.slack(rq, m, at) }
	return &server.Method{Op: op, Limit: maxBody, Run: run}, server.Reply{}
}

// slack executes one call.
func (s *Server) slack(rq *server.Request, m slackMethod, at time.Time) server.Reply {
	if rq.Op == "files.download" {
		return s.slackDownload(rq)
	}
	raw, r := raws(rq)
	if r == nil {
		r = s.slackAuth(rq, raw)
	}
	if r != nil {
		return r.reply()
	}
	c, r := read(rq, raw, m)
	if r != nil {
		return r.reply()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.injected(rq.Op); r != nil {
		return r.reply()
	}
	tx := s.begin(at)
	out, r := s.slackOperation(tx, c)
	if r != nil {
		return r.reply()
	}
	if err := tx.commit(); err != nil {
		return refuse("internal_error").reply()
	}
	out["ok"] = true
	return jsonReply(out)
}

func (s *Server) slackOperation(tx *tx, c *call) (map[string]any, *refusal) {
	switch c.Op {
	case "auth.test":
		return map[string]any{
			"url": "https://desk.slack.test/", "team": "desk", "team_id": Team, "user": "providerdesk", "user_id": BotUser, "bot_id": slackBot,
		}, nil
	case "chat.postMessage":
		return s.postMessage(tx, c)
	case "chat.update":
		return s.updateMessage(tx, c)
	case "conversations.history", "conversations.replies":
		return s.listMessages(tx, c)
	case "conversations.info":
		return s.channelInfo(c)
	case "users.info":
		return s.userInfo(c)
	}
	return s.fileInfo(c)
}

// slackAuth takes the token of the header, or the one that some libraries put into a form.
func (s *Server) slackAuth(rq *server.Request, raw map[string]json.RawMessage) *refusal {
	token := rq.Bearer()
	if token == "" && len(rq.Query) == 0 {
		_ = json.Unmarshal(raw["token"], &token) // what is no text is no token
	}
	delete(raw, "token")
	switch {
	case token == "":
		return refuse("not_authed")
	case !s.taken(token):
		return refuse("invalid_auth")
	}
	return nil
}

// taken takes the same time for every token.
func (s *Server) taken(token string) bool {
	found := 0
	for _, known := range s.opts.Tokens {
		found |= subtle.ConstantTimeCompare([]byte(known), []byte(token))
	}
	return len(s.opts.Tokens) == 0 || found == 1
}

// injected uses up the error that is next for a method.
func (s *Server) injected(op string) *refusal {
	i := slices.IndexFunc(s.errors, func(e slackError) bool { return e.Op == op })
	if i < 0 {
		return nil
	}
	e := &s.errors[i]
	code := e.Error
	if e.Times--; e.Times <= 0 {
		s.errors = slices.Delete(s.errors, i, i+1)
	}
	return refuse(code)
}

// read checks the arguments against the contract.
func read(rq *server.Request, raw map[string]json.RawMessage, m slackMethod) (*call, *refusal) {
	c := &call{Request: rq, texts: map[string]string{}, jsons: map[string]json.RawMessage{}}
	var bad []string
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		if wrong := c.take(name, raw[name], m); wrong != "" {
			bad = append(bad, "[ERROR] "+wrong+": "+server.Clip(name))
		}
	}
	for name, a := range m.arguments {
		if a.required && c.texts[name] == "" {
			bad = append(bad, "[ERROR] missing required field: "+name)
		}
	}
	if len(bad) > 0 {
		return nil, refuse("invalid_arguments", bad...)
	}
	return c, nil
}

// raws are the arguments of the query and the body as JSON; what came in a query or a form is a string.
func raws(rq *server.Request) (map[string]json.RawMessage, *refusal) {
	if rq.TooLarge || rq.BadQuery {
		return nil, refuse("invalid_arguments", "[ERROR] the request cannot be read")
	}
	raw := map[string]json.RawMessage{}
	fields := rq.Query
	kind, _, _ := mime.ParseMediaType(rq.Header.Get("Content-Type"))
	switch {
	case len(rq.Body) == 0:
	case kind == "application/json":
		if err := json.Unmarshal(rq.Body, &raw); err != nil || raw == nil {
			return nil, refuse("invalid_json")
		}
	case kind == "application/x-www-form-urlencoded":
		var err error
		if fields, err = url.ParseQuery(string(rq.Body)); err != nil {
			return nil, refuse("invalid_form_data")
		}
	default:
		return nil, refuse("invalid_post_type")
	}
	for name, values := range fields {
		if len(values) != 1 {
			return nil, refuse("invalid_arguments", "[ERROR] the field is there twice: "+server.Clip(name))
		}
		text, _ := json.Marshal(values[0]) // of a string: cannot fail
		raw[name] = text
	}
	return raw, nil
}

// take takes one argument, or says what is wrong with it.
func (c *call) take(name string, raw json.RawMessage, m slackMethod) string {
	a, ok := m.arguments[name]
	if !ok {
		return "unknown argument"
	}
	if string(raw) == "null" {
		return ""
	}
	if a.kind == "json" {
		return c.structure(name, raw, a)
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return "not JSON"
	}
	text := ""
	switch v := v.(type) {
	case string:
		text = v
	case bool:
		text = strconv.FormatBool(v)
	case float64:
		text = strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return "must be a " + a.kind
	}
	c.texts[name] = text
	return a.wrong(text)
}

func (a argument) wrong(text string) string {
	n, err := strconv.Atoi(text)
	switch {
	case a.kind == "text" && a.most > 0 && len(text) > a.most:
		return "too long"
	case a.kind == "flag" && !slices.Contains([]string{"true", "false", "1", "0"}, text):
		return "must be a boolean"
	case a.kind == "number" && (err != nil || n < 0 || n > a.most):
		return "must be a number up to " + strconv.Itoa(a.most)
	}
	return ""
}

// structure is an argument that is itself JSON; in a form it is the text of it.
func (c *call) structure(name string, raw json.RawMessage, a argument) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = json.RawMessage(text)
	}
	if !json.Valid(raw) {
		return "must be JSON"
	}
	if a.most > 0 && len(raw) > a.most {
		return "too long"
	}
	c.jsons[name] = raw
	return ""
}
