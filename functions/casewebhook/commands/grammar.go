package commands

import (
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// The words that a command begins with. Those that act are the actions of config.Actions.
const (
	Create    = "create"
	Comment   = "comment"
	Attach    = "attach"
	List      = "list"
	Show      = "show"
	Priority  = "priority"
	Subscribe = "subscribe"
	Escalate  = "escalate"
	Close     = "close"
	Report    = "report"
	Release   = "release"
	Approve   = "approve"
	Confirm   = "confirm"
	Cancel    = "cancel"
	Help      = "help"
)

// Command is what somebody wants done.
type Command struct {
	Verb      string        `json:"verb"`
	Case      string        `json:"case,omitempty"`     // a number or a full name; empty: that of the thread
	Desk      string        `json:"desk,omitempty"`     // empty: any, or the only one
	Priority  desk.Priority `json:"priority,omitempty"` // P0 to P4
	Title     string        `json:"title,omitempty"`
	Text      string        `json:"text,omitempty"`      // of a comment, a description, a justification
	Reason    string        `json:"reason,omitempty"`    // of an escalation: one of desk.Escalation's
	Addresses []string      `json:"addresses,omitempty"` // to subscribe
	What      string        `json:"what,omitempty"`      // to release; the command that help is wanted for
	All       bool          `json:"all,omitempty"`       // closed cases too
	Page      int           `json:"page,omitempty"`      // of a list, from 2 on; 0 is the first
}

// Limits of a command.
const (
	maxText      = 120_000 // characters
	maxTitle     = 250     // characters
	maxWhat      = 200     // bytes
	maxAddresses = 20
	maxPage      = 1000
)

var (
	numberForm   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	nameForm     = regexp.MustCompile(`^[A-Za-z0-9._:-]+(/[A-Za-z0-9._:-]+)*/(cases|support-requests)/[A-Za-z0-9_-]{1,64}$`)
	priorityForm = regexp.MustCompile(`^[Pp][0-4]$`)
	deskForm     = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)
	reasons      = []string{"RESOLUTION_TIME", "TECHNICAL_EXPERTISE", "BUSINESS_IMPACT"}
)

// grammar returns how that is read which follows a verb, nil for a word that is none.
func grammar(verb string) func(*Command, *scanner, bool) error {
	switch verb {
	case Create:
		return (*Command).create
	case Comment:
		return (*Command).comment
	case Attach, Show, Close:
		return (*Command).ofCase
	case List:
		return (*Command).list
	case Priority:
		return (*Command).priority
	case Subscribe:
		return (*Command).subscribe
	case Escalate:
		return (*Command).escalate
	case Report:
		return (*Command).report
	case Release:
		return (*Command).release
	case Approve, Confirm, Cancel:
		return (*Command).bare
	case Help:
		return (*Command).help
	}
	return nil
}

// errUnknown is the error of Parse for a text whose first word is no command.
var errUnknown = fault.New(fault.Invalid, "I do not know this command.")

// Parse reads a command. In the thread of a case that one is meant unless another is named, as #NUMBER or by its full name; elsewhere every
// command about a case names it first. What Parse reads, Command.String writes so that Parse reads it again. The error is a sentence for
// the person.
func Parse(text string, inThread bool) (Command, error) {
	s := scanner{strings.TrimSpace(chat.Plain(text))}
	if utf8.RuneCountInString(s.rest) > maxText {
		return Command{}, invalid("This is longer than %d characters; attach it as a file.", maxText)
	}
	verb, quoted, err := s.word()
	if err != nil || quoted {
		return Command{}, errUnknown
	}
	c := Command{Verb: strings.ToLower(verb)}
	read := grammar(c.Verb)
	if read == nil {
		return Command{}, errUnknown
	}
	if err := read(&c, &s, inThread); err != nil {
		return Command{}, err
	}
	if s.rest != "" {
		return Command{}, invalid("I do not understand what follows; see: help %s", c.Verb)
	}
	return c, nil
}

func invalid(sentence string, args ...any) error { return fault.New(fault.Invalid, sentence, args...) }

func (c *Command) bare(*scanner, bool) error { return nil }

// ofCase reads the case, if it is named.
func (c *Command) ofCase(s *scanner, inThread bool) error {
	word := s.peek()
	number, marked := strings.CutPrefix(word, "#")
	switch {
	case nameForm.MatchString(word):
		c.Case = word
	case numberForm.MatchString(number) && (marked || !inThread):
		c.Case = number
	case inThread:
		return nil
	default:
		return invalid("Name the case first: %s #NUMBER, or its full name. In the thread of a case it is understood.", c.Verb)
	}
	_, _, err := s.word()
	return err
}

func (c *Command) comment(s *scanner, inThread bool) error {
	if err := c.ofCase(s, inThread); err != nil {
		return err
	}
	if c.Text = s.remainder(); c.Text == "" {
		return invalid("There is no text: comment TEXT")
	}
	return nil
}

