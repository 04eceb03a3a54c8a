package tenantonboard

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/functions/tenantonboard/cloud"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// The effects on a parent's essential contacts.
const (
	kindContact       = "google.contact"
	kindContactChange = "google.contact.change"
	kindContactRemove = "google.contact.remove"
)

var needContacts = need{"the contacts", "essentialcontacts.googleapis.com", "roles/essentialcontacts.admin"}

// lookContacts lists the contacts of the parent and decides which are to be made or changed.
func (f *Function) lookContacts(ctx context.Context, s *onboarding) (part, error) {
	g := s.Wanted.Google
	if g == nil || len(g.Contacts) == 0 {
		return part{}, nil
	}
	have, err := f.Cloud.Contacts(ctx, g.Parent)
	hidden, err := f.looked(ctx, s, needContacts, err)
	if err != nil {
		return part{}, err
	}
	if s.Mode == Offboarding {
		return leaveContacts(g.Parent, g.Contacts, have).hiding(hidden), nil
	}
	return decideContacts(g.Parent, g.Contacts, have).hiding(hidden), nil
}

// contact is a contact as an effect wants it.
type contact struct {
	Email      string   `json:"email"`
	Categories []string `json:"categories"`
	Language   string   `json:"language"`
}

func wantedContact(c Contact) contact {
	return contact{c.Email, sortedOnce(c.Categories), cmp.Or(c.Language, "en")}
}

func presentContact(c cloud.Contact) contact {
	return contact{c.Email, sortedOnce(c.Categories), c.Language}
}

func sortedOnce(texts []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(texts)))
}

// is reports whether a contact is set as another one; an address is the same whatever its case.
func (c contact) is(o contact) bool {
	return strings.EqualFold(c.Email, o.Email) && c.Language == o.Language && slices.Equal(c.Categories, o.Categories)
}

func (c contact) cloud() cloud.Contact {
	return cloud.Contact{Email: c.Email, Language: c.Language, Categories: c.Categories}
}

// findContact returns the contact of an address.
func findContact(have []cloud.Contact, email string) (cloud.Contact, bool) {
	i := slices.IndexFunc(have, func(c cloud.Contact) bool { return strings.EqualFold(c.Email, email) })
	if i < 0 {
		return cloud.Contact{}, false
	}
	return have[i], true
}

// decideContacts is pure: what stands between the contacts of a parent and those that are wanted. Others stay.
func decideContacts(parent string, wanted []Contact, have []cloud.Contact) (p part) {
	for _, w := range wanted {
		want := wantedContact(w)
		there, ok := findContact(have, w.Email)
		switch {
		case !ok:
			p.Steps = append(p.Steps, step(StageContacts, kindContact, "contacts/create/"+short(w.Email),
				fmt.Sprintf("make %s a contact of %s for %s", w.Email, parent, strings.Join(want.Categories, ", ")), contactArgs{Parent: parent, Contact: want}))
		case !presentContact(there).is(want):
			p.Steps = append(p.Steps, step(StageContacts, kindContactChange, "contacts/change/"+short(w.Email),
				fmt.Sprintf("change the contact %s of %s to %s in %s", w.Email, parent, strings.Join(want.Categories, ", "), want.Language),
				changeArgs{Parent: parent, Contact: want, Was: presentContact(there)}))
		}
		if ok && !there.Valid {
			p.Drift = append(p.Drift, fmt.Sprintf("the contact %s of %s is not valid any more: confirm it in the console", w.Email, parent))
		}
	}
	return p
}

// leaveContacts is pure: the wanted contacts that are there are taken away.
func leaveContacts(parent string, wanted []Contact, have []cloud.Contact) (p part) {
	for _, w := range wanted {
		if _, ok := findContact(have, w.Email); ok {
			p.Steps = append(p.Steps, taking(removal(parent, w.Email))...)
		}
	}
	return p
}

func removal(parent, email string) Step {
	return step(StageContacts, kindContactRemove, "contacts/remove/"+short(email), fmt.Sprintf("remove the contact %s of %s", email, parent),
		removeArgs{Parent: parent, Email: email})
}

// contactArgs is a contact to be there.
type contactArgs struct {
	Parent  string  `json:"parent"`
	Contact contact `json:"contact"`
}

// changeArgs is a contact to be set otherwise.
type changeArgs struct {
	Parent  string  `json:"parent"`
	Contact contact `json:"contact"`
	Was     contact `json:"was"` // for an undo
}

