package server

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

// Journal makes changes durable: one JSON line each, synced before the request is answered. Without a folder it keeps nothing.
//
// When the process dies in the middle of a line, that request was never answered; the torn last line is dropped. Damage anywhere else is
// an error: the file is not ours to repair. A journal is not safe for use by many at once; the lock of the state is its lock, too.
type Journal[C any] struct {
	file *os.File
	err  error // a write failed: nothing more is written before the next start
}

// State is what a journal rebuilds.
type State[C any] interface {
	Replay(C) error // does a change again, or refuses one that cannot be; then nothing has changed
	Changes() []C   // what rebuilds the state, in lines that do not grow with it
}

// OpenJournal reads a journal into a state, or lets seed fill the state if there is no journal yet, and writes it anew, so that it starts
// compact and whole. A nil seed leaves the state empty.
func OpenJournal[C any](dir, name string, s State[C], seed func() error) (*Journal[C], error) {
	if seed == nil {
		seed = func() error { return nil }
	}
	if dir == "" {
		return &Journal[C]{}, seed()
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder: %w", err)
	}
	path := filepath.Join(dir, name)
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
	if err := syncFolder(dir); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &Journal[C]{file: file}, nil
}

func replay[C any](path string, s State[C]) error {
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
func replayLine[C any](line []byte, s State[C]) error {
	if len(line) == 0 {
		return nil
	}
	var c C
	if !bytes.HasSuffix(line, []byte("\n")) {
		return errors.New("no end of line")
	}
	if err := json.Unmarshal(line, &c); err != nil {
		return err
	}
	return s.Replay(c)
}

func last(r *bufio.Reader) bool {
	_, err := r.Peek(1)
	return errors.Is(err, io.EOF)
}

// compact replaces the file in one step.
func compact[C any](path string, s State[C]) error {
	var b bytes.Buffer
	for _, c := range s.Changes() {
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

// Append writes one change. After a failure the end of the file is unknown, so the journal refuses everything until it is opened again.
func (j *Journal[C]) Append(c C) error {
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

// Close releases the file. A change that comes after it cannot be made durable.
func (j *Journal[C]) Close() error {
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}