// create reads options in any order, the title, and the description: what follows a title in quotes, or the lines after its own.
func (c *Command) create(s *scanner, _ bool) error {
	if err := c.options(s); err != nil {
		return err
	}
	title := ""
	if s.quoted() {
		var err error
		if title, _, err = s.word(); err != nil {
			return err
		}
	} else {
		title, s.rest, _ = strings.Cut(s.rest, "\n")
	}
	c.Title = strings.Join(strings.Fields(title), " ")
	c.Text = s.remainder()
	switch n := utf8.RuneCountInString(c.Title); {
	case n == 0:
		return invalid("There is no title: create TITLE, and what is the matter on the lines below.")
	case n > maxTitle:
		return invalid("The title is longer than %d characters: put the details on the lines below.", maxTitle)
	}
	return nil
}

// options reads "at DESK", a priority and, of a list, "all" and "page N", for as long as there are any.
func (c *Command) options(s *scanner) error {
	for {
		before := s.rest
		switch word := s.peek(); {
		case strings.EqualFold(word, "at") && c.Desk == "":
			s.word()
			if c.Desk = strings.ToLower(s.peek()); !deskForm.MatchString(c.Desk) {
				return invalid("After at comes the name of a desk.")
			}
			s.word()
		case priorityForm.MatchString(word) && c.Priority == "":
			s.word()
			c.Priority = desk.Priority(strings.ToUpper(word))
		case strings.EqualFold(word, "all") && c.Verb == List && !c.All:
			s.word()
			c.All = true
		case strings.EqualFold(word, "page") && c.Verb == List && c.Page == 0:
			s.word()
			number, _, _ := s.word()
			n, err := strconv.Atoi(number)
			if err != nil || n < 1 || n > maxPage {
				return invalid("After page comes a number.")
			}
			if n > 1 {
				c.Page = n
			}
		}
		if s.rest == before {
			return nil
		}
	}
}

func (c *Command) list(s *scanner, _ bool) error { return c.options(s) }

func (c *Command) report(s *scanner, _ bool) error {
	err := c.options(s)
	if c.Priority != "" {
		return invalid("A report counts all priorities: report [at DESK]")
	}
	return err
}

func (c *Command) priority(s *scanner, inThread bool) error {
	if err := c.ofCase(s, inThread); err != nil {
		return err
	}
	word, _, err := s.word()
	if err != nil || !priorityForm.MatchString(word) {
		return invalid("A priority is P0, P1, P2, P3 or P4.")
	}
	c.Priority = desk.Priority(strings.ToUpper(word))
	return nil
}

func (c *Command) subscribe(s *scanner, inThread bool) error {
	if err := c.ofCase(s, inThread); err != nil {
		return err
	}
	for s.rest != "" {
		word, _, err := s.word()
		if word = strings.Trim(word, ","); err != nil || !isAddress(word) {
			return invalid("Subscribers are e-mail addresses: subscribe anna@example.com")
		}
		if !slices.Contains(c.Addresses, word) {
			c.Addresses = append(c.Addresses, word)
		}
	}
	if n := len(c.Addresses); n == 0 || n > maxAddresses {
		return invalid("Subscribe 1 to %d e-mail addresses at a time.", maxAddresses)
	}
	return nil
}

// isAddress is strict: an address goes to a desk, and one with white space, quotes or a name is more often a mistake than one.
func isAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && a.Name == "" && len(s) <= 254 && !strings.ContainsFunc(s, odd)
}

func odd(r rune) bool {
	return unicode.IsSpace(r) || isOpening(r) || isClosing(r) || strings.ContainsRune(`,;<>()\`, r)
}

func (c *Command) escalate(s *scanner, inThread bool) error {
	if err := c.ofCase(s, inThread); err != nil {
		return err
	}
	word, _, err := s.word()
	c.Reason = strings.ReplaceAll(strings.ToUpper(word), "-", "_")
	if err != nil || !slices.Contains(reasons, c.Reason) {
		return invalid("An escalation has a reason, RESOLUTION_TIME, TECHNICAL_EXPERTISE or BUSINESS_IMPACT, and says why: escalate BUSINESS_IMPACT The shop is down.")
	}
	if c.Text = s.remainder(); c.Text == "" {
		return invalid("Say why, after the reason: it is what the desk's management reads.")
	}
	return nil
}

func (c *Command) release(s *scanner, _ bool) error {
	c.What = strings.Join(strings.Fields(s.remainder()), " ")
	if c.What == "" || len(c.What) > maxWhat {
		return invalid("Say what to release: release WHAT")
	}
	return nil
}

func (c *Command) help(s *scanner, _ bool) error {
	word, _, err := s.word()
	if err != nil || word == "" {
		return err
	}
	if c.What = strings.ToLower(word); grammar(c.What) == nil {
		c.What = ""
	}
	s.rest = ""
	return nil
}
