package archtest

import (
	"go/ast"
	"go/token"
	"strings"
)

// Package-level state is what makes tests depend on each other and requests race. A variable of a package is allowed when it is as good as a
// constant: it has a value where it is declared, the value is no storage in the making (new, make, &T{}), no function that a test could
// swap, nothing of package sync, and no function of the package ever assigns it, changes an element or takes its address as a whole.
//
// The rule looks at names: a function that declares a name of its own is taken to mean that one, and a map that leaves the package or is
// changed by a method goes unnoticed.

var state = exceptions{
	"shared/emulator/emulator.go": "an emulator lives as long as the test process, and only tests import it",
}

func stateRule() Rule { return Rule{"no package-level state", noState} }

func noState(t *Tree) (found []Violation) {
	written := t.written()
	for _, s := range t.code() {
		for _, v := range variables(s.file) {
			for i, name := range v.Names {
				if why := stateful(s, v, i, written[s.dir]); why != "" {
					found = append(found, t.at(s, name, "%s %s", name.Name, why))
				}
			}
		}
	}
	return t.but(state, found)
}

// variables returns the declarations of package variables, less those that the compiler fills.
func variables(f *ast.File) (specs []*ast.ValueSpec) {
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			if v := spec.(*ast.ValueSpec); !embedded(g.Doc) && !embedded(v.Doc) {
				specs = append(specs, v)
			}
		}
	}
	return specs
}

func embedded(doc *ast.CommentGroup) bool {
	if doc == nil {
		return false
	}
	for _, c := range doc.List {
		if strings.HasPrefix(c.Text, "//go:embed ") {
			return true
		}
	}
	return false
}

// stateful says what makes the i-th name of a declaration state, "" if nothing does.
func stateful(s source, v *ast.ValueSpec, i int, written map[string]bool) string {
	switch name := v.Names[i].Name; {
	case name == "_":
		return ""
	case written[name]:
		return "is changed by a function"
	case len(v.Values) == 0:
		return "has no value yet"
	case strings.HasPrefix(name, "err"), strings.HasPrefix(name, "Err"): // compared by identity, whatever it is made of
		return ""
	case len(v.Values) == len(v.Names):
		return storage(s, v.Values[i])
	}
	return storage(s, v.Values[0])
}

// storage says what makes a value more than a constant, "" if nothing does.
func storage(s source, value ast.Expr) string {
	switch e := value.(type) {
	case *ast.FuncLit:
		return "is a function that can be swapped"
	case *ast.SelectorExpr:
		return "stands for something that can be swapped"
	case *ast.UnaryExpr:
		if e.Op == token.AND {
			return "is storage"
		}
	case *ast.CompositeLit:
		if fromSync(s, e.Type) {
			return "is storage"
		}
	case *ast.CallExpr:
		if id, ok := e.Fun.(*ast.Ident); ok && (id.Name == "new" || id.Name == "make") || fromSync(s, e.Fun) {
			return "is storage"
		}
	}
	return ""
}

func fromSync(s source, e ast.Expr) bool {
	switch x := e.(type) {
	case *ast.IndexExpr:
		e = x.X
	case *ast.IndexListExpr:
		e = x.X
	}
	sel, ok := e.(*ast.SelectorExpr)
	return ok && (s.names(sel, "sync", sel.Sel.Name) || s.names(sel, "sync/atomic", sel.Sel.Name))
}

// written returns, for each folder, the names that a function of its code changes.
func (t *Tree) written() map[string]map[string]bool {
	all := map[string]map[string]bool{}
	for _, s := range t.sources {
		if all[s.dir] == nil {
			all[s.dir] = map[string]bool{}
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
				own := declared(f)
				for name := range changed(f.Body) {
					all[s.dir][name] = all[s.dir][name] || !own[name]
				}
			}
		}
	}
	return all
}

// changed returns the names at the root of everything that is assigned, counted, deleted from or has its address taken.
func changed(body *ast.BlockStmt) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, e := range n.Lhs {
				names[root(e)] = true
			}
		case *ast.IncDecStmt:
			names[root(n.X)] = true
		case *ast.UnaryExpr:
			if id, ok := n.X.(*ast.Ident); ok && n.Op == token.AND {
				names[id.Name] = true
			}
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "delete" || id.Name == "clear") && len(n.Args) > 0 {
				names[root(n.Args[0])] = true
			}
		}
		return true
	})
	return names
}

// root returns the name that an expression begins with: x of x.y[i].z.
func root(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x.Name
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return ""
		}
	}
}

// declared returns the names that a function declares: its receiver, parameters, results and variables.
func declared(f *ast.FuncDecl) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, e := range n.Lhs {
					names[root(e)] = true
				}
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				names[root(n.Key)] = true
				if n.Value != nil {
					names[root(n.Value)] = true
				}
			}
		}
		return true
	})
	return names
}
