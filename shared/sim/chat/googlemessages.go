package chat

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// Limits of Google's.
const (
	googleText    = 4096
	googleBytes   = 32_000
	googleWidgets = 100
	googlePage    = 25
	googleMost    = 1000
	threadKeyMost = 4000
)

var clientForm = regexp.MustCompile(`^client-[a-z0-9-]{1,56}$`)

// wireGoogle is a message as Google shows it.
type wireGoogle struct {
	Name     string          `json:"name"`
	Client   string          `json:"clientAssignedMessageId,omitempty"`
	Sender   map[string]any  `json:"sender"`
	Created  string          `json:"createTime"`
	Updated  string          `json:"lastUpdateTime,omitempty"`
	Text     string          `json:"text,omitempty"`
	Argument *string         `json:"argumentText,omitempty"`
	Cards    json.RawMessage `json:"cardsV2,omitempty"`
	Fallback string          `json:"fallbackText,omitempty"`
	Thread   map[string]any  `json:"thread"`
	Space    map[string]any  `json:"space"`
	Reply    bool            `json:"threadReply,omitempty"`
	Files    []any           `json:"attachment,omitempty"`
	Notes    []any           `json:"annotations,omitempty"`
	Slash    any             `json:"slashCommand,omitempty"`
}

func (s *Server) wireMessage(m message) wireGoogle {
	thread := map[string]any{"name": m.Thread}
	if m.Key != "" {
		thread["threadKey"] = m.Key
	}
	w := wireGoogle{
		Name: m.ID, Client: m.Client, Sender: s.wireUser(m.Author), Created: m.Created.Format(time.RFC3339Nano), Text: m.Text, Cards: m.Cards,
		Fallback: m.Fallback, Thread: thread, Space: wireSpace(s.state.spaces[key{Google, m.Space}]),
	}
	if !m.Edited.IsZero() {
		w.Updated = m.Edited.Format(time.RFC3339Nano)
	}
	first := slices.IndexFunc(s.state.messages, func(o message) bool { return o.Platform == Google && o.Thread == m.Thread })
	w.Reply = first >= 0 && s.state.messages[first].ID != m.ID
	for i, id := range m.Files {
		f := s.state.files[key{Google, id}]
		w.Files = append(w.Files, map[string]any{
			"name": fmt.Sprintf("%s/attachments/%d", m.ID, i), "contentName": f.Name, "contentType": f.Type, "source": "UPLOADED_CONTENT",
			"attachmentDataRef": map[string]string{"resourceName": f.ID},
		})
	}
	return w
}

func (s *Server) wireUser(id string) map[string]any {
	p := s.state.people[key{Google, id}]
	kind := "HUMAN"
	if p.Bot {
		kind = "BOT"
	}
	return map[string]any{"name": id, "displayName": p.Name, "type": kind}
}

func wireSpace(sp space) map[string]any {
	w := map[string]any{"name": sp.ID, "displayName": sp.Name, "type": "ROOM", "spaceType": "SPACE", "spaceThreadingState": "THREADED_MESSAGES"}
	if sp.Direct != "" {
		w["type"], w["spaceType"], w["singleUserBotDm"] = "DM", "DIRECT_MESSAGE", true
	}
	return w
}

// executeGoogle executes under the lock. The state changes only once the journal has the change.
func (s *Server) executeGoogle(rq *request, at time.Time) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := s.begin(at)
	out, err := s.operation(rq.method.Op)(tx, rq)
	if err != nil {
		return nil, err
	}
	return out, tx.commit()
}

func (s *Server) operation(op string) func(*tx, *request) (any, error) {
	switch op {
	case "chat.spaces.messages.create":
		return s.createMessage
	case "chat.spaces.messages.get":
		return s.getMessage
	case "chat.spaces.messages.list":
		return s.listGoogle
	case "chat.spaces.messages.patch":
		return s.patchMessage
	case "chat.spaces.messages.delete":
		return s.deleteMessage
	case "chat.spaces.get":
		return s.getSpace
	case "chat.spaces.list":
		return s.listSpaces
	case "chat.spaces.members.list":
		return s.listMembers
	}
	return s.media
}

// room finds a space that the app is in.
func (s *Server) room(name string) (space, error) {
	sp, ok := s.state.spaces[key{Google, name}]
	switch {
	case !ok:
		return space{}, rest.NotFound()
	case sp.Out:
		return space{}, rest.Fail("PERMISSION_DENIED", "The app is not a member of the space.")
	}
	return sp, nil
}

