package commands_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/functions/casewebhook/commands"
	"github.com/providerdesk/providerdesk/functions/casewebhook/follow"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/desk/google"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
)

// A comment of 60,000 characters is on the case whole and in order, whatever it is made of; a longer one is a file.
func TestLongComments(t *testing.T) {
	for _, deskName := range []string{"google", "hub"} {
		for _, tt := range []struct {
			name, unit string
			n, parts   int
		}{
			{"words", "word ", 60_000, 7},
			{"markup", "<&>\u2028", 60_000, 7},
			{"emoji", "🚒", 60_000, 7},
			{"too long for comments", "word ", 100_000, 1},
		} {
			t.Run(deskName+" "+tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, setup{})
					name, at := w.file(deskName, "Disk full")
					long := strings.TrimSpace(string([]rune(strings.Repeat(tt.unit, tt.n/len([]rune(tt.unit))+1))[:tt.n]))
					told := text(w.one(w.event(chat.Message, at[chat.Slack], "Anna", long)))
					said := w.said(deskName, name)
					if len(said) != tt.parts {
						t.Fatalf("%d comments, told %q", len(said), told)
					}
					if tt.parts == 1 {
						if got := w.attached(deskName, name); len(got) != 1 || deskName == "google" && got[0] != long || !strings.Contains(said[0], "comment.txt") {
							t.Errorf("%d files, %q", len(got), said)
						}
						return
					}
					whole := ""
					for n, s := range said {
						head := fmt.Sprintf("Anna Example, by Slack, part %d of %d:\n\n", n+1, tt.parts)
						if !strings.HasPrefix(s, head) {
							t.Errorf("part %d begins %q", n, s[:60])
						}
						whole += strings.TrimPrefix(s, head)
					}
					if squeeze(whole) != squeeze(long) {
						t.Error("what is there is not what was written")
					}
				})
			})
		}
	}
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

// attached are the contents of a case's files; the hub gives none.
func (w *world) attached(deskName, name string) (all []string) {
	w.Helper()
	files, err := w.desks[deskName].Attachments(w.Context(), name)
	if err != nil {
		w.Fatal(err)
	}
	for _, f := range files {
		var b bytes.Buffer
		if err := w.desks[deskName].Download(w.Context(), f.Name, &b); err != nil && deskName == "google" {
			w.Fatal(err)
		}
		all = append(all, b.String())
	}
	return all
}

// Files of a message in a case's thread are put on the case, each once; one that cannot be is named with the reason, and the others are there.
func TestFiles(t *testing.T) {
	for _, deskName := range []string{"google", "hub"} {
		t.Run(deskName, func(t *testing.T) {
			w := newWorld(t, setup{})
			name, at := w.file(deskName, "Disk full")
			w.rig[chat.Slack].files = map[string]string{"F1": "one", "F2": "two", "BIG": strings.Repeat("x", act.MaxFile+1)}
			e := w.event(chat.Message, at[chat.Slack], "Anna", "")
			e.Files = []chat.File{{Name: "a/../b.txt", Type: "text/plain", Ref: "F1"}}
			if told := text(w.one(e)); !strings.HasPrefix(told, "It is attached to case") {
				t.Error(told)
			}
			w.must(e) // again
			e = w.event(chat.Message, at[chat.Slack], "Anna", "Look at these.")
			e.Files = []chat.File{{Name: "c.txt", Ref: "F2"}, {Name: "gone.txt", Ref: "F9"}, {Name: "big.bin", Ref: "BIG"}}
			told := text(w.one(e))
			for _, want := range []string{"2 of 4 parts are done", "File gone.txt: refused by the desk: no such file.", "File big.bin: refused by the desk: the file is larger than"} {
				if !strings.Contains(told, want) {
					t.Errorf("told %q, want %q", told, want)
				}
			}
			if got := w.attached(deskName, name); len(got) != 2 || deskName == "google" && (got[0] != "one" || got[1] != "two") {
				t.Errorf("%q", got)
			}
			e = w.event(chat.Message, at[chat.Slack], "Anna", "attach")
			e.Mention, e.Files = true, []chat.File{{Name: "big.bin", Bytes: act.MaxFile + 1, Ref: "BIG"}}
			if told := text(w.one(e)); !strings.Contains(told, "larger than 5 MiB") || len(w.attached(deskName, name)) != 2 {
				t.Error(told)
			}
			e = w.event(chat.Message, at[chat.Slack], "Bob", "and this")
			e.Files = []chat.File{{Name: "d.txt", Ref: "F1"}}
			if told := text(w.one(e)); !strings.Contains(told, `right "attach"`) && deskName == "google" || len(w.said(deskName, name)) != 1 {
				t.Errorf("who may not attach: %q, %d comments", told, len(w.said(deskName, name)))
			}
		})
	}
}

