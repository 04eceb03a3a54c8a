package follow

import (
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/desk"
)

// Whatever an event says, it is either nothing or the name of one case, of a bounded length and with nothing around it.
func FuzzEvent(f *testing.F) {
	for _, name := range []string{"projects/1/cases/2", "organizations/1/cases/2/comments/3", "//cloudsupport.googleapis.com/projects/p/cases/2/attachments/x", "projects/../cases/1", ""} {
		f.Add("COMMENT_CREATED", name)
	}
	f.Fuzz(func(t *testing.T, kind, name string) {
		got, h, ok := parse(kind, name)
		if !ok {
			if got != "" {
				t.Errorf("%q of nothing", got)
			}
			return
		}
		if strings.Count(got, "/") != 3 || !strings.Contains(name, got) || len(got) > 250 || strings.ContainsAny(got, " \n\x00%?#") {
			t.Errorf("%q of %q", got, name)
		}
		if h != anything && h != comments && h != files {
			t.Errorf("hint %q", h)
		}
	})
}

// Whatever people write: a comment is ours only with our account or a marker that we wait for, the text is told, and nothing is told twice.
func FuzzComment(f *testing.F) {
	marker := "REF" + strings.Repeat("A", 26)
	for _, body := range []string{"hello", "x\n\n[" + marker + " attempt=1]", "> [" + marker + " attempt=1]\nquote", "[" + marker + " attempt=1]", ""} {
		f.Add(body, "a@example.com", true)
		f.Add(body, "us@example.com", false)
		f.Add(body, "us@example.com", true)
	}
	f.Fuzz(func(t *testing.T, body, email string, byDesk bool) {
		at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
		c := Case{Begun: true, Account: "us@example.com", Spoken: []Spoken{{marker, chat.Place{Platform: chat.Slack, Space: "C1"}}}, id: "id"}
		s := snapshot{Comments: []desk.Comment{{Name: "projects/1/cases/2/comments/3", Body: body, Author: desk.Actor{Email: email, Desk: byDesk}, Created: at}}}
		p := policy{config.Watch{}, time.Minute, time.UTC, most}
		d := decide(c, s, at, p)
		if len(d.news) != 1 || d.news[0].Post.Title == "" || d.news[0].Post.Body == "" {
			t.Fatalf("news %+v", d.news)
		}
		ours := d.news[0].Detail.Ours
		if ours && (byDesk || !strings.EqualFold(email, "us@example.com")) {
			t.Errorf("%q by %q is ours", body, email)
		}
		if !ours && d.news[0].Detail.Text != body {
			t.Errorf("%q became %q", body, d.news[0].Detail.Text)
		}
		if again := decide(d.next, s, at, p); len(again.news) != 0 || again.shown {
			t.Errorf("told again: %+v", again.news)
		}
	})
}

// A desk that does not say who wrote, as the hub, may have answered: nobody is reminded, and nothing is taken for ours.
func TestUnknownWriterMayBeTheDesk(t *testing.T) {
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	c := Case{Begun: true, State: desk.InProgress, Clock: clock{Asked: at, State: at}, id: "id"}
	s := snapshot{Case: &desk.Case{State: desk.InProgress}, Comments: []desk.Comment{}, Files: []desk.Attachment{}}
	p := policy{config.Watch{Answer: time.Hour}, time.Minute, time.UTC, most}
	if d := decide(c, s, at.Add(2*time.Hour), p); len(d.news) != 1 || d.news[0].Type != TypeReminded {
		t.Errorf("without an answer: %+v", d.news)
	}
	s.Comments = append(s.Comments, desk.Comment{Name: "a/b", Body: "hello"})
	if d := decide(c, s, at.Add(2*time.Hour), p); len(d.news) != 1 || d.news[0].Type != TypeCommented || d.news[0].Detail.Ours {
		t.Errorf("with an answer: %+v", d.news)
	}
}

// Files stand among the comments by their time, and what changed of the case itself comes last.
func TestOrderOfNews(t *testing.T) {
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	c := Case{Begun: true, State: desk.New, Priority: "P2", id: "id"}
	s := snapshot{
		Case:     &desk.Case{State: desk.ActionRequired, Priority: "P1", Escalated: true, Updated: at},
		Comments: []desk.Comment{{Name: "c/1", Body: "one", Created: at}, {Name: "c/2", Body: "two", Created: at.Add(2 * time.Second)}},
		Files:    []desk.Attachment{{Name: "f/1", File: "log.txt", Created: at.Add(time.Second)}},
	}
	p := policy{config.Watch{}, time.Minute, time.UTC, most}
	d := decide(c, s, at.Add(time.Minute), p)
	var keys []string
	for _, n := range d.news {
		keys = append(keys, n.Key)
	}
	if want := "comment/1 file/1 comment/2 state/1 priority/1 escalated/1"; strings.Join(keys, " ") != want {
		t.Errorf("told %q, want %q", keys, want)
	}
	p.most = 2
	d = decide(c, s, at.Add(time.Minute), p)
	if len(d.news) != 2 || !d.more || d.next.State != desk.New || !d.next.due.Equal(at.Add(time.Minute)) {
		t.Errorf("with much news: %d told, more %v, state %s, due %v", len(d.news), d.more, d.next.State, d.next.due)
	}
	if d = decide(d.next, s, at.Add(time.Minute), p); len(d.news) != 4 || d.more || d.next.State != desk.ActionRequired {
		t.Errorf("then %d told, more %v, state %s", len(d.news), d.more, d.next.State)
	}
}
