package follow

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/desk"
)

// most is how many pieces of news one look tells at most.
const most = 10

// snapshot is what was read of the desk. What was not read is nil.
type snapshot struct {
	Case     *desk.Case
	Comments []desk.Comment
	Files    []desk.Attachment
}

// whole reports whether everything was read.
func (s snapshot) whole() bool { return s.Case != nil && s.Comments != nil && s.Files != nil }

// policy is what the configuration says of a desk's cases.
type policy struct {
	watch config.Watch
	every time.Duration
	zone  *time.Location
	most  int // pieces of news that one commit holds, for every room and receiver
}

// news is one thing to be told, and why.
type news struct {
	Type   string     // of the activity
	Key    string     // names it within the case
	Post   chat.Post  // for the thread; empty: the first message says it
	Except chat.Place // the room where it was said
	Detail Detail
	Why    string
	End    *act.Ending // what is done about it
}

// decision is what follows from a look.
type decision struct {
	next  Case
	news  []news
	shown bool // the first message shows something else now
	more  bool // there is more news than one look tells
}

// decide is pure: what we know of a case, what the desk has and the time -> what we know next, and what is to be told.
func decide(c Case, s snapshot, now time.Time, p policy) decision {
	d := decision{next: c}
	first := !c.Begun
	if first {
		d.begin(s, now)
	}
	d.said(s, now, p)
	if !d.more && !first && s.Case != nil {
		d.changed(*s.Case, now, p)
	}
	if s.whole() && !d.more {
		d.waits(len(s.Comments), now, p)
	}
	d.shown = d.shown || len(d.news) > 0
	if d.shown {
		d.next.Rev++
	}
	d.plan(s, now, p)
	return d
}

// begin takes over how the case stands at the first look.
func (d *decision) begin(s snapshot, now time.Time) {
	c := &d.next
	c.take(*s.Case)
	c.Begun, c.Clock.State, c.Clock.Asked = true, moment(s.Case.Updated, now), moment(s.Case.Created, now)
	if _, ok := signed(s.Case.Description); ok && !s.Case.Creator.Desk {
		c.Account = s.Case.Creator.Email
	}
	d.shown = true
	d.news = append(d.news, news{Type: TypeFollowed, Key: "followed", Why: "the case is followed from now on"})
}

// take takes over what the first message shows.
func (c *Case) take(have desk.Case) {
	c.Title, c.URL, c.State, c.Priority, c.Escalated = have.Title, have.URL, have.State, have.Priority, have.Escalated
}

// moment is a time of the desk's, or now when it gives none or one to come.
func moment(t, now time.Time) time.Time {
	if t.IsZero() || t.After(now) {
		return now.UTC()
	}
	return t.UTC()
}

// line is a comment or a file that is not known yet.
type line struct {
	at      time.Time
	id      string
	comment *desk.Comment
	file    *desk.Attachment
}

// said tells of comments and files that are new, in the desk's order.
func (d *decision) said(s snapshot, now time.Time, p policy) {
	c := &d.next
	lines := unknown(*c, s)
	for i, l := range lines {
		if len(d.news) >= p.most {
			d.more = i < len(lines)
			break
		}
		old := !c.Since.IsZero() && l.at.Before(c.Since)
		if l.comment != nil {
			d.comment(l, now, old)
		} else {
			d.file(l, old)
		}
	}
	if s.whole() && !d.more {
		c.Since = time.Time{}
	}
}

func unknown(c Case, s snapshot) (lines []line) {
	comments, files := set(c.Comments), set(c.Files)
	for i := range s.Comments {
		if k := &s.Comments[i]; !comments[short(k.Name)] {
			lines = append(lines, line{at: k.Created, id: short(k.Name), comment: k})
		}
	}
	for i := range s.Files {
		if k := &s.Files[i]; !files[short(k.Name)] {
			lines = append(lines, line{at: k.Created, id: short(k.Name), file: k})
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return a.at.Compare(b.at) })
	return lines
}

func set(all []string) map[string]bool {
	m := make(map[string]bool, len(all))
	for _, s := range all {
		m[s] = true
	}
	return m
}

// short is the last part of a resource name, or its hash when that is long.
func short(name string) string {
	if id := path.Base(name); len(id) <= 64 {
		return id
	}
	return hashed(name)
}

func (d *decision) comment(l line, now time.Time, old bool) {
	c, k := &d.next, *l.comment
	c.Comments = append(c.Comments[:len(c.Comments):len(c.Comments)], l.id)
	who := c.writer(k)
	c.heard(who, k, moment(k.Created, now))
	if old {
		return
	}
	c.Spoken = slices.DeleteFunc(slices.Clone(c.Spoken), func(s Spoken) bool { return who.ours && s.Marker == who.marker })
	d.news = append(d.news, news{Type: TypeCommented, Key: "comment/" + l.id, Post: commentPost(who, k), Except: who.from, Why: "a new comment",
		Detail: Detail{Author: who.name, Desk: k.Author.Desk, Ours: who.ours, Text: who.text}})
}

