//go:build !race

package infra

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// workbench is a copy of the configuration in which Terraform works for a test.
type workbench struct {
	t   *testing.T
	dir string
	env []string
}

// newWorkbench skips the test where Terraform or its provider is missing, unless it must be there.
func newWorkbench(t *testing.T) workbench {
	t.Helper()
	rc, provided := provider()
	if _, err := exec.LookPath("terraform"); err != nil || !provided {
		const missing = "terraform or its provider is missing: install terraform, and run infra/build/provider.sh"
		if os.Getenv("REQUIRE_EMULATORS") == "1" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	w := workbench{t, t.TempDir(), append(os.Environ(), "TF_CLI_CONFIG_FILE="+rc, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TF_CLI_ARGS=-no-color",
		"GOOGLE_OAUTH_ACCESS_TOKEN=fake")}
	if err := os.CopyFS(w.dir, os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	w.run("init", "-backend=false", "-input=false")
	return w
}

// provider is the configuration with which Terraform finds its provider: the one that infra/build/provider.sh made, or the environment's own.
func provider() (rc string, ok bool) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", false
	}
	for _, rc := range []string{filepath.Join(cache, "providerdesk", "terraform", "terraform.rc"), os.Getenv("TF_CLI_CONFIG_FILE")} {
		if _, err := os.Stat(rc); err == nil {
			return rc, true
		}
	}
	return "", false
}

// run runs a command of Terraform and returns what it prints.
func (w workbench) run(args ...string) string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "terraform", args...)
	c.Dir, c.Env = w.dir, w.env
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		w.t.Fatalf("terraform %s: %v\n%s%s", args[0], err, out, stderr.String())
	}
	return string(out)
}

// resource is one that a plan has.
type resource struct {
	Type   string         `json:"type"`
	Values map[string]any `json:"values"`
}

// text returns a value that is a text, "" if it has none or it is known later only.
func (r resource) text(name string) string {
	s, _ := r.Values[name].(string)
	return s
}

// block returns the first block of a name.
func (r resource) block(name string) resource {
	list, _ := r.Values[name].([]any)
	if len(list) == 0 {
		return resource{}
	}
	values, _ := list[0].(map[string]any)
	return resource{Values: values}
}

// module is a part of a plan.
type module struct {
	Resources []resource `json:"resources"`
	Children  []module   `json:"child_modules"`
}

func (m module) all() []resource {
	all := slices.Clone(m.Resources)
	for _, c := range m.Children {
		all = append(all, c.all()...)
	}
	return all
}

// plan is what Terraform would make of example.tfvars, and who may refer to what by which name.
type plan []resource

func (w workbench) plan() plan {
	w.t.Helper()
	file := filepath.Join(w.t.TempDir(), "plan")
	w.run("plan", "-input=false", "-lock=false", "-var-file=example.tfvars", "-out="+file)
	var shown struct {
		Planned struct {
			Root module `json:"root_module"`
		} `json:"planned_values"`
	}
	if err := json.Unmarshal([]byte(w.run("show", "-json", file)), &shown); err != nil {
		w.t.Fatal(err)
	}
	return shown.Planned.Root.all()
}

// of returns the resources of a type.
func (p plan) of(kind string) []resource {
	return slices.DeleteFunc(slices.Clone(p), func(r resource) bool { return r.Type != "google_"+kind })
}

// names returns a text value of all resources of a type, each once, in order.
func (p plan) names(kind, value string) []string {
	set := map[string]bool{}
	for _, r := range p.of(kind) {
		set[r.text(value)] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// TestTerraform: the configuration is well formed, valid, and keeps what its own tests say.
func TestTerraform(t *testing.T) {
	w := newWorkbench(t)
	if out := w.run("fmt", "-check", "-recursive", "-list=true"); out != "" {
		t.Errorf("not formatted: %s", out)
	}
	w.run("validate")
	t.Log(last(w.run("test")))
}

// TestPlan looks at what Terraform would make of example.tfvars.
func TestPlan(t *testing.T) {
	p := newWorkbench(t).plan()
	t.Logf("%d resources", len(p))
	t.Run("rights", p.testRights)
	t.Run("uses", p.testUses)
	t.Run("roles", p.testRoles)
	t.Run("playbooks", p.testPlaybooks)
}

func last(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// TestLinters: tflint and tfsec have nothing to say.
func TestLinters(t *testing.T) {
	for name, args := range map[string][]string{"tflint": {"--recursive", "--no-color"}, "tfsec": {".", "--no-color", "--concise-output"}} {
		t.Run(name, func(t *testing.T) {
			path, err := exec.LookPath(name)
			if err != nil && os.Getenv("REQUIRE_EMULATORS") != "1" {
				t.Skipf("%s is missing: .ci/run installs it", name)
			}
			if err != nil {
				t.Fatal(err)
			}
			if out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
