// Package desktest is the suite that every desk.Desk passes: a subtest for each sentence of package desk's contract that can be seen from
// outside. What happens on the wire, one send and the class of each failure, is for the tests of the implementation.
package desktest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// Setup is an empty desk under test.
type Setup struct {
	Desk         desk.Desk
	Draft        desk.Draft         // a draft that the desk takes, with two subscribers if it has any; the suite writes title, description and priority
	Lag          func(lagging bool) // makes the text search fall behind, and catch up again; nil: this desk's search does not lag
	NoFiles      bool               // attachments are fault.Invalid
	NoDownload   bool               // a download is fault.Invalid, and the size of a listed file 0
	NoEscalation bool               // an escalation is fault.Invalid
	NoChange     bool               // any change is fault.Invalid
	Alone        bool               // a second case with the marker of another is opened, and cannot be told from it
	Other        desk.Priority      // a priority beside P2 that the desk takes
}

// Test runs the suite. open returns a desk of its own at each call.
func Test(t *testing.T, open func(t *testing.T) Setup) {
	for _, tt := range []struct {
		name string
		run  func(*testing.T, Setup)
	}{
		{"open returns what was asked for", testOpen},
		{"find by marker", testFind},
		{"find while the search lags", testLag},
		{"comments", testComments},
		{"the limit of a comment", testCommentLimit},
		{"25 cases", testMany},
		{"filters", testFilters},
		{"a change touches only what it names", testChange},
		{"a change of nothing", testChangeNothing},
		{"close twice", testClose},
		{"escalate", testEscalate},
		{"files", testFiles},
		{"what does not exist", testMissing},
		{"a context that ended", testContext},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, open(t)) })
	}
}

// file opens a case whose description holds marker, and fails the test if it cannot.
func (s Setup) file(t *testing.T, title, marker string, p desk.Priority) desk.Case {
	t.Helper()
	c, err := s.Desk.Open(t.Context(), s.draft(title, marker, p))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return c
}

func (s Setup) draft(title, marker string, p desk.Priority) desk.Draft {
	d := s.Draft
	d.Title, d.Description, d.Priority = title, "Something is broken.\n\n["+marker+" attempt=1]", p
	return d
}

func testOpen(t *testing.T, s Setup) {
	d := s.draft("Disk full", "REF7K3Q", "P2")
	c, err := s.Desk.Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if c.Title != d.Title || c.Description != d.Description || c.Priority != d.Priority || c.Classification != d.Classification || c.Test != d.Test {
		t.Errorf("opened %+v, asked for %+v", c, d)
	}
	if !slices.Equal(c.Subscribers, d.Subscribers) || c.State != desk.New || c.Name == "" || c.Created.IsZero() || c.Creator.Email == "" || c.Creator.Desk {
		t.Errorf("opened %+v", c)
	}
	got, err := s.Desk.Case(t.Context(), c.Name)
	if err != nil || got.Name != c.Name || got.Description != c.Description {
		t.Errorf("read back %+v, %v", got, err)
	}
}

func testFind(t *testing.T, s Setup) {
	older := s.file(t, "older", "REF7K3Q", "P2")
	s.file(t, "longer marker", "REF7K3QX", "P2")
	s.file(t, "glued marker", "XREF7K3Q", "P2")
	want := []string{older.Name}
	if !s.Alone {
		want = append(want, s.file(t, "newer", "REF7K3Q", "P2").Name)
	}
	about := s.file(t, "marker in the title: REF7K3Q", "REFOTHER", "P2")
	if _, err := s.Desk.Comment(t.Context(), about.Name, "see REF7K3Q"); err != nil {
		t.Fatal(err)
	}
	for _, thorough := range []bool{false, true} {
		expect(t, fmt.Sprintf("thorough %v", thorough), find(t, s, "REF7K3Q", thorough), want...)
		expect(t, fmt.Sprintf("unknown, thorough %v", thorough), find(t, s, "REFNONE", thorough))
	}
	if _, err := s.Desk.Find(t.Context(), `REF" OR "`, false); !fault.Is(err, fault.Invalid) {
		t.Errorf("a marker that is no word: %v", err)
	}
}

