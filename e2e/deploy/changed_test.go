//go:build !race

package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// history is a small repository of the same layout.
type history struct {
	t   *testing.T
	dir string
}

// newHistory makes three functions: two of them on package shared/both, one on shared/one; nobody is on shared/none.
func newHistory(t *testing.T) history {
	t.Helper()
	h := history{t, t.TempDir()}
	files := map[string]string{"go.mod": "module example.com/desk\n\ngo 1.26\n", "README.md": "about\n", "cloudbuild.yaml": "steps: []\n"}
	for _, name := range []string{"both", "one", "none"} {
		files["shared/"+name+"/"+name+".go"] = "package " + name + "\n\nconst V = 1\n"
	}
	for function, uses := range map[string]string{"alpha": "both", "beta": "both", "gamma": "one"} {
		files["functions/"+function+"/function.go"] = "package " + function + "\n\nimport \"example.com/desk/shared/" + uses + "\"\n\nconst V = " + uses + ".V\n"
		files["functions/"+function+"/cmd/main.go"] = "package main\n\nimport _ \"example.com/desk/functions/" + function + "\"\n\nfunc main() {}\n"
	}
	files["infra/build/changed.sh"] = h.text(filepath.Join(root(t), "infra", "build", "changed.sh"))
	h.git("init", "--quiet")
	h.write(files)
	return h
}

func (h history) text(path string) string {
	h.t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(data)
}

func (h history) git(args ...string) {
	h.t.Helper()
	c := exec.CommandContext(h.t.Context(), "git", append([]string{"-c", "user.name=Anna", "-c", "user.email=anna@example.com", "-c", "commit.gpgsign=false"}, args...)...)
	c.Dir = h.dir
	if out, err := c.CombinedOutput(); err != nil {
		h.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// write commits files.
func (h history) write(files map[string]string) {
	h.t.Helper()
	for name, content := range files {
		path := filepath.Join(h.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			h.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o700); err != nil {
			h.t.Fatal(err)
		}
	}
	h.git("add", "--all")
	h.git("commit", "--quiet", "--message", "change")
}

func (h history) changed(old string) []string {
	h.t.Helper()
	c := exec.CommandContext(h.t.Context(), "infra/build/changed.sh", old)
	c.Dir, c.Env = h.dir, append(os.Environ(), "GOFLAGS=-mod=mod")
	out, err := c.Output()
	if err != nil {
		h.t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// TestChanged: a change is deployed where it is linked, and nowhere else.
func TestChanged(t *testing.T) {
	all := []string{"alpha", "beta", "gamma"}
	for name, tt := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"one function":               {map[string]string{"functions/beta/more.go": "package beta\n"}, []string{"beta"}},
		"a package of two":           {map[string]string{"shared/both/more.go": "package both\n"}, []string{"alpha", "beta"}},
		"a package of one":           {map[string]string{"shared/one/more.go": "package one\n"}, []string{"gamma"}},
		"a package of nobody":        {map[string]string{"shared/none/more.go": "package none\n"}, nil},
		"a page":                     {map[string]string{"README.md": "more\n", "functions/beta/README.md": "more\n"}, nil},
		"a test":                     {map[string]string{"shared/both/both_test.go": "package both\n", "shared/both/testdata/a.txt": "a"}, nil},
		"the modules":                {map[string]string{"go.mod": "module example.com/desk\n\ngo 1.26.0\n"}, all},
		"how it is built":            {map[string]string{"cloudbuild.yaml": "steps: [{}]\n"}, all},
		"a script of the deployment": {map[string]string{"infra/build/deploy.sh": "#!/bin/bash\n"}, all},
		"Terraform":                  {map[string]string{"infra/main.tf": "locals {}\n"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHistory(t)
			h.write(tt.files)
			if got := h.changed("HEAD~1"); !slices.Equal(got, tt.want) {
				t.Errorf("deploys %v, want %v", got, tt.want)
			}
		})
	}
	t.Run("no history", func(t *testing.T) {
		if got := newHistory(t).changed("0123456789012345678901234567890123456789"); !slices.Equal(got, all) {
			t.Errorf("deploys %v, want all", got)
		}
	})
}
