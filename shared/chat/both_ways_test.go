package chat_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/chat/google"
	"github.com/providerdesk/providerdesk/shared/chat/slack"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/signature"
	simchat "github.com/providerdesk/providerdesk/shared/sim/chat"
)

const callback = "http://desk.test/ChatWebhook"

// webhook is what a function does with a request of a platform: verify, parse, answer. It fails as long as it is told to.
type webhook struct {
	t      *testing.T
	front  chat.Front
	events []chat.Event
	fails  int
	says   string
}

func (w *webhook) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	path := strings.TrimPrefix(r.URL.Path, "/ChatWebhook/")
	path = strings.TrimPrefix(strings.TrimPrefix(path, "slack/"), "google")
	if err := w.front.Verify(r, body); err != nil {
		w.t.Errorf("%s: not verified: %v", path, err)
	}
	e, err := w.front.Parse(path, r.Header.Get("Content-Type"), body)
	if err != nil {
		w.t.Errorf("%s: %v\n%s", path, err, body)
	}
	if w.events = append(w.events, e); w.fails > 0 {
		w.fails--
		rec.WriteHeader(http.StatusServiceUnavailable)
		return rec.Result(), nil
	}
	kind, answer := w.front.Answer(e, body, w.says)
	rec.Header().Set("Content-Type", kind)
	rec.Write(answer)
	return rec.Result(), nil
}

// heard returns what came in, in a line each, and forgets it.
func (w *webhook) heard() []string {
	var all []string
	for _, e := range w.events {
		all = append(all, brief(e))
	}
	w.events = nil
	return all
}

// dialects are the ways in which the platforms call us.
var dialects = []struct {
	name  string
	p     platform
	addOn bool
}{{"slack", platforms[0], false}, {"google", platforms[1], false}, {"google add-on", platforms[1], true}}

func eachDialect(t *testing.T, test func(*rig, *webhook)) {
	for _, d := range dialects {
		t.Run(d.name, func(t *testing.T) {
			w := &webhook{t: t}
			r := newRig(t, d.p, simchat.Options{Callback: callback, AddOn: d.addOn, HTTP: &http.Client{Transport: w}})
			w.front = r.front(t)
			if d.addOn {
				r.room = r.addOnRoom(t)
			}
			test(r, w)
		})
	}
}