// own finds a message by its name or by the id that the app gave it.
func (s *Server) own(name string) (message, error) {
	parent, id, _ := strings.Cut(name, "/messages/")
	if _, err := s.room(parent); err != nil {
		return message{}, err
	}
	if m, ok := s.state.message(Google, parent, name); ok {
		return m, nil
	}
	for _, m := range s.state.in(Google, parent, "") {
		if m.Client != "" && m.Client == id {
			return m, nil
		}
	}
	return message{}, rest.NotFound()
}

func (s *Server) createMessage(tx *tx, rq *request) (any, error) {
	sp, err := s.room(rq.param)
	if err != nil {
		return nil, err
	}
	if id := rq.Query.Get("requestId"); id != "" {
		for _, m := range s.state.in(Google, sp.ID, "") {
			if m.Request == id {
				return s.wireMessage(m), nil
			}
		}
	}
	if err := s.checkNew(rq, sp); err != nil {
		return nil, err
	}
	m, err := s.placed(tx, rq, sp)
	if err != nil {
		return nil, err
	}
	m.Client, m.Request, m.Author = rq.Query.Get("messageId"), rq.Query.Get("requestId"), GoogleApp
	m.Text, m.Fallback, m.Cards = rq.text("text"), rq.text("fallbackText"), rq.cards()
	tx.put(m)
	return s.wireMessage(m), nil
}

// checkNew checks the content of a message and the id that it is to have.
func (s *Server) checkNew(rq *request, sp space) error {
	if f := rq.checkContent(); f != nil {
		return f
	}
	id := rq.Query.Get("messageId")
	if id == "" {
		return nil
	}
	if !clientForm.MatchString(id) {
		return rest.Invalid("messageId", "A custom id begins with client- and has up to 63 lower-case letters, digits and hyphens.")
	}
	for _, m := range s.state.messages { // of deleted ones, too
		if m.Platform == Google && m.Space == sp.ID && m.Client == id {
			return rest.Fail("ALREADY_EXISTS", "The message already exists.")
		}
	}
	return nil
}

func (rq *request) cards() json.RawMessage {
	list, ok := rq.body["cardsV2"].([]any)
	if !ok || len(list) == 0 {
		return nil
	}
	data, err := json.Marshal(list)
	if err != nil {
		return nil
	}
	return data
}

func (rq *request) checkContent() *rest.Failure {
	var bad rest.Violations
	if utf8.RuneCountInString(rq.text("text")) > googleText {
		bad.Add("message.text", "The text has more than %d characters.", googleText)
	}
	if rq.text("text") == "" && rq.cards() == nil && rq.body["attachment"] == nil {
		bad.Add("message", "Message cannot be empty.")
	}
	if rq.size() > googleBytes {
		bad.Add("message", "The message is larger than %d bytes.", googleBytes)
	}
	cards, _ := rq.body["cardsV2"].([]any)
	for _, c := range cards {
		checkCard(&bad, object(object(c)["card"]))
	}
	return bad.Sorted().Failure()
}

// size of the message, however JSON writes it.
func (rq *request) size() int {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(rq.body); err != nil {
		return googleBytes + 1
	}
	return b.Len()
}

func object(v any) map[string]any {
	o, _ := v.(map[string]any)
	return o
}

func checkCard(bad *rest.Violations, card map[string]any) {
	const at = "message.cards_v2.card"
	if header, ok := card["header"]; ok && object(header)["title"] == nil {
		bad.Add(at+".header.title", "Required field is missing.")
	}
	if card["header"] == nil && card["sections"] == nil {
		bad.Add(at, "A card cannot be empty.")
	}
	sections, _ := card["sections"].([]any)
	n := 0
	for _, section := range sections {
		widgets, _ := object(section)["widgets"].([]any)
		if len(widgets) == 0 {
			bad.Add(at+".sections.widgets", "A section has at least one widget.")
		}
		for _, w := range widgets {
			checkWidget(bad, at+".sections.widgets", object(w))
		}
		n += len(widgets)
	}
	if n > googleWidgets {
		bad.Add(at, "A card has at most %d widgets.", googleWidgets)
	}
}

