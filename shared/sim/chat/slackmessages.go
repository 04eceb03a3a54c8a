package chat

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const slackPage = 100 // messages, unless asked for otherwise

// stamp is Slack's name for a message: its time.
func stamp(t time.Time) string { return fmt.Sprintf("%d.%06d", t.Unix(), t.Nanosecond()/1000) }

// wireMessage is a message as Slack shows it.
type wireMessage struct {
	Type     string          `json:"type"`
	Subtype  string          `json:"subtype,omitempty"`
	TS       string          `json:"ts"`
	Thread   string          `json:"thread_ts,omitempty"`
	Team     string          `json:"team,omitempty"`
	User     string          `json:"user"`
	Bot      string          `json:"bot_id,omitempty"`
	App      string          `json:"app_id,omitempty"`
	Text     string          `json:"text"`
	Blocks   json.RawMessage `json:"blocks,omitempty"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
	Edited   any             `json:"edited,omitempty"`
	Files    []any           `json:"files,omitempty"`
	Replies  int             `json:"reply_count,omitempty"`
}

func (s *Server) wireSlack(m message, metadata bool) wireMessage {
	w := wireMessage{Type: "message", TS: m.ID, Team: Team, User: m.Author, Text: m.Text, Blocks: m.Blocks}
	if m.Author == BotUser {
		w.Bot, w.App = slackBot, slackApp
	}
	for _, other := range s.state.in(Slack, m.Space, m.ID) {
		if other.ID != m.ID {
			w.Replies++
		}
	}
	if m.Thread != m.ID || w.Replies > 0 {
		w.Thread = m.Thread
	}
	if metadata {
		w.Metadata = m.Metadata
	}
	if !m.Edited.IsZero() {
		w.Edited = map[string]string{"user": m.Author, "ts": stamp(m.Edited)}
	}
	if len(m.Files) > 0 {
		w.Subtype = "file_share"
	}
	for _, id := range m.Files {
		w.Files = append(w.Files, wireFile(s.state.files[key{Slack, id}], ""))
	}
	return w
}

// channel finds a channel that the bot is in.
func (s *Server) channel(id string) (space, *refusal) {
	sp, ok := s.state.spaces[key{Slack, id}]
	switch {
	case !ok:
		return space{}, refuse("channel_not_found")
	case sp.Out:
		return space{}, refuse("not_in_channel")
	}
	return sp, nil
}

func (s *Server) postMessage(tx *tx, c *call) (map[string]any, *refusal) {
	sp, r := s.channel(c.texts["channel"])
	if r != nil {
		return nil, r
	}
	if sp.Archived {
		return nil, refuse("is_archived")
	}
	if r := c.checkContent(); r != nil {
		return nil, r
	}
	at := tx.moment()
	m := message{Platform: Slack, Space: sp.ID, ID: stamp(at), Thread: stamp(at), Author: BotUser, Created: at}
	m.Text, m.Blocks, m.Metadata = c.texts["text"], c.jsons["blocks"], c.jsons["metadata"]
	if root := c.texts["thread_ts"]; root != "" {
		above, ok := s.state.message(Slack, sp.ID, root)
		if !ok {
			return nil, refuse("cannot_reply_to_message")
		}
		m.Thread = above.Thread
	}
	tx.put(m)
	if s.opts.EchoOwn && s.callback != "" {
		s.deliveries.queue(s.slackNotice(tx, m, "message", BotUser))
	}
	return map[string]any{"channel": sp.ID, "ts": m.ID, "message": s.wireSlack(m, true)}, nil
}

// checkContent says what is wrong with what a message is to say.
func (c *call) checkContent() *refusal {
	text := c.texts["text"]
	switch {
	case strings.TrimSpace(text) == "" && len(c.jsons["blocks"]) == 0:
		return refuse("no_text")
	case length(text) > slackText:
		return refuse("msg_too_long")
	}
	if r := checkBlocks(c.jsons["blocks"]); r != nil {
		return r
	}
	return checkMetadata(c.jsons["metadata"])
}

func checkMetadata(raw json.RawMessage) *refusal {
	if len(raw) == 0 {
		return nil
	}
	var m struct {
		Type    string         `json:"event_type"`
		Payload map[string]any `json:"event_payload"`
	}
	if err := json.Unmarshal(raw, &m); err != nil || m.Type == "" || m.Payload == nil {
		return refuse("invalid_metadata_format")
	}
	return nil
}

func (s *Server) updateMessage(tx *tx, c *call) (map[string]any, *refusal) {
	sp, r := s.channel(c.texts["channel"])
	if r != nil {
		return nil, r
	}
	m, ok := s.state.message(Slack, sp.ID, c.texts["ts"])
	switch {
	case !ok:
		return nil, refuse("message_not_found")
	case m.Author != BotUser:
		return nil, refuse("cant_update_message")
	}
	if r := c.checkContent(); r != nil {
		return nil, r
	}
	m.Text, m.Blocks, m.Edited = c.texts["text"], c.jsons["blocks"], tx.at
	if raw := c.jsons["metadata"]; raw != nil {
		m.Metadata = raw
	}
	tx.put(m)
	return map[string]any{"channel": sp.ID, "ts": m.ID, "text": m.Text, "message": s.wireSlack(m, true)}, nil
}

// listMessages lists a channel, newest first and without answers, or a thread, oldest first.
func (s *Server) listMessages(tx *tx, c *call) (map[string]any, *refusal) {
	sp, r := s.channel(c.texts["channel"])
	if r != nil {
		return nil, r
	}
	thread := c.texts["ts"]
	if thread != "" {
		root, ok := s.state.message(Slack, sp.ID, thread)
		if !ok {
			return nil, refuse("thread_not_found")
		}
		thread = root.Thread
	}
	all := slices.DeleteFunc(s.state.in(Slack, sp.ID, thread), func(m message) bool {
		return thread == "" && m.Thread != m.ID || !c.between(m.ID) && (thread == "" || m.ID != thread)
	})
	if thread == "" {
		slices.Reverse(all)
	}
	return s.cut(tx, c, all)
}

// between reports whether a message is in the time that is asked for.
func (c *call) between(ts string) bool {
	t, inclusive := micros(ts), c.flag("inclusive")
	if oldest := c.texts["oldest"]; oldest != "" && (t < micros(oldest) || t == micros(oldest) && !inclusive) {
		return false
	}
	latest := c.texts["latest"]
	return latest == "" || t < micros(latest) || t == micros(latest) && inclusive
}

func micros(ts string) int64 {
	whole, fraction, _ := strings.Cut(ts, ".")
	n, _ := strconv.ParseInt(whole+(fraction + "000000")[:6], 10, 64)
	return n
}

// cut cuts a page out. A cursor is good for the same list only.
func (s *Server) cut(tx *tx, c *call, all []message) (map[string]any, *refusal) {
	listing := strings.Join([]string{c.Op, c.texts["channel"], c.texts["ts"], c.texts["oldest"], c.texts["latest"], c.texts["inclusive"]}, "\x00")
	if cursor := c.texts["cursor"]; cursor != "" {
		last, ok := tx.ids.Place(listing, cursor)
		i := slices.IndexFunc(all, func(m message) bool { return m.ID == last })
		if !ok || i < 0 {
			return nil, refuse("invalid_cursor")
		}
		all = all[i+1:]
	}
	next, n := "", c.number("limit", slackPage)
	if len(all) > n {
		all = all[:n]
		next = tx.ids.PageToken(listing, all[n-1].ID)
	}
	messages := make([]wireMessage, len(all))
	for i, m := range all {
		messages[i] = s.wireSlack(m, c.flag("include_all_metadata"))
	}
	return map[string]any{"messages": messages, "has_more": next != "", "response_metadata": map[string]string{"next_cursor": next}}, nil
}

func (s *Server) channelInfo(c *call) (map[string]any, *refusal) {
	sp, ok := s.state.spaces[key{Slack, c.texts["channel"]}]
	if !ok {
		return nil, refuse("channel_not_found")
	}
	return map[string]any{"channel": map[string]any{
		"id": sp.ID, "name": sp.Name, "is_channel": sp.Direct == "", "is_im": sp.Direct != "", "is_member": !sp.Out, "is_archived": sp.Archived,
	}}, nil
}

func (s *Server) userInfo(c *call) (map[string]any, *refusal) {
	p, ok := s.state.people[key{Slack, c.texts["user"]}]
	if !ok {
		return nil, refuse("user_not_found")
	}
	return map[string]any{"user": map[string]any{
		"id": p.ID, "team_id": Team, "name": strings.ToLower(p.Name), "real_name": p.Name, "is_bot": p.Bot,
		"profile": map[string]string{"real_name": p.Name, "display_name": p.Name},
	}}, nil
}
