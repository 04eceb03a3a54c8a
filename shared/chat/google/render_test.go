package google

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
)

var update = flag.Bool("update", false, "write the golden files")

// posts are what the golden files show.
var posts = map[string]chat.Post{
	"case": {
		Title: "P1 Case 12345: checkout is down", Body: "HighErrorRate on checkout: 12 % > 5 %\n  - pod a\n  - pod b & c",
		Fields:  []chat.Field{{Name: "Priority", Value: "P1"}, {Name: "Tenant", Value: "<acme>"}},
		Link:    chat.Link{Text: "Open the <case>", URL: "https://desk.test/cases/1?a=b&c=d|e"},
		Buttons: []chat.Button{{Text: "Escalate", Action: "escalate", Value: "12345", Danger: true}, {Text: "Close", Action: "close", Value: "1"}},
	},
	"comment": {Body: "Support wrote:\n> please send logs\n*bold* <users/all> <a href='https://evil.test'>bank</a>"},
	"title":   {Title: "Nothing but\na *title*"},
	"link":    {Link: chat.Link{URL: "https://desk.test/"}},
}

func TestGolden(t *testing.T) {
	for name, p := range posts {
		callback := ""
		if name == "case" {
			callback = "https://desk.test/ChatWebhook/google"
		}
		m, err := (&Room{callback: callback}).render(p)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(m); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name+".json")
		if *update {
			if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(want, b.Bytes()) {
			t.Errorf("%s: %v\n%s", name, err, b.Bytes())
		}
	}
}

// Every page of a body fits, whatever it is made of, beside as much else as a post may have.
func TestLargest(t *testing.T) {
	for _, r := range []string{"x", "&", "<", "\"", "'", "\n.", "🙂", "日", "\\"} {
		p := chat.Post{
			Title: strings.Repeat(r, 500), Body: strings.Repeat(r, 20_000),
			Fields:  []chat.Field{{Name: strings.Repeat(r, 100), Value: strings.Repeat(r, 1000)}, {Name: "n", Value: "v"}},
			Buttons: []chat.Button{{Text: strings.Repeat(r, 100), Action: "a", Value: strings.Repeat("v", maxValue)}},
		}
		room := &Room{}
		for i, page := range room.Pages(p) {
			if _, err := room.render(page); err != nil {
				t.Errorf("%q: page %d: %v", r, i, err)
			}
		}
	}
}

func TestIDs(t *testing.T) {
	a, b := idOf("pd-1"), idOf("pd-2")
	if a == b || a != idOf("pd-1") || len(a) > 63 || strings.Trim(a, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || !strings.HasPrefix(a, "client-") {
		t.Errorf("%s, %s", a, b)
	}
	here, again := requestOf(chat.Place{Space: "spaces/A"}, "m"), requestOf(chat.Place{Space: "spaces/A"}, "m")
	if there := requestOf(chat.Place{Space: "spaces/B"}, "m"); here != again || here == there || len(here) != 36 {
		t.Errorf("%s, %s, %s", here, again, there)
	}
}

func TestNewRoom(t *testing.T) {
	for _, o := range []RoomOptions{{}, {HTTP: nil, Callback: "https://x"}} {
		if _, err := NewRoom(o); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