func find(t *testing.T, s Setup, marker string, thorough bool) []desk.Case {
	t.Helper()
	found, err := s.Desk.Find(t.Context(), marker, thorough)
	if err != nil {
		t.Fatalf("find: %v", err)
	}
	return found
}

func expect(t *testing.T, what string, got []desk.Case, names ...string) {
	t.Helper()
	var have []string
	for _, c := range got {
		have = append(have, c.Name)
	}
	if !slices.Equal(have, names) {
		t.Errorf("%s: %q, want %q", what, have, names)
	}
}

func testLag(t *testing.T, s Setup) {
	if s.Lag == nil {
		return // nothing lags: testFind has said all
	}
	s.Lag(true)
	c := s.file(t, "late", "REF7K3Q", "P2")
	expect(t, "search alone", find(t, s, "REF7K3Q", false))
	expect(t, "thorough", find(t, s, "REF7K3Q", true), c.Name)
	s.Lag(false)
	expect(t, "search caught up", find(t, s, "REF7K3Q", false), c.Name)
}

func testComments(t *testing.T, s Setup) {
	c := s.file(t, "talk", "REF7K3Q", "P2")
	var want []string
	for i := range 25 {
		body := fmt.Sprintf("comment %d: größer, 日本語", i)
		got, err := s.Desk.Comment(t.Context(), c.Name, body)
		if err != nil || got.Body != body || got.Name == "" || got.Author.Desk {
			t.Fatalf("comment: %+v, %v", got, err)
		}
		want = append(want, body)
	}
	all, err := s.Desk.Comments(t.Context(), c.Name)
	var have []string
	for _, k := range all {
		have = append(have, k.Body)
	}
	if err != nil || !slices.Equal(have, want) {
		t.Errorf("comments %q, %v; want %q", have, err, want)
	}
}

func testCommentLimit(t *testing.T, s Setup) {
	c := s.file(t, "talk", "REF7K3Q", "P2")
	limit := s.Desk.CommentLimit()
	for n, ok := range map[int]bool{0: false, 1: true, limit: true, limit + 1: false} {
		_, err := s.Desk.Comment(t.Context(), c.Name, strings.Repeat("é", n))
		if ok != (err == nil) || !ok && !fault.Is(err, fault.Invalid) {
			t.Errorf("%d characters: %v", n, err)
		}
	}
	if all, err := s.Desk.Comments(t.Context(), c.Name); err != nil || len(all) != 2 {
		t.Errorf("%d comments, %v; want 2", len(all), err)
	}
}

func testMany(t *testing.T, s Setup) {
	var names []string
	for i := range 25 {
		marker := "REF7K3Q"
		if s.Alone {
			marker += fmt.Sprint(i)
		}
		names = append(names, s.file(t, fmt.Sprint("case ", i), marker, "P2").Name)
	}
	expect(t, "list", list(t, s, desk.Filter{}), names...)
	if !s.Alone {
		expect(t, "find", find(t, s, "REF7K3Q", false), names...)
		expect(t, "find thoroughly", find(t, s, "REF7K3Q", true), names...)
	}
}

func list(t *testing.T, s Setup, f desk.Filter) []desk.Case {
	t.Helper()
	found, err := s.Desk.List(t.Context(), f)
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	return found
}

func testFilters(t *testing.T, s Setup) {
	a := s.file(t, "a", "REFA", "P2")
	b := s.file(t, "b", "REFB", s.Other)
	c := s.file(t, "c", "REFC", "P2")
	if _, err := s.Desk.Close(t.Context(), c.Name); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		f    desk.Filter
		want []string
	}{
		{desk.Filter{}, []string{a.Name, b.Name, c.Name}},
		{desk.Filter{Open: true}, []string{a.Name, b.Name}},
		{desk.Filter{Priority: "P2"}, []string{a.Name, c.Name}},
		{desk.Filter{Mine: true}, []string{a.Name, b.Name, c.Name}},
		{desk.Filter{Open: true, Priority: "P2", Mine: true}, []string{a.Name}},
	} {
		expect(t, fmt.Sprintf("%+v", tt.f), list(t, s, tt.f), tt.want...)
	}
}

