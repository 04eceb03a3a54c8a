package chat

import (
	"context"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// Saying is something that a person writes. Without a space it is said to the bot alone.
type Saying struct {
	Platform string   `json:"platform"`
	Space    string   `json:"space"`
	Thread   string   `json:"thread"` // empty: it begins one
	Person   string   `json:"person"`
	Text     string   `json:"text"`
	Mention  bool     `json:"mention"` // of the bot
	Files    []Upload `json:"files"`
}

// Upload is a file that comes with what is said.
type Upload struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Content []byte `json:"content"`
}

// Commanding is a slash command that a person types, or a quick command of Google's that is chosen by its number.
type Commanding struct {
	Platform string `json:"platform"`
	Space    string `json:"space"`
	Thread   string `json:"thread"` // Google only
	Person   string `json:"person"`
	Name     string `json:"name"` // default /case
	Text     string `json:"text"`
	Quick    int    `json:"quick"`
}

// Clicking is a click on a button of a message.
type Clicking struct {
	Platform string `json:"platform"`
	Space    string `json:"space"`
	Message  string `json:"message"`
	Person   string `json:"person"`
	Button   string `json:"button"` // what is on it, or its action
	Value    string `json:"value"`  // tells buttons of the same label apart; may be empty
}

// Said is what came of an act: the message that was written, if one was, and the requests that were made.
type Said struct {
	Message    string     `json:"message,omitempty"`
	Thread     string     `json:"thread,omitempty"`
	Deliveries []Delivery `json:"deliveries"`
}

const maxSaid = 12_000 // characters that a person can write at once

// Say writes a message for a person and tells the callback what the platform would tell it.
func (s *Server) Say(ctx context.Context, in Saying) (Said, error) {
	m, out, err := s.say(in)
	if err != nil {
		return Said{}, err
	}
	return Said{m.ID, m.Thread, s.send(ctx, out)}, nil
}

func (s *Server) say(in Saying) (message, []outgoing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := s.begin(s.opts.Now())
	sp, err := tx.placeOf(in.Platform, in.Space, in.Person)
	if err != nil {
		return message{}, nil, err
	}
	if strings.TrimSpace(in.Text) == "" && len(in.Files) == 0 && !in.Mention || length(in.Text) > maxSaid {
		return message{}, nil, &server.Refusal{Message: "Something must be said, in at most 12000 characters."}
	}
	m, err := tx.written(sp, in)
	if err != nil {
		return message{}, nil, err
	}
	if err := tx.commit(); err != nil {
		return message{}, nil, err
	}
	if m.Platform == Slack {
		return m, s.slackNotices(tx, m, in.Mention), nil
	}
	if !in.Mention && sp.Direct == "" {
		return m, nil, nil // Google tells an app only what is said to it
	}
	return m, []outgoing{s.googleSaid(m, in)}, nil
}

// placeOf finds where a person is; what they say to the bot alone has a space of its own, made when it is first needed.
func (tx *tx) placeOf(platform, id, who string) (space, error) {
	p, ok := tx.state.people[key{platform, who}]
	if !ok || p.Bot {
		return space{}, &server.Refusal{Message: "There is no such person."}
	}
	if id == "" {
		id = directID(platform, who)
		if _, ok := tx.state.spaces[key{platform, id}]; !ok {
			sp := space{Platform: platform, ID: id, Name: p.Name, Direct: who}
			tx.change.Spaces = append(tx.change.Spaces, sp)
			return sp, nil
		}
	}
	sp, ok := tx.state.spaces[key{platform, id}]
	if !ok {
		return space{}, &server.Refusal{Message: "There is no such channel."}
	}
	return sp, nil
}

func directID(platform, who string) string {
	if platform == Slack {
		return "D" + who[1:]
	}
	return "spaces/DM" + strings.TrimPrefix(who, "users/")
}