func checkWidget(bad *rest.Violations, at string, widget map[string]any) {
	if len(widget) != 1 {
		bad.Add(at, "A widget is one thing.")
	}
	if p, ok := widget["textParagraph"]; ok && object(p)["text"] == nil {
		bad.Add(at+".textParagraph.text", "Required field is missing.")
	}
	if d, ok := widget["decoratedText"]; ok && object(d)["text"] == nil {
		bad.Add(at+".decoratedText.text", "Required field is missing.")
	}
	buttons, _ := object(widget["buttonList"])["buttons"].([]any)
	for _, b := range buttons {
		click := object(object(b)["onClick"])
		if object(b)["text"] == nil || len(click) != 1 || click["action"] != nil && object(click["action"])["function"] == nil {
			bad.Add(at+".buttonList.buttons", "A button has a text and one thing that a click does; an action has a function.")
		}
	}
}

// placed makes a message and finds its thread: a named one only with messageReplyOption.
func (s *Server) placed(tx *tx, rq *request, sp space) (message, error) {
	id := server.Letters(tx.next("message"), server.Alphanumeric, 11)
	m := message{Platform: Google, Space: sp.ID, ID: sp.ID + "/messages/" + id + "." + id, Thread: sp.ID + "/threads/" + id, Created: tx.moment()}
	option, named, keyed := rq.Query.Get("messageReplyOption"), rq.text("thread", "name"), rq.text("thread", "threadKey")
	if keyed == "" {
		keyed = rq.Query.Get("threadKey")
	}
	if len(keyed) > threadKeyMost {
		return m, rest.Invalid("message.thread.threadKey", "The key is too long.")
	}
	if option == "" || option == "MESSAGE_REPLY_OPTION_UNSPECIFIED" {
		m.Key = keyed
		return m, nil
	}
	for _, o := range s.state.in(Google, sp.ID, "") {
		if named != "" && o.Thread == named || named == "" && keyed != "" && o.Key == keyed {
			m.Thread, m.Key = o.Thread, o.Key
			m.ID = sp.ID + "/messages/" + strings.TrimPrefix(o.Thread, sp.ID+"/threads/") + "." + id
			return m, nil
		}
	}
	if option == "REPLY_MESSAGE_OR_FAIL" && (named != "" || keyed != "") {
		return m, rest.NotFound()
	}
	m.Key = keyed
	return m, nil
}

func (s *Server) getMessage(_ *tx, rq *request) (any, error) {
	m, err := s.own(rq.param)
	if err != nil {
		return nil, err
	}
	return s.wireMessage(m), nil
}

// mine is a message that the app may change.
func (s *Server) mine(name string) (message, error) {
	m, err := s.own(name)
	if err == nil && m.Author != GoogleApp {
		err = rest.Fail("PERMISSION_DENIED", "An app can change its own messages only.")
	}
	return m, err
}

func (s *Server) patchMessage(tx *tx, rq *request) (any, error) {
	if rq.Query.Get("allowMissing") == "true" {
		return nil, rest.Invalid("allowMissing", "This simulator creates nothing by a patch.")
	}
	m, err := s.mine(rq.param)
	if err != nil {
		return nil, err
	}
	for path := range strings.SplitSeq(rq.Query.Get("updateMask"), ",") {
		switch rest.Camel(strings.TrimSpace(path)) {
		case "text":
			m.Text = rq.text("text")
		case "cardsV2":
			m.Cards = rq.cards()
		case "*":
			m.Text, m.Cards = rq.text("text"), rq.cards()
		default:
			return nil, rest.Invalid("updateMask", "The mask may name text and cards_v2.")
		}
	}
	if f := rq.checkContent(); f != nil {
		return nil, f
	}
	m.Edited = tx.at
	tx.put(m)
	return s.wireMessage(m), nil
}

func (s *Server) deleteMessage(tx *tx, rq *request) (any, error) {
	m, err := s.mine(rq.param)
	if err != nil {
		return nil, err
	}
	m.Deleted = tx.at
	tx.put(m)
	return struct{}{}, nil
}

