// Package archtest holds the rules of the design that a compiler does not check: who may import what, what pure code may not touch, and
// what no file may contain. Its test runs them over the whole repository.
//
// A rule looks at syntax only. It sees an import but not what stands behind it, and a name but not its type: cheap, quick and good for the
// mistakes that happen by accident. Where a rule has to be broken the exception stands in the rule's table with its reason; an exception
// that nothing needs any more is a violation itself.
//
// Every rule has a snippet in the test that violates it and one beside it that does not, so a rule that catches nothing is noticed.
package archtest

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// module is the path before every import of our own.
const module = "github.com/providerdesk/providerdesk/"

// Tree is a repository as the rules see it.
type Tree struct {
	sources []source
	texts   []text
	paths   map[string]bool // of every file and folder
	lines   *token.FileSet
}

// source is one Go file.
type source struct {
	path, dir string // from the root, with slashes
	test      bool   // _test.go
	file      *ast.File
}

// text is one file of any kind that holds text.
type text struct{ path, content string }

// Violation is one place where a rule is broken.
type Violation struct {
	Rule, Path string
	Line       int
	What       string
}

func (v Violation) String() string {
	return fmt.Sprintf("%s:%d: %s (%s)", v.Path, v.Line, v.What, v.Rule)
}

// Rule is one sentence of the design and how it is checked.
type Rule struct {
	Name  string
	check func(*Tree) []Violation
}

// Rules are all of them.
func Rules() []Rule {
	return slices.Concat(importRules(), codeRules(), textRules())
}

// Check returns what breaks the rule, in the order of the files.
func (r Rule) Check(t *Tree) []Violation {
	found := r.check(t)
	for i := range found {
		found[i].Rule = r.Name
	}
	slices.SortStableFunc(found, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line))
	})
	return found
}

// Load reads a repository. Folders whose name begins with a dot are left out, but for CI's.
func Load(repo fs.FS) (*Tree, error) {
	t := &Tree{paths: map[string]bool{}, lines: token.NewFileSet()}
	err := fs.WalkDir(repo, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && hidden(p):
			return fs.SkipDir
		}
		t.paths[p] = true
		if !d.Type().IsRegular() {
			return nil
		}
		return t.add(repo, p)
	})
	return t, err
}

func hidden(dir string) bool {
	name := path.Base(dir)
	return dir != "." && strings.HasPrefix(name, ".") && name != ".ci"
}

func (t *Tree) add(repo fs.FS, p string) error {
	content, err := fs.ReadFile(repo, p)
	if err != nil {
		return err
	}
	if utf8.Valid(content) {
		t.texts = append(t.texts, text{p, string(content)})
	}
	if path.Ext(p) != ".go" || strings.Contains(p, "testdata/") {
		return nil
	}
	f, err := parser.ParseFile(t.lines, p, content, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	t.sources = append(t.sources, source{p, path.Dir(p), strings.HasSuffix(p, "_test.go"), f})
	return nil
}

// at returns a violation at a node.
func (t *Tree) at(s source, n ast.Node, what string, args ...any) Violation {
	return Violation{Path: s.path, Line: t.lines.Position(n.Pos()).Line, What: fmt.Sprintf(what, args...)}
}

// code returns the files that are not tests.
func (t *Tree) code() []source {
	return slices.DeleteFunc(slices.Clone(t.sources), func(s source) bool { return s.test })
}

// imported returns the path that an import names.
func imported(i *ast.ImportSpec) string {
	p, _ := strconv.Unquote(i.Path.Value) // the parser has checked it
	return p
}

// within reports whether p is one of the trees or lies below it. A tree of "" holds everything.
func within(p string, trees ...string) bool {
	return slices.ContainsFunc(trees, func(tree string) bool {
		return tree == "" || p == tree || strings.HasPrefix(p, tree+"/")
	})
}

// within reports whether the file lies below one of the folders, or is one of the files.
func (s source) within(trees ...string) bool { return within(s.path, trees...) }

// exceptions are places where a rule does not hold: the path of a file or a folder, and the reason.
type exceptions map[string]string

// but returns what is left of found without the exceptions, and a violation for every exception that excused nothing but lies in the tree.
func (t *Tree) but(e exceptions, found []Violation) []Violation {
	used := map[string]bool{}
	left := slices.DeleteFunc(found, func(v Violation) bool {
		for where := range e {
			if within(v.Path, where) {
				used[where] = true
				return true
			}
		}
		return false
	})
	for where := range e {
		if t.paths[where] && !used[where] {
			left = append(left, Violation{Path: where, What: "nothing here needs the exception any more"})
		}
	}
	return left
}
