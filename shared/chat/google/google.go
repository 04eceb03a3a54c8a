// Package google is chat on Google Chat: Front reads what Chat sends us, Room speaks in its spaces.
//
// Reading. Chat speaks two dialects, chosen where the app is configured: interaction events, which have a type, and those of add-ons, which have
// chat and commonEventObject. A request that is in both or in neither is refused, and is answered in its own. Both carry tokens
// (authorizationEventObject, the configCompleteRedirect addresses); none leaves Parse. The id of what was written is the name of its message;
// of everything else it is made of who, where, when and what, and of the whole request where Chat does not say when. An app is sent only
// what was said to it, so what is not a link preview is taken as a mention.
//
// Speaking. Every act is one request of gapi's transport. A message has an id of ours, made of its marker, which is unique in a space and which
// an edit cannot change: Find is one get, and a post that was sent twice is refused with 409, or answered with the first one because its
// requestId is made of the marker, too.
//
// What people wrote is shown in cards, in whose texts only HTML is markup: & < > and quotes are escaped, so nothing is left that could be a
// link, a mention or emphasis. (Message texts have a markup of their own, * _ ~ ` < >, and no way to escape it.) What Answer says must be
// a text; there each of these characters is replaced by one that looks like it. See inert.
//
// A page holds 4,000 characters of body; Google takes 32,000 bytes of a message and 4,096 characters of a text.
//
// Buttons carry action and value as parameters, since the function of a card's action is a name in one dialect and an address in the other.
//
// Not promised: files that are in Drive; the bot may not read them. A notification shows the title that a message was posted with:
// Google cannot edit it.
package google

import (
	"regexp"
	"strings"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
)

var (
	_ chat.Front = (*Front)(nil)
	_ chat.Room  = (*Room)(nil)
)

var (
	spaceForm   = shape{regexp.MustCompile(`^spaces/[A-Za-z0-9_-]+$`), 135}
	threadForm  = shape{regexp.MustCompile(`^spaces/[A-Za-z0-9_-]+/threads/[A-Za-z0-9_.-]+$`), 270}
	messageForm = shape{regexp.MustCompile(`^spaces/[A-Za-z0-9_-]+/messages/[A-Za-z0-9_.-]+$`), 270}
	userForm    = shape{regexp.MustCompile(`^users/[A-Za-z0-9_.@-]+$`), 134}
	mediaForm   = shape{regexp.MustCompile(`^[A-Za-z0-9_=+:~-][A-Za-z0-9_=+:~/.-]*$`), 1000}
)

// shape is the form of a name of at most so many bytes. A bound inside an expression makes it slow to compile, and every start pays for that.
type shape struct {
	form *regexp.Regexp
	most int
}

// MatchString reports whether s has the shape.
func (f shape) MatchString(s string) bool { return len(s) <= f.most && f.form.MatchString(s) }

// checkPlace refuses a place that is none of Chat's.
func checkPlace(at chat.Place) error {
	if at.Platform != chat.Google || !spaceForm.MatchString(at.Space) {
		return fault.New(fault.Invalid, "not a space of Google Chat")
	}
	if at.Thread != "" && (!threadForm.MatchString(at.Thread) || !strings.HasPrefix(at.Thread, at.Space+"/")) {
		return fault.New(fault.Invalid, "not a thread of the space")
	}
	return nil
}