func (d *decision) file(l line, old bool) {
	c := &d.next
	c.Files = append(c.Files[:len(c.Files):len(c.Files)], l.id)
	if !old {
		d.news = append(d.news, news{Type: TypeAttached, Key: "file/" + l.id, Post: filePost(*l.file), Why: "a new attachment",
			Detail: Detail{File: chat.Line(l.file.File, 200)}})
	}
}

// writer is who wrote a comment.
type writer struct {
	name   string
	ours   bool       // this system wrote it
	marker string     // that it carries, if it is ours
	from   chat.Place // where it was said, if that is a room of ours
	text   string     // without our marker
}

// people reports whether a person of ours stands behind the comment: not the desk, and not an alert.
func (w writer) people(k desk.Comment) bool {
	return !k.Author.Desk && k.Author != (desk.Actor{}) && (!w.ours || w.from != chat.Place{})
}

var signedEnd = regexp.MustCompile(`\s*\[(REF[A-Z2-7]{26}) attempt=[0-9]{1,9}\]\s*$`)

// signed returns the marker that ends a text.
func signed(text string) (marker string, ok bool) {
	m := signedEnd.FindStringSubmatch(text)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// writer finds out who wrote a comment. It is ours when it ends with a marker and our account wrote it; on a case that others opened our
// account is not known, and the marker must be one that we are waiting for.
func (c Case) writer(k desk.Comment) writer {
	w := writer{name: nameOf(k.Author), text: k.Body}
	marker, ok := signed(k.Body)
	if !ok || k.Author.Desk {
		return w
	}
	i := slices.IndexFunc(c.Spoken, func(s Spoken) bool { return s.Marker == marker })
	known := c.Account != "" && strings.EqualFold(k.Author.Email, c.Account)
	if !known && (c.Account != "" || i < 0) {
		return w
	}
	w.ours, w.marker, w.text = true, marker, signedEnd.ReplaceAllString(k.Body, "")
	if i >= 0 {
		w.from = c.Spoken[i].From
		w.from.Thread = ""
	}
	return w
}

// heard moves the clock on.
func (c *Case) heard(w writer, k desk.Comment, at time.Time) {
	c.Clock.Spoke = latest(c.Clock.Spoke, at)
	switch {
	case (k.Author.Desk || k.Author == (desk.Actor{})) && !at.Before(c.Clock.Answered): // where a desk does not say who wrote, it may be its people
		c.Clock.Answered, c.Clock.By = at, w.name
	case w.people(k):
		c.Clock.Asked = latest(c.Clock.Asked, at)
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// changed tells of what the desk, or anybody there, changed of the case itself.
func (d *decision) changed(have desk.Case, now time.Time, p policy) {
	was, c := d.next, &d.next
	c.take(have)
	d.shown = d.shown || was.Title != c.Title || was.URL != c.URL
	rev := was.Rev + 1
	if was.State != c.State {
		c.Clock.State = moment(have.Updated, now)
		n := news{Type: TypeState, Key: fmt.Sprintf("state/%d", rev), Why: "another state",
			Detail: Detail{Was: string(was.State), Now: string(c.State)}}
		n.Post = chat.Post{Title: "State: " + stateName(was.State) + " → " + stateName(c.State)}
		if c.State == desk.Closed && strings.HasPrefix(was.Clock.Wait, waitClose) && !was.Clock.Acted.IsZero() {
			n.Post.Body = "It was solved, and nobody had talked for " + period(p.watch.Close) + "."
		}
		d.news = append(d.news, n)
	}
	if was.Priority != c.Priority {
		d.news = append(d.news, news{Type: TypePriority, Key: fmt.Sprintf("priority/%d", rev), Why: "another priority",
			Post:   chat.Post{Title: fmt.Sprintf("Priority: %s → %s", was.Priority, c.Priority)},
			Detail: Detail{Was: string(was.Priority), Now: string(c.Priority)}})
	}
	if was.Escalated != c.Escalated {
		d.news = append(d.news, escalation(c.Escalated, rev))
	}
}

func escalation(on bool, rev int) news {
	n := news{Type: TypeEscalated, Key: fmt.Sprintf("escalated/%d", rev), Why: "escalated", Post: chat.Post{Title: "The case is escalated"},
		Detail: Detail{Now: "true"}}
	if !on {
		n.Why, n.Post.Title, n.Detail.Now = "no longer escalated", "The case is no longer escalated", "false"
	}
	return n
}

// plan says when the next look is.
func (d *decision) plan(s snapshot, now time.Time, p policy) {
	c := &d.next
	switch {
	case d.more:
		c.due = now
	case s.whole() && c.queued():
		c.due = now.Add(later(c.Fails, p.every))
		c.Fails++
	case s.whole():
		c.Fails, c.due = 0, now.Add(p.every)
		if c.Final = c.State == desk.Closed && !d.shown; c.Final {
			c.due = time.Time{}
			return
		}
	}
	if t := c.wake(p.watch); !t.IsZero() && (c.due.IsZero() || t.Before(c.due)) {
		c.due = t
	}
	for _, n := range d.news {
		if n.End != nil {
			c.due = now // what came of it is seen at the next look
		}
	}
}
