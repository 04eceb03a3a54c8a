package alert

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// checkNotices: what a room reads is what the decoder of the source reads, in value and in every byte that is passed on.
func checkNotices(t *testing.T, room *Room, source string, body []byte) {
	t.Helper()
	decode, _ := byName(source)
	want, wantErr := decode(body)
	got, known, err := room.Notices(source, Message{Body: body})
	sameErr := (err == nil) == (wantErr == nil) && (source != SourceAlertmanager || fmt.Sprint(err) == fmt.Sprint(wantErr))
	if !known || !sameErr || len(got) != len(want) {
		t.Fatalf("%d notices, known %v, %v; the decoder has %d incidents, %v", len(got), known, err, len(want), wantErr)
	}
	for i := range got {
		in := got[i].Incident()
		if !reflect.DeepEqual(in, want[i]) {
			t.Errorf("the notice is %+v, the incident %+v", in, want[i])
		}
		if passed, whole := got[i].Append(nil), in.Append(nil); string(passed) != string(whole) {
			t.Errorf("passed on is %s\nwant %s", passed, whole)
		}
		checkPacked(t, in)
	}
	room.Clear()
	checkEmpty(t, room)
}

// checkEmpty: nothing of a notification is left in a room.
func checkEmpty(t *testing.T, room *Room) {
	t.Helper()
	for _, n := range room.nodes[:cap(room.nodes)] {
		if n != (node{}) {
			t.Fatalf("left in the room: %+v", n)
		}
	}
	for _, a := range room.alerts[:cap(room.alerts)] {
		if !reflect.ValueOf(a).IsZero() {
			t.Fatalf("left in the room: %+v", a)
		}
	}
	if !reflect.ValueOf(room.notice).IsZero() {
		t.Fatalf("left in the room: %+v", room.notice)
	}
}

// TestNotices reads everything there is in one room, whatever it is, refused or not: what was read before changes nothing.
func TestNotices(t *testing.T) {
	bodies := [][]byte{[]byte(odd), []byte(strings.Replace(odd, `"status":"firing"`, `"status":"?"`, 1)), usual(), nil}
	files, _ := filepath.Glob(filepath.Join("testdata", "*", "*.json"))
	for _, file := range files {
		bodies = append(bodies, readFile(t, file))
	}
	for _, c := range refusals {
		bodies = append(bodies, []byte(c.body))
	}
	var room Room
	for _, source := range Sources() {
		for _, body := range bodies {
			checkNotices(t, &room, source, body)
		}
	}
	if _, known, err := room.Notices("nagios", Message{}); known || err != nil {
		t.Errorf("a source without a decoder: %v, %v", known, err)
	}
}

// odd has in its labels all that is not copied as it is: no order, what must be escaped, null, numbers, long ones, the same alert twice, and
// alerts from another origin between alerts of one.
var odd = `{"version":"4","groupKey":"k","truncatedAlerts":1,"externalURL":"https://a.example.com","groupLabels":{"z":"1","a":null,"b":2,"both":"group"},
"commonLabels":{"ü":"<&>","a\"":"\\","both":"common","y":true,"u":"\u2028"},"commonAnnotations":{"runbook":"https://r.example.com/1","empty":""},"alerts":[` +
	strings.Join([]string{
		`{"status":"firing","startsAt":"2026-01-01T00:00:00Z","labels":{"b":"x","a":"y"},"annotations":{"runbook":"https://r.example.com/1"},"generatorURL":"https://g.example.com/?g0.expr=up%3C1"}`,
		`{"status":"Resolved","startsAt":"2026-01-01T00:00:00Z","endsAt":"2026-01-01T01:00:00+01:00","labels":{"b":"x","a":"y"},"generatorURL":"ftp://g.example.com"}`,
		`{"status":"firing","fingerprint":"ABCDEF0123456789","startsAt":"2026-01-01T00:00:00.5Z","labels":{"long":"` + strings.Repeat("ü", maxLabel) + `","n":-1.5e3,"` + strings.Repeat("n", maxName+1) + `":"v"},"annotations":{"runbook":"https://r.example.com/1"},"generatorURL":"https://g.example.com/?g0.expr=up%3C1"}`,
		`{"status":"firing","fingerprint":"abcdef012345678g","startsAt":"2026-01-01T00:00:00Z","labels":{"n":null},"annotations":{"runbook":"https://r.example.com/2","dashboard":"https://r.example.com/1"}}`,
		`{"status":"firing","fingerprint":"0000000000000001","startsAt":"2026-01-01T00:00:00Z","labels":null}`,
	}, ",") + `]}`

func TestARoomThatWasLargeIsGivenUp(t *testing.T) {
	var room Room
	alerts := strings.Repeat(`{"status":"firing","startsAt":"2026-01-01T00:00:00Z","labels":{"a":"b"}},`, 2000)
	if _, _, err := room.Notices(SourceAlertmanager, Message{Body: []byte(`{"version":"4","groupKey":"k","alerts":[` + alerts[:len(alerts)-1] + `]}`)}); err != nil {
		t.Fatal(err)
	}
	if room.Clear(); cap(room.nodes) > 0 || cap(room.alerts) > 0 {
		t.Errorf("room for %d nodes and %d alerts is kept", cap(room.nodes), cap(room.alerts))
	}
}
