package archtest

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
)

func codeRules() []Rule {
	return []Rule{
		{"decode and decide are given the time", givenTheTime},
		{"packages are called after what they hold", namedWell},
		{"every package says what it is", commented},
		{"init only registers functions", initRegisters},
		{"tests do not sleep", sleepless},
		{"nothing panics", calm},
		{"a context comes from the caller", contextPassed},
		{"no context in a struct", contextKept},
		{"only main ends the process", mainEnds},
	}
}

// clock lists what of package time is not a pure function of its arguments.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

func givenTheTime(t *Tree) (found []Violation) {
	for _, s := range t.code() {
		if name := path.Base(s.path); !s.within("functions") || name != "decode.go" && name != "decide.go" {
			continue
		}
		for _, name := range clock {
			found = append(found, t.uses(s, "time", name)...)
		}
	}
	return found
}

// vague names say nothing about what a package holds.
var vague = []string{"util", "utils", "common", "helper", "helpers", "base", "types", "models", "misc"}

func namedWell(t *Tree) (found []Violation) {
	for _, s := range t.sources {
		if slices.Contains(vague, s.file.Name.Name) || slices.ContainsFunc(strings.Split(s.dir, "/"), isVague) {
			found = append(found, t.at(s, s.file.Name, "package %s in %s", s.file.Name.Name, s.dir))
		}
	}
	return found
}

func isVague(name string) bool { return slices.Contains(vague, name) }

func commented(t *Tree) (found []Violation) {
	said, first := map[string]bool{}, map[string]source{}
	for _, s := range t.sources {
		if _, ok := first[s.dir]; !ok {
			first[s.dir] = s
		}
		said[s.dir] = said[s.dir] || s.file.Doc != nil
	}
	for dir, s := range first {
		if !said[dir] {
			found = append(found, t.at(s, s.file.Name, "package %s has no comment", s.file.Name.Name))
		}
	}
	return found
}

const framework = "github.com/GoogleCloudPlatform/functions-framework-go/functions"

func initRegisters(t *Tree) (found []Violation) {
	for _, s := range t.sources {
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Name.Name != "init" || f.Recv != nil {
				continue
			}
			for _, stmt := range f.Body.List {
				if !registers(s, stmt) {
					found = append(found, t.at(s, stmt, "init does more than register a function"))
				}
			}
		}
	}
	return found
}

func registers(s source, stmt ast.Stmt) bool {
	e, ok := stmt.(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := e.X.(*ast.CallExpr)
	return ok && (s.names(call.Fun, framework, "HTTP") || s.names(call.Fun, framework, "CloudEvent"))
}

var sleepers = exceptions{
	"shared/ledger/baselines_test.go": "its strategies run in the bubbles of world_test.go, in virtual time",
}

// sleepless: virtual time may pass in a sleep, and a loop may sleep between two looks at its condition; nothing else waits by the clock.
func sleepless(t *Tree) (found []Violation) {
	for _, s := range t.sources {
		if !s.test || s.has("testing/synctest") {
			continue
		}
		polls := s.polls()
		for call := range s.calls() {
			if s.names(call.Fun, "time", "Sleep") && !polls[call] {
				found = append(found, t.at(s, call, "sleeps"))
			}
		}
	}
	return t.but(sleepers, found)
}

// polls returns the calls that stand right in a loop with a condition.
func (s source) polls() map[ast.Expr]bool {
	polls := map[ast.Expr]bool{}
	ast.Inspect(s.file, func(n ast.Node) bool {
		loop, ok := n.(*ast.ForStmt)
		if !ok || loop.Cond == nil {
			return true
		}
		for _, stmt := range append([]ast.Stmt{loop.Post}, loop.Body.List...) {
			if e, ok := stmt.(*ast.ExprStmt); ok {
				polls[e.X] = true
			}
		}
		return true
	})
	return polls
}

var panics = exceptions{}

// calm lets one panic pass: the one with which a handler tells net/http to drop the connection.
func calm(t *Tree) (found []Violation) {
	for _, s := range t.code() {
		for call := range s.calls() {
			if id, ok := call.Fun.(*ast.Ident); ok && id.Name == "panic" && !s.names(call.Args[0], "net/http", "ErrAbortHandler") {
				found = append(found, t.at(s, call, "panic"))
			}
		}
	}
	return t.but(panics, found)
}

// roots of contexts that no caller has.
var roots = exceptions{
	"shared/gapi/token.go":         "the token source keeps its context for later refreshes, so it must not be that of one call",
	"shared/desk/google/google.go": "the generated client's constructor reads its options and connects to nothing",
	"shared/sim/server/faults.go":  "a test looks at the state; there is no request",
	"shared/publish/localbus":      "the broker delivers on its own account; nobody waits for a delivery",
	"shared/config/gsm/gsm.go":     "as desk/google/google.go",
	"shared/blob/gcs/gcs.go":       "as desk/google/google.go",
	"shared/chat/google/room.go":   "as desk/google/google.go",
	"shared/config/value.go":       "the references that are tried when a file is read, env: and file:, ask nothing that could be given up",
}

func contextPassed(t *Tree) (found []Violation) {
	for _, s := range t.code() {
		if s.within("functions", "shared") && s.file.Name.Name != "main" {
			found = append(found, t.uses(s, "context", "Background")...)
			found = append(found, t.uses(s, "context", "TODO")...)
		}
	}
	return t.but(roots, found)
}

// contextKept leaves test tools out: a fixture lives as long as its test.
func contextKept(t *Tree) (found []Violation) {
	for _, s := range t.code() {
		if s.within(testTools...) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			fields, ok := n.(*ast.StructType)
			if !ok {
				return true
			}
			for _, f := range fields.Fields.List {
				if s.names(f.Type, "context", "Context") {
					found = append(found, t.at(s, f, "keeps a context"))
				}
			}
			return true
		})
	}
	return found
}

func mainEnds(t *Tree) (found []Violation) {
	for _, s := range t.code() {
		if s.file.Name.Name == "main" {
			continue
		}
		found = append(found, t.uses(s, "os", "Exit")...)
		for _, name := range []string{"Fatal", "Fatalf", "Fatalln", "Panic", "Panicf", "Panicln"} {
			found = append(found, t.uses(s, "log", name)...)
		}
	}
	return found
}

// uses returns a violation for every mention of what a package exports.
func (t *Tree) uses(s source, pkg, name string) (found []Violation) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		if e, ok := n.(*ast.SelectorExpr); ok && s.names(e, pkg, name) {
			found = append(found, t.at(s, e, "uses %s.%s", path.Base(pkg), name))
		}
		return true
	})
	return found
}

// names reports whether an expression is what the package exports under the name.
func (s source) names(e ast.Expr, pkg, name string) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return false
	}
	id, ok := sel.X.(*ast.Ident)
	return ok && id.Name == s.local(pkg)
}

// local returns the name under which the file imports a package, "" if it does not.
func (s source) local(pkg string) string {
	for _, i := range s.file.Imports {
		switch {
		case imported(i) != pkg:
		case i.Name != nil:
			return i.Name.Name
		default:
			return path.Base(pkg)
		}
	}
	return ""
}

func (s source) has(pkg string) bool { return s.local(pkg) != "" }

// calls returns every call in the file.
func (s source) calls() map[*ast.CallExpr]token.Pos {
	calls := map[*ast.CallExpr]token.Pos{}
	ast.Inspect(s.file, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok {
			calls[c] = c.Pos()
		}
		return true
	})
	return calls
}
