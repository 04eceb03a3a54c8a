package google

import (
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

const (
	contactsPage = 100
	staleAfter   = 365 * 24 * time.Hour // of a contact's validation
)

var languageForm = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

type wireContact struct {
	Name       string   `json:"name"`
	Email      string   `json:"email"`
	Categories []string `json:"notificationCategorySubscriptions"`
	Language   string   `json:"languageTag"`
	State      string   `json:"validationState"`
	Validated  string   `json:"validateTime"`
}

type wireContacts struct {
	Contacts []wireContact `json:"contacts,omitempty"`
	Next     string        `json:"nextPageToken,omitempty"`
}

func (r contactRecord) name() string { return r.Parent + "/contacts/" + strconv.Itoa(r.ID) }

func (r contactRecord) wire(now time.Time) wireContact {
	w := wireContact{
		Name: r.name(), Email: r.Email, Categories: r.Categories, Language: r.Language, State: "VALID", Validated: timestamp(r.Validated),
	}
	if now.Sub(r.Validated) > staleAfter {
		w.State = "INVALID"
	}
	return w
}

func (r contactRecord) subscribed(category string) bool {
	return slices.Contains(r.Categories, category) || slices.Contains(r.Categories, "ALL")
}

func (s *Server) createContact(tx *tx, rq *request) (any, error) {
	parent, f := s.resource(rq.param)
	if f != nil {
		return nil, f
	}
	r := contactRecord{
		Parent: parent, ID: len(tx.state.contacts[parent]), Validated: tx.at,
		Email: rq.object.text("email"), Language: rq.object.text("languageTag"), Categories: rq.object.texts("notificationCategorySubscriptions"),
	}
	if f := s.checkContact(r); f != nil {
		return nil, f
	}
	same := func(o contactRecord) bool { return !o.Deleted && strings.EqualFold(o.Email, r.Email) }
	if slices.ContainsFunc(tx.state.contacts[parent], same) {
		return nil, rest.Fail("ALREADY_EXISTS", "There is already a contact with the given email address.")
	}
	tx.putContact(r)
	return r.wire(tx.at), nil
}

func (s *Server) checkContact(r contactRecord) *rest.Failure {
	var bad rest.Violations
	a, err := mail.ParseAddress(r.Email)
	if err != nil || a.Address != r.Email {
		bad.Add("contact.email", "The value must be an e-mail address.")
	}
	if !languageForm.MatchString(r.Language) {
		bad.Add("contact.languageTag", "The value must be a language tag.")
	}
	if len(r.Categories) == 0 {
		bad.Add("contact.notificationCategorySubscriptions", "A contact has at least one category.")
	}
	if f := bad.Failure(); f != nil {
		return f
	}
	_, domain, _ := strings.Cut(r.Email, "@")
	if len(s.opts.ContactDomains) > 0 && !slices.ContainsFunc(s.opts.ContactDomains, func(d string) bool { return strings.EqualFold(d, domain) }) {
		return rest.Fail("FAILED_PRECONDITION", "The organization policy constraints/essentialcontacts.allowedContactDomains does not allow the domain of the contact.")
	}
	return nil
}

// contact resolves a name.
func (tx *tx) contact(name string) (contactRecord, *rest.Failure) {
	parent, f := tx.resource(above(name))
	if f != nil {
		return contactRecord{}, f
	}
	_, id, _ := strings.Cut(name, "/contacts/")
	n, err := strconv.Atoi(id)
	list := tx.state.contacts[parent]
	if err != nil || n < 0 || n >= len(list) || list[n].Deleted || strconv.Itoa(n) != id {
		return contactRecord{}, rest.NotFound()
	}
	return list[n], nil
}

func (s *Server) getContact(tx *tx, rq *request) (any, error) {
	r, f := tx.contact(rq.param)
	if f != nil {
		return nil, f
	}
	return r.wire(tx.at), nil
}

func (s *Server) deleteContact(tx *tx, rq *request) (any, error) {
	r, f := tx.contact(rq.param)
	if f != nil {
		return nil, f
	}
	r.Deleted = true
	tx.putContact(r)
	return struct{}{}, nil
}

// patchContact changes what the mask names, without a mask what the request holds. The address stays.
func (s *Server) patchContact(tx *tx, rq *request) (any, error) {
	r, f := tx.contact(rq.param)
	if f != nil {
		return nil, f
	}
	mask, f := contactMask(rq, r)
	if f != nil {
		return nil, f
	}
	for _, path := range mask {
		switch path {
		case "languageTag":
			r.Language = rq.object.text(path)
		case "notificationCategorySubscriptions":
			r.Categories = rq.object.texts(path)
		}
	}
	if f := s.checkContact(r); f != nil {
		return nil, f
	}
	tx.putContact(r)
	return r.wire(tx.at), nil
}

func contactMask(rq *request, r contactRecord) ([]string, *rest.Failure) {
	const changed = "The email address of a contact cannot be changed."
	if rq.Query.Get("updateMask") == "" {
		if email := rq.object.text("email"); email != "" && email != r.Email {
			return nil, rest.Invalid("contact.email", changed)
		}
		var mask []string
		for path := range rq.object {
			mask = append(mask, path)
		}
		return mask, nil
	}
	var mask []string
	for path := range strings.SplitSeq(rq.Query.Get("updateMask"), ",") {
		switch path = rest.Camel(strings.TrimSpace(path)); path {
		case "email":
			return nil, rest.Invalid("updateMask", changed)
		case "languageTag", "notificationCategorySubscriptions":
			mask = append(mask, path)
		default:
			return nil, rest.Invalid("updateMask", "The mask may name language_tag and notification_category_subscriptions.")
		}
	}
	return mask, nil
}

func (s *Server) listContacts(tx *tx, rq *request) (any, error) {
	parent, f := s.resource(rq.param)
	if f != nil {
		return nil, f
	}
	return tx.contactPage(rq, tx.state.contacts[parent], func(contactRecord) bool { return true })
}

// computeContacts lists the contacts of a resource and of all above it that get one of the categories.
func (s *Server) computeContacts(tx *tx, rq *request) (any, error) {
	resource, f := s.resource(rq.param)
	if f != nil {
		return nil, f
	}
	categories := rq.Query["notificationCategories"]
	var all []contactRecord
	for _, parent := range s.parents(resource) {
		all = append(all, tx.state.contacts[parent]...)
	}
	return tx.contactPage(rq, all, func(r contactRecord) bool {
		return len(categories) == 0 || slices.ContainsFunc(categories, r.subscribed)
	})
}

func (tx *tx) contactPage(rq *request, all []contactRecord, ok func(contactRecord) bool) (any, error) {
	l, err := tx.listing(rq, contactsPage, contactsPage)
	if err != nil {
		return nil, err
	}
	var out wireContacts
	out.Contacts, out.Next = rest.Page(l, len(all), func(i int) (string, wireContact, bool) {
		return rest.Ordinal(i), all[i].wire(tx.at), !all[i].Deleted && ok(all[i])
	})
	return out, nil
}

// sendTestMessage sends to all contacts or, if one does not get the category, to none.
func (s *Server) sendTestMessage(tx *tx, rq *request) (any, error) {
	parent, f := s.resource(rq.param)
	if f != nil {
		return nil, f
	}
	for _, name := range rq.object.texts("contacts") {
		r, f := tx.contact(name)
		if f != nil {
			return nil, f
		}
		if r.Parent != parent || !r.subscribed(rq.object.text("notificationCategory")) {
			return nil, rest.Fail("FAILED_PRECONDITION", "All contacts must be of the resource and subscribed to the category.")
		}
		r.Tests++
		tx.putContact(r)
	}
	return struct{}{}, nil
}
