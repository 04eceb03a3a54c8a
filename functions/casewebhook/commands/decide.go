package commands

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/functions/casewebhook/follow"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/desk"
)

// plan is what follows from an act: something is said, a question is asked or answered, a job is done. The question and the job of an answer go
// together.
type plan struct {
	Reason string // why, for the ledger, the audit and the log
	Post   *chat.Post
	Once   string // the post is said once under this name, however often it comes to it
	Ask    *ask   // the question's next state
	Job    *job
	Desk   string // for the audit, where there is no job
	Case   string
	silent bool
}

// Limits of what a desk is told.
const (
	defaultPriority  = desk.Priority("P3")
	maxJustification = 8000 // characters
	maxFiles         = 20
	window           = 15 * time.Minute
)

// gate answers what needs nothing to be looked up: what is no command, what asks for help, and who has no right anywhere.
func gate(in input, c *config.Config) (plan, bool) {
	verb := in.cmd.Verb
	does := action(verb)
	switch {
	case in.wrong != "":
		return says("it is no command", in.wrong+"\n"+shortHelp), true
	case verb == Help:
		return says("help", helpText(in.cmd.What)), true
	case in.loose:
		return plan{}, false
	case !in.who.known():
		if does == "" {
			does = Approve
		}
		return in.refused("nobody the configuration knows", refusal(in.who, c, does, "")), true
	case does != "" && !in.who.Can(does, ""):
		return in.refused("no right", refusal(in.who, c, does, "")), true
	case verb == Attach && len(in.files) == 0:
		return says("no file", "There is no file on this message. Attach it to the message that says attach, or to any message in the case's thread."), true
	}
	return plan{}, false
}

func says(reason, text string) plan { return plan{Reason: reason, Post: &chat.Post{Body: text}} }

// refused tells who lacks a right. What somebody merely says in a case's thread is refused once: they may go on talking to each other.
func (in input) refused(reason, text string) plan {
	p := says(reason, text)
	if in.plain {
		p.Once = hashed("refused", string(in.at.Platform), in.at.Space, in.at.Thread, in.who.ID)
	}
	return p
}

// decide says what an act wants done. It is pure.
func decide(in input, f facts, c *config.Config, now time.Time) plan {
	switch verb := in.cmd.Verb; {
	case verb == Confirm || verb == Cancel || verb == Approve:
		return answer(in, f.asks, c, now)
	case verb == List:
		return plan{Reason: "a list", Post: listPost(in, f.lists, now)}
	case verb == Report:
		return plan{Reason: "a report", Post: reportPost(in, f.lists, now)}
	case verb == Release:
		return says("a release", f.said)
	case verb == Create:
		return create(in, c, now)
	}
	return onCase(in, f, c, now)
}

// onCase decides on a command about a case.
func onCase(in input, f facts, c *config.Config, now time.Time) plan {
	if len(f.targets) != 1 {
		return unclear(in, f.targets)
	}
	t, verb := f.targets[0], in.cmd.Verb
	for _, does := range needs(in) {
		if !in.who.Can(does, t.Desk) {
			p := in.refused("no right at this desk", refusal(in.who, c, does, t.Desk))
			p.Desk, p.Case = t.Desk, t.Name
			return p
		}
	}
	switch {
	case verb == Show:
		return plan{Reason: "a case is shown", Post: showPost(*f.shown, now), Desk: t.Desk, Case: t.Name}
	case verb == Escalate && utf8.RuneCountInString(in.cmd.Text) > maxJustification:
		return says("too long", "A justification has at most "+itoa(maxJustification)+" characters. Put the details in a comment.")
	}
	return in.wants(job{Target: t, Cmd: in.cmd, Plain: in.plain}, c, now)
}

// needs are the rights that a command needs: what comes with a comment is attached.
func needs(in input) []string {
	does := []string{action(in.cmd.Verb)}
	if len(in.files) > 0 && in.cmd.Verb == Comment {
		does = append(does, Attach)
	}
	return does
}

// unclear says that no case, or more than one, is meant.
func unclear(in input, found []target) plan {
	if len(found) == 0 {
		return says("no such case", "I find no such case at the desks that you may see.")
	}
	var names []string
	for _, t := range found {
		names = append(names, t.Desk+": "+t.Name)
	}
	return says("several cases", "Several cases are called that. Name the one by its full name:\n"+strings.Join(names, "\n"))
}

// create decides on a new case.
func create(in input, c *config.Config, now time.Time) plan {
	name, why := deskFor(in, c)
	if why != "" {
		return says("no desk", why)
	}
	in.cmd.Desk = name
	if in.cmd.Priority == "" {
		in.cmd.Priority = defaultPriority
	}
	if len(in.files) > 0 && !in.who.Can(Attach, name) {
		return in.refused("no right at this desk", refusal(in.who, c, Attach, name))
	}
	return in.wants(job{Target: target{Desk: name, Tenant: in.tenant}, Cmd: in.cmd}, c, now)
}

// deskFor returns the desk of a new case: the one that is named, the only one that there is for this person, or the one whose room this is.
func deskFor(in input, c *config.Config) (name, why string) {
	may := desksOf(c, in.who, Create)
	if in.cmd.Desk != "" {
		if slices.Contains(may, in.cmd.Desk) {
			return in.cmd.Desk, ""
		}
		return "", refusal(in.who, c, Create, in.cmd.Desk)
	}
	if len(may) > 1 {
		may = slices.DeleteFunc(slices.Clone(may), func(name string) bool { return !hasRoom(c.Desks[name], in.at) })
	}
	if len(may) == 1 {
		return may[0], ""
	}
	return "", "Say at which desk: create at DESK TITLE. You may at: " + strings.Join(desksOf(c, in.who, Create), ", ") + "."
}

func hasRoom(d config.Desk, at chat.Place) bool {
	return slices.ContainsFunc(follow.Places(d.Rooms), func(p chat.Place) bool { return p.Platform == at.Platform && p.Space == at.Space })
}

// wants does a job, or asks before.
func (in input) wants(j job, c *config.Config, now time.Time) plan {
	j.Order, j.By, j.Via, j.At, j.Files = in.order, in.who.Name, in.who.Via, in.at, in.files
	if why := tooLarge(j.Files); why != "" {
		return says("a file is too large", why)
	}
	second := slices.Contains(c.Chat.Second, j.Cmd.Verb)
	switch {
	case in.system && second:
		return says("a second person must approve", "This needs the approval of a second person, which is given in a chat.")
	case !second && !j.Cmd.grave(), in.system && in.confirmed:
		return plan{Reason: "as asked", Job: &j}
	case in.system:
		return says("not confirmed", "This needs \"confirmed\": true.")
	}
	a := ask{V: 1, Job: j, State: waiting, Until: now.Add(window), Created: now}
	return plan{Reason: "it must be confirmed", Ask: &a, Post: a.question(c)}
}

// grave reports whether a command is asked about before it is carried out: it wakes people up, or ends a case.
func (c Command) grave() bool {
	urgent := c.Priority == "P0" || c.Priority == "P1"
	return c.Verb == Escalate || c.Verb == Close || urgent && (c.Verb == Create || c.Verb == Priority)
}

func tooLarge(files []chat.File) string {
	if len(files) > maxFiles {
		return "These are more than " + itoa(maxFiles) + " files, so I did nothing."
	}
	for _, f := range files {
		if f.Bytes > act.MaxFile {
			return "A file is larger than " + itoa(act.MaxFile>>20) + " MiB, so I did nothing: " + chat.Line(f.Name, 100)
		}
	}
	return ""
}