func testChange(t *testing.T, s Setup) {
	c := s.file(t, "before", "REF7K3Q", "P2")
	title, subscribers := "after", []string{"new@example.com"}
	if s.NoChange {
		for _, change := range []desk.Change{{Title: &title}, {Priority: &s.Other}, {Subscribers: &subscribers}} {
			if _, err := s.Desk.Change(t.Context(), c.Name, change); !fault.Is(err, fault.Invalid) {
				t.Errorf("change %+v: %v", change, err)
			}
		}
		return
	}
	for _, tt := range []struct {
		name   string
		change desk.Change
		apply  func(*desk.Case)
	}{
		{"priority", desk.Change{Priority: &s.Other}, func(c *desk.Case) { c.Priority = s.Other }},
		{"title", desk.Change{Title: &title}, func(c *desk.Case) { c.Title = title }},
		{"subscribers", desk.Change{Subscribers: &subscribers}, func(c *desk.Case) { c.Subscribers = subscribers }},
		{"no subscribers", desk.Change{Subscribers: new([]string)}, func(c *desk.Case) { c.Subscribers = nil }},
	} {
		tt.apply(&c)
		if _, err := s.Desk.Change(t.Context(), c.Name, tt.change); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		got, err := s.Desk.Case(t.Context(), c.Name)
		if err != nil {
			t.Fatal(err)
		}
		if got.Title != c.Title || got.Priority != c.Priority || !slices.Equal(got.Subscribers, c.Subscribers) || got.Description != c.Description || got.State != c.State {
			t.Errorf("%s: case is %+v, want %+v", tt.name, got, c)
		}
	}
}

func testChangeNothing(t *testing.T, s Setup) {
	c := s.file(t, "as it is", "REF7K3Q", "P2")
	empty := ""
	for _, change := range []desk.Change{{}, {Title: &empty}, {Priority: new(desk.Priority)}} {
		if _, err := s.Desk.Change(t.Context(), c.Name, change); !fault.Is(err, fault.Invalid) {
			t.Errorf("change %+v: %v", change, err)
		}
	}
}

func testClose(t *testing.T, s Setup) {
	c := s.file(t, "done", "REF7K3Q", "P2")
	got, err := s.Desk.Close(t.Context(), c.Name)
	if err != nil || got.State != desk.Closed {
		t.Fatalf("close: %+v, %v", got, err)
	}
	if _, err := s.Desk.Close(t.Context(), c.Name); err != nil && !fault.Is(err, fault.Conflict) {
		t.Errorf("close again: %v", err)
	}
	if got, err := s.Desk.Case(t.Context(), c.Name); err != nil || got.State != desk.Closed {
		t.Errorf("after closing twice: %+v, %v", got, err)
	}
	expect(t, "find a closed case", find(t, s, "REF7K3Q", false), c.Name)
}

func testEscalate(t *testing.T, s Setup) {
	c := s.file(t, "urgent", "REF7K3Q", "P2")
	got, err := s.Desk.Escalate(t.Context(), c.Name, desk.Escalation{Reason: "BUSINESS_IMPACT", Justification: "The shop is closed."})
	if s.NoEscalation {
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("escalate: %v", err)
		}
		return
	}
	if err != nil || !got.Escalated {
		t.Errorf("escalate: %+v, %v", got, err)
	}
	for _, e := range []desk.Escalation{{}, {Reason: "MOOD", Justification: "x"}, {Reason: "BUSINESS_IMPACT"}} {
		if _, err := s.Desk.Escalate(t.Context(), c.Name, e); !fault.Is(err, fault.Invalid) {
			t.Errorf("escalate %+v: %v", e, err)
		}
	}
}

var errFull = errors.New("full")

