package chat_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/chat/google"
	"github.com/providerdesk/providerdesk/shared/chat/slack"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
	simchat "github.com/providerdesk/providerdesk/shared/sim/chat"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// network is what a room is given beside its options.
type network struct {
	host string
	base http.RoundTripper
	now  func() time.Time
}

// platform is one of the two, with the names that its simulator has for things.
type platform struct {
	name             chat.Platform
	space, anna      string
	post, edit, find string // ops
	room             func(network) (chat.Room, error)
}

var platforms = []platform{
	{
		name: chat.Slack, space: simchat.Channel, anna: "U0ANNA", post: "chat.postMessage", edit: "chat.update", find: "conversations.replies",
		room: func(n network) (chat.Room, error) {
			return slack.NewRoom(slack.RoomOptions{
				Token: "xoxb-sim", Endpoint: n.host + "/slack/api", BotUser: simchat.BotUser, Base: n.base, Now: n.now,
			})
		},
	},
	{
		name: chat.Google, space: simchat.Space, anna: "users/1001",
		post: "chat.spaces.messages.create", edit: "chat.spaces.messages.patch", find: "chat.spaces.messages.get",
		room: func(n network) (chat.Room, error) {
			endpoint := n.host + "/google"
			client, err := gapi.Client(gapi.Options{Endpoint: endpoint, Token: gapi.StaticToken("t"), Base: n.base, Now: n.now, Backoff: time.Nanosecond})
			if err != nil {
				return nil, err
			}
			return google.NewRoom(google.RoomOptions{HTTP: client, Endpoint: endpoint})
		},
	},
}

// clock stands still unless it is moved.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

// rig is a room of a platform on its simulator.
type rig struct {
	platform
	t     *testing.T
	sim   *simchat.Server
	clock *clock
	room  chat.Room
	place chat.Place
}

func onBoth(t *testing.T, test func(*rig)) {
	for _, p := range platforms {
		t.Run(string(p.name), func(t *testing.T) { test(newRig(t, p, simchat.Options{})) })
	}
}

func newRig(t *testing.T, p platform, o simchat.Options) *rig {
	t.Helper()
	r := &rig{platform: p, t: t, clock: &clock{time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}, place: chat.Place{Platform: p.name, Space: p.space}}
	o.Now, o.Seed = r.clock.now, 1
	var err error
	if r.sim, err = simchat.New(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.sim.Close() })
	if r.room, err = p.room(network{"http://chat.test", r.sim.Transport(), nil}); err != nil {
		t.Fatal(err)
	}
	return r
}

// said posts, and must succeed.
func (r *rig) said(at chat.Place, p chat.Post, marker string) chat.Sent {
	r.t.Helper()
	s, err := r.room.Post(r.t.Context(), at, p, marker)
	if err != nil {
		r.t.Fatalf("post: %v", err)
	}
	return s
}

// found finds, and must succeed.
func (r *rig) found(at chat.Place, marker string, since time.Time) []chat.Sent {
	r.t.Helper()
	all, err := r.room.Find(r.t.Context(), at, marker, since)
	if err != nil {
		r.t.Fatalf("find: %v", err)
	}
	return all
}

func (r *rig) fault(op, text string) {
	r.t.Helper()
	if err := r.sim.ArmFault(op, text, 1); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) calls(op string) int {
	_, counts := r.sim.Calls()
	return counts[op]
}

func (r *rig) shown() []simchat.View { return r.sim.Messages(string(r.name), r.space, "") }

var full = chat.Post{
	Title: "Case 12345: checkout is down", Body: "Opened for the alert HighErrorRate.\nPriority P1.",
	Fields:  []chat.Field{{Name: "Priority", Value: "P1"}, {Name: "Tenant", Value: "acme"}},
	Link:    chat.Link{Text: "Open the case", URL: "https://console.cloud.google.com/support/cases/1?a=b&c=d"},
	Buttons: []chat.Button{{Text: "Escalate", Action: "escalate", Value: "1", Danger: true}, {Text: "Close", Action: "close", Value: "1"}, {Text: "Close quietly", Action: "close", Value: "2"}},
}

