package logs

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/signals.md")

// TestSignals: every declared event is described, once, and nothing else is.
func TestSignals(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "events.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	ast.Inspect(f, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && isName(spec.Type, "Event") {
			text, _ := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			declared = append(declared, text)
		}
		return true
	})
	var described []string
	for _, s := range Signals() {
		described = append(described, string(s.Event))
		if s.When == "" || len(s.Fields) == 0 {
			t.Errorf("%s: nobody says when, or with what", s.Event)
		}
	}
	slices.Sort(declared)
	slices.Sort(described)
	if len(declared) == 0 || !slices.Equal(declared, described) {
		t.Errorf("declared  %v\ndescribed %v", declared, described)
	}
}

func isName(e ast.Expr, name string) bool {
	i, ok := e.(*ast.Ident)
	return ok && i.Name == name
}

// TestEveryEventIsOfTheTable: a line gets its event from the table, and every event of the table is logged somewhere. Events are written as
// logs.X.Attr(); a text or a conversion in their place would be a name that nobody counts.
func TestEveryEventIsOfTheTable(t *testing.T) {
	logged := map[string]bool{}
	for _, root := range []string{"../../functions", "../../shared", "../../cmd"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "../../shared/logs/") {
				return err
			}
			files := token.NewFileSet()
			f, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(f, func(n ast.Node) bool { look(t, files, n, logged); return true })
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	f, err := parser.ParseFile(token.NewFileSet(), "events.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && isName(spec.Type, "Event") && !logged[spec.Names[0].Name] {
			t.Errorf("nothing logs %s", spec.Names[0].Name)
		}
		return true
	})
}

// look notes uses of the table, and reports what goes round it: an attribute "event" of a text, or a name made of a text.
func look(t *testing.T, files *token.FileSet, n ast.Node, logged map[string]bool) {
	if s, ok := n.(*ast.SelectorExpr); ok && isName(s.X, "logs") {
		logged[s.Sel.Name] = true
	}
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return
	}
	s, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return
	}
	at := files.Position(n.Pos())
	if isName(s.X, "logs") && s.Sel.Name == "Event" {
		t.Errorf("%s makes an event of something", at)
	}
	if !isName(s.X, "slog") && !logging[s.Sel.Name] {
		return
	}
	for _, a := range call.Args {
		if l, ok := a.(*ast.BasicLit); ok && l.Value == `"event"` {
			t.Errorf("%s logs an event that is not of the table; an id of an event is event_id", at)
		}
	}
}

// logging are the methods of a logger that take attributes.
var logging = map[string]bool{
	"Debug": true, "Info": true, "Warn": true, "Error": true, "DebugContext": true, "InfoContext": true, "WarnContext": true, "ErrorContext": true,
	"Log": true, "LogAttrs": true, "With": true,
}

// TestPage: docs/signals.md has the table.
func TestPage(t *testing.T) {
	const page = "../../docs/signals.md"
	var b strings.Builder
	b.WriteString("| event | logged when | fields |\n|---|---|---|\n")
	for _, s := range Signals() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.Event, s.When, strings.Join(s.Fields, ", "))
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), "<!-- table -->\n")
	_, after, ok := strings.Cut(rest, "<!-- end -->\n")
	if !ok {
		t.Fatal("the page has no place for the table")
	}
	want := before + "<!-- table -->\n" + b.String() + "<!-- end -->\n" + after
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(text) != want {
		t.Errorf("docs/signals.md is stale; write it with go test ./shared/logs -run TestPage -update")
	}
}
