package blobtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// Memory is a bucket in memory, for tests of what uses one. It keeps the promises of package blob under the same suite as the others, but that
// memory is bounded.
//
// Hook, set before the bucket is used, is called without any lock, with "before <name>" when Commit begins and with "after <name>" when it
// has changed the object (not when it was a conflict). What it returns before, Commit returns, with nothing changed; what it returns after, Commit
// returns although the object is there: that is a lost acknowledgement that nobody could clear up. A test that lets its process die there
// returns an error that its code does not treat, or ends its goroutine with runtime.Goexit. The hook may also look around, or commit
// something else in between.
type Memory struct {
	Hook func(point string) error

	mu      sync.Mutex
	last    blob.Generation
	objects map[string]kept
}

type kept struct {
	blob.Object
	kind string
	data []byte
}

var _ blob.Bucket = (*Memory)(nil)

// NewMemory returns an empty bucket.
func NewMemory() *Memory { return &Memory{objects: map[string]kept{}} }

func (m *Memory) hook(point string) error {
	if m.Hook == nil {
		return nil
	}
	return m.Hook(point)
}

// Type is the type of an object's content, as Create was told; empty if there is no such object.
func (m *Memory) Type(name string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.objects[name].kind
}

// Corrupt makes one byte of an object another one, and leaves its checksum.
func (m *Memory) Corrupt(name string, at int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.objects[name]
	o.data = bytes.Clone(o.data)
	o.data[at] ^= 1
	m.objects[name] = o
}

// Remove takes an object away, as somebody does by hand.
func (m *Memory) Remove(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, name)
}

// Create begins an object.
func (m *Memory) Create(ctx context.Context, contentType string) (blob.Writer, error) {
	return &memoryWriter{m: m, kind: contentType, digest: blob.NewDigest()}, ctx.Err()
}

// Open reads an object.
func (m *Memory) Open(ctx context.Context, name string) (blob.Reader, error) {
	if err := errors.Join(blob.CheckName(name), ctx.Err()); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.objects[name]
	if !ok {
		return nil, fault.New(fault.Missing, "there is no such object")
	}
	return memoryReader{blob.Verified(bytes.NewReader(o.data), o.Object), o.Object}, nil
}

// List returns objects in the order of their names.
func (m *Memory) List(ctx context.Context, prefix, after string, limit int) ([]blob.Object, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []blob.Object
	for name, o := range m.objects {
		if strings.HasPrefix(name, prefix) && name > after {
			all = append(all, o.Object)
		}
	}
	slices.SortFunc(all, func(a, b blob.Object) int { return strings.Compare(a.Name, b.Name) })
	return all[:min(len(all), max(limit, 0))], ctx.Err()
}

type memoryReader struct {
	io.Reader
	object blob.Object
}

func (r memoryReader) Object() blob.Object { return r.object }

func (memoryReader) Close() error { return nil }

type memoryWriter struct {
	m      *Memory
	kind   string
	data   []byte
	digest *blob.Digest
	ended  bool
}

var errEnded = errors.New("the writer has ended")

func (w *memoryWriter) Write(p []byte) (int, error) {
	if w.ended {
		return 0, errEnded
	}
	w.data = append(w.data, p...)
	return w.digest.Write(p)
}

func (w *memoryWriter) Sum() blob.Sum { return w.digest.Sum() }

func (w *memoryWriter) Abort() { w.ended = true }

func (w *memoryWriter) Commit(ctx context.Context, name string, at blob.Generation) (blob.Object, error) {
	if w.ended {
		return blob.Object{}, fault.Wrap(fault.Bug, errEnded, "commit an object")
	}
	w.ended = true
	if err := errors.Join(blob.CheckName(name), ctx.Err()); err != nil {
		return blob.Object{}, err
	}
	if err := w.m.hook("before " + name); err != nil {
		return blob.Object{}, err
	}
	o, err := w.put(name, at)
	if err == nil {
		err = w.m.hook("after " + name)
	}
	if err != nil {
		return blob.Object{}, err
	}
	return o, nil
}

func (w *memoryWriter) put(name string, at blob.Generation) (blob.Object, error) {
	w.m.mu.Lock()
	defer w.m.mu.Unlock()
	if w.m.objects[name].Generation != at {
		return blob.Object{}, fault.New(fault.Conflict, "the object is not at the generation that was expected")
	}
	w.m.last++
	sum := w.Sum()
	o := blob.Object{Name: name, Generation: w.m.last, Bytes: sum.Bytes, CRC32C: sum.CRC32C, Created: time.Unix(int64(w.m.last), 0).UTC()}
	w.m.objects[name] = kept{o, w.kind, w.data}
	return o, nil
}