func TestThreads(t *testing.T) {
	onBoth(t, func(r *rig) {
		root := r.said(r.place, full, "pd-1")
		if root.Place.Thread == "" || root.Name == "" {
			t.Fatalf("sent %+v", root)
		}
		answer := r.said(root.Place, chat.Post{Body: "more"}, "pd-2")
		if answer.Place != root.Place || answer.Name == root.Name {
			t.Errorf("answer %+v, root %+v", answer, root)
		}
		other := r.said(r.place, chat.Post{Body: "elsewhere"}, "pd-3")
		if other.Place.Thread == root.Place.Thread {
			t.Error("a post without a thread is in one")
		}
		if got := r.sim.Messages(string(r.name), r.space, root.Place.Thread); len(got) != 2 || got[0].Name != root.Name || got[1].Name != answer.Name {
			r.t.Errorf("the thread holds %+v", got)
		}
	})
}

func TestShown(t *testing.T) {
	onBoth(t, func(r *rig) {
		r.said(r.place, full, "pd-1")
		v := r.shown()[0]
		for _, want := range []string{full.Title, "Opened for the alert HighErrorRate.\nPriority P1.", "Priority: P1", "Tenant: acme"} {
			if !strings.Contains(v.Text, want) {
				r.t.Errorf("%q is not shown in %q", want, v.Text)
			}
		}
		if got := strings.Join(v.Buttons, ","); !strings.HasSuffix(got, "Escalate,Close,Close quietly") {
			r.t.Errorf("buttons %s", got)
		}
	})
}

func TestFind(t *testing.T) {
	onBoth(t, func(r *rig) {
		before := r.clock.t
		root := r.said(r.place, full, "pd-1")
		r.clock.t = r.clock.t.Add(time.Minute)
		answer := r.said(root.Place, chat.Post{Body: "more"}, "pd-2")
		for _, c := range []struct {
			what   string
			at     chat.Place
			marker string
			since  time.Time
			want   []chat.Sent
		}{
			{"in the space", r.place, "pd-1", before, []chat.Sent{root}},
			{"in the thread", root.Place, "pd-1", before, []chat.Sent{root}},
			{"an answer", root.Place, "pd-2", before, []chat.Sent{answer}},
			{"at its very time", root.Place, "pd-2", r.clock.t, []chat.Sent{answer}},
			{"since ever", root.Place, "pd-2", time.Time{}, []chat.Sent{answer}},
			{"too old", root.Place, "pd-1", before.Add(time.Second), nil},
			{"another marker", r.place, "pd-11", before, nil},
			{"part of the marker", r.place, "pd", before, nil},
		} {
			if got := r.found(c.at, c.marker, c.since); fmt.Sprint(got) != fmt.Sprint(c.want) {
				r.t.Errorf("%s: %+v, want %+v", c.what, got, c.want)
			}
		}
	})
}

func TestFindInAnotherThread(t *testing.T) {
	onBoth(t, func(r *rig) {
		one, other := r.said(r.place, full, "pd-1"), r.said(r.place, full, "pd-2")
		if got := r.found(other.Place, "pd-1", time.Time{}); len(got) != 0 {
			r.t.Errorf("found %+v, which is in %+v", got, one.Place)
		}
	})
}

// Slack takes the same message twice; Google refuses or repeats the second. Either way Find tells.
func TestTwice(t *testing.T) {
	onBoth(t, func(r *rig) {
		r.said(r.place, full, "pd-1")
		again := r.said(r.place, full, "pd-1")
		want := 2
		if r.name == chat.Google {
			want = 1
		}
		if got := r.found(r.place, "pd-1", time.Time{}); len(got) != want || got[len(got)-1] != again || len(r.shown()) != want {
			r.t.Errorf("found %+v", got)
		}
	})
}

