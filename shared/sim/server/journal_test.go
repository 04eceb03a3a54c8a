package server

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const file = "things.jsonl"

// keep opens a journal in dir.
func keep(dir string, seed func(*things) error) (*Journal[thing], *things, error) {
	s := &things{}
	begin := func() error { return nil }
	if seed != nil {
		begin = func() error { return seed(s) }
	}
	j, err := OpenJournal(dir, file, s, begin)
	return j, s, err
}

func (s *things) names() string {
	var all []string
	for _, v := range s.list {
		all = append(all, v.Name)
	}
	return strings.Join(all, " ")
}

// written is a journal's file with things in it, of a process that was killed.
func written(t *testing.T, dir string, names ...string) []byte {
	t.Helper()
	j, _, err := keep(dir, nil)
	check(t, err)
	defer j.Close()
	for _, name := range names {
		check(t, j.Append(thing{Name: name}))
	}
	data, err := os.ReadFile(filepath.Join(dir, file))
	check(t, err)
	return data
}

// Cut the journal anywhere in its last line: the last change is lost or there, everything before is there, and the next start works.
func TestTornTail(t *testing.T) {
	whole := written(t, t.TempDir(), "first", "second")
	begin := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for cut := begin; cut <= len(whole); cut++ {
		dir := t.TempDir()
		check(t, os.WriteFile(filepath.Join(dir, file), whole[:cut], 0o600))
		want := "first"
		if cut == len(whole) {
			want = "first second"
		}
		for _, name := range []string{"third", "fourth"} {
			j, s, err := keep(dir, nil)
			if err != nil || s.names() != want {
				t.Fatalf("cut at %d of %d: %q %v", cut, len(whole), s.names(), err)
			}
			check(t, j.Append(thing{Name: name}))
			check(t, j.Close())
			want += " " + name
		}
	}
}

// Damage before the last line, or a change that cannot be, is an error that names the line, and leaves the file as it is.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	whole := written(t, dir, "first", "second")
	for damage, line := range map[string]string{"{nonsense\n": "line 1", "{}\n": "line 1: a thing without a name", "\n": "line 1"} {
		damaged := append([]byte(damage), whole...)
		check(t, os.WriteFile(filepath.Join(dir, file), damaged, 0o600))
		if _, _, err := keep(dir, nil); err == nil || !strings.Contains(err.Error(), line) {
			t.Errorf("%q: %v", damage, err)
		}
		if after, err := os.ReadFile(filepath.Join(dir, file)); err != nil || !bytes.Equal(after, damaged) {
			t.Errorf("%q: the file was changed", damage)
		}
	}
	if _, _, err := keep(filepath.Join(dir, file), nil); err == nil {
		t.Error("opened in a file")
	}
}

// What cannot be made durable is an error, and so is all that comes after it: where the write stopped nobody knows.
func TestJournalFails(t *testing.T) {
	j, _, err := keep(t.TempDir(), nil)
	check(t, err)
	whole := j.file
	defer whole.Close()
	broken, err := os.Open(os.DevNull)
	check(t, err)
	defer broken.Close()
	for _, f := range []*os.File{broken, whole} {
		j.file = f
		if err := j.Append(thing{Name: "a"}); err == nil {
			t.Error("appended")
		}
	}
}

// The seed fills a state that was never kept, and no other; it is kept before anything else happens.
func TestSeed(t *testing.T) {
	seed := func(s *things) error { return s.Replay(thing{Name: "seed"}) }
	for _, dir := range []string{"", filepath.Join(t.TempDir(), "new")} {
		for range 2 {
			j, s, err := keep(dir, seed)
			check(t, err)
			if s.names() != "seed" {
				t.Errorf("%q: %q", dir, s.names())
			}
			check(t, j.Close())
		}
	}
	dir := t.TempDir()
	if _, _, err := keep(dir, func(*things) error { return errors.New("no") }); err == nil {
		t.Error("opened without its seed")
	}
	if _, s, err := keep(dir, seed); err != nil || s.names() != "seed" {
		t.Errorf("a seed that failed is tried again: %q %v", s.names(), err)
	}
}

// The bytes of a file outlive the process if the change that names them came; otherwise they are removed.
func TestBlobs(t *testing.T) {
	dir := t.TempDir()
	for _, where := range []string{"", dir} {
		b, err := OpenBlobs(where, "files", nil)
		check(t, err)
		for _, id := range []string{"kept", "orphan"} {
			check(t, b.Save(id, []byte(id+"\x00\xff")))
		}
		if data, err := b.Load("kept"); err != nil || string(data) != "kept\x00\xff" {
			t.Errorf("%q: %q %v", where, data, err)
		}
	}
	b, err := OpenBlobs(dir, "files", map[string]bool{"kept": true})
	check(t, err)
	if data, err := b.Load("kept"); err != nil || string(data) != "kept\x00\xff" {
		t.Errorf("%q %v", data, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "files", "orphan")); !os.IsNotExist(err) {
		t.Errorf("the orphan: %v", err)
	}
}