// written makes the message that a person wrote, in its thread.
func (tx *tx) written(sp space, in Saying) (message, error) {
	m := message{Platform: sp.Platform, Space: sp.ID, Author: in.Person, Created: tx.moment(), Text: in.Text}
	random := tx.next("message")
	if sp.Platform == Slack {
		m.ID, m.Text = stamp(m.Created), slackEscape(in.Text, in.Mention)
		m.Thread = m.ID
	} else {
		id := server.Letters(random, server.Alphanumeric, 11)
		m.ID, m.Thread = sp.ID+"/messages/"+id+"."+id, sp.ID+"/threads/"+id
		if in.Mention {
			m.Text = "@providerdesk " + in.Text
		}
	}
	if in.Thread != "" {
		if len(tx.state.in(sp.Platform, sp.ID, in.Thread)) == 0 {
			return m, &server.Refusal{Message: "There is no such thread."}
		}
		m.Thread = in.Thread
	}
	for _, up := range in.Files {
		f, err := tx.upload(sp, in.Person, up)
		if err != nil {
			return m, err
		}
		m.Files = append(m.Files, f.ID)
	}
	tx.put(m)
	return m, nil
}

// upload keeps the bytes first: a change never names bytes that are not there.
func (tx *tx) upload(sp space, who string, up Upload) (file, error) {
	random := tx.next("file")
	f := file{Platform: sp.Platform, Blob: hex.EncodeToString(random[:12]), Name: up.Name, Type: up.Type, Bytes: int64(len(up.Content)), Author: who}
	if f.Type == "" {
		f.Type = http.DetectContentType(up.Content)
	}
	f.ID = "F0" + strings.ToUpper(server.Letters(random, server.Lower, 9))
	if sp.Platform == Google {
		f.ID = server.Letters(random, server.Alphanumeric, 24) + "=="
	}
	if err := tx.blobs.Save(f.Blob, up.Content); err != nil {
		return file{}, err
	}
	tx.change.Files = append(tx.change.Files, f)
	return f, nil
}

// Command types a command for a person.
func (s *Server) Command(ctx context.Context, in Commanding) (Said, error) {
	if in.Name == "" {
		in.Name = "/case"
	}
	if in.Platform == Google {
		m, out, err := s.googleCommand(in)
		if err != nil {
			return Said{}, err
		}
		return Said{m.ID, m.Thread, s.send(ctx, out)}, nil
	}
	out, err := s.slackCommand(in)
	if err != nil {
		return Said{}, err
	}
	return Said{Deliveries: s.send(ctx, out)}, nil
}

// Click clicks on a button for a person.
func (s *Server) Click(ctx context.Context, in Clicking) (Said, error) {
	out, err := s.click(in)
	if err != nil {
		return Said{}, err
	}
	return Said{Deliveries: s.send(ctx, out)}, nil
}

func (s *Server) click(in Clicking) ([]outgoing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := s.begin(s.opts.Now())
	if _, err := tx.placeOf(in.Platform, in.Space, in.Person); err != nil {
		return nil, err
	}
	m, ok := s.state.message(in.Platform, in.Space, in.Message)
	if !ok {
		return nil, &server.Refusal{Message: "There is no such message."}
	}
	if in.Platform == Slack {
		return s.slackClick(tx, m, in)
	}
	return s.googleClick(tx, m, in)
}

// Move adds the bot to a space, which is made if it is not there, or removes it.
func (s *Server) Move(ctx context.Context, platform, id, who string, in bool) (Said, error) {
	out, err := s.move(platform, id, who, in)
	if err != nil {
		return Said{}, err
	}
	return Said{Deliveries: s.send(ctx, out)}, nil
}

func (s *Server) move(platform, id, who string, in bool) ([]outgoing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := s.begin(s.opts.Now())
	sp, ok := s.state.spaces[key{platform, id}]
	if !ok {
		if !in || platform != Slack && platform != Google || !spaceForm(platform).MatchString(id) {
			return nil, &server.Refusal{Message: "There is no such channel."}
		}
		sp = space{Platform: platform, ID: id, Name: strings.ToLower(strings.TrimPrefix(id, "spaces/"))}
	}
	if _, err := tx.personOf(platform, who); err != nil {
		return nil, err
	}
	sp.Out = !in
	tx.change.Spaces = append(tx.change.Spaces, sp)
	if err := tx.commit(); err != nil {
		return nil, err
	}
	if platform == Slack {
		return []outgoing{s.slackMoved(tx, sp, in)}, nil
	}
	return []outgoing{s.googleMoved(tx, sp, who, in)}, nil
}

func (tx *tx) personOf(platform, who string) (person, error) {
	p, ok := tx.state.people[key{platform, who}]
	if !ok {
		return p, &server.Refusal{Message: "There is no such person."}
	}
	return p, nil
}

// timestamp writes a time as Google does.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
