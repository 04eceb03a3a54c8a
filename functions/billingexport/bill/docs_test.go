package bill

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// TestDocumentedVerdicts: docs/exports.md has a row for every verdict, which says what it means and what to do, and none for any other.
func TestDocumentedVerdicts(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "exports.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	for _, found := range regexp.MustCompile(`(?m)^\| ([A-Z_]+) \| (?:yes|no|before [^|]+) \| [^|]{10,} \| [^|]{5,} \|$`).FindAllSubmatch(page, -1) {
		rows[string(found[1])] = true
	}
	for _, code := range codes(t) {
		if !rows[code] {
			t.Errorf("the page does not explain %s", code)
		}
		delete(rows, code)
	}
	for code := range rows {
		t.Errorf("the page explains %s, which is no verdict", code)
	}
}

// codes are the constants of type Code.
func codes(t *testing.T) (all []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "bill.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 {
			return true
		}
		if kind, ok := v.Type.(*ast.Ident); !ok || kind.Name != "Code" {
			return true
		}
		code, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, code)
		return true
	})
	if len(all) < 20 {
		t.Fatalf("only %d verdicts are found in the source", len(all))
	}
	return all
}
