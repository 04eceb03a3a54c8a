package commands

import (
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/config"
)

// who did something: a person of the configuration, if Name is not empty.
type who struct {
	config.Named
	ID  string // on the platform, or the address that a system gave
	Via string // "Slack", "Google Chat", or the name of a system
}

func (w who) known() bool { return w.Name != "" }

// signature names a person in a text for a desk.
func signature(name, via string) string { return name + ", by " + via }

func personByID(c *config.Config, p chat.Platform, one chat.Person) who {
	w := who{ID: one.ID, Via: platformName(p)}
	for _, n := range c.People {
		if id := map[chat.Platform]string{chat.Slack: n.Slack, chat.Google: n.Google}[p]; id != "" && id == one.ID {
			w.Named = n
		}
	}
	return w
}

// personByEmail returns who has an address; of two who share it, nobody: it names neither.
func personByEmail(c *config.Config, address, system string) who {
	w, found := who{ID: address, Via: system}, 0
	for _, n := range c.People {
		if n.Email != "" && strings.EqualFold(n.Email, address) {
			w.Named = n
			found++
		}
	}
	if found != 1 {
		w.Named = config.Named{}
	}
	return w
}

func platformName(p chat.Platform) string {
	if p == chat.Google {
		return "Google Chat"
	}
	return "Slack"
}

// action is the right that a verb needs, "" if it needs none.
func action(verb string) string {
	switch verb {
	case Report:
		return List
	case Confirm, Cancel, Approve, Help:
		return ""
	}
	return verb
}

// needsCase reports whether a command is about one case.
func needsCase(verb string) bool {
	switch verb {
	case Comment, Attach, Show, Priority, Subscribe, Escalate, Close:
		return true
	}
	return false
}

const maxNames = 10

// whoMay names those who have a right at a desk.
func whoMay(c *config.Config, does, desk string, except string) string {
	var names []string
	for _, n := range c.People {
		if n.Can(does, desk) && n.Name != except {
			names = append(names, n.Name)
		}
	}
	switch more := len(names) - maxNames; {
	case len(names) == 0:
		return "nobody"
	case more > 0:
		return strings.Join(names[:maxNames], ", ") + " and " + itoa(more) + " more"
	}
	return strings.Join(names, ", ")
}

// refusal says who has the right that somebody lacks.
func refusal(w who, c *config.Config, does, desk string) string {
	at := ""
	if desk != "" {
		at = " at desk " + desk
	}
	have := whoMay(c, does, desk, "")
	if !w.known() {
		return "I do not know you, so I did nothing. These people have the right \"" + does + "\"" + at + ": " + have + "."
	}
	return "You do not have the right \"" + does + "\"" + at + ", so I did nothing. These people have it: " + have + "."
}

// desksOf are the names of the desks at which a person may do something, in order.
func desksOf(c *config.Config, w who, does string) (names []string) {
	for name := range c.Desks {
		if w.Can(does, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// visible are the desks that a person may see: they are told of cases there, whatever they may do.
func visible(c *config.Config, w who) (names []string) {
	for name := range c.Desks {
		if len(w.Desks) == 0 || slices.Contains(w.Desks, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
