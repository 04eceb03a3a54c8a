package commands

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/functions/casewebhook/follow"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// input is an act, and what it asks for.
type input struct {
	order     string // names what follows from it
	who       who
	at        chat.Place // zero: nobody waits for an answer
	when      time.Time
	files     []chat.File
	thread    *follow.Case // the case that the thread is about
	system    bool         // asked by another system
	desk      string       // which it names
	tenant    string       // whose system it is
	confirmed bool

	cmd    Command
	ask    string // id of the question that a button belongs to
	plain  bool   // a comment because of where it was said, not because somebody called it one
	loose  bool   // perhaps an answer to a question: it is one if a question waits in this thread
	silent bool   // nothing to do
	words  string // what was written, if it is loose
	wrong  string // why it is no command
}

// Actions of our buttons. The value of ActionCommand is a command, as if the person who clicks had typed it; of the others the id of a question.
const (
	ActionCommand = "command"
	actionConfirm = "case." + Confirm
	actionCancel  = "case." + Cancel
	actionApprove = "case." + Approve
)

// understand reads what is asked. An error is fault.Invalid: a system's request that can never succeed.
func (in *input) understand(m Message) (err error) {
	if m.Request != nil {
		in.cmd, err = m.Request.Command()
		return err
	}
	e := *m.Chat
	switch {
	case e.Kind == chat.Joined:
		in.cmd = Command{Verb: Help}
	case e.Person.Bot: // ourselves, perhaps: an answer would be answered
		in.silent = true
	case e.Kind == chat.Command:
		in.command(e.Text)
	case e.Kind == chat.Click:
		in.click(e)
	default:
		in.message(e)
	}
	return nil
}

// command reads a text that is a command.
func (in *input) command(text string) {
	if strings.TrimSpace(text) == "" {
		text = Help
	}
	c, err := Parse(text, in.thread != nil)
	if err != nil {
		in.wrong = fault.Public(err)
		return
	}
	in.cmd = c
}

func (in *input) click(e chat.Event) {
	switch e.Action {
	case ActionCommand:
		in.command(e.Value)
	case actionConfirm, actionCancel, actionApprove:
		in.cmd, in.ask = Command{Verb: strings.TrimPrefix(e.Action, "case.")}, e.Value
	case follow.ActionClose:
		in.cmd = Command{Verb: Close}
	case follow.ActionEscalate:
		in.cmd = Command{Verb: Escalate, Reason: "RESOLUTION_TIME", Text: proposed}
	default:
		in.silent = true // a button of somebody else's, or of an earlier version
	}
	if isOfCase(e) && in.thread == nil {
		in.cmd, in.wrong = Command{}, "This case is not known here any more."
	}
}

// proposed is the justification behind a button. The question shows it; who wants another one types the command.
const proposed = "We ask for attention to this case: its resolution takes longer than we can wait."

// isOfCase reports whether a click is on a button whose value names a case.
func isOfCase(e chat.Event) bool {
	return e.Kind == chat.Click && (e.Action == follow.ActionClose || e.Action == follow.ActionEscalate)
}

// message reads what was written. To us it is a command if it can be one; otherwise, in a case's thread, it is a comment.
func (in *input) message(e chat.Event) {
	text := strings.TrimSpace(chat.Plain(e.Text))
	if word := strings.ToLower(text); word == Confirm || word == Cancel || word == Approve {
		in.cmd, in.loose, in.words = Command{Verb: word}, !e.Mention, text
		return
	}
	if e.Mention {
		in.command(text)
		if in.wrong == "" && (text != "" || in.thread == nil) || in.thread == nil {
			return
		}
		in.wrong = ""
	}
	in.comment(text)
}

// comment takes a text, and files, for a comment on the case of the thread.
func (in *input) comment(text string) {
	in.cmd, in.plain = Command{Verb: Comment, Text: text}, true
	switch {
	case in.thread == nil, text == "" && len(in.files) == 0:
		in.silent = true
	case text == "":
		in.cmd = Command{Verb: Attach}
	case utf8.RuneCountInString(text) > maxText:
		in.wrong = "This is longer than " + itoa(maxText) + " characters and is not on the case; attach it as a file."
	}
}
