package cloudsupport

import (
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

// States of a case.
const (
	stateNew      = "NEW"
	stateProgress = "IN_PROGRESS_GOOGLE_SUPPORT"
	stateAction   = "ACTION_REQUIRED"
	stateSolution = "SOLUTION_PROVIDED"
	stateClosed   = "CLOSED"
)

// moves are what the desk's own people may do with a case. A customer may close it from anywhere.
var moves = map[string][]string{
	stateNew:      {stateProgress},
	stateProgress: {stateAction, stateSolution, stateClosed},
	stateAction:   {stateProgress, stateSolution, stateClosed},
	stateSolution: {stateProgress, stateAction, stateClosed},
	stateClosed:   {},
}

// languages that the desk's people speak; any other becomes English.
var languages = []string{"en", "ja", "ko", "zh-CN", "zh-TW"}

func closedCase() *rest.Failure {
	return rest.Fail("FAILED_PRECONDITION", "The case is closed.")
}

func (s *Server) createCase(tx *tx, rq *request) (any, error) {
	parent, f := s.parent(rq.param)
	if f != nil {
		return nil, f
	}
	class, f := tx.usableClass(rq.object.text("classification.id"))
	if f == nil {
		f = checkDraft(rq.object)
	}
	if f != nil {
		return nil, f
	}
	c := caseRecord{
		Number: tx.caseNumber(), Parent: parent, State: stateNew,
		Title: rq.object.text("displayName"), Description: rq.object.text("description"), Priority: rq.object.text("priority"),
		ClassID: class.ID, Class: class.Name,
		Subscribers: rq.object.texts("subscriberEmailAddresses"), TimeZone: rq.object.text("timeZone"),
		Language: language(rq.object.text("languageCode")), Test: rq.object.flag("testCase"),
		Creator: rq.caller, Created: tx.at, Updated: tx.at,
	}
	tx.put(c, "CASE_CREATED")
	return c.wire(), nil
}

// put stages a case and the event that tells of it.
func (tx *tx) put(c caseRecord, event string) {
	tx.change.Cases = append(tx.change.Cases, c)
	tx.events = append(tx.events, caseEvent{kind: event, name: c.name(), organization: tx.organization(c.Parent)})
}

// checkDraft refuses what the schema allows. A contact address is for callers of a federated identity; ours are never that.
func checkDraft(o object) *rest.Failure {
	var bad rest.Violations
	if o.text("contactEmail") != "" {
		bad.Add("contactEmail", "The field is only for callers of a workforce identity federation.")
	}
	bad.Check("subscriberEmailAddresses", checkEmails(o.texts("subscriberEmailAddresses")))
	return bad.Failure()
}

func checkEmails(list []string) string {
	for _, e := range list {
		name, domain, ok := strings.Cut(e, "@")
		if !ok || name == "" || domain == "" || strings.ContainsAny(e, " \t\r\n,;<>\"") || strings.Contains(domain, "@") {
			return "An address is not a valid email address."
		}
	}
	return ""
}

func language(code string) string {
	if slices.Contains(languages, code) {
		return code
	}
	return "en"
}

func (s *Server) getCase(tx *tx, rq *request) (any, error) {
	d, _, err := tx.dossier(rq.param)
	if err != nil {
		return nil, err
	}
	return d.wire(), nil
}

// patchCase replaces what the mask names. Without a mask it replaces all that can be changed: what the body leaves out is cleared, which
// a title and a priority do not survive but a list of subscribers does.
func (s *Server) patchCase(tx *tx, rq *request) (any, error) {
	d, _, err := tx.dossier(rq.param)
	if err != nil {
		return nil, err
	}
	mask, f := updateMask(rq.Query.Get("updateMask"), "displayName", "priority", "subscriberEmailAddresses")
	if f == nil {
		f = checkPatch(rq.object, mask)
	}
	if f == nil && d.State == stateClosed {
		f = closedCase()
	}
	if f != nil {
		return nil, f
	}
	c := patched(d.caseRecord, rq.object, mask)
	c.Updated = tx.at
	tx.put(c, "CASE_UPDATED")
	return c.wire(), nil
}

func checkPatch(o object, mask []string) *rest.Failure {
	var bad rest.Violations
	for _, name := range []string{"displayName", "priority"} {
		if slices.Contains(mask, name) && strings.TrimSpace(o.text(name)) == "" {
			bad.Add(name, "The field is being updated and must not be empty.")
		}
	}
	bad.Check("subscriberEmailAddresses", checkEmails(o.texts("subscriberEmailAddresses")))
	return bad.Failure()
}

func patched(c caseRecord, o object, mask []string) caseRecord {
	for _, name := range mask {
		switch name {
		case "displayName":
			c.Title = o.text(name)
		case "priority":
			c.Priority = o.text(name)
		case "subscriberEmailAddresses":
			c.Subscribers = o.texts(name)
		}
	}
	return c
}

// updateMask reads a field mask, in either spelling; an empty one is all that can be changed.
func updateMask(text string, can ...string) ([]string, *rest.Failure) {
	if text == "" {
		return can, nil
	}
	var mask []string
	for path := range strings.SplitSeq(text, ",") {
		i := slices.IndexFunc(can, func(name string) bool { return path == name || path == rest.Snake(name) })
		if i < 0 {
			return nil, rest.Invalid("updateMask", "The mask may name only %s.", strings.Join(can, ", "))
		}
		mask = append(mask, can[i])
	}
	return mask, nil
}

func (s *Server) closeCase(tx *tx, rq *request) (any, error) {
	d, _, err := tx.dossier(rq.param)
	if err != nil {
		return nil, err
	}
	if d.State == stateClosed {
		return nil, closedCase()
	}
	c := d.caseRecord
	c.State, c.Updated = stateClosed, tx.at
	tx.put(c, "CASE_UPDATED")
	return c.wire(), nil
}

func (s *Server) escalateCase(tx *tx, rq *request) (any, error) {
	d, _, err := tx.dossier(rq.param)
	if err != nil {
		return nil, err
	}
	if d.State == stateClosed {
		return nil, closedCase()
	}
	c := d.caseRecord
	c.Escalations, c.Updated = c.Escalations+1, tx.at
	tx.put(c, "CASE_UPDATED")
	return c.wire(), nil
}

// reply is what the desk's people do: they comment, they move the case, or both.
func (tx *tx) reply(d *dossier, body, state string) error {
	if state != "" && state != d.State && !slices.Contains(moves[d.State], state) {
		return rest.Fail("FAILED_PRECONDITION", "The desk cannot move a case from %s to that state.", d.State)
	}
	if d.State == stateClosed && body != "" && !tx.opts.CommentsOnClosed {
		return closedCase()
	}
	c := d.caseRecord
	if state != "" {
		c.State = state
	}
	c.Updated = tx.at
	if body == "" {
		tx.put(c, "CASE_UPDATED")
		return nil
	}
	tx.comment(c, actor{Name: "Google Cloud Support", Google: true}, body)
	if c.State != d.State {
		tx.events = append(tx.events, caseEvent{kind: "CASE_UPDATED", name: c.name(), organization: tx.organization(c.Parent)})
	}
	return nil
}
