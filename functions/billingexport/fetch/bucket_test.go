package fetch_test

import (
	"context"
	"strings"
	"sync"

	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/blob/blobtest"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// shelf is a bucket whose process can die: the step with the number dies fails, be it done or not, and so does everything after it, until the
// process starts again. Steps are Create, every Write, and Commit before and after it is done.
type shelf struct {
	*blobtest.Memory
	mu      sync.Mutex
	commits map[string]int // how often an object was made
	begun   int            // commits

	step, dies int // dies 0: never
	largest    int // bytes of one Write
	onWrite    func()
}

var errDied = fault.New(fault.Transient, "the process has died")

func newShelf() *shelf {
	s := &shelf{Memory: blobtest.NewMemory(), commits: map[string]int{}}
	s.Hook = func(point string) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		when, name, _ := strings.Cut(point, " ")
		if when == "before" {
			s.begun++
		} else {
			s.commits[name]++
		}
		return s.alive()
	}
	return s
}

// restart begins a new process on the same objects, which dies at a step.
func (s *shelf) restart(dies int) { s.step, s.dies = 0, dies }

func (s *shelf) alive() error {
	s.step++
	return s.dead()
}

// dead is asked under the lock.
func (s *shelf) dead() error {
	if s.dies > 0 && s.step >= s.dies {
		return errDied
	}
	return nil
}

func (s *shelf) gone() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead()
}

// found is how many commits found their object there.
func (s *shelf) found() int { return s.begun - len(s.commits) }

func (s *shelf) names() (all []string) {
	for o := range blob.All(context.Background(), s.Memory, "") { // a bucket in memory does not fail
		all = append(all, o.Name)
	}
	return all
}

// content is what an object holds, nil if there is none.
func (s *shelf) content(name string) []byte {
	data, _, err := blob.ReadAll(context.Background(), s.Memory, name, 1<<30)
	if err != nil {
		return nil
	}
	return data
}

// took is a step of a writer.
func (s *shelf) took(bytes int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.largest = max(s.largest, bytes)
	if s.onWrite != nil {
		s.onWrite()
	}
	return s.alive()
}

func (s *shelf) Create(ctx context.Context, kind string) (blob.Writer, error) {
	if err := s.took(0); err != nil {
		return nil, err
	}
	w, err := s.Memory.Create(ctx, kind)
	return &pen{w, s}, err
}

func (s *shelf) Open(ctx context.Context, name string) (blob.Reader, error) {
	if err := s.gone(); err != nil {
		return nil, err
	}
	return s.Memory.Open(ctx, name)
}

func (s *shelf) List(ctx context.Context, prefix, after string, limit int) ([]blob.Object, error) {
	if err := s.gone(); err != nil {
		return nil, err
	}
	return s.Memory.List(ctx, prefix, after, limit)
}

// pen is a writer of a shelf.
type pen struct {
	blob.Writer
	shelf *shelf
}

func (p *pen) Write(data []byte) (int, error) {
	if err := p.shelf.took(len(data)); err != nil {
		return 0, err
	}
	return p.Writer.Write(data)
}

// sink is a shelf that forgets what is in a usage file.
type sink struct{ *shelf }

func (s sink) Create(ctx context.Context, kind string) (blob.Writer, error) {
	w, err := s.shelf.Create(ctx, kind)
	if kind != "text/csv" {
		return w, err
	}
	return &drain{w, s.shelf, blob.NewDigest()}, err
}

type drain struct {
	blob.Writer
	shelf  *shelf
	digest *blob.Digest
}

func (d *drain) Write(p []byte) (int, error) {
	if err := d.shelf.took(len(p)); err != nil {
		return 0, err
	}
	return d.digest.Write(p)
}

func (d *drain) Sum() blob.Sum { return d.digest.Sum() }

var errLocked = fault.New(fault.Denied, "the bucket is not for us")

// locked is a shelf of which one method is refused.
type locked struct {
	*shelf
	what string
}

func (l locked) refuses(what string) error {
	if l.what == what {
		return errLocked
	}
	return nil
}

func (l locked) Create(ctx context.Context, kind string) (blob.Writer, error) {
	if err := l.refuses("create"); err != nil {
		return nil, err
	}
	return l.shelf.Create(ctx, kind)
}

func (l locked) Open(ctx context.Context, name string) (blob.Reader, error) {
	if err := l.refuses("open"); err != nil {
		return nil, err
	}
	return l.shelf.Open(ctx, name)
}

func (l locked) List(ctx context.Context, prefix, after string, limit int) ([]blob.Object, error) {
	if err := l.refuses("list"); err != nil {
		return nil, err
	}
	return l.shelf.List(ctx, prefix, after, limit)
}
