package slack

import (
	"regexp"
	"strings"

	"github.com/providerdesk/providerdesk/shared/chat"
)

// bracketed is everything that Slack puts in angle brackets; those that a person types arrive escaped.
var bracketed = regexp.MustCompile(`<[^<>]*>`)

var (
	escapes   = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	unescapes = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")
)

// escape makes a text of Slack's out of a plain one.
func escape(s string) string { return escapes.Replace(s) }

// plain makes a plain text out of Slack's, without the mention of ourselves.
func (f *Front) plain(s string) string {
	var b strings.Builder
	for {
		at := bracketed.FindStringIndex(s)
		if at == nil {
			break
		}
		b.WriteString(unescapes.Replace(s[:at[0]]))
		b.WriteString(unescapes.Replace(f.reference(s[at[0]+1 : at[1]-1])))
		s = s[at[1]:]
	}
	b.WriteString(unescapes.Replace(s))
	return strings.TrimSpace(chat.Plain(b.String()))
}

// reference says in words what stands in angle brackets.
func (f *Front) reference(s string) string {
	target, label, _ := strings.Cut(s, "|")
	switch {
	case target == "@"+f.o.BotUser:
		return ""
	case strings.HasPrefix(target, "@"), strings.HasPrefix(target, "#"):
		return named(target[:1], target[1:], label)
	case strings.HasPrefix(target, "!date^"):
		return label
	case strings.HasPrefix(target, "!subteam^"):
		return named("@", strings.TrimPrefix(target, "!subteam^"), label)
	case strings.HasPrefix(target, "!"):
		return named("@", target[1:], label)
	}
	return link(target, label)
}

func named(sign, id, label string) string {
	if label == "" {
		return sign + id
	}
	return sign + strings.TrimPrefix(label, sign)
}

// link shows where a link goes, whatever it is called.
func link(target, label string) string {
	address := strings.TrimPrefix(strings.TrimPrefix(target, "mailto:"), "tel:")
	if label == "" || label == target || label == address {
		return address
	}
	return label + " (" + target + ")"
}

// mentioned reports whether a text of Slack's mentions ourselves.
func (f *Front) mentioned(s string) bool {
	return strings.Contains(s, "<@"+f.o.BotUser+">") || strings.Contains(s, "<@"+f.o.BotUser+"|")
}
