package dir

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// victim tells this program, in its environment, to write into a folder until it is killed.
const victim = "BLOB_DIR_VICTIM"

const counters = 3

// write counts in a few objects by compare-and-swap until something fails, and says so of each count when it is done.
func write(ctx context.Context, folder string) error {
	b, err := New(folder)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		name := fmt.Sprint("deep/er/counter ", n%counters)
		if err := count(ctx, b, name); err != nil {
			return err
		}
		fmt.Println(name)
	}
}

// count makes an object one line longer. Its lines are numbered, so a lost or a torn generation shows.
func count(ctx context.Context, b blob.Bucket, name string) error {
	for {
		data, o, err := blob.ReadAll(ctx, b, name, 1<<30)
		if err != nil && !fault.Is(err, fault.Missing) {
			return err
		}
		line := fmt.Sprintf("%d %s\n", strings.Count(string(data), "\n"), strings.Repeat("x", 100))
		_, err = blob.PutBytes(ctx, b, text, name, append(data, line...), o.Generation)
		if !fault.Is(err, fault.Conflict) {
			return err
		}
	}
}

// Two processes at a time count in the same objects, and one of them is killed after a while, again and again. What a process was told is done
// is there afterwards, nothing is torn, no count is lost or made twice, and the lock is nobody's.
func TestKill(t *testing.T) {
	const rounds = 8
	folder := t.TempDir()
	told, rests := map[string]int{}, 0
	for round := range rounds {
		first, second := start(t, folder), start(t, folder)
		first.lines(3+2*round, told)
		first.kill(told)
		second.lines(3, told)
		second.kill(told)
	}
	b := open(t, folder)
	for n := range counters {
		name := fmt.Sprint("deep/er/counter ", n)
		data, _, err := blob.ReadAll(t.Context(), b, name, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(string(data), "\n")
		for i, line := range lines[:len(lines)-1] {
			if !strings.HasPrefix(line, fmt.Sprint(i, " ")) {
				t.Fatalf("%s: line %d is %q", name, i, line)
			}
		}
		// A process that is killed may have done one more than it said.
		if have := len(lines) - 1; have < told[name] || have > told[name]+2*rounds {
			t.Errorf("%s has %d counts, %d were told", name, have, told[name])
		}
		if err := count(t.Context(), b, name); err != nil {
			t.Error(err)
		}
	}
	left, err := os.ReadDir(filepath.Join(folder, blob.Incoming))
	if rests = len(left); err != nil || rests > 2*2*rounds {
		t.Errorf("%d rests, %v", rests, err)
	}
	t.Logf("%d kills, %d counts told, %d rests", 2*rounds, told["deep/er/counter 0"]+told["deep/er/counter 1"]+told["deep/er/counter 2"], rests)
}

type process struct {
	*testing.T
	cmd *exec.Cmd
	out *bufio.Scanner
}

func start(t *testing.T, folder string) process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), victim+"="+folder)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err = errors.Join(err, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	return process{t, cmd, bufio.NewScanner(out)}
}

// lines reads some of what the process says is done.
func (p process) lines(n int, told map[string]int) {
	p.Helper()
	for range n {
		if !p.out.Scan() {
			p.Fatal("the process ended by itself")
		}
		told[p.out.Text()]++
	}
}

// kill kills the process and reads what it had said until then.
func (p process) kill(told map[string]int) {
	p.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.Fatal(err)
	}
	for p.out.Scan() {
		told[p.out.Text()]++
	}
	var exit *exec.ExitError
	if err := p.cmd.Wait(); !errors.As(err, &exit) {
		p.Fatal(err)
	}
}
