package alert

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// payload is a file of the sample payloads and what becomes of it. want has a line for each incident: the source, a hash of the key (the files
// belong to others), the status, the severity, the number of alerts and, if any, what was left out and whether it is a test; or "refused: "
// and a part of the sentence.
type payload struct{ as, want string }

// Ways to read a file beside the sources.
const (
	asChat   = "chat"   // a person in chat: other packages read it, and Any refuses it
	asEvent  = "event"  // an envelope without an alert: package event reads it, and Any refuses it
	asVector = "vector" // of a signature: package signature verifies it, and Any refuses it
	asText   = "text"   // a description or a log, for people: Any refuses it
)

func payloadFolder() string {
	if dir, ok := os.LookupEnv("PROVIDERDESK_PAYLOADS"); ok {
		return dir
	}
	return "../../../shared/payloads"
}

// TestPayloads reads every file of the sample payloads. One that the table does not know fails.
func TestPayloads(t *testing.T) {
	files, err := os.ReadDir(payloadFolder())
	if os.IsNotExist(err) {
		t.Skip("the sample payloads are not here; set PROVIDERDESK_PAYLOADS to their folder")
	}
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, f := range files {
		there[f.Name()] = true
		t.Run(f.Name(), func(t *testing.T) { readPayload(t, f.Name()) })
	}
	for name := range payloads {
		if !there[name] {
			t.Errorf("%s is in the table but not in the folder", name)
		}
	}
}

func readPayload(t *testing.T, name string) {
	p, ok := payloads[name]
	if !ok && name != "SOURCES.md" {
		t.Fatal("the table does not know this file; say what becomes of it")
	}
	body := readFile(t, filepath.Join(payloadFolder(), name))
	if p.as == asEvent {
		if got := envelope(t, body); !same(got, p.want) {
			t.Errorf("\n got %q\nwant %q", got, p.want)
		}
	}
	decode, ok := ByName(p.as)
	if !ok {
		if any := outcome(t, Any, Message{Body: body}); !strings.HasPrefix(any, "refused: ") {
			t.Errorf("Any takes it for %s", any)
		}
		return
	}
	m := Message{Body: body}
	if p.as == SourceBudget {
		m.Body = encodedData(t, body)
	}
	got := outcome(t, decode, m)
	if !same(got, p.want) {
		t.Errorf("\n got %q\nwant %q", got, p.want)
	}
	if any := outcome(t, Any, m); any != got && !strings.HasPrefix(got, "refused: ") || strings.HasPrefix(any, "refused: ") != strings.HasPrefix(got, "refused: ") {
		t.Errorf("Any says %q", any)
	}
}

// same compares incidents as a whole and sentences by a part of them.
func same(got, want string) bool {
	if part, ok := strings.CutPrefix(want, "refused: "); ok {
		return strings.HasPrefix(got, "refused: ") && part != "" && strings.Contains(got, part)
	}
	return got == want
}

func outcome(t *testing.T, decode Decoder, m Message) string {
	t.Helper()
	list, err := decode(m)
	if err != nil {
		checkRefusal(t, err)
		return "refused: " + fault.Public(err)
	}
	var lines []string
	for _, in := range list {
		checkIncident(t, in)
		lines = append(lines, in.Source+" "+hashed(in.Key)+" "+told(in))
	}
	if len(lines) == 0 {
		return "nothing"
	}
	return strings.Join(lines, "\n")
}

func told(in Incident) string {
	s := fmt.Sprintf("%s %s %d", in.Status, in.Severity, len(in.Alerts))
	if in.Omitted > 0 {
		s += fmt.Sprintf(" of %d", len(in.Alerts)+in.Omitted)
	}
	if in.Test {
		s += " test"
	}
	return s
}

func hashed(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:4])
}

// envelope tells what package event makes of a file: a push, or a structured CloudEvent.
func envelope(t *testing.T, body []byte) string {
	t.Helper()
	h := http.Header{}
	if bytes.Contains(body, []byte(`"specversion"`)) {
		h.Set("Content-Type", mediaEvent)
	}
	e, err := event.Parse(h, body)
	if err != nil {
		return "refused: " + fault.Public(err)
	}
	return fmt.Sprintf("%d bytes, %d attributes", len(e.Data), len(e.Attributes))
}

// encodedData puts the data of a push whose documentation shows it decoded into base64, as it is on the wire.
func encodedData(t *testing.T, body []byte) []byte {
	t.Helper()
	var push map[string]any
	if err := json.Unmarshal(body, &push); err != nil {
		t.Fatal(err)
	}
	message := push["message"].(map[string]any)
	data, err := json.Marshal(message["data"])
	if err != nil {
		t.Fatal(err)
	}
	message["data"] = data // []byte is base64 in JSON
	out, err := json.Marshal(push)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestBatchIsItsEvents: a batch is the events in it, in their order.
func TestBatchIsItsEvents(t *testing.T) {
	const one = `{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"key":"a","title":"A"}}`
	const two = `{"specversion":"1.0","id":"2","source":"/s","type":"t","time":"2026-01-01T00:00:00Z","data":{"title":"B"}}`
	a, err := CloudEvents(Message{Body: []byte(one)})
	if err != nil {
		t.Fatal(err)
	}
	b, err := CloudEvents(Message{Body: []byte(two)})
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"[" + one + "," + two + "]", "\n [" + one + "," + two + "," + one + "]"} {
		got, err := CloudEvents(Message{Body: []byte(body)})
		if err != nil || !reflect.DeepEqual(got, append(a[:1:1], b...)) {
			t.Errorf("%v, %+v", err, got)
		}
	}
	if b[0].Key != "/s 2" || b[0].Alerts[0].Starts.IsZero() || b[0].Source != SourceCloudEvents {
		t.Errorf("%+v", b[0])
	}
}
