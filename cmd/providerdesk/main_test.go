package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write the golden files")

// asProgram makes the test binary the command itself: the tests about processes start it so. Its value is how far ahead its clock is.
const asProgram = "PROVIDERDESK_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	ahead, err := time.ParseDuration(os.Getenv(asProgram))
	if err != nil {
		goleak.VerifyTestMain(m)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := program{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.LookupEnv, place: time.UTC,
		now: func() time.Time { return time.Now().Add(ahead) }}.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// result is what a command line came to.
type result struct {
	code     int
	out, err string
}

// noon is the time in tests that show times.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func frozen() time.Time { return noon }

// cli is the command in a test: nothing of the test's own environment reaches it.
type cli struct {
	env map[string]string
	in  string
	now func() time.Time
}

func (c cli) program(out, err *bytes.Buffer) program {
	if c.now == nil {
		c.now = time.Now
	}
	return program{in: strings.NewReader(c.in), out: out, err: err, place: time.UTC, now: c.now,
		env: func(name string) (string, bool) { v, ok := c.env[name]; return v, ok }}
}

func (c cli) run(t *testing.T, args ...string) result {
	t.Helper()
	var out, err bytes.Buffer
	code := c.program(&out, &err).run(t.Context(), args)
	return result{code, out.String(), err.String()}
}

// ok is run for a command that must succeed.
func (c cli) ok(t *testing.T, args ...string) string {
	t.Helper()
	r := c.run(t, args...)
	if r.code != exitOK {
		t.Fatalf("%v: exit code %d\n%s%s", args, r.code, r.out, r.err)
	}
	return r.out
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}