func (s *Server) listGoogle(tx *tx, rq *request) (any, error) {
	sp, err := s.room(rq.param)
	if err != nil {
		return nil, err
	}
	keep, err := filterOf(rq.Query.Get("filter"))
	if err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(s.state.in(Google, sp.ID, ""), func(m message) bool { return !keep(m) })
	key := rest.Ordinal
	switch strings.ToLower(rq.Query.Get("orderBy")) {
	case "", "createtime asc", "create_time asc":
	case "createtime desc", "create_time desc":
		slices.Reverse(all)
	default:
		return nil, rest.Invalid("orderBy", "The order is createTime asc or desc.")
	}
	l, err := rest.NewListing(tx.ids, rq.param+"\x00"+rq.Query.Get("filter")+"\x00"+rq.Query.Get("orderBy"), rq.Query, googlePage, googleMost)
	if err != nil {
		return nil, err
	}
	list, next := rest.Page(l, len(all), func(i int) (string, wireGoogle, bool) { return key(i), s.wireMessage(all[i]), true })
	return struct {
		Messages []wireGoogle `json:"messages,omitempty"`
		Next     string       `json:"nextPageToken,omitempty"`
	}{list, next}, nil
}

var (
	byThread = regexp.MustCompile(`^thread\.name = "?(spaces/[A-Za-z0-9_-]+/threads/[A-Za-z0-9_.-]+)"?$`)
	byTime   = regexp.MustCompile(`^(?:create_time|createTime) (>|<) "([^"]+)"$`)
)

func filterOf(filter string) (func(message) bool, error) {
	keep := func(message) bool { return true }
	if filter == "" {
		return keep, nil
	}
	for term := range strings.SplitSeq(filter, " AND ") {
		before := keep
		if m := byThread.FindStringSubmatch(term); m != nil {
			keep = func(o message) bool { return before(o) && o.Thread == m[1] }
			continue
		}
		m := byTime.FindStringSubmatch(term)
		if m == nil {
			return nil, rest.Invalid("filter", "The filter has terms for create_time and thread.name, joined with AND.")
		}
		t, err := time.Parse(time.RFC3339Nano, m[2])
		if err != nil {
			return nil, rest.Invalid("filter", "The time must be as in RFC 3339.")
		}
		keep = func(o message) bool {
			return before(o) && (m[1] == ">" && o.Created.After(t) || m[1] == "<" && o.Created.Before(t))
		}
	}
	return keep, nil
}

func (s *Server) getSpace(_ *tx, rq *request) (any, error) {
	sp, err := s.room(rq.param)
	if err != nil {
		return nil, err
	}
	return wireSpace(sp), nil
}

func (s *Server) listSpaces(tx *tx, rq *request) (any, error) {
	if rq.Query.Get("filter") != "" {
		return nil, rest.Invalid("filter", "This simulator does not filter spaces.")
	}
	var all []space
	for _, c := range s.state.Changes()[0].Spaces {
		if c.Platform == Google && !c.Out {
			all = append(all, c)
		}
	}
	l, err := rest.NewListing(tx.ids, "spaces", rq.Query, 100, googleMost)
	if err != nil {
		return nil, err
	}
	list, next := rest.Page(l, len(all), func(i int) (string, map[string]any, bool) { return rest.Ordinal(i), wireSpace(all[i]), true })
	return map[string]any{"spaces": list, "nextPageToken": next}, nil
}

func (s *Server) listMembers(tx *tx, rq *request) (any, error) {
	sp, err := s.room(rq.param)
	if err != nil {
		return nil, err
	}
	if rq.Query.Get("filter") != "" {
		return nil, rest.Invalid("filter", "This simulator does not filter members.")
	}
	var all []person
	for _, p := range s.state.Changes()[0].People {
		if p.Platform == Google && !p.Bot && (sp.Direct == "" || sp.Direct == p.ID) {
			all = append(all, p)
		}
	}
	l, err := rest.NewListing(tx.ids, "members\x00"+sp.ID, rq.Query, 100, googleMost)
	if err != nil {
		return nil, err
	}
	list, next := rest.Page(l, len(all), func(i int) (string, map[string]any, bool) {
		return rest.Ordinal(i), map[string]any{
			"name": sp.ID + "/members/" + strings.TrimPrefix(all[i].ID, "users/"), "state": "JOINED", "role": "ROLE_MEMBER", "member": s.wireUser(all[i].ID),
		}, true
	})
	return map[string]any{"memberships": list, "nextPageToken": next}, nil
}

// media answers the bytes of an attachment, or, without alt=media, its name.
func (s *Server) media(_ *tx, rq *request) (any, error) {
	f, ok := s.state.files[key{Google, rq.param}]
	switch {
	case !ok:
		return nil, rest.NotFound()
	case rq.Query.Get("alt") != "media":
		return map[string]string{"resourceName": f.ID}, nil
	}
	return s.bytes(f), nil
}
