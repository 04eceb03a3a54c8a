package dir

import (
	"io"
	"os"

	"github.com/providerdesk/providerdesk/shared/blob"
)

// reader reads an open file: whatever is committed meanwhile, it stays the one that it was.
type reader struct {
	io.Reader
	file   *os.File
	object blob.Object
}

func newReader(file *os.File, o blob.Object) *reader {
	return &reader{Reader: blob.Verified(file, o), file: file, object: o}
}

func (r *reader) Object() blob.Object { return r.object }

func (r *reader) Close() error { return r.file.Close() }
