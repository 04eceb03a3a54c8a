package archtest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestRepository(t *testing.T) {
	root := filepath.Join("..", "..")
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatalf("the repository's root is not where this test looks for it: %v", err)
	}
	tree, err := Load(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range Rules() {
		t.Run(r.Name, func(t *testing.T) {
			for _, v := range r.Check(tree) {
				t.Error(v)
			}
		})
	}
}

// TestRules gives each rule files that break it in the lines marked BAD and nowhere else.
func TestRules(t *testing.T) {
	for _, r := range Rules() {
		t.Run(r.Name, func(t *testing.T) {
			files, ok := violating[r.Name]
			if !ok {
				t.Fatal("no snippet shows that this rule catches anything")
			}
			repo := unpack(t, files)
			tree, err := Load(repo)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, v := range r.Check(tree) {
				got = append(got, fmt.Sprintf("%s:%d", v.Path, v.Line))
			}
			want := marked(repo)
			if len(want) == 0 {
				t.Fatal("no line is marked")
			}
			if got = slices.Compact(got); !slices.Equal(got, want) {
				t.Errorf("found  %v\nmarked %v", got, want)
			}
		})
	}
	for name := range violating {
		if !slices.ContainsFunc(Rules(), func(r Rule) bool { return r.Name == name }) {
			t.Errorf("%q: there is no such rule", name)
		}
	}
}

// An exception that excuses nothing is reported; one for a place that does not exist (in a snippet) is not.
func TestExceptions(t *testing.T) {
	tree, err := Load(unpack(t, "-- a/x.go --\npackage a\n-- b/x.go --\npackage b\n"))
	if err != nil {
		t.Fatal(err)
	}
	found := []Violation{{Path: "a/x.go"}, {Path: "c/x.go"}}
	left := tree.but(exceptions{"a": "needed", "b": "stale", "d": "elsewhere"}, found)
	var got []string
	for _, v := range left {
		got = append(got, v.Path)
	}
	if want := []string{"c/x.go", "b"}; !slices.Equal(got, want) {
		t.Errorf("left %v, want %v", got, want)
	}
}

// unpack makes files of a text in which "-- path --" begins a file. {…} in it keeps a word that this very file must not hold apart.
func unpack(t *testing.T, archive string) fstest.MapFS {
	t.Helper()
	repo := fstest.MapFS{}
	for part := range strings.SplitSeq("\n"+archive, "\n-- ") {
		name, content, ok := strings.Cut(part, " --\n")
		if ok {
			repo[name] = &fstest.MapFile{Data: []byte(strings.NewReplacer("{", "", "}", "").Replace(content))}
			if strings.HasSuffix(name, ".go") {
				repo[name].Data = []byte(content)
			}
		}
	}
	if len(repo) == 0 {
		t.Fatal("no files")
	}
	return repo
}

func marked(repo fstest.MapFS) (lines []string) {
	for _, name := range slices.Sorted(maps.Keys(repo)) {
		for i, line := range strings.Split(string(repo[name].Data), "\n") {
			if strings.Contains(line, "BAD") {
				lines = append(lines, fmt.Sprintf("%s:%d", name, i+1))
			}
		}
	}
	return lines
}
