package commands

import (
	"reflect"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/fault"
)

func TestParse(t *testing.T) {
	const name = "projects/acme-prod/cases/12345678"
	for _, tt := range []struct {
		text   string
		thread bool
		want   Command
	}{
		{"help", false, Command{Verb: Help}},
		{"HELP Close", false, Command{Verb: Help, What: Close}},
		{"help nonsense", false, Command{Verb: Help}},
		{"create Disk full", false, Command{Verb: Create, Title: "Disk full"}},
		{"create at google p1 Disk full\nSince ten.\n\nAll of them.", false, Command{Verb: Create, Desk: "google", Priority: "P1", Title: "Disk full", Text: "Since ten.\n\nAll of them."}},
		{`create P2 "Disk  full" Since ten.`, false, Command{Verb: Create, Priority: "P2", Title: "Disk full", Text: "Since ten."}},
		{`create “Disk full” “Since "ten”`, false, Command{Verb: Create, Title: "Disk full", Text: `“Since "ten”`}},
		{`create "P1" at the door`, false, Command{Verb: Create, Title: "P1", Text: "at the door"}},
		{"comment 12345678 Look at it", false, Command{Verb: Comment, Case: "12345678", Text: "Look at it"}},
		{"comment 12345678 is the instance", true, Command{Verb: Comment, Text: "12345678 is the instance"}},
		{"comment #12345678 is the instance", true, Command{Verb: Comment, Case: "12345678", Text: "is the instance"}},
		{"comment " + name + ` "said "twice""`, true, Command{Verb: Comment, Case: name, Text: `"said "twice""`}},
		{"comment \"several\r\nlines, \\\"quoted\\\"\"", true, Command{Verb: Comment, Text: "several\nlines, \"quoted\""}},
		{"attach", true, Command{Verb: Attach}},
		{"list", false, Command{Verb: List}},
		{"list all at hub P3 page 2", false, Command{Verb: List, All: true, Desk: "hub", Priority: "P3", Page: 2}},
		{"show #7", false, Command{Verb: Show, Case: "7"}},
		{"priority 7 p0", false, Command{Verb: Priority, Case: "7", Priority: "P0"}},
		{"priority P3", true, Command{Verb: Priority, Priority: "P3"}},
		{"subscribe 7 a@example.com, b@example.com a@example.com", false, Command{Verb: Subscribe, Case: "7", Addresses: []string{"a@example.com", "b@example.com"}}},
		{"escalate business-impact The shop is down.", true, Command{Verb: Escalate, Reason: "BUSINESS_IMPACT", Text: "The shop is down."}},
		{"close", true, Command{Verb: Close}},
		{"close orgs/o-1/support-requests/abc", false, Command{Verb: Close, Case: "orgs/o-1/support-requests/abc"}},
		{"report at hub", false, Command{Verb: Report, Desk: "hub"}},
		{"release all at google", false, Command{Verb: Release, What: "all at google"}},
		{"Confirm", false, Command{Verb: Confirm}},
		{"cancel", true, Command{Verb: Cancel}},
		{"approve", true, Command{Verb: Approve}},
	} {
		got, err := Parse(tt.text, tt.thread)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%q: %+v, %v; want %+v", tt.text, got, err, tt.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct {
		text   string
		thread bool
		says   string
	}{
		{"", true, "do not know"},
		{"reboot", true, "do not know"},
		{`"close"`, true, "do not know"},
		{"close", false, "Name the case"},
		{"close now please", true, "do not understand"},
		{"comment", true, "no text"},
		{`comment ""`, true, "no text"},
		{"comment #7", true, "no text"},
		{"create", false, "no title"},
		{`create ""`, false, "no title"},
		{`create "open`, false, "not closed"},
		{"create at", false, "name of a desk"},
		{"create " + strings.Repeat("x", maxTitle+1), false, "longer than 250"},
		{"list page x", false, "a number"},
		{"list of things", false, "do not understand"},
		{"report P1", false, "all priorities"},
		{"priority", true, "P0, P1"},
		{"priority P5", true, "P0, P1"},
		{"subscribe", true, "e-mail addresses"},
		{"subscribe anna", true, "e-mail addresses"},
		{"escalate", true, "BUSINESS_IMPACT"},
		{"escalate now", true, "BUSINESS_IMPACT"},
		{"escalate BUSINESS_IMPACT", true, "Say why"},
		{"release", false, "Say what"},
		{"approve it", true, "do not understand"},
		{"comment " + strings.Repeat("x", maxText+1), true, "attach it as a file"},
	} {
		c, err := Parse(tt.text, tt.thread)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.Public(err), tt.says) {
			t.Errorf("%.40q: %+v, %v; want %q", tt.text, c, err, tt.says)
		}
	}
}

// FuzzParse: whatever is written, nothing panics; what is a command is written so that it is read as the same one, in a thread and outside.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"help", "create at google P1 \"a\\\"b\" c\nd", "comment #7 “x”", "list all P2 page 3", "subscribe 7 a@example.com", "escalate 7 business-impact why\\",
		"release a b", "priority orgs/o/support-requests/1 p2", "comment \"\\", "create P1 at google x\r\n\x00y", "close 7"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, text string, thread bool) {
		c, err := Parse(text, thread)
		if err != nil {
			if fault.Public(err) == "" {
				t.Errorf("%q: an error without a sentence: %v", text, err)
			}
			return
		}
		again, err := Parse(c.String(), thread)
		if err != nil && strings.Contains(err.Error(), "longer than 120000") {
			return // the quotes made it so
		}
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Errorf("%q is %+v, written %q, and then %+v, %v", text, c, c.String(), again, err)
		}
		if !thread && needsCase(c.Verb) && c.Case == "" {
			t.Errorf("%q names no case", text)
		}
	})
}
