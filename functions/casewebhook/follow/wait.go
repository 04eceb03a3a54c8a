package follow

import (
	"fmt"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/desk"
)

// What is waited for.
const (
	waitAnswer = "answer" // the desk's answer
	waitUs     = "us"     // ours
	waitClose  = "close"  // whether a solved case stays quiet
)

// wait is what a case waits for, since when, and how long it may.
type wait struct {
	what  string
	since time.Time
	most  time.Duration // 0: for ever
}

// key names a wait: it is reminded of once.
func (w wait) key() string { return fmt.Sprintf("%s/%d", w.what, w.since.UnixMicro()) }

// waiting returns what a case waits for; nothing: the zero wait.
func (c Case) waiting(w config.Watch) wait {
	t := c.Clock
	switch {
	case c.State == desk.Closed:
		return wait{}
	case c.State == desk.Solved:
		return wait{waitClose, latest(t.State, t.Spoke), w.Close}
	case c.State == desk.ActionRequired && t.Asked.After(t.State):
		return wait{} // we have answered, and the desk has not noticed yet
	case c.State == desk.ActionRequired:
		return wait{waitUs, t.State, w.OurTurn}
	case t.Answered.Before(t.Asked):
		return wait{waitAnswer, t.Asked, w.Answer}
	}
	return wait{}
}

// reminded reports whether this wait was reminded of, or ended by a closing.
func (c Case) reminded(w wait) bool { return c.Clock.Wait == w.key() && !c.Clock.Acted.IsZero() }

// proposes reports whether an escalation will be proposed when a reminder of this wait is not heeded.
func (c Case) proposes(w wait, p config.Watch) bool {
	return w.what == waitAnswer && p.Propose > 0 && !c.Escalated && !c.Clock.Proposed
}

// wake returns when the watch wants to look at a case; zero: it does not.
func (c Case) wake(p config.Watch) time.Time {
	w := c.waiting(p)
	switch {
	case w.most == 0:
		return time.Time{}
	case !c.reminded(w):
		return w.since.Add(w.most)
	case c.proposes(w, p):
		return c.Clock.Acted.Add(p.Propose)
	}
	return time.Time{}
}

// waits does what the time has come for.
func (d *decision) waits(comments int, now time.Time, p policy) {
	c := &d.next
	w := c.waiting(p.watch)
	if w.what == "" || c.Clock.Wait != w.key() {
		c.Clock.Wait, c.Clock.Acted, c.Clock.Proposed = "", time.Time{}, false
	}
	at := c.wake(p.watch)
	if at.IsZero() || now.Before(at) {
		return
	}
	if c.reminded(w) {
		c.Clock.Proposed = true
		d.news = append(d.news, c.proposal(w, now))
		return
	}
	c.Clock.Wait, c.Clock.Acted = w.key(), now.UTC()
	if w.what == waitClose {
		d.news = append(d.news, c.closing(w, comments))
		return
	}
	d.news = append(d.news, c.reminder(w, now, p.zone))
}

func (c Case) reminder(w wait, now time.Time, zone *time.Location) news {
	text := "The desk has not answered for " + period(now.Sub(w.since)) + ", since " + clockTime(w.since, zone) + "."
	if w.what == waitUs {
		text = "The desk has been waiting for us for " + period(now.Sub(w.since)) + ", since " + clockTime(w.since, zone) + "."
	}
	return news{Type: TypeReminded, Key: "remind/" + w.key(), Why: text, Post: chat.Post{Title: "Reminder", Body: text}, Detail: Detail{Text: text}}
}

func (c Case) proposal(w wait, now time.Time) news {
	text := "The desk has not answered for " + period(now.Sub(w.since)) + ", in spite of a reminder here. Shall its management be asked for attention?"
	return news{Type: TypeProposed, Key: "propose/" + w.key(), Why: text, Detail: Detail{Text: text},
		Post: chat.Post{Title: "Escalate?", Body: text, Buttons: []chat.Button{escalateButton(c)}}}
}

// closing ends a solved case. It is void when anything happens before it is carried out.
func (c Case) closing(w wait, comments int) news {
	why := "solved, and nobody has talked for " + period(w.most)
	return news{Type: TypeClosing, Key: "close/" + w.key(), Why: why, Detail: Detail{Text: why},
		End: &act.Ending{Target: act.Target{Desk: c.Desk, Case: c.Name}, Quiet: &act.Quiet{Comments: comments}}}
}

// period writes a duration as people say it.
func period(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	}
	return fmt.Sprintf("%d minutes", d/time.Minute)
}

func clockTime(t time.Time, zone *time.Location) string {
	return strings.TrimSpace(t.In(zone).Format("2 Jan 2006 15:04 MST"))
}
