package slack

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/providerdesk/providerdesk/shared/chat"
)

var update = flag.Bool("update", false, "write the golden files")

// posts are what the golden files show.
var posts = map[string]chat.Post{
	"case": {
		Title: "P1 Case 12345: checkout is down", Body: "HighErrorRate on checkout: 12 % > 5 %\n  - pod a\n  - pod b & c",
		Fields:  []chat.Field{{Name: "Priority", Value: "P1"}, {Name: "Tenant", Value: "acme"}, {Name: "Empty", Value: ""}},
		Link:    chat.Link{Text: "Open the <case>", URL: "https://desk.test/cases/1?a=b&c=d|e"},
		Buttons: []chat.Button{{Text: "Escalate", Action: "escalate", Value: "12345", Danger: true}, {Text: "Close", Action: "close", Value: "1"}, {Text: "Close all", Action: "close", Value: "2"}},
	},
	"comment": {Body: "Support wrote:\n> please send logs\n*bold* <!channel> @here"},
	"title":   {Title: "Nothing but\na title"},
	"link":    {Link: chat.Link{URL: "https://desk.test/"}},
}

func TestGolden(t *testing.T) {
	for name, p := range posts {
		text, blocks, err := render(p)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(map[string]any{"text": text, "blocks": blocks}); err != nil {
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
