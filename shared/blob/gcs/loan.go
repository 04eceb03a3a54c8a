package gcs

import (
	"errors"
	"io"
	"sync"
)

// loan is bytes that a request reads until they are taken back. A transport may still read the body of a request that has failed, or that
// was answered early; when take has returned nobody reads them, and they may be written over.
type loan struct {
	mu    sync.Mutex
	bytes []byte
	over  bool
}

var errTaken = errors.New("the bytes were taken back")

func (l *loan) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.over:
		return 0, errTaken
	case len(l.bytes) == 0:
		return 0, io.EOF
	}
	n := copy(p, l.bytes)
	l.bytes = l.bytes[n:]
	return n, nil
}

func (l *loan) take() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over, l.bytes = true, nil
}
