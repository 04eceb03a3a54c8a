package archtest

import (
	"go/ast"
	"path"
	"regexp"
	"strings"
)

func textRules() []Rule {
	return []Rule{
		stateRule(),
		{"every path that the documents name exists", pathsExist},
		{"every test that the documents name exists", testsExist},
		{"no file names a package registry", noRegistry},
		{"no file names a path of one machine", noMachine},
	}
}

var (
	registry = regexp.MustCompile(`\b(proxy|registry|registry-1|deb|sum|index|ftp)\.[a-z0-9-]+\.(org|io|com)\b|\bpypi\.org\b|\b(gcr|ghcr|quay)\.io\b`)
	machine  = regexp.MustCompile("(^|[\\s\"'`(=:])/(home|root|Users|work|workspace|tmp)/[A-Za-z0-9_.-]")
)

// machines are files whose absolute paths are the same for everybody.
var machines = exceptions{
	"cloudbuild.yaml": "the working folder of every Cloud Build",
}

func noRegistry(t *Tree) []Violation { return t.matches(registry, "names a registry's host") }

func noMachine(t *Tree) []Violation {
	return t.but(machines, t.matches(machine, "names a path that only one machine has"))
}

// matches returns a violation for every line with a match. It does not repeat the line.
func (t *Tree) matches(re *regexp.Regexp, what string) (found []Violation) {
	for _, f := range t.texts {
		for i, line := range strings.Split(f.content, "\n") {
			if re.MatchString(line) {
				found = append(found, Violation{Path: f.path, Line: i + 1, What: what})
			}
		}
	}
	return found
}

// documents are the README and the pages in docs.
func (t *Tree) documents() (pages []text) {
	for _, f := range t.texts {
		if f.path == "README.md" || within(f.path, "docs") && path.Ext(f.path) == ".md" {
			pages = append(pages, f)
		}
	}
	return pages
}

var testName = regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z][A-Za-z0-9]*)`")

func testsExist(t *Tree) (found []Violation) {
	declared := t.tests()
	for _, f := range t.documents() {
		for i, line := range strings.Split(f.content, "\n") {
			for _, m := range testName.FindAllStringSubmatch(line, -1) {
				if !declared[m[1]] {
					found = append(found, Violation{Path: f.path, Line: i + 1, What: "names " + m[1] + ", which does not exist"})
				}
			}
		}
	}
	return found
}

// tests are the names of all functions in test files.
func (t *Tree) tests() map[string]bool {
	names := map[string]bool{}
	for _, s := range t.sources {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && s.test && f.Recv == nil {
				names[f.Name.Name] = true
			}
		}
	}
	return names
}

// pathsExist looks at code between backquotes, at arguments that begin with "./" in code blocks, and at
// the targets of links.
func pathsExist(t *Tree) (found []Violation) {
	for _, f := range t.documents() {
		for i, line := range strings.Split(f.content, "\n") {
			for _, p := range pathsIn(f.path, line) {
				if !t.paths[p] {
					found = append(found, Violation{Path: f.path, Line: i + 1, What: "names " + p + ", which does not exist"})
				}
			}
		}
	}
	return found
}

var (
	quoted  = regexp.MustCompile("`([^`]+)`")
	command = regexp.MustCompile(`(?:^|\s)(\./[\w./-]+)`)
	target  = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
)

// pathsIn returns the paths from the root that a line of a page names.
func pathsIn(page, line string) (paths []string) {
	for _, m := range quoted.FindAllStringSubmatch(line, -1) {
		if isPath(m[1]) {
			paths = append(paths, path.Clean(m[1]))
		}
	}
	for _, m := range command.FindAllStringSubmatch(line, -1) {
		if !strings.HasSuffix(m[1], "...") {
			paths = append(paths, path.Clean(m[1]))
		}
	}
	for _, m := range target.FindAllStringSubmatch(line, -1) {
		paths = append(paths, path.Join(path.Dir(page), m[1]))
	}
	return paths
}

var (
	pathLike = regexp.MustCompile(`^[A-Za-z0-9_.][\w./-]*$`)
	fileLike = regexp.MustCompile(`^[\w.-]+\.(go|md|yaml|yml|json|sum|mod|sh|tf)$`)
	notPath  = regexp.MustCompile(`^(application|text|multipart)/|^[^/]+\.(com|org|io|dev)/|\.\.\.$|^\.providerdesk`)
)

// isPath reports whether what stands between backquotes looks like a path of the repository: words with a slash, or a file's name.
func isPath(s string) bool {
	return pathLike.MatchString(s) && !notPath.MatchString(s) && (strings.Contains(s, "/") || fileLike.MatchString(s))
}
