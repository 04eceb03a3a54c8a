package blob

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Once commits what is there once and for all. If somebody was faster with the same bytes, or it was we whose acknowledgement got lost for
// good, the object that is there is returned, and no error.
func Once(ctx context.Context, b Bucket, w Writer, name string) (Object, error) {
	sum := w.Sum()
	o, err := w.Commit(ctx, name, Absent)
	if !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Transient) {
		return o, err
	}
	there, found, looked := Stat(ctx, b, name)
	switch {
	case looked != nil && fault.Is(err, fault.Conflict):
		return Object{}, looked
	case found && there.Bytes == sum.Bytes && there.CRC32C == sum.CRC32C:
		return there, nil
	}
	return Object{}, err
}

// Stat looks whether there is an object of a name, without its content.
func Stat(ctx context.Context, b Bucket, name string) (o Object, found bool, err error) {
	if err := CheckName(name); err != nil {
		return Object{}, false, err
	}
	page, err := b.List(ctx, name, "", 1) // of all names that begin with it, it is the first
	if err != nil || len(page) == 0 || page[0].Name != name {
		return Object{}, false, err
	}
	return page[0], true, nil
}

// ReadAll reads an object of at most limit bytes; a larger one is fault.Invalid.
func ReadAll(ctx context.Context, b Bucket, name string, limit int64) ([]byte, Object, error) {
	r, err := b.Open(ctx, name)
	if err != nil {
		return nil, Object{}, err
	}
	o := r.Object()
	if o.Bytes > limit {
		return nil, o, errors.Join(fault.New(fault.Invalid, "the object is larger than what is taken"), r.Close())
	}
	data := make([]byte, 0, o.Bytes+1) // one more, so that the end is seen
	for {
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case errors.Is(err, io.EOF):
			return data, o, r.Close()
		case err == nil && len(data) == cap(data):
			err = ErrCorrupt
		}
		if err != nil {
			return nil, o, errors.Join(err, r.Close())
		}
	}
}

// PutBytes commits a small object.
func PutBytes(ctx context.Context, b Bucket, contentType, name string, data []byte, at Generation) (Object, error) {
	w, err := filled(ctx, b, contentType, data)
	if err != nil {
		return Object{}, err
	}
	defer w.Abort()
	return w.Commit(ctx, name, at)
}

// PutOnce commits a small object as Once does.
func PutOnce(ctx context.Context, b Bucket, contentType, name string, data []byte) (Object, error) {
	w, err := filled(ctx, b, contentType, data)
	if err != nil {
		return Object{}, err
	}
	defer w.Abort()
	return Once(ctx, b, w, name)
}

func filled(ctx context.Context, b Bucket, contentType string, data []byte) (Writer, error) {
	w, err := b.Create(ctx, contentType)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		w.Abort()
		return nil, err
	}
	return w, nil
}

const page = 1000 // objects that are asked for at a time

// All are the objects whose names begin with prefix, ordered by name. An error is the last element.
func All(ctx context.Context, b Bucket, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		after := ""
		for {
			objects, err := b.List(ctx, prefix, after, page)
			if err != nil {
				yield(Object{}, err)
				return
			}
			for _, o := range objects {
				if !yield(o, nil) {
					return
				}
			}
			if len(objects) < page {
				return
			}
			after = objects[len(objects)-1].Name
		}
	}
}
