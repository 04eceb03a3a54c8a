package hub

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
	dir  string
	file *os.File
	err  error             // a write failed: nothing more is written before the next start
	blob map[string][]byte // the files, without a folder
}

const (
	journalFile = "hub.jsonl"
	blobFolder  = "hub-files"
)

// openJournal reads the journal in dir into s and writes it anew, so that it starts compact and whole.
func openJournal(dir string, s *state) (*journal, error) {
	if dir == "" {
		return &journal{blob: map[string][]byte{}}, nil
	}
	if err := os.MkdirAll(filepath.Join(dir, blobFolder), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder: %w", err)
	}
	path := filepath.Join(dir, journalFile)
	if err := replay(path, s); err != nil {
		return nil, err
	}
	if err := compact(path, s); err != nil {
		return nil, fmt.Errorf("compact the journal: %w", err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	j := &journal{dir: dir, file: file}
	if err := errors.Join(j.dropOrphans(s), syncFolder(dir)); err != nil {
		return nil, errors.Join(err, j.close())
	}
	return j, nil
}

func replay(path string, s *state) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open the journal: %w", err)
	}
	defer file.Close()
	r := bufio.NewReader(file)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read the journal: %w", err)
		}
		ended := err != nil
		if err := replayLine(line, s); err != nil && !last(r) {
			return fmt.Errorf("journal damaged at line %d: %w", n, err)
		}
		if ended {
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

// saveBlob keeps a file's bytes; the change that names it comes after.
func (j *journal) saveBlob(id string, data []byte) error {
	if j.dir == "" {
		j.blob[id] = data
		return nil
	}
	folder := filepath.Join(j.dir, blobFolder)
	return errors.Join(writeSynced(filepath.Join(folder, id), data), syncFolder(folder))
}

func (j *journal) loadBlob(id string) ([]byte, error) {
	if j.dir != "" {
		return os.ReadFile(filepath.Join(j.dir, blobFolder, id))
	}
	return j.blob[id], nil
}

// dropOrphans removes the bytes whose change never came.
func (j *journal) dropOrphans(s *state) error {
	folder := filepath.Join(j.dir, blobFolder)
	files, err := os.ReadDir(folder)
	for _, f := range files {
		if _, known := s.files[f.Name()]; !known {
			err = errors.Join(err, os.Remove(filepath.Join(folder, f.Name())))
		}
	}
	return err
}

func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}