// removeArgs is an address that is to have no contact.
type removeArgs struct {
	Parent string `json:"parent"`
	Email  string `json:"email"`
}

func (f *Function) registerContacts() error {
	create := unversioned(kindContact)
	if err := registerKind(f, create, ledger.Effect[contactArgs, Result](contactEffect{f}), undoContact); err != nil {
		return err
	}
	change := unversioned(kindContactChange)
	if err := registerKind(f, change, ledger.Effect[changeArgs, Result](changeEffect{f}), undoChange); err != nil {
		return err
	}
	return registerKind(f, ledger.Spec{Kind: kindContactRemove, Class: ledger.Desired}, ledger.Effect[removeArgs, Result](removeEffect{f}), nil)
}

// contactEffect makes a contact. A resource has an address once, so one that is there is found and adopted; the next look changes it if need
// be. There was none when it was decided: one that a call meets is somebody else's, one that is found after a call is that call's.
type contactEffect struct{ f *Function }

func (e contactEffect) Call(ctx context.Context, p contactArgs, _ ledger.Token) (ledger.Act[Result], error) {
	c, created, err := e.f.Cloud.AddContact(ctx, p.Parent, p.Contact.cloud())
	if err != nil {
		return ledger.Act[Result]{}, err
	}
	return contactAct(p.Contact.Email, c, created), nil
}

func contactAct(email string, c cloud.Contact, ours bool) ledger.Act[Result] {
	a := ledger.Act[Result]{ID: c.Name, Result: Result{Name: c.Name}}
	if ours {
		a.Result.Made = []string{email}
	}
	return a
}

func (e contactEffect) Find(ctx context.Context, p contactArgs, _ ledger.Token, _ bool) ([]ledger.Act[Result], error) {
	have, err := e.f.Cloud.Contacts(ctx, p.Parent)
	if err != nil {
		return nil, err
	}
	if c, ok := findContact(have, p.Contact.Email); ok {
		return []ledger.Act[Result]{contactAct(p.Contact.Email, c, true)}, nil
	}
	return nil, nil
}

func undoContact(p contactArgs, _ Result) (Step, bool) {
	return removal(p.Parent, p.Contact.Email), true
}

// changeEffect sets a contact's categories and language; its address cannot be changed.
type changeEffect struct{ f *Function }

func (e changeEffect) Call(ctx context.Context, p changeArgs, _ ledger.Token) (ledger.Act[Result], error) {
	c, err := e.f.Cloud.ChangeContact(ctx, p.Parent, p.Contact.cloud())
	if err != nil {
		return ledger.Act[Result]{}, err
	}
	return contactAct(p.Contact.Email, c, true), nil
}

func (e changeEffect) Find(ctx context.Context, p changeArgs, _ ledger.Token, _ bool) ([]ledger.Act[Result], error) {
	have, err := e.f.Cloud.Contacts(ctx, p.Parent)
	if err != nil {
		return nil, err
	}
	if c, ok := findContact(have, p.Contact.Email); ok && presentContact(c).is(p.Contact) {
		return []ledger.Act[Result]{contactAct(p.Contact.Email, c, true)}, nil
	}
	return nil, nil
}

// undoChange sets a contact back to what it was.
func undoChange(p changeArgs, _ Result) (Step, bool) {
	return step(StageContacts, kindContactChange, "", fmt.Sprintf("set the contact %s of %s back", p.Contact.Email, p.Parent),
		changeArgs{Parent: p.Parent, Contact: p.Was, Was: p.Contact}), true
}

// removeEffect takes a contact away.
type removeEffect struct{ f *Function }

func (e removeEffect) Call(ctx context.Context, p removeArgs, _ ledger.Token) (ledger.Act[Result], error) {
	if _, err := e.f.Cloud.RemoveContact(ctx, p.Parent, p.Email); err != nil {
		return ledger.Act[Result]{}, err
	}
	return ledger.Act[Result]{ID: p.Parent}, nil
}

func (e removeEffect) Find(ctx context.Context, p removeArgs, _ ledger.Token, _ bool) ([]ledger.Act[Result], error) {
	have, err := e.f.Cloud.Contacts(ctx, p.Parent)
	if err != nil {
		return nil, err
	}
	if _, ok := findContact(have, p.Email); ok {
		return nil, nil
	}
	return []ledger.Act[Result]{{ID: p.Parent}}, nil
}
