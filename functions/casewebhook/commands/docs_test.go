package commands_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/functions/casewebhook/commands"
	"github.com/providerdesk/providerdesk/shared/config"
)

var (
	blocks   = regexp.MustCompile("(?s)```([a-z]*)\n(.*?)```")
	examples = regexp.MustCompile("`(/desk|@desk) ([^`]+)`")
)

// TestDocumentedCommands holds docs/chat.md to what is read here: its configuration, its request, its commands, and that none is missing.
func TestDocumentedCommands(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "chat.md"))
	if err != nil {
		t.Fatal(err)
	}
	var c *config.Config
	seen, verbs := map[string]int{}, map[string]bool{}
	read := func(words string, inThread bool) {
		t.Helper()
		cmd, err := commands.Parse(words, inThread)
		if err != nil {
			t.Errorf("%q: %v", words, err)
		}
		verbs[cmd.Verb] = true
	}
	for _, b := range blocks.FindAllStringSubmatch(string(page), -1) {
		switch seen[b[1]]++; b[1] {
		case "yaml":
			if c, err = config.Parse("chat.md", []byte(b[2]), func(string) (string, bool) { return "secret-0123456789", true }); err != nil {
				t.Fatal(err)
			}
		case "json":
			r, err := commands.DecodeRequest([]byte(b[2]))
			if err != nil {
				t.Fatal(err)
			}
			if r.Sender = c.Senders[0].Name; commands.Admit(c, r) != nil {
				t.Error(commands.Admit(c, r))
			}
		default:
			read(strings.TrimPrefix(b[2], "@desk "), false)
		}
	}
	for _, e := range examples.FindAllStringSubmatch(string(page), -1) {
		read(e[2], e[1] == "@desk")
	}
	if seen["yaml"] != 1 || seen["json"] != 1 || seen[""] != 1 {
		t.Errorf("blocks %v", seen)
	}
	for _, u := range commands.Usages {
		if !verbs[u.Verb] {
			t.Errorf("%s has no example", u.Verb)
		}
		if cmd, err := commands.Parse(u.Example, false); err != nil || cmd.Verb != u.Verb {
			t.Errorf("the help's example of %s: %+v, %v", u.Verb, cmd, err)
		}
		if strings.Count(string(page), "`"+u.Verb+"`") == 0 && !strings.Contains(string(page), "desk "+u.Verb) {
			t.Errorf("%s is not on the page", u.Verb)
		}
	}
}
