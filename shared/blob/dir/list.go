package dir

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/shared/blob"
)

// List walks the folders in the order of whole names, and only into those that can hold what is asked for.
func (b bucket) List(ctx context.Context, prefix, after string, limit int) ([]blob.Object, error) {
	l := listing{bucket: b, prefix: prefix, after: after, limit: limit}
	if limit <= 0 {
		return nil, ctx.Err()
	}
	if err := l.walk(ctx, ""); err != nil && !errors.Is(err, errFull) {
		return nil, failed(err, "list objects")
	}
	return l.found, nil
}

type listing struct {
	bucket
	prefix, after string
	limit         int
	found         []blob.Object
}

var errFull = errors.New("as many as were asked for")

// walk lists the folder whose objects' names begin with head.
func (l *listing) walk(ctx context.Context, head string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := os.ReadDir(l.path(head))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = head + e.Name()
		if e.IsDir() {
			names[i] += "/"
		}
	}
	slices.SortFunc(names, cmp.Compare)
	for _, name := range names {
		if err := l.visit(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (l *listing) visit(ctx context.Context, name string) error {
	folder := strings.HasSuffix(name, "/")
	switch {
	case strings.HasPrefix(name, ".") || name == blob.Incoming:
		return nil // ours
	case folder && l.mayHold(name):
		return l.walk(ctx, name)
	case !folder && strings.HasPrefix(name, l.prefix) && name > l.after:
		return l.add(name)
	}
	return nil
}

// mayHold reports whether a folder can have names that are asked for.
func (l *listing) mayHold(folder string) bool {
	inside := strings.HasPrefix(folder, l.prefix) || strings.HasPrefix(l.prefix, folder)
	return inside && (folder > l.after || strings.HasPrefix(l.after, folder))
}

// add takes a file down, as of the generation that it has now. One that is no object is left out.
func (l *listing) add(name string) error {
	for last := blob.Absent; ; {
		info, err := os.Lstat(l.path(name))
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			return nil
		}
		var o blob.Object
		if err == nil {
			o, err = l.object(name, info)
		}
		switch {
		case err == nil:
			return l.take(o)
		case !errors.Is(err, errNoSum):
			return err
		case o.Generation == last:
			return nil
		}
		last = o.Generation
	}
}

func (l *listing) take(o blob.Object) error {
	if l.found = append(l.found, o); len(l.found) == l.limit {
		return errFull
	}
	return nil
}
