package google

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// journal makes changes durable: one JSON line each, synced before the request is answered. Without a folder it keeps nothing.
//
// When the process dies in the middle of a line, that request was never answered; the torn last line is dropped. Damage anywhere else is
// an error: the file is not ours to repair.
type journal struct {
	file *os.File
	err  error // a write failed: nothing more is written before the next start
}

const journalFile = "google.jsonl"

// openJournal reads the journal in dir into s, or seeds s if there is none, and writes it anew, so that it starts compact and whole.
func openJournal(dir string, s *state, seed func() error) (*journal, error) {
	if dir == "" {
		return &journal{}, seed()
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder: %w", err)
	}
	path := filepath.Join(dir, journalFile)
	err := replay(path, s)
	if errors.Is(err, fs.ErrNotExist) {
		err = seed()
	}
	if err != nil {
		return nil, err
	}
	if err := compact(path, s); err != nil {
		return nil, fmt.Errorf("compact the journal: %w", err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	return &journal{file: file}, syncFolder(dir)
}

func replay(path string, s *state) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open the journal: %w", err)
	}
	defer file.Close()
	r := bufio.NewReader(file)
	for n := 1; ; n++ {
		line, end := r.ReadBytes('\n')
		if end != nil && !errors.Is(end, io.EOF) {
			return fmt.Errorf("read the journal: %w", end)
		}
		if err := replayLine(line, s); err != nil && !last(r) {
			return fmt.Errorf("journal damaged at line %d: %w", n, err)
		}
		if end != nil {
			return nil
		}
	}
}

// replayLine leaves the state as it is when the line is torn.
func replayLine(line []byte, s *state) error {
	if len(line) == 0 {
		return nil
	}
	var c change
	if !bytes.HasSuffix(line, []byte("\n")) {
		return errors.New("no end of line")
	}
	if err := json.Unmarshal(line, &c); err != nil {
		return err
	}
	if !s.check(c) {
		return errors.New("a contact out of its order")
	}
	s.apply(c)
	return nil
}

func last(r *bufio.Reader) bool {
	_, err := r.Peek(1)
	return errors.Is(err, io.EOF)
}

// compact replaces the file in one step.
func compact(path string, s *state) error {
	var b bytes.Buffer
	for _, c := range s.changes() {
		line, err := json.Marshal(c)
		if err != nil {
			return err
		}
		b.Write(append(line, '\n'))
	}
	if err := writeSynced(path+".new", b.Bytes()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func writeSynced(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Sync(), file.Close())
}

func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// append writes one change. After a failure the end of the file is unknown, so the journal refuses everything until it is opened again.
func (j *journal) append(c change) error {
	if j.file == nil || j.err != nil {
		return j.err
	}
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = j.file.Write(append(line, '\n'))
	j.err = errors.Join(err, j.file.Sync())
	return j.err
}

func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}
