package cloud

import (
	"context"
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/api/essentialcontacts/v1"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

type apiContact = essentialcontacts.GoogleCloudEssentialcontactsV1Contact

// Contact is somebody whom Google tells about a project, a folder or an organization.
type Contact struct {
	Name       string // of the resource, with the project's number; set by the API
	Email      string
	Language   string   // "en", "fr"
	Categories []string // "ALL", "TECHNICAL", ...
	Valid      bool     // set by the API: confirmed within a year
}

var (
	contactForm  = regexp.MustCompile(`^(projects|folders|organizations)/[0-9]+/contacts/[A-Za-z0-9_-]+$`)
	languageForm = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
	categories   = []string{"ALL", "SUSPENSION", "SECURITY", "TECHNICAL", "BILLING", "LEGAL", "PRODUCT_UPDATES", "TECHNICAL_INCIDENTS"}
)

// Contacts lists the contacts of a resource itself, not those it inherits.
func (c *Clients) Contacts(ctx context.Context, parent string) ([]Contact, error) {
	if err := check(resourceForm, parent, "a resource"); err != nil {
		return nil, err
	}
	const doing = "list contacts"
	list, err := gapi.Pages(ctx, doing, func(ctx context.Context, token string) ([]*apiContact, string, error) {
		r, err := c.contactPage(ctx, parent, token)
		if err != nil {
			return nil, "", err
		}
		return r.Contacts, r.NextPageToken, nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]Contact, len(list))
	for i, a := range list {
		if out[i], err = contactOf(a, doing); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *Clients) contactPage(ctx context.Context, parent, token string) (*essentialcontacts.GoogleCloudEssentialcontactsV1ListContactsResponse, error) {
	switch kind, _, _ := strings.Cut(parent, "/"); kind {
	case "folders":
		return c.contacts.Folders.Contacts.List(parent).PageToken(token).Context(ctx).Do()
	case "organizations":
		return c.contacts.Organizations.Contacts.List(parent).PageToken(token).Context(ctx).Do()
	}
	return c.contacts.Projects.Contacts.List(parent).PageToken(token).Context(ctx).Do()
}

func contactOf(a *apiContact, doing string) (Contact, error) {
	if a == nil || !contactForm.MatchString(a.Name) {
		return Contact{}, unreadable("contact", doing)
	}
	return Contact{a.Name, a.Email, a.LanguageTag, a.NotificationCategorySubscriptions, a.ValidationState == "VALID"}, nil
}

// AddContact creates a contact, or finds the one that has the address already, as it is; created tells which. It does not change one that
// is there: see ChangeContact.
func (c *Clients) AddContact(ctx context.Context, parent string, contact Contact) (_ Contact, created bool, _ error) {
	if err := checkContact(parent, contact); err != nil {
		return Contact{}, false, err
	}
	const doing = "add a contact"
	a, err := call(ctx, doing, func(ctx context.Context) (*apiContact, error) {
		return c.createContact(ctx, parent, &apiContact{
			Email: contact.Email, LanguageTag: contact.Language, NotificationCategorySubscriptions: contact.Categories,
		})
	})
	switch {
	case isCollision(err):
		there, found := c.contact(ctx, parent, contact.Email)
		if found != nil {
			return Contact{}, false, fault.Wrap(fault.Transient, found, doing) // gone again, or cannot be read: calling again tells
		}
		return there, false, nil
	case err != nil:
		return Contact{}, false, err
	}
	out, err := contactOf(a, doing)
	return out, err == nil, err
}

func (c *Clients) createContact(ctx context.Context, parent string, a *apiContact) (*apiContact, error) {
	switch kind, _, _ := strings.Cut(parent, "/"); kind {
	case "folders":
		return c.contacts.Folders.Contacts.Create(parent, a).Context(ctx).Do()
	case "organizations":
		return c.contacts.Organizations.Contacts.Create(parent, a).Context(ctx).Do()
	}
	return c.contacts.Projects.Contacts.Create(parent, a).Context(ctx).Do()
}

// contact finds a contact by its address; fault.Missing if there is none.
func (c *Clients) contact(ctx context.Context, parent, email string) (Contact, error) {
	all, err := c.Contacts(ctx, parent)
	if err != nil {
		return Contact{}, err
	}
	for _, there := range all {
		if strings.EqualFold(there.Email, email) {
			return there, nil
		}
	}
	return Contact{}, fault.New(fault.Missing, "the resource has no such contact")
}

// ChangeContact gives the contact of an address the language and the categories of contact; it is not sent anything when it has them.
// Without a contact of that address it is fault.Missing. Only a new contact can have another address.
func (c *Clients) ChangeContact(ctx context.Context, parent string, contact Contact) (Contact, error) {
	if err := checkContact(parent, contact); err != nil {
		return Contact{}, err
	}
	there, err := c.contact(ctx, parent, contact.Email)
	if err != nil || same(there, contact) {
		return there, err
	}
	const doing = "change a contact"
	a, err := call(ctx, doing, func(ctx context.Context) (*apiContact, error) {
		return c.patchContact(ctx, there.Name, &apiContact{LanguageTag: contact.Language, NotificationCategorySubscriptions: contact.Categories})
	})
	if err != nil {
		return Contact{}, err
	}
	return contactOf(a, doing)
}

func (c *Clients) patchContact(ctx context.Context, name string, a *apiContact) (*apiContact, error) {
	const mask = "languageTag,notificationCategorySubscriptions"
	switch kind, _, _ := strings.Cut(name, "/"); kind {
	case "folders":
		return c.contacts.Folders.Contacts.Patch(name, a).UpdateMask(mask).Context(ctx).Do()
	case "organizations":
		return c.contacts.Organizations.Contacts.Patch(name, a).UpdateMask(mask).Context(ctx).Do()
	}
	return c.contacts.Projects.Contacts.Patch(name, a).UpdateMask(mask).Context(ctx).Do()
}

// same reports whether a contact is as it should be. The order of the categories means nothing.
func same(there, want Contact) bool {
	a, b := slices.Sorted(slices.Values(there.Categories)), slices.Sorted(slices.Values(want.Categories))
	return there.Language == want.Language && slices.Equal(a, b)
}

// RemoveContact deletes the contact of an address and reports whether there was one.
func (c *Clients) RemoveContact(ctx context.Context, parent, email string) (removed bool, _ error) {
	if err := check(resourceForm, parent, "a resource"); err != nil {
		return false, err
	}
	there, err := c.contact(ctx, parent, email)
	if err == nil {
		_, err = call(ctx, "remove a contact", func(ctx context.Context) (*essentialcontacts.GoogleProtobufEmpty, error) {
			return c.deleteContact(ctx, there.Name)
		})
	}
	if fault.Is(err, fault.Missing) {
		return false, nil
	}
	return err == nil, err
}

func (c *Clients) deleteContact(ctx context.Context, name string) (*essentialcontacts.GoogleProtobufEmpty, error) {
	switch kind, _, _ := strings.Cut(name, "/"); kind {
	case "folders":
		return c.contacts.Folders.Contacts.Delete(name).Context(ctx).Do()
	case "organizations":
		return c.contacts.Organizations.Contacts.Delete(name).Context(ctx).Do()
	}
	return c.contacts.Projects.Contacts.Delete(name).Context(ctx).Do()
}

func checkContact(parent string, contact Contact) error {
	if err := check(resourceForm, parent, "a resource"); err != nil {
		return err
	}
	a, err := mail.ParseAddress(contact.Email)
	switch {
	case err != nil || a.Address != contact.Email:
		return fault.New(fault.Invalid, "a contact needs an e-mail address")
	case !languageForm.MatchString(contact.Language):
		return fault.New(fault.Invalid, "a contact needs a language, like en or pt-BR")
	case len(contact.Categories) == 0:
		return fault.New(fault.Invalid, "a contact needs at least one category")
	}
	for _, k := range contact.Categories {
		if !slices.Contains(categories, k) {
			return fault.New(fault.Invalid, "the categories of a contact are %s", strings.Join(categories, ", "))
		}
	}
	return nil
}
