package cloud

import (
	"fmt"
	"slices"
	"testing"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/sim/google"
)

var ann = Contact{Email: "ann@example.com", Language: "en", Categories: []string{"TECHNICAL", "SECURITY"}}

func TestContactLife(t *testing.T) {
	for _, parent := range []string{project, org, "folders/77"} {
		in(t, google.Options{Folders: []string{"77"}}, func(w world) {
			ctx := w.Context()
			made, created, err := w.AddContact(ctx, parent, ann)
			w.check(err)
			capitals := ann
			capitals.Email, capitals.Language = "Ann@Example.COM", "fr"
			there, again, err := w.AddContact(ctx, parent, capitals)
			w.check(err)
			if !created || again || there.Name != made.Name || there.Language != "en" || !there.Valid {
				t.Errorf("made %+v %v, then %+v %v", made, created, there, again)
			}
			changed, err := w.ChangeContact(ctx, parent, capitals)
			w.check(err)
			same, err := w.ChangeContact(ctx, parent, Contact{Email: "ANN@example.com", Language: "fr", Categories: []string{"SECURITY", "TECHNICAL"}})
			w.check(err)
			_, counts := w.google.Calls()
			patches := counts["essentialcontacts.projects.contacts.patch"] + counts["essentialcontacts.organizations.contacts.patch"] + counts["essentialcontacts.folders.contacts.patch"]
			if changed.Language != "fr" || same.Name != made.Name || patches != 1 {
				t.Errorf("changed %+v with %d patches", changed, patches)
			}
			for _, want := range []bool{true, false} {
				if removed, err := w.RemoveContact(ctx, parent, "ANN@example.com"); err != nil || removed != want {
					t.Errorf("removed %v %v, want %v", removed, err, want)
				}
			}
			_, err = w.ChangeContact(ctx, parent, ann)
			w.fails(err, fault.Missing)
		})
	}
}

// The first contact of a project has the id 0, and its name the project's number.
func TestFirstContact(t *testing.T) {
	in(t, google.Options{}, func(w world) {
		made, _, err := w.AddContact(w.Context(), project, ann)
		w.check(err)
		if made.Name != number+"/contacts/0" {
			t.Errorf("%+v", made)
		}
	})
}

func TestContactsOnManyPages(t *testing.T) {
	in(t, google.Options{}, func(w world) {
		for i := range 205 {
			c := ann
			c.Email = fmt.Sprintf("m%d@example.com", i)
			_, _, err := w.AddContact(w.Context(), project, c)
			w.check(err)
		}
		all, err := w.Contacts(w.Context(), project)
		w.check(err)
		removed, err := w.RemoveContact(w.Context(), project, "M204@example.com")
		if len(all) != 205 || !removed || err != nil {
			t.Errorf("%d contacts, removed %v %v", len(all), removed, err)
		}
	})
}

// Whatever happens to an answer, a repeat leaves one contact.
func TestContactsUnderFaults(t *testing.T) {
	const op = "essentialcontacts.projects.contacts."
	for _, f := range []string{"drop", "commit_then_drop", "status:503", "commit_then_status:500", "garbage", "delay:40s"} {
		in(t, google.Options{}, func(w world) {
			ctx := w.Context()
			w.arm(op+"create", f)
			_, _, err := w.AddContact(ctx, project, ann)
			w.fails(err, fault.Transient)
			if fault.IsUnsent(err) {
				t.Errorf("%s: says unsent", f)
			}
			_, _, err = w.AddContact(ctx, project, ann)
			w.check(err)
			if n := len(w.google.Contacts(project)); n != 1 {
				t.Errorf("%s: %d contacts", f, n)
			}
			changed := ann
			changed.Categories = []string{"ALL"}
			w.arm(op+"patch", f)
			_, err = w.ChangeContact(ctx, project, changed)
			w.fails(err, fault.Transient)
			_, err = w.ChangeContact(ctx, project, changed)
			w.check(err)
			if got := w.google.Contacts(project)[0]; !slices.Equal(got.Categories, []string{"ALL"}) {
				t.Errorf("%s: %+v", f, got)
			}
			w.arm(op+"delete", f)
			_, err = w.RemoveContact(ctx, project, ann.Email)
			if fault.IsUnsent(err) || f == "garbage" && err != nil && !fault.Is(err, fault.Transient) {
				t.Errorf("%s: %v", f, err)
			}
			_, err = w.RemoveContact(ctx, project, ann.Email)
			w.check(err)
			if n := len(w.google.Contacts(project)); n != 0 {
				t.Errorf("%s: %d contacts left", f, n)
			}
		})
	}
}

func TestContactRefusals(t *testing.T) {
	in(t, google.Options{ContactDomains: []string{"elsewhere.com"}}, func(w world) {
		_, created, err := w.AddContact(w.Context(), project, ann) // 400, not 409: nothing is there
		w.fails(err, fault.Conflict)
		if created || w.calls("essentialcontacts.projects.contacts.list") != 0 {
			t.Error("looked for a contact that nobody has")
		}
	})
	in(t, google.Options{}, func(w world) {
		w.arm("essentialcontacts.projects.contacts.create", "status:409") // refused, and gone when we look
		_, _, err := w.AddContact(w.Context(), project, ann)
		w.fails(err, fault.Transient)
	})
}

// On a real connection, too, a request whose answer was lost may have been executed, and is not sent again by anybody.
func TestLostAnswerOnANetwork(t *testing.T) {
	w := onNetwork(t, google.Options{})
	const op = "essentialcontacts.projects.contacts.create"
	w.arm(op, "commit_then_drop")
	_, _, err := w.AddContact(t.Context(), project, ann)
	w.fails(err, fault.Transient)
	there, created, again := w.AddContact(t.Context(), project, ann)
	if fault.IsUnsent(err) || again != nil || created || there.Email != ann.Email || w.calls(op) != 2 {
		t.Errorf("%v, then %+v created %v %v, %d creates", err, there, created, again, w.calls(op))
	}
}
