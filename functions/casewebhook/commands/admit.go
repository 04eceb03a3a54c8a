package commands

import (
	"slices"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// Admit says at once what can be said without a look at a desk: a request in the name of somebody who may not is fault.Denied, one that must be
// confirmed or needs a second person is fault.Invalid. The same is asked again when it is carried out, for rights change.
func Admit(c *config.Config, r Request) error {
	cmd, err := r.Command()
	if err != nil {
		return err
	}
	w := personByEmail(c, r.By, r.Sender)
	_, there := c.Desks[r.Desk]
	switch {
	case !there:
		return invalid("desk must be the name of a configured desk")
	case !w.known():
		return fault.New(fault.Denied, "by is the address of nobody in the configuration's people, or of several")
	case !w.Can(action(cmd.Verb), r.Desk):
		return fault.New(fault.Denied, "this person may not %s at desk %s; who may: %s", cmd.Verb, r.Desk, whoMay(c, action(cmd.Verb), r.Desk, ""))
	case slices.Contains(c.Chat.Second, cmd.Verb):
		return invalid("this needs the approval of a second person, which is given in a chat")
	case cmd.grave() && !r.Confirmed:
		return invalid("this wakes people up or ends a case: send \"confirmed\": true")
	}
	return nil
}
