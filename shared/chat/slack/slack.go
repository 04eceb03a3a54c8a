// Package slack is chat on Slack: Front reads what Slack sends us, Room speaks in its channels.
//
// Reading. Slack has three ways to call: a form for a slash command, a form with one JSON field for a button, JSON for events. All carry
// tokens: the retired verification token, response_url, trigger_id. None of them leaves Parse. Slack sends an event again when an answer is
// late, and sends two notices of one message that mentions us (message and app_mention); the id of a message is made of team, channel
// and ts, so all of these have one id, and since a mention is read out of the text both notices say the same. A message that begins no
// thread yet has its own ts as thread: that is where an answer to it belongs.
//
// Speaking. Every act is one request of gapi's transport, sent once. Slack answers most failures with 200 and a code; see codes. The marker of
// a message is its metadata, which people do not see and an edit keeps; Find reads it back from the thread or the channel, page by page.
//
// What people wrote is shown in plain_text objects, in which Slack makes no links, mentions or emphasis, with the three characters that are
// control characters everywhere (& < >) escaped. Emoji codes stay as they are written. The fallback text, which notifications show, is
// escaped and marked as no markup. The one piece of markup is Post.Link.
//
// A page holds 9,000 characters of body. Slack publishes 3,000 for a section and 50 blocks, and refuses messages whose blocks together
// are longer than about 13,200 with an error that has no published bound (msg_blocks_too_long).
//
// Not promised: that a message which Slack delays appears in Find at once; files that Slack does not hold itself.
package slack

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
)

var (
	_ chat.Front = (*Front)(nil)
	_ chat.Room  = (*Room)(nil)
)

var (
	channelForm = regexp.MustCompile(`^[CDG][A-Z0-9]{1,30}$`)
	userForm    = regexp.MustCompile(`^[UWB][A-Z0-9]{1,30}$`)
	teamForm    = regexp.MustCompile(`^[TE][A-Z0-9]{1,30}$`)
	fileForm    = regexp.MustCompile(`^F[A-Z0-9]{1,30}$`)
	stampForm   = regexp.MustCompile(`^[0-9]{1,12}\.[0-9]{1,6}$`)
)

// checkPlace refuses a place that is none of Slack's.
func checkPlace(at chat.Place) error {
	if at.Platform != chat.Slack || !channelForm.MatchString(at.Space) {
		return fault.New(fault.Invalid, "not a channel of Slack")
	}
	if at.Thread != "" && !stampForm.MatchString(at.Thread) {
		return fault.New(fault.Invalid, "not a thread of Slack")
	}
	return nil
}

// moment reads a ts, the zero time if it is none.
func moment(ts string) time.Time {
	if !stampForm.MatchString(ts) {
		return time.Time{}
	}
	whole, fraction, _ := strings.Cut(ts, ".")
	t, err := time.ParseDuration(whole + "s" + (fraction + "000000")[:6] + "us")
	if err != nil {
		return time.Time{}
	}
	return time.Unix(0, 0).UTC().Add(t)
}

// stamp writes a time as a ts.
func stamp(t time.Time) string { return fmt.Sprintf("%d.%06d", t.Unix(), t.Nanosecond()/1000) }
