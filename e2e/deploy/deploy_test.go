//go:build !race

package deploy

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const module = "github.com/providerdesk/providerdesk"

// root is the checkout.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// command is one to be run in the checkout.
func command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = root(t)
	return c
}

// script is one of infra/build.
func script(t *testing.T, name string, args ...string) *exec.Cmd {
	return command(t, filepath.Join(root(t), "infra", "build", name), args...)
}

// must runs a command and returns what it prints.
func must(t *testing.T, c *exec.Cmd) string {
	t.Helper()
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(c.Args, " "), err, out, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// refuses runs a command that must fail, and returns what it says.
func refuses(t *testing.T, c *exec.Cmd) string {
	t.Helper()
	out, err := c.CombinedOutput()
	if err == nil {
		t.Errorf("%s: done, and should be refused: %s", strings.Join(c.Args[1:], " "), out)
	}
	return string(out)
}

// target is a name that a function registers.
type target struct{ Name, Service, Access string }

// targets are those of a function, as infra/build/targets.sh finds them.
func targets(t *testing.T, function string) (all []target) {
	t.Helper()
	for line := range strings.SplitSeq(must(t, script(t, "targets.sh", function)), "\n") {
		var one target
		if n, err := fmt.Sscan(line, &one.Name, &one.Service, &one.Access); n != 3 || err != nil {
			t.Fatalf("a target that is none: %q", line)
		}
		all = append(all, one)
	}
	return all
}

func functions(t *testing.T) (all []string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root(t), "functions", "*", "cmd"))
	if err != nil || len(found) < 3 {
		t.Fatalf("functions: %v, %v", found, err)
	}
	for _, dir := range found {
		all = append(all, filepath.Base(filepath.Dir(dir)))
	}
	return all
}

// required skips a test without a program, unless it must be there.
func required(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("REQUIRE_EMULATORS") == "1" {
		t.Fatalf("%s is not installed", program)
	}
	t.Skipf("%s is not installed", program)
}

// TestCloudBuild: the Cloud SDK's own parser takes cloudbuild.yaml; each step runs a script that is there, waits for steps that are there, and
// refers to substitutions that are declared.
func TestCloudBuild(t *testing.T) {
	required(t, "gcloud")
	var steps, declared []string
	builtIn := []string{"BUILD_ID", "PROJECT_ID", "COMMIT_SHA"}
	for line := range strings.SplitSeq(must(t, script(t, "parse.py", "cloudbuild.yaml")), "\n") {
		words := strings.Fields(line)
		if words[0] == "substitutions" {
			declared = append(words[1:], builtIn...)
			continue
		}
		id, waits, run := words[1], words[2], strings.Join(words[3:], " ")
		if waits != "-" && waits != "-before" {
			for w := range strings.SplitSeq(waits, ",") {
				if !slices.Contains(steps, w) {
					t.Errorf("step %s waits for %s, which is no step before it", id, w)
				}
			}
		}
		steps = append(steps, id)
		if s, err := os.Stat(filepath.Join(root(t), words[3])); err != nil || s.Mode()&0o111 == 0 {
			t.Errorf("step %s runs %s, which cannot be run", id, words[3])
		}
		for _, name := range references(run) {
			if !slices.Contains(declared, name) {
				t.Errorf("step %s refers to %s, which nobody declares", id, name)
			}
		}
	}
	t.Logf("%d steps: %s", len(steps), strings.Join(steps, ", "))
	if want := []string{"check", "stage", "deploy", "smoke", "promote"}; !slices.Equal(steps, want) {
		t.Errorf("the steps are %v, want %v", steps, want)
	}
}

// references are the variables of a script.
func references(script string) (all []string) {
	for part := range strings.SplitSeq(script, "$") {
		name := strings.TrimPrefix(part, "{")
		if end := strings.IndexFunc(name, func(r rune) bool { return r != '_' && (r < 'A' || r > 'Z') }); end > 0 {
			all = append(all, name[:end])
		}
	}
	return all
}

// TestParserRefuses: the parser would notice.
func TestParserRefuses(t *testing.T) {
	required(t, "gcloud")
	text, err := os.ReadFile(filepath.Join(root(t), "cloudbuild.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"an unknown field":             {"waitFor: [check, stage]", "awaits: [check, stage]"},
		"an unknown way to log":        {"CLOUD_LOGGING_ONLY", "SOMEWHERE"},
		"a substitution without a _":   {"_FUNCTION: casewebhook", "FUNCTION: casewebhook"},
		"a timeout that is no time":    {"timeout: 3600s", "timeout: {}"},
		"a step that is no step":       {"  - id: check", "  - check"},
		"something that is no mapping": {"substitutions:", "- substitutions:"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "cloudbuild.yaml")
			if err := os.WriteFile(file, []byte(strings.Replace(string(text), change[0], change[1], 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			refuses(t, script(t, "parse.py", file))
		})
	}
}