func TestEditKeepsMarker(t *testing.T) {
	onBoth(t, func(r *rig) {
		s := r.said(r.place, full, "pd-1")
		if err := r.room.Edit(r.t.Context(), s, chat.Post{Title: "Case 12345: solved", Body: "Done."}, "pd-1"); err != nil {
			r.t.Fatal(err)
		}
		v := r.shown()
		if len(v) != 1 || !v[0].Edited || !strings.Contains(v[0].Text, "solved") || strings.Contains(v[0].Text, "acme") || len(v[0].Buttons) != 0 {
			r.t.Errorf("shown %+v", v)
		}
		if got := r.found(r.place, "pd-1", time.Time{}); len(got) != 1 || got[0] != s {
			r.t.Errorf("found %+v", got)
		}
	})
}

func TestEditOthers(t *testing.T) {
	onBoth(t, func(r *rig) {
		m, err := r.sim.Say(r.t.Context(), simchat.Saying{Platform: string(r.name), Space: r.space, Person: r.anna, Text: "mine"})
		if err != nil {
			r.t.Fatal(err)
		}
		err = r.room.Edit(r.t.Context(), chat.Sent{Place: r.place, Name: m.Message}, full, "pd-1")
		if !fault.Is(err, fault.Denied) {
			r.t.Errorf("edit of another's message: %v", err)
		}
	})
}

// What has to happen to a long text is that all of it arrives.
func TestPages(t *testing.T) {
	var b strings.Builder
	for i := 0; b.Len() < 60_000; i++ {
		fmt.Fprintf(&b, "%05d error: <a&b> \"x\" 'y' näïve 日本 🙂 took %d ms\n", i, i*7)
	}
	for name, body := range map[string]string{
		"lines": b.String(), "one word": strings.Repeat("x", 60_000), "escapes": strings.Repeat("&<>", 20_000), "emoji": strings.Repeat("🙂", 15_000),
	} {
		onBoth(t, func(r *rig) {
			p := full
			p.Body = body
			var got strings.Builder
			pages := r.room.Pages(p)
			for i, page := range pages {
				r.said(r.place, page, fmt.Sprintf("pd-%d", i))
				got.WriteString(page.Body)
				if last := i == len(pages)-1; page.Title != p.Title || (len(page.Fields) > 0) != last || (len(page.Buttons) > 0) != last || (page.Link.URL != "") != last {
					r.t.Errorf("%s: page %d of %d is %+v", name, i, len(pages), page)
				}
			}
			if got.String() != body {
				r.t.Errorf("%s: the pages do not make the body", name)
			}
			shown := ""
			for _, v := range r.shown() {
				shown += v.Text
			}
			if strings.Count(shown, "x") < strings.Count(body, "x") {
				r.t.Errorf("%s: something is not shown", name)
			}
		})
	}
}

// outcomes of one post, by what happens to it on its way.
func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		fault string
		kind  fault.Kind
		sure  bool // certainly not executed: unsent, or a definite refusal
		there int
	}{
		{"commit_then_drop", fault.Transient, false, 1},
		{"commit_then_status:500", fault.Transient, false, 1},
		{"commit_then_status:503", fault.Transient, false, 1},
		{"garbage", fault.Transient, false, 1},
		{"drop", fault.Transient, false, 0},
		{"status:500", fault.Transient, false, 0},
		{"status:503", fault.Transient, false, 0},
		{"status:429", fault.Throttled, true, 0},
		{"status:403", fault.Denied, true, 0},
		{"status:404", fault.Missing, true, 0},
		{"status:400", fault.Invalid, true, 0},
		{"late:1m", fault.Transient, false, 0},
	} {
		t.Run(c.fault, func(t *testing.T) {
			onBoth(t, func(r *rig) {
				r.fault(r.post, c.fault)
				_, err := r.room.Post(r.t.Context(), r.place, full, "pd-1")
				if !fault.Is(err, c.kind) || fault.IsUnsent(err) != (c.kind == fault.Throttled) {
					r.t.Errorf("%v: kind %s, unsent %t", err, fault.Of(err), fault.IsUnsent(err))
				}
				if c.kind == fault.Throttled && fault.RetryAfter(err) != time.Second {
					r.t.Errorf("wait %v", fault.RetryAfter(err))
				}
				if n := r.calls(r.post); n != 1 {
					r.t.Errorf("%d sends", n)
				}
				if got := r.found(r.place, "pd-1", time.Time{}); len(got) != c.there {
					r.t.Errorf("found %+v", got)
				}
				r.clock.t = r.clock.t.Add(2 * time.Minute)
				if late := len(r.found(r.place, "pd-1", time.Time{})); c.fault == "late:1m" && late != 1 {
					r.t.Error("what came late is not found")
				}
			})
		})
	}
}

