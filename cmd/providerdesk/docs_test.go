package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/providerdesk/providerdesk/shared/config"
)

// TestDocumentedCommands: every command line of ours in README.md and in the pages below docs, in a block or within a line, is one that this
// command understands: the command is there, and so are its flags. What a person must fill in stands in capitals and is no flag.
func TestDocumentedCommands(t *testing.T) {
	lines := documented(t, filepath.Join("..", ".."))
	if len(lines) < 20 {
		t.Fatalf("only %d command lines are documented: they are not found", len(lines))
	}
	for line, page := range lines {
		if err := understood(strings.Fields(line)); err != nil {
			t.Errorf("%s has `providerdesk %s`: %v", page, line, err)
		}
	}
	for _, wrong := range []string{"frobnicate", "exports frobnicate", "exports list --frobnicate", "cases list -x"} {
		if understood(strings.Fields(wrong)) == nil {
			t.Errorf("%q would not be noticed", wrong)
		}
	}
}

// inCode finds command lines: a line of a block, indented or fenced, or a span within a text.
var inCode = regexp.MustCompile("(?m)^(?:    |)(?:\\$ )?(?:go run \\./cmd/)?providerdesk ([a-z][^`\n]*)$|`(?:go run \\./cmd/)?providerdesk ([a-z][^`]*)`")

// documented are the command lines without their first word, and the pages that they are on.
func documented(t *testing.T, root string) map[string]string {
	t.Helper()
	lines := map[string]string{}
	read := func(page string) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range inCode.FindAllStringSubmatch(string(text), -1) {
			lines[strings.TrimSpace(untilComment(found[1]+found[2]))] = page
		}
	}
	read(filepath.Join(root, "README.md"))
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".md" {
			read(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// untilComment is a line up to what a shell does not give to the command.
func untilComment(line string) string {
	for _, end := range []string{" #", " |", " <", " >", " &"} {
		line, _, _ = strings.Cut(line, end)
	}
	return line
}

// understood says why a command line is none of ours.
func understood(args []string) error {
	var words []string
	for _, a := range args {
		if a != "..." && a != "…" {
			words = append(words, strings.Trim(a, "[]"))
		}
	}
	started := false
	root := cli{}.program(&bytes.Buffer{}, &bytes.Buffer{}).command(&started)
	c, rest, err := root.Find(words)
	switch {
	case err != nil:
		return err
	case c == root:
		return errors.New("there is no such command")
	case c.HasSubCommands() && len(rest) > 0 && !strings.HasPrefix(rest[0], "-"):
		return errors.New("there is no such command below " + c.CommandPath())
	}
	c.InitDefaultHelpFlag()
	return ignoringValues(c, rest)
}

// ignoringValues parses flags. A value in capitals stands for one that a person fills in, which may be a number.
func ignoringValues(c *cobra.Command, args []string) error {
	for i, a := range args {
		if regexp.MustCompile(`^[A-Z]+$`).MatchString(a) && i > 0 && strings.HasPrefix(args[i-1], "--") {
			if f := c.Flags().Lookup(strings.TrimPrefix(args[i-1], "--")); f != nil && f.Value.Type() == "int" {
				args[i] = "1"
			}
		}
	}
	return c.ParseFlags(args)
}

// TestDocumentedBilling: the section billing of docs/exports.md is one that is understood, and has every key that there is.
func TestDocumentedBilling(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "exports.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	section, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("the page has no configuration")
	}
	base, err := os.ReadFile(filepath.Join("testdata", "good.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	chats := "chat: {slack: {signing_secret: env:HUB_API_TOKEN, token: env:HUB_API_TOKEN, team: T0DESK, bot_user: U0DESKBOT}}\n"
	c, err := config.Parse("exports.yaml", []byte(string(base)+chats+section), func(string) (string, bool) { return "token", true })
	if err != nil {
		t.Fatal(err)
	}
	if b := c.Billing; b.Markup.String() != "1.15" || b.BigQuery == nil || len(b.Rooms) != 1 || len(b.Lenses) != 2 {
		t.Errorf("read as %+v", b)
	}
	source, err := os.ReadFile(filepath.Join("..", "..", "shared", "config", "billing.go"))
	if err != nil {
		t.Fatal(err)
	}
	keys := regexp.MustCompile(`(?m)^\t\t"([a-z_]+)": +`).FindAllSubmatch(source, -1)
	if len(keys) < 14 {
		t.Fatalf("only %d keys are found in the source", len(keys))
	}
	for _, k := range keys {
		if !regexp.MustCompile(`[ {]` + string(k[1]) + `: `).MatchString(section) {
			t.Errorf("the page does not have the key %s", k[1])
		}
	}
}
