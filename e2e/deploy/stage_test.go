//go:build !race

package deploy

import (
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/proctest"
)

// TestStage: what is staged of a function is what it links: no other function's package, no simulator, no test; the same bytes each time. Built
// as the function deployment builds it, it answers on each of its targets, and does not start on another function's.
func TestStage(t *testing.T) {
	all := functions(t)
	for _, function := range all {
		t.Run(function, func(t *testing.T) {
			t.Parallel()
			staged := stage(t, function)
			checkStaged(t, function, staged, all)
			binary := build(t, staged)
			size, err := os.Stat(binary)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %.1f MB", function, float64(size.Size())/1e6)
			for _, one := range targets(t, function) {
				t.Logf("%-18s first answer after %3d ms (median of %d)", one.Name, answers(t, binary, one).Milliseconds(), starts)
			}
			for _, other := range all {
				if other != function {
					refusesTargets(t, binary, targets(t, other))
				}
			}
		})
	}
}

func stage(t *testing.T, function string) string {
	t.Helper()
	folder, again := filepath.Join(t.TempDir(), "staged"), filepath.Join(t.TempDir(), "again")
	must(t, script(t, "stage.sh", function, folder))
	must(t, script(t, "stage.sh", function, again))
	if a, b := must(t, script(t, "digest.sh", folder)), must(t, script(t, "digest.sh", again)); a != b {
		t.Errorf("staged twice it is %s and %s", a, b)
	}
	refuses(t, script(t, "stage.sh", function, folder)) // it is not empty
	return folder
}

func checkStaged(t *testing.T, function, staged string, all []string) {
	t.Helper()
	c := command(t, "go", "list", "-mod=mod", "-deps", ".")
	c.Dir = staged
	for path := range strings.SplitSeq(must(t, c), "\n") {
		for _, other := range all {
			if other != function && strings.HasPrefix(path, module+"/functions/"+other) {
				t.Errorf("it links %s", path)
			}
		}
		if strings.HasPrefix(path, module+"/shared/sim/") {
			t.Errorf("it links %s", path)
		}
	}
	err := filepath.WalkDir(staged, func(path string, _ os.DirEntry, err error) error {
		if relative := strings.TrimPrefix(path, staged); strings.HasSuffix(path, "_test.go") || strings.Contains(relative, "/sim/") {
			t.Errorf("staged: %s", relative)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// entry is the program that the function deployment makes around a root package.
const entry = `package main

import (
	"log"
	"os"

	"github.com/GoogleCloudPlatform/functions-framework-go/funcframework"

	_ "` + module + `"
)

func main() {
	if err := funcframework.Start(os.Getenv("PORT")); err != nil {
		log.Fatal(err)
	}
}
`

// build does what the function deployment does: it puts the source into a folder of its own, and builds a program in another module.
func build(t *testing.T, staged string) string {
	t.Helper()
	app := t.TempDir()
	for name, content := range map[string]string{
		"main.go": entry,
		"go.mod": "module functions.local/app\n\ngo 1.26\n\nrequire " + module + " v0.0.0\n\nreplace " + module + " => " + staged +
			"\n\nrequire github.com/GoogleCloudPlatform/functions-framework-go v1.9.2\n",
	} {
		if err := os.WriteFile(filepath.Join(app, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(filepath.Join(staged, "go.sum"), filepath.Join(app, "go.sum")); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(app, "main")
	for _, args := range [][]string{{"mod", "tidy"}, {"build", "-o", binary, "."}} {
		c := command(t, "go", args...)
		c.Dir = app
		must(t, c)
	}
	return binary
}

// starts is how often a start is timed.
const starts = 5

// answers starts a target a few times, asks it as a stranger, and returns the median time to the first answer. Each must be a refusal, in the
// form of a problem: who calls is checked before anything else is opened.
func answers(t *testing.T, binary string, one target) time.Duration {
	t.Helper()
	var took []time.Duration
	for range starts {
		p := launch(t, binary, one.Name)
		status, kind := p.ask(t)
		took = append(took, time.Since(p.started))
		p.stop(t)
		if want := []int{http.StatusUnauthorized, http.StatusNotFound}; !slices.Contains(want, status) || kind != "application/problem+json" {
			t.Errorf("%s: a stranger gets %d %s", one.Name, status, kind)
		}
	}
	slices.SortFunc(took, func(a, b time.Duration) int { return cmp.Compare(a, b) })
	return took[len(took)/2]
}

// process is a started function.
type process struct {
	cmd     *exec.Cmd
	addr    string
	started time.Time
	output  *proctest.Output
	stopped context.CancelFunc
}

// configuration is the smallest with which every target can say who may call.
const configuration = `push: {bearer: env:TOKEN}
desks: {hub: {kind: hub, organization: 9d9648a7-115a-4a06-a613-a0c4077469f7, token: env:TOKEN}}
senders: [{name: prod-alertmanager, source: alertmanager, tenant: acme, auth: {bearer: env:TOKEN}}]
routes: [{when: "true", desk: hub, priority: P4}]
onboarding: {organization: 9d9648a7-115a-4a06-a613-a0c4077469f7, token: env:TOKEN, auth: {bearer: env:TOKEN}, me: us@example.com}
billing: {organization: 9d9648a7-115a-4a06-a613-a0c4077469f7, token: env:TOKEN, bucket: gs://acme-usage}
`

func launch(t *testing.T, binary, target string) *process {
	t.Helper()
	config := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(config, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	p := &process{addr: proctest.FreeAddress(t), output: &proctest.Output{}, stopped: cancel}
	_, port, _ := net.SplitHostPort(p.addr)
	p.cmd = exec.CommandContext(ctx, binary)
	p.cmd.Env = append(os.Environ(), "PORT="+port, "FUNCTION_TARGET="+target, "LOCAL_ONLY=true", "TOKEN=secret", "PROVIDERDESK_CONFIG="+config,
		"GOOGLE_CLOUD_PROJECT=acme-desk", "FIRESTORE_EMULATOR_HOST=127.0.0.1:1", "PUBSUB_EMULATOR_HOST=127.0.0.1:1", "CLOUD_RUN_TIMEOUT_SECONDS=30")
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.started = time.Now()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// ask posts an event until there is an answer.
func (p *process) ask(t *testing.T) (status int, kind string) {
	t.Helper()
	proctest.Until(t, "it answers:\n"+p.output.Last(2000), func() bool {
		resp, err := http.Post("http://"+p.addr+"/", "application/json", strings.NewReader("{}"))
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		status, kind = resp.StatusCode, resp.Header.Get("Content-Type")
		return err == nil
	})
	return status, kind
}

func (p *process) stop(t *testing.T) {
	t.Helper()
	p.stopped()
	if err := p.cmd.Wait(); err == nil {
		t.Error("it ended by itself")
	}
}

// refusesTargets: a binary has none of another function's targets.
func refusesTargets(t *testing.T, binary string, others []target) {
	t.Helper()
	for _, other := range others {
		refusesTarget(t, binary, other.Name)
	}
}

func refusesTarget(t *testing.T, binary, name string) {
	t.Helper()
	p := launch(t, binary, name)
	defer p.stopped()
	ended := make(chan error, 1)
	go func() { ended <- p.cmd.Wait() }()
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(p.output.String(), "no matching function") {
			t.Errorf("%s: ended with %v: %s", name, err, p.output.Last(500))
		}
	case <-t.Context().Done():
		t.Errorf("%s: it serves", name)
	}
}