// An edit is told about as a post is. It may be made again: it says the same.
func TestEditOutcomes(t *testing.T) {
	for text, want := range map[string]fault.Kind{
		"commit_then_drop": fault.Transient, "drop": fault.Transient, "status:503": fault.Transient, "status:429": fault.Throttled,
		"status:404": fault.Missing, "status:403": fault.Denied,
	} {
		onBoth(t, func(r *rig) {
			s := r.said(r.place, full, "pd-1")
			r.fault(r.edit, text)
			err := r.room.Edit(r.t.Context(), s, chat.Post{Body: "new"}, "pd-1")
			if !fault.Is(err, want) || fault.IsUnsent(err) != (want == fault.Throttled) || r.calls(r.edit) != 1 {
				r.t.Errorf("%s: %v, %d sends", text, err, r.calls(r.edit))
			}
			if err := r.room.Edit(r.t.Context(), s, chat.Post{Body: "new"}, "pd-1"); err != nil || r.shown()[0].Text != "new" {
				r.t.Errorf("%s: again: %v", text, err)
			}
		})
	}
}

// A search that fails is no search without a result.
func TestFindFails(t *testing.T) {
	for text, want := range map[string]fault.Kind{"status:500": fault.Transient, "status:403": fault.Denied, "garbage": fault.Transient} {
		onBoth(t, func(r *rig) {
			s := r.said(r.place, full, "pd-1")
			r.fault(r.find, text)
			if got, err := r.room.Find(r.t.Context(), s.Place, "pd-1", time.Time{}); !fault.Is(err, want) || got != nil {
				r.t.Errorf("%s: %+v, %v", text, got, err)
			}
		})
	}
}

// An act that Slack refuses with 200.
func TestSlackCodes(t *testing.T) {
	for code, want := range map[string]fault.Kind{
		"channel_not_found": fault.Missing, "not_in_channel": fault.Denied, "is_archived": fault.Denied, "invalid_auth": fault.Denied,
		"missing_scope": fault.Denied, "restricted_action": fault.Denied, "msg_too_long": fault.Invalid, "invalid_blocks": fault.Invalid,
		"ratelimited": fault.Throttled, "message_limit_exceeded": fault.Throttled, "internal_error": fault.Transient, "fatal_error": fault.Transient,
		"service_unavailable": fault.Transient, "request_timeout": fault.Transient,
	} {
		r := newRig(t, platforms[0], simchat.Options{})
		if err := r.sim.Fail(r.post, code, 1); err != nil {
			t.Fatal(err)
		}
		_, err := r.room.Post(t.Context(), r.place, full, "pd-1")
		if !fault.Is(err, want) {
			t.Errorf("%s: %v is %s, want %s", code, err, fault.Of(err), want)
		}
	}
}

