package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Blobs keep the bytes of files beside a journal, or in memory without a folder. The bytes are saved first, the change that names them comes
// after. As the journal they rely on the lock of the state.
type Blobs struct {
	dir    string
	memory map[string][]byte
}

// OpenBlobs opens the blobs in the folder name of dir. Those that nobody knows are removed: their change never came.
func OpenBlobs(dir, name string, known map[string]bool) (*Blobs, error) {
	if dir == "" {
		return &Blobs{memory: map[string][]byte{}}, nil
	}
	b := &Blobs{dir: filepath.Join(dir, name)}
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder: %w", err)
	}
	if err := errors.Join(b.drop(known), syncFolder(dir)); err != nil {
		return nil, fmt.Errorf("remove orphans: %w", err)
	}
	return b, nil
}

func (b *Blobs) drop(known map[string]bool) error {
	files, err := os.ReadDir(b.dir)
	for _, f := range files {
		if !known[f.Name()] {
			err = errors.Join(err, os.Remove(filepath.Join(b.dir, f.Name())))
		}
	}
	return err
}

// Save keeps bytes, synced. The id is a name that the simulator drew.
func (b *Blobs) Save(id string, data []byte) error {
	if b.dir == "" {
		b.memory[id] = data
		return nil
	}
	return errors.Join(writeSynced(filepath.Join(b.dir, id), data), syncFolder(b.dir))
}

// Load returns bytes that were saved.
func (b *Blobs) Load(id string) ([]byte, error) {
	if b.dir != "" {
		return os.ReadFile(filepath.Join(b.dir, id))
	}
	return b.memory[id], nil
}