// full is a writer with room for some bytes.
type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func testFiles(t *testing.T, s Setup) {
	c := s.file(t, "evidence", "REF7K3Q", "P2")
	content := bytes.Repeat([]byte("\x00\xff--boundary\r\n"), 30_000)
	a, err := s.Desk.Attach(t.Context(), c.Name, "core dump.bin", "application/x-core", bytes.NewReader(content))
	if s.NoFiles {
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("attach: %v", err)
		}
		return
	}
	if err != nil || a.File != "core dump.bin" || a.Bytes != int64(len(content)) {
		t.Fatalf("attach: %+v, %v", a, err)
	}
	if _, err := s.Desk.Attach(t.Context(), c.Name, "empty.txt", "text/plain", strings.NewReader("")); err != nil {
		t.Fatalf("attach an empty file: %v", err)
	}
	all, err := s.Desk.Attachments(t.Context(), c.Name)
	if err != nil || len(all) != 2 || all[0].Name != a.Name || all[1].Bytes != 0 {
		t.Fatalf("attachments %+v, %v", all, err)
	}
	var got bytes.Buffer
	if s.NoDownload {
		if err := s.Desk.Download(t.Context(), a.Name, &got); !fault.Is(err, fault.Invalid) || got.Len() != 0 {
			t.Errorf("download: %v", err)
		}
		return
	}
	if err := s.Desk.Download(t.Context(), a.Name, &got); err != nil || !bytes.Equal(got.Bytes(), content) {
		t.Errorf("download: %d bytes, %v; want %d", got.Len(), err, len(content))
	}
	if err := s.Desk.Download(t.Context(), a.Name, &full{room: 1000}); !errors.Is(err, errFull) {
		t.Errorf("download to a writer that is full: %v", err)
	}
}

func testMissing(t *testing.T, s Setup) {
	c := s.file(t, "here", "REF7K3Q", "P2")
	gone := c.Name[:len(c.Name)-1] + map[bool]string{true: "1", false: "0"}[strings.HasSuffix(c.Name, "0")]
	for name, kinds := range map[string][]fault.Kind{
		gone:                  {fault.Missing, fault.Denied},
		"":                    {fault.Invalid},
		"cases":               {fault.Invalid},
		c.Name + "/../../../": {fault.Invalid},
		c.Name + "?alt=media": {fault.Invalid},
		c.Name + ":close":     {fault.Invalid},
	} {
		for what, err := range s.everything(t.Context(), name) {
			if !slices.Contains(kinds, fault.Of(err)) {
				t.Errorf("%s %q: %v, want one of %q", what, name, err, kinds)
			}
		}
	}
}

// everything does to a case what can be done to one, and returns the errors.
func (s Setup) everything(ctx context.Context, name string) map[string]error {
	errs := map[string]error{}
	_, errs["case"] = s.Desk.Case(ctx, name)
	_, errs["comment"] = s.Desk.Comment(ctx, name, "hello")
	_, errs["comments"] = s.Desk.Comments(ctx, name)
	_, errs["close"] = s.Desk.Close(ctx, name)
	if !s.NoChange {
		_, errs["change"] = s.Desk.Change(ctx, name, desk.Change{Priority: &s.Other})
	}
	if !s.NoEscalation {
		_, errs["escalate"] = s.Desk.Escalate(ctx, name, desk.Escalation{Reason: "BUSINESS_IMPACT", Justification: "x"})
	}
	if !s.NoFiles {
		_, errs["attach"] = s.Desk.Attach(ctx, name, "a.txt", "text/plain", strings.NewReader("a"))
		_, errs["attachments"] = s.Desk.Attachments(ctx, name)
	}
	if !s.NoFiles && !s.NoDownload {
		errs["download"] = s.Desk.Download(ctx, name+"/attachments/1", io.Discard)
	}
	return errs
}

func testContext(t *testing.T, s Setup) {
	c := s.file(t, "here", "REF7K3Q", "P2")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	errs := s.everything(ctx, c.Name)
	_, errs["open"] = s.Desk.Open(ctx, s.draft("never", "REFNEVER", "P2"))
	_, errs["find"] = s.Desk.Find(ctx, "REF7K3Q", true)
	_, errs["list"] = s.Desk.List(ctx, desk.Filter{})
	for what, err := range errs {
		if !fault.Is(err, fault.Transient) || !fault.IsUnsent(err) {
			t.Errorf("%s: kind %q, unsent %v: %v", what, fault.Of(err), fault.IsUnsent(err), err)
		}
	}
	expect(t, "after all that", list(t, s, desk.Filter{}), c.Name)
}