// A file whose upload is in doubt is on the case once.
func TestFilesOnce(t *testing.T) {
	for _, f := range []string{"commit_then_drop", "commit_then_status:503", "status:503", "drop", "delay:40s", "late:4m"} {
		t.Run(f, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, setup{})
				name, at := w.file("google", "Disk full")
				w.rig[chat.Slack].files = map[string]string{"F1": "one"}
				if err := w.google.ArmFault("media.upload", f, 1); err != nil {
					t.Fatal(err)
				}
				e := w.event(chat.Message, at[chat.Slack], "Anna", "")
				e.Files = []chat.File{{Name: "a.txt", Ref: "F1"}}
				w.must(e)
				w.sweepFor(2 * time.Hour)
				if got := w.attached("google", name); len(got) != 1 || got[0] != "one" || len(w.rig[chat.Slack].visible()) != 1 {
					t.Errorf("%q, %v", got, w.states())
				}
			})
		})
	}
}

// All pages of a desk are read: 11 open cases are all 11, and 60 are 60 over three answers.
func TestManyCases(t *testing.T) {
	for _, tt := range []struct{ cases, pages int }{{11, 1}, {60, 3}} {
		w := newWorld(t, setup{})
		want := map[string]bool{}
		for n := range tt.cases {
			name, _ := w.file("google", fmt.Sprint("case ", n))
			want["#"+number(name)] = true
		}
		words := "list at google"
		for page := 1; page <= tt.pages; page++ {
			post := w.one(w.does(place(chat.Slack), "Anna", words))
			next := ""
			for l := range strings.Lines(post.Body) {
				word, rest, _ := strings.Cut(strings.TrimSpace(l), " ")
				if strings.HasPrefix(word, "#") && !want[word] {
					t.Errorf("%s is listed twice, or is not there", word)
				}
				delete(want, word)
				if _, command, ok := strings.Cut(rest, "more: "); ok {
					next = command
				}
			}
			if title := fmt.Sprint(tt.cases, " open cases"); !strings.HasPrefix(post.Title, title) || (next == "") != (page == tt.pages) {
				t.Errorf("%q, next %q", post.Title, next)
			}
			words = next
		}
		if len(want) > 0 {
			t.Errorf("%d of %d are not listed", len(want), tt.cases)
		}
		if told := text(w.one(w.does(place(chat.Google), "Anna", "report"))); !strings.Contains(told, fmt.Sprintf("google: %d open", tt.cases)) {
			t.Error(told)
		}
	}
}

// A desk that does not answer is said to, and the others are listed.
func TestDeskDoesNotAnswer(t *testing.T) {
	w := newWorld(t, setup{})
	w.file("hub", "Disk full")
	if err := w.google.ArmFault("cases.list", "status:403", 0); err != nil {
		t.Fatal(err)
	}
	told := text(w.one(w.does(place(chat.Slack), "Anna", "list")))
	if !strings.Contains(told, "Desk google does not answer now") || !strings.Contains(told, "Disk full") {
		t.Error(told)
	}
}