func TestNothingAfterTheDeadline(t *testing.T) {
	onBoth(t, func(r *rig) {
		late, err := r.platform.room(network{"http://chat.test", r.sim.Transport(), func() time.Time { return time.Now().Add(time.Hour) }})
		if err != nil {
			r.t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
		defer cancel()
		_, posting := late.Post(ctx, r.place, full, "pd-1")
		editing := late.Edit(ctx, chat.Sent{Place: r.place, Name: map[chat.Platform]string{chat.Slack: "1.1", chat.Google: r.space + "/messages/m"}[r.name]}, full, "pd-1")
		for _, err := range []error{posting, editing} {
			if !fault.Is(err, fault.Transient) || !fault.IsUnsent(err) || !errors.Is(err, context.DeadlineExceeded) {
				r.t.Errorf("%v", err)
			}
		}
		if n := r.calls(r.post) + r.calls(r.edit); n != 0 {
			r.t.Errorf("%d sends", n)
		}
	})
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	onBoth(t, func(r *rig) {
		alone, err := r.platform.room(network{"http://" + l.Addr().String(), nil, nil})
		if err != nil {
			r.t.Fatal(err)
		}
		if _, err := alone.Post(r.t.Context(), r.place, full, "pd-1"); !fault.Is(err, fault.Transient) || !fault.IsUnsent(err) {
			r.t.Errorf("%v", err)
		}
	})
}

// What cannot be right is refused here, without a request.
func TestRefusedHere(t *testing.T) {
	onBoth(t, func(r *rig) {
		elsewhere := r.place
		elsewhere.Thread = map[chat.Platform]string{chat.Slack: "1.1&channel=C1", chat.Google: "spaces/OTHER/threads/t"}[r.name]
		long := strings.Repeat("x", 60_000)
		for what, post := range map[string]func() error{
			"the other platform": func() error { return r.attempt(chat.Place{Platform: "irc", Space: r.space}, full, "m") },
			"no space":           func() error { return r.attempt(chat.Place{Platform: r.name}, full, "m") },
			"a path as space":    func() error { return r.attempt(chat.Place{Platform: r.name, Space: r.space + "/../x"}, full, "m") },
			"a bad thread":       func() error { return r.attempt(elsewhere, full, "m") },
			"no marker":          func() error { return r.attempt(r.place, full, "") },
			"a long marker":      func() error { return r.attempt(r.place, full, long) },
			"nothing":            func() error { return r.attempt(r.place, chat.Post{Body: " \n"}, "m") },
			"too long":           func() error { return r.attempt(r.place, chat.Post{Body: long}, "m") },
			"fields":             func() error { return r.attempt(r.place, chat.Post{Body: "x", Fields: make([]chat.Field, 99)}, "m") },
			"a script as link": func() error {
				return r.attempt(r.place, chat.Post{Link: chat.Link{Text: "x", URL: "javascript:alert(1)"}}, "m")
			},
			"a link with a user": func() error {
				return r.attempt(r.place, chat.Post{Link: chat.Link{URL: "https://google.com@evil.test/"}}, "m")
			},
			"no action": func() error {
				return r.attempt(r.place, chat.Post{Body: "x", Buttons: []chat.Button{{Text: "x"}}}, "m")
			},
			"edit of a path": func() error {
				return r.room.Edit(r.t.Context(), chat.Sent{Place: r.place, Name: "../x"}, full, "m")
			},
			"find without marker": func() error { _, err := r.room.Find(r.t.Context(), r.place, "", time.Time{}); return err },
			"a path as file": func() error {
				return r.room.Download(r.t.Context(), chat.File{Ref: "../../spaces"}, 10, &bytes.Buffer{})
			},
			"a URL as file": func() error {
				return r.room.Download(r.t.Context(), chat.File{Ref: "http://169.254.169.254/?x"}, 10, &bytes.Buffer{})
			},
			"no file": func() error { return r.room.Download(r.t.Context(), chat.File{}, 10, &bytes.Buffer{}) },
		} {
			if err := post(); !fault.Is(err, fault.Invalid) || fault.Public(err) == "" {
				r.t.Errorf("%s: %v", what, err)
			}
		}
		if calls, _ := r.sim.Calls(); len(calls) != 0 {
			r.t.Errorf("sent %+v", calls)
		}
	})
}

func (r *rig) attempt(at chat.Place, p chat.Post, marker string) error {
	_, err := r.room.Post(r.t.Context(), at, p, marker)
	return err
}

// No error repeats what was said or who said it.
func TestErrorsAreQuiet(t *testing.T) {
	onBoth(t, func(r *rig) {
		for _, f := range []string{"status:400", "status:500", "commit_then_drop", "garbage"} {
			r.fault(r.post, f)
			_, err := r.room.Post(r.t.Context(), r.place, full, "pd-secret")
			for _, word := range []string{"checkout", "acme", "xoxb", "chat.test", "pd-secret"} {
				if err == nil || strings.Contains(err.Error(), word) {
					r.t.Errorf("%s: %v", f, err)
				}
			}
		}
	})
}