// front checks signatures as the real one does.
func (r *rig) front(t *testing.T) chat.Front {
	var front chat.Front
	var v signature.Verifier
	var err error
	if r.name == chat.Slack {
		if v, err = signature.Slack(simchat.DefaultSign, r.clock.now); err == nil {
			front, err = slack.NewFront(slack.FrontOptions{Verifier: v, BotUser: simchat.BotUser, Now: r.clock.now})
		}
	} else {
		v, err = signature.GoogleChat(signature.GoogleChatConfig{
			Endpoint: callback + "/google", Keys: "http://chat.test/google/jwks", Client: &http.Client{Transport: r.sim.Transport()}, Now: r.clock.now,
		})
		if err == nil {
			front, err = google.NewFront(google.FrontOptions{Verifier: v, Quick: map[int]string{7: "list"}, Now: r.clock.now})
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return front
}

func (r *rig) say(in simchat.Saying) simchat.Said {
	r.t.Helper()
	in.Platform, in.Person = string(r.name), r.anna
	said, err := r.sim.Say(r.t.Context(), in)
	if err != nil {
		r.t.Fatal(err)
	}
	return said
}

// One message of a person, whatever its form, is one event: by its id, however often and in how many notices it comes.
func TestSaid(t *testing.T) {
	eachDialect(t, func(r *rig, w *webhook) {
		root := r.said(r.place, full, "pd-1")
		for _, c := range []struct {
			in   simchat.Saying
			text string
			want bool // a mention
		}{
			{simchat.Saying{Space: r.space, Text: "create P1 <b>db</b> & co is down", Mention: true}, "create P1 <b>db</b> & co is down", true},
			{simchat.Saying{Space: r.space, Thread: root.Place.Thread, Text: "comment done", Mention: true}, "comment done", true},
			{simchat.Saying{Text: "hello"}, "hello", true},
			{simchat.Saying{Space: r.space, Thread: root.Place.Thread, Text: "just talk"}, "just talk", false},
		} {
			said := r.say(c.in)
			events := w.events
			w.events = nil
			if r.name == chat.Google && !c.want {
				if len(events) != 0 {
					r.t.Errorf("%q: Google told us %+v", c.text, events)
				}
				continue
			}
			if len(events) == 0 {
				r.t.Fatalf("%q: nothing came", c.text)
			}
			for _, e := range events {
				if e.ID != events[0].ID || e.Kind != chat.Message || e.Text != c.text || e.Mention != c.want || e.Message != said.Message || e.Place.Thread != said.Thread || e.Person.ID != r.anna || e.Person.Bot {
					r.t.Errorf("%q: %+v", c.text, e)
				}
			}
		}
	})
}

func TestCommands(t *testing.T) {
	eachDialect(t, func(r *rig, w *webhook) {
		w.says = "Case <1> *filed* & sent"
		seen := map[string]bool{}
		for _, text := range []string{"close 123", "", "list"} {
			in := simchat.Commanding{Platform: string(r.name), Space: r.space, Person: r.anna, Text: text}
			if text == "list" && r.name == chat.Google {
				in.Quick = 7
			}
			said, err := r.sim.Command(r.t.Context(), in)
			if err != nil {
				r.t.Fatal(err)
			}
			e := w.events[0]
			if len(w.events) != 1 || e.Kind != chat.Command || e.Text != text || e.Person.ID != r.anna || e.Place.Space != r.space || seen[e.ID] {
				r.t.Errorf("%q: %+v", text, w.events)
			}
			seen[e.ID], w.events = true, nil
			if got := said.Deliveries[0].Answer; got != "Case &lt;1&gt; *filed* &amp; sent" && got != "Case ‹1› ∗filed∗ & sent" {
				r.t.Errorf("answered %q", got)
			}
		}
	})
}

func TestClicks(t *testing.T) {
	eachDialect(t, func(r *rig, w *webhook) {
		root := r.said(r.place, full, "pd-1")
		sent := r.said(root.Place, full, "pd-2")
		for _, c := range []struct{ button, action, value string }{{"Escalate", "escalate", "1"}, {"Close", "close", "1"}, {"Close quietly", "close", "2"}} {
			for range 2 { // twice is two clicks
				in := simchat.Clicking{Platform: string(r.name), Space: r.space, Message: sent.Name, Person: r.anna, Button: c.button}
				if _, err := r.sim.Click(r.t.Context(), in); err != nil {
					r.t.Fatalf("%s: %v", c.button, err)
				}
			}
			if len(w.events) != 2 || w.events[0].ID == w.events[1].ID {
				r.t.Fatalf("%s: %+v", c.button, w.events)
			}
			for _, e := range w.events {
				if e.Kind != chat.Click || e.Action != c.action || e.Value != c.value || e.Message != sent.Name || e.Place != sent.Place || e.Person.ID != r.anna {
					r.t.Errorf("%s: %+v", c.button, e)
				}
			}
			w.events = nil
		}
	})
}

// addOnRoom names the callback in its buttons.
func (r *rig) addOnRoom(t *testing.T) chat.Room {
	t.Helper()
	room, err := google.NewRoom(google.RoomOptions{HTTP: &http.Client{Transport: r.sim.Transport()}, Endpoint: "http://chat.test/google", Callback: callback + "/google"})
	if err != nil {
		t.Fatal(err)
	}
	return room
}

func TestMoves(t *testing.T) {
	eachDialect(t, func(r *rig, w *webhook) {
		for _, in := range []bool{false, true} {
			if _, err := r.sim.Move(r.t.Context(), string(r.name), r.space, r.anna, in); err != nil {
				r.t.Fatal(err)
			}
		}
		if len(w.events) != 2 || w.events[0].Kind != chat.Left || w.events[1].Kind != chat.Joined || w.events[0].Place.Space != r.space || w.events[1].Place.Space != r.space {
			r.t.Errorf("%+v", w.events)
		}
	})
}

// A notice that is not taken comes again as Slack does it, with the same id; nothing of Google's does.
func TestRedelivery(t *testing.T) {
	eachDialect(t, func(r *rig, w *webhook) {
		w.fails = 100
		r.say(simchat.Saying{Space: r.space, Text: "help", Mention: true})
		ids := map[string]bool{}
		var waits []time.Duration
		for {
			at, ok := r.sim.Next()
			if !ok {
				break
			}
			waits = append(waits, at.Sub(r.clock.t))
			r.clock.t = at
			r.sim.Send(r.t.Context())
		}
		for _, e := range w.events {
			ids[e.ID] = true
		}
		want, count := "[0s 1m0s 5m0s]", 8
		if r.name == chat.Google {
			want, count = "[]", 1
		}
		if fmt.Sprint(waits) != want || len(w.events) != count || len(ids) != 1 {
			r.t.Errorf("%d deliveries after %v with %d ids", len(w.events), waits, len(ids))
		}
	})
}

func TestDisturbed(t *testing.T) {
	eachDialect(t, func(r *rig, w *webhook) {
		r.sim.Disturb(1, 0)
		r.say(simchat.Saying{Text: "one"})
		twice := w.events
		w.events = nil
		if len(twice) != 2 || twice[0].ID != twice[1].ID {
			r.t.Errorf("twice: %+v", twice)
		}
		r.sim.Disturb(0, 2)
		r.say(simchat.Saying{Text: "two"})
		r.say(simchat.Saying{Text: "three"})
		if len(w.events) != 0 {
			r.t.Errorf("not held: %v", w.heard())
		}
		r.sim.Send(r.t.Context())
		if len(w.events) != 2 || w.events[0].Text != "three" || w.events[1].Text != "two" {
			r.t.Errorf("in order: %v", w.heard())
		}
	})
}

// Files that people attach can be fetched, up to a limit.
func TestFiles(t *testing.T) {
	eachDialect(t, func(r *rig, w *webhook) {
		content := []byte("<html>log</html>" + strings.Repeat("x", 1000))
		r.say(simchat.Saying{Text: "attach", Mention: true, Files: []simchat.Upload{{Name: "trace log.txt", Type: "text/plain", Content: content}}})
		files := w.events[0].Files
		if len(files) != 1 || files[0].Name != "trace log.txt" || files[0].Type != "text/plain" || files[0].Ref == "" {
			r.t.Fatalf("files %+v", files)
		}
		var got bytes.Buffer
		if err := r.room.Download(r.t.Context(), files[0], int64(len(content)), &got); err != nil || !bytes.Equal(got.Bytes(), content) {
			r.t.Errorf("download: %d bytes, %v", got.Len(), err)
		}
		got.Reset()
		if err := r.room.Download(r.t.Context(), files[0], 100, &got); !fault.Is(err, fault.Invalid) || got.Len() > 100 {
			r.t.Errorf("beyond the limit: %d bytes, %v", got.Len(), err)
		}
		full := fault.New(fault.Conflict, "the disk is full")
		if err := r.room.Download(r.t.Context(), files[0], 1<<20, writer(func([]byte) (int, error) { return 0, full })); err != full {
			r.t.Errorf("a writer that fails: %v", err)
		}
	})
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// hostile is what people write to make us say something else.
var hostile = []string{
	"<!channel> <!here> <!everyone>", "<@U0BEN> hello", "<users/all> <users/1002>", "<https://evil.test|https://bank.test>", "@here @channel @all",
	"*bold* _italic_ ~gone~ `code` ```block```", "> quoted\n>>> more", "&lt;!here&gt; &amp;", "[bank](https://evil.test)", "<a href=\"https://evil.test\">bank</a>",
	"<b>x</b><script>alert(1)</script>", "</text> ]]> \" ' \\ {{.}}", ":smile: :bomb:", "a\u202egnp.exe", "nul\x00 bell\x07 esc\x1b[31m", "\xff\xfe bad", "- item\n* item\n1. item",
	"<!date^1392734382^{date}^https://evil.test|x>", "<#C0CASES>", "https://example.com/?a=1&b=<2>",
}

// Whatever is written, every place of a post shows it as it was written, and no wire format holds markup of it.
func TestHostileText(t *testing.T) {
	onBoth(t, func(r *rig) {
		for i, text := range hostile {
			p := chat.Post{Title: text, Body: text, Fields: []chat.Field{{Name: text, Value: text}}, Buttons: []chat.Button{{Text: text, Action: "a", Value: "v"}}}
			r.said(r.place, p, fmt.Sprintf("pd-%d", i))
			v := r.shown()[i]
			want := chat.Plain(text)
			line := strings.Join(strings.Fields(want), " ")
			if !strings.Contains(v.Text, want) || !slices.Contains(v.Buttons, line) {
				r.t.Errorf("%q is shown as %q, %q", text, v.Text, v.Buttons)
			}
			for _, shown := range markable(r.t, v.Wire) {
				if strings.ContainsAny(strings.ReplaceAll(shown, "<br>", ""), "<>") || strings.ContainsAny(shown, "\u202e\x00\x1b") {
					r.t.Errorf("%q: the wire holds %q", text, shown)
				}
			}
			if strings.Contains(string(v.Wire), `"mrkdwn"`) {
				r.t.Errorf("%q: it is markup", text)
			}
		}
	})
}

// markable are the texts in which a platform looks for markup: those of Slack's text objects, and of Google's two widgets with text. Titles,
// labels and buttons of cards know none.
func markable(t *testing.T, wire json.RawMessage) (texts []string) {
	t.Helper()
	var v any
	if err := json.Unmarshal(wire, &v); err != nil {
		t.Fatal(err)
	}
	var walk func(name string, v any)
	walk = func(name string, v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(name, e)
			}
		case map[string]any:
			s, ok := v["text"].(string)
			if ok && (v["type"] == "plain_text" || name == "textParagraph" || name == "decoratedText") {
				texts = append(texts, s)
			}
			for name, e := range v {
				walk(name, e)
			}
		}
	}
	walk("", v)
	if len(texts) == 0 {
		t.Fatalf("no texts in %s", wire)
	}
	return texts
}