// A number that two desks have is asked about, with the full names, unless the person may see one of the desks only.
func TestAmbiguousNumber(t *testing.T) {
	w := newWorld(t, setup{})
	name, _ := w.file("google", "Disk full")
	w.config.Desks["again"] = w.config.Desks["google"]
	w.desks["again"] = w.desks["hub"]
	twin, _ := w.file("hub", "Other")
	w.config.Desks["third"] = w.config.Desks["hub"]
	w.desks["third"] = renamed{w.desks["hub"], twin, "orgs/x/support-requests/" + number(name)}
	told := text(w.one(w.does(place(chat.Slack), "Anna", "close #"+number(name))))
	if !strings.HasPrefix(told, "Several cases are called that") || !strings.Contains(told, "google: "+name) || !strings.Contains(told, "third: ") {
		t.Error(told)
	}
	if told := text(w.one(w.does(place(chat.Slack), "Bob", "close #"+number(name)))); !strings.HasPrefix(told, "* Confirm?") {
		t.Error(told)
	}
	if told := text(w.one(w.does(place(chat.Slack), "Anna", "close "+name))); !strings.HasPrefix(told, "* Confirm?") {
		t.Error(told)
	}
}

// Our account may see cases beside those of the configured parents. Nobody gets at them by naming them: rights are given desk by desk.
func TestCaseOfNoDesk(t *testing.T) {
	w := newWorld(t, setup{})
	own, _ := w.file("google", "Disk full")
	client, err := gapi.Client(gapi.Options{Base: w.google.Transport(), Token: gapi.StaticToken("t")})
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := google.New(google.Options{HTTP: client, Parent: "organizations/123456789012", Classification: w.config.Desks["google"].Classification})
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := elsewhere.Open(t.Context(), desk.Draft{Title: "Secret", Description: "nobody's business", Priority: "P2", Classification: w.config.Desks["google"].Classification})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{foreign.Name, "organizations/123456789012/cases/" + number(own), own + "/cases/" + number(own), "projects/acme-prod/support-requests/" + number(own)} {
		for _, words := range []string{"show ", "close ", "comment "} {
			told := text(w.one(w.does(place(chat.Slack), "Anna", words+name+" hello")))
			if words != "comment " {
				told = text(w.one(w.does(place(chat.Slack), "Anna", words+name)))
			}
			if strings.Contains(told, "Secret") || strings.Contains(told, "Confirm") || strings.Contains(told, "Disk full") {
				t.Errorf("%s%s: %q", words, name, told)
			}
		}
	}
	if got, err := elsewhere.Comments(t.Context(), foreign.Name); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	if told := text(w.one(w.does(place(chat.Slack), "Anna", "show "+own))); !strings.Contains(told, "Disk full") {
		t.Errorf("by its own name: %q", told)
	}
}

var marks = regexp.MustCompile(`\[REF[A-Z2-7]{26} `)

// What people write is data: it opens nothing, closes nothing, and is taken for no mark of ours.
func TestHostileTexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		name, at := w.file("google", "Disk full")
		marker := ledger.Marker("seed1")
		for _, s := range []string{"[" + marker + " attempt=1]", "REF" + marker + " REFREF" + marker[3:], "<!channel> <script>alert(1)</script>", "${jndi:ldap://x}", "a\u202eb", "close", "'; DROP TABLE cases; --"} {
			w.answers(w.event(chat.Message, at[chat.Slack], "Anna", s))
			w.one(w.does(place(chat.Slack), "Anna", "create at google P3 "+s+"\n"+s))
		}
		w.sweepFor(2 * time.Hour)
		for _, c := range w.cases("google") {
			own := len(marks.FindAllString(c.Description, -1))
			if c.State == "CLOSED" || own != 1 || c.Name != name && strings.Contains(c.Description+c.Title, marker) {
				t.Errorf("%s: %q", c.State, c.Description)
			}
		}
		if n := len(w.cases("google")); n != 8 {
			t.Errorf("%d cases", n)
		}
		all, err := w.desks["google"].Comments(t.Context(), name)
		if err != nil || len(all) != 7 {
			t.Fatalf("%v, %d comments", err, len(all))
		}
		for _, c := range all {
			if strings.Contains(c.Body, marker) || len(marks.FindAllString(c.Body, -1)) != 1 {
				t.Errorf("%q", c.Body)
			}
		}
	})
}

// A program's message is not answered, whoever it is; neither is what nobody said to us.
func TestNothingToUs(t *testing.T) {
	w := newWorld(t, setup{})
	_, at := w.file("google", "Disk full")
	bot := w.does(at[chat.Slack], "Anna", "close")
	bot.Person.Bot = true
	click := w.event(chat.Click, at[chat.Slack], "Anna", "")
	click.Action = "somebody-else's"
	other := place(chat.Slack)
	other.Thread = "of something else"
	for _, e := range []chat.Event{bot, click, w.event(chat.Message, place(chat.Slack), "Anna", "close"), w.event(chat.Message, other, "Anna", "hello"),
		w.event(chat.Message, other, "Eve", "confirm"), w.event(chat.Message, at[chat.Slack], "Anna", " ")} {
		if posts := w.answers(e); len(posts) != 0 {
			t.Errorf("%+v is answered %+v", e, posts)
		}
	}
	if n := len(w.audit()); n != 0 {
		t.Errorf("%d audit entries", n)
	}
	w.threads.open = true
	e := w.event(chat.Message, other, "Anna", "hello")
	if err := w.deliver(envelope(t, commands.Message{Chat: &e})); !fault.Is(err, fault.Transient) {
		t.Errorf("a thread that may be a case's: %v", err)
	}
	if posts := w.answers(w.event(chat.Joined, place(chat.Google), "", "")); len(posts) != 1 {
		t.Errorf("a greeting: %+v", posts)
	}
}

// What can never succeed is acknowledged and kept with its reason, once however often it comes.
func TestParkedMessages(t *testing.T) {
	w := newWorld(t, setup{})
	for _, data := range []string{"{", `{"chat":{"id":"1","kind":"ignored","place":{"platform":"slack","space":"C1"},"person":{"id":"U1"},"at":"2026-01-01T00:00:00Z"}}`} {
		for range 3 {
			if err := w.deliver(event.Envelope{ID: "9" + data[:1], Data: []byte(data)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	recs, err := w.ledger.List(t.Context(), ledger.Parked, "", 10)
	if err != nil || len(recs) != 1 || recs[0].Reason == "" {
		t.Errorf("%v %+v", err, recs)
	}
}

// A system's request is done once in a person's name; what nobody may ask for is refused at once, and again when it is carried out.
func TestRequests(t *testing.T) {
	w := newWorld(t, setup{chat: second})
	name, _ := w.file("google", "Disk full")
	good := commands.Request{ID: "r1", Desk: "google", Case: number(name), Action: "comment", Text: "From CI.", By: "Anna@example.com", Sender: "ci"}
	for range 3 {
		if err := w.deliver(envelope(t, commands.Message{Request: &good})); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.said("google", name); len(got) != 1 || got[0] != "Anna Example, by ci:\n\nFrom CI." {
		t.Errorf("%q", got)
	}
	if e := w.audit(); len(e) != 2 || e[0].Who != "Anna Example" || e[0].Via != "ci" || e[1].Reason != "done" {
		t.Errorf("%+v", e)
	}
	with := func(change func(*commands.Request)) commands.Request {
		r := good
		r.ID = fmt.Sprint("r", time.Now().UnixNano())
		change(&r)
		return r
	}
	for _, tt := range []struct {
		name  string
		r     commands.Request
		kind  fault.Kind
		audit string
	}{
		{"an unknown person", with(func(r *commands.Request) { r.By = "eve@example.com" }), fault.Denied, "nobody the configuration knows"},
		{"no right", with(func(r *commands.Request) {
			r.By, r.Action, r.Text, r.Priority = "bob@example.com", "priority", "", "P3"
		}), fault.Denied, "no right"},
		{"not his desk", with(func(r *commands.Request) { r.By, r.Desk = "bob@example.com", "hub" }), fault.Denied, "no such case"},
		{"not confirmed", with(func(r *commands.Request) { r.Action, r.Text, r.Priority = "priority", "", "P1" }), fault.Invalid, "not confirmed"},
		{"a second person", with(func(r *commands.Request) { r.Action, r.Text, r.Confirmed = "close", "", true }), fault.Invalid, "a second person must approve"},
		{"no such desk", with(func(r *commands.Request) { r.Desk = "none" }), fault.Invalid, "no such case"},
	} {
		if err := commands.Admit(w.config, tt.r); !fault.Is(err, tt.kind) || fault.Public(err) == "" {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err := w.deliver(envelope(t, commands.Message{Request: &tt.r})); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if e := w.audit(); !strings.Contains(e[len(e)-1].Reason, tt.audit) || e[len(e)-1].Order == "" {
			t.Errorf("%s: %+v", tt.name, e[len(e)-1])
		}
	}
	confirmed := with(func(r *commands.Request) { r.Action, r.Text, r.Priority, r.Confirmed = "priority", "", "P1", true })
	if err := commands.Admit(w.config, confirmed); err != nil {
		t.Error(err)
	}
	if err := w.deliver(envelope(t, commands.Message{Request: &confirmed})); err != nil || w.at("google", name).Priority != "P1" {
		t.Errorf("%v, %s", err, w.at("google", name).Priority)
	}
	if len(w.said("google", name)) != 1 || w.at("google", name).State == "CLOSED" {
		t.Error("something of that was done")
	}
}

// A comment from a chat is noted on the case, so that it is not told where it was said.
func TestSpoken(t *testing.T) {
	w := newWorld(t, setup{})
	name, at := w.file("google", "Disk full")
	w.must(w.event(chat.Message, at[chat.Google], "Anna", "hello"))
	k, err := w.threads.ByName(t.Context(), "google", name)
	if err != nil || len(k.Spoken) != 1 || k.Spoken[0].From != at[chat.Google] || !strings.HasPrefix(k.Spoken[0].Marker, "REF") {
		t.Fatalf("%v, %+v", err, k.Spoken)
	}
	rec, err := w.ledger.Get(t.Context(), k.Last)
	if err != nil || rec.Marker != k.Spoken[0].Marker || rec.Tenant != "acme" {
		t.Errorf("%v, %+v", err, rec)
	}
}

// A comment that the desk refuses is said to be refused, and holds up nothing that is said after it.
func TestRefusedComment(t *testing.T) {
	w := newWorld(t, setup{})
	name, at := w.file("google", "Disk full")
	if err := w.google.ArmFault("cases.comments.create", "status:403", 1); err != nil {
		t.Fatal(err)
	}
	if told := text(w.one(w.event(chat.Message, at[chat.Slack], "Anna", "one"))); !strings.Contains(told, "I could not comment") || !strings.Contains(told, "refused by the desk: ") {
		t.Error(told)
	}
	if told := w.answers(w.event(chat.Message, at[chat.Slack], "Anna", "two")); len(told) != 0 {
		t.Errorf("what is on the case is told: %+v", told)
	}
	if got := w.said("google", name); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

// Who says something in a case's thread without the right to is told once, not each time.
func TestRefusedOnce(t *testing.T) {
	w := newWorld(t, setup{})
	name, at := w.file("google", "Disk full")
	told := 0
	for n := range 5 {
		told += len(w.answers(w.event(chat.Message, at[chat.Slack], "Eve", fmt.Sprint("hello ", n))))
	}
	if told != 1 || len(w.said("google", name)) != 0 || len(w.audit()) != 5 {
		t.Errorf("told %d times, %d audit entries", told, len(w.audit()))
	}
}

// What is held is released by who may, at their desks.
func TestRelease(t *testing.T) {
	var asked []string
	w := newWorld(t, setup{release: func(_ context.Context, who, deskName, incident string) (string, error) {
		asked = append(asked, who+"/"+deskName+"/"+incident)
		if incident == "none" {
			return "", fault.New(fault.Missing, "no incident has this id")
		}
		return "Released 2 incidents at " + deskName + ".", nil
	}})
	w.config.People[1].May = []string{"release"}
	for _, tt := range []struct{ who, words, told string }{
		{"Anna", "release all", "Released 2 incidents at google.\nReleased 2 incidents at hub."},
		{"Bob", "release all", "Released 2 incidents at google."},
		{"Bob", "release at hub", `You do not have the right "release" at desk hub`},
		{"Bob", "release abc", "You can: release at google"},
		{"Anna", "release none", "Nothing was released: no incident has this id."},
	} {
		if told := text(w.one(w.does(place(chat.Slack), tt.who, tt.words))); !strings.HasPrefix(told, tt.told) && !strings.Contains(told, tt.told) {
			t.Errorf("%s: %q", tt.words, told)
		}
	}
	if got := strings.Join(asked, " "); got != "Anna Example/google/ Anna Example/hub/ Bob Example/google/ Anna Example//none" {
		t.Error(got)
	}
}

// The buttons under a case ask first, like the words.
func TestButtonsOfACase(t *testing.T) {
	w := newWorld(t, setup{})
	name, _ := w.file("google", "Disk full")
	elsewhere := chat.Place{Platform: chat.Google, Space: "spaces/other", Thread: "spaces/other/threads/1"}
	for _, tt := range []struct{ action, value, told string }{
		{follow.ActionClose, follow.ID("google", name), "wants to close case"},
		{follow.ActionEscalate, follow.ID("google", name), "RESOLUTION_TIME"},
		{follow.ActionClose, "unknown", "not known here"},
		{follow.ActionClose, "a/b", "not known here"},
		{commands.ActionCommand, "close #" + number(name), "wants to close case"},
	} {
		if told := text(w.one(w.clicks(elsewhere, "Anna", chat.Button{Action: tt.action, Value: tt.value}))); !strings.Contains(told, tt.told) {
			t.Errorf("%+v: %q", tt, told)
		}
	}
}

// A long description is attached as a whole; a new case is told where it was asked for and in its desk's rooms.
func TestCreate(t *testing.T) {
	w := newWorld(t, setup{})
	long := strings.Repeat("word ", 4000)
	e := w.does(place(chat.Google), "Anna", "create P3 A long story\n"+long)
	e.Files = []chat.File{{Name: "a.txt", Ref: "F1"}}
	w.rig[chat.Google].files = map[string]string{"F1": "one"}
	if told := text(w.one(e)); !strings.HasPrefix(told, "Opened case ") {
		t.Error(told)
	}
	w.must(e)
	all := w.cases("google")
	if len(all) != 1 {
		t.Fatalf("%d cases", len(all))
	}
	c := all[0]
	if got := w.attached("google", c.Name); len(got) != 2 || got[0] != strings.TrimSpace(long) || got[1] != "one" {
		t.Errorf("%d files", len(got))
	}
	if !strings.Contains(c.Description, "attached as a file.)\n\nAnna Example, by Google Chat\n\n[REF") || c.Priority != "P3" || len(c.Subscribers) != 1 || c.Title != "A long story" {
		t.Errorf("%+v", c)
	}
	if e := w.audit(); e[0].Opens != 1 || e[0].Desk != "google" || e[1].Case != c.Name {
		t.Errorf("%+v", e)
	}
}

// The audit is read page by page and never changed.
func TestAudit(t *testing.T) {
	w := newWorld(t, setup{})
	_, at := w.file("google", "Disk full")
	for n := range 5 {
		w.must(w.event(chat.Message, at[chat.Slack], "Anna", fmt.Sprint(n)))
	}
	var all []commands.Entry
	for after := ""; ; {
		page, err := w.Audit(t.Context(), after, 3)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, page...); len(page) < 3 {
			break
		}
		after = page[2].ID
	}
	if len(all) != 10 {
		t.Fatalf("%d entries", len(all))
	}
	for i, e := range all {
		if i > 0 && e.At.Before(all[i-1].At) || e.Who != "Anna Example" || e.Reason == "" || len(e.Effects) != 1 {
			t.Errorf("%+v", e)
		}
	}
	docs, err := w.db.Query(t.Context(), store.Query{Collection: "audit", Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range docs {
		var e commands.Entry
		if json.Unmarshal(d.Data, &e) != nil || !d.Expire.IsZero() {
			t.Errorf("%s: %s", d.ID, d.Data)
		}
	}
}
