package dir

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// Create begins a file in the folder of what is unfinished. A folder has no types of content.
func (b bucket) Create(ctx context.Context, _ string) (blob.Writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	path := filepath.Join(b.folder, blob.Incoming, rand.Text())
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, files)
	if err != nil {
		return nil, failed(err, "begin an object")
	}
	return &writer{bucket: b, file: file, digest: blob.NewDigest()}, nil
}

type writer struct {
	bucket
	file   *os.File
	digest *blob.Digest
	err    error // the first failure, or that it ended
}

var errEnded = errors.New("the writer has ended")

func (w *writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.file.Write(p)
	w.digest.Write(p[:n])
	w.err = failed(err, "write an object")
	return n, w.err
}

func (w *writer) Sum() blob.Sum { return w.digest.Sum() }

func (w *writer) Abort() {
	if w.end() {
		w.file.Close()
		os.Remove(w.file.Name())
	}
}

// end reports whether the writer ends with this call.
func (w *writer) end() bool {
	ended := errors.Is(w.err, errEnded)
	w.err = errEnded
	return !ended
}

// Commit names the file. What a failure leaves in the folder of what is unfinished it removes.
func (w *writer) Commit(ctx context.Context, name string, at blob.Generation) (blob.Object, error) {
	err := w.err
	if !w.end() {
		return blob.Object{}, fault.Wrap(fault.Bug, errEnded, "commit an object")
	}
	defer os.Remove(w.sumFile())
	defer os.Remove(w.file.Name())
	defer w.file.Close()
	if err = errors.Join(err, blob.CheckName(name), ctx.Err()); err != nil {
		return blob.Object{}, err
	}
	if err := w.at(name, at); err != nil { // who comes too late learns it cheaply
		return blob.Object{}, err
	}
	o, err := w.finish(name, at)
	if err == nil {
		err = w.name(ctx, o, at)
	}
	if err == nil {
		err = w.settle(o, at)
	}
	if err != nil {
		return blob.Object{}, err
	}
	return o, nil
}

// finish makes content and checksum durable, as those of the next generation.
func (w *writer) finish(name string, at blob.Generation) (blob.Object, error) {
	sum := w.Sum()
	o := blob.Object{Name: name, Bytes: sum.Bytes, CRC32C: sum.CRC32C, Created: w.after(at)}
	o.Generation = blob.Generation(o.Created.UnixMicro())
	if err := errors.Join(w.stamp(o.Created), w.file.Sync()); err != nil {
		return o, failed(err, "write an object")
	}
	return o, failed(writeSynced(w.sumFile(), []byte(o.CRC32C)), "write a checksum")
}

func (w *writer) sumFile() string { return w.file.Name() + ".sum" }

// after is the time of a generation that comes after another.
func (w *writer) after(at blob.Generation) time.Time {
	return time.UnixMicro(max(w.now().UnixMicro(), int64(at)+1)).UTC()
}

var errCoarse = errors.New("the file system does not keep the time of a file to the microsecond")

// stamp gives the file its generation.
func (w *writer) stamp(at time.Time) error {
	if err := os.Chtimes(w.file.Name(), at, at); err != nil {
		return err
	}
	info, err := w.file.Stat()
	if err == nil && !info.ModTime().Equal(at) {
		err = fault.Wrap(fault.Bug, errCoarse, "write an object")
	}
	return err
}

// name is the step that counts: under the lock the generation that must be there is there or nothing happens.
func (w *writer) name(ctx context.Context, o blob.Object, at blob.Generation) (err error) {
	for _, path := range []string{w.path(o.Name), w.sumPath(o.Name, o.Generation)} {
		if err := makeFolder(filepath.Dir(path)); err != nil {
			return inTheWay(err)
		}
	}
	unlock, err := w.lock()
	if err != nil {
		return failed(err, "lock the folder of objects")
	}
	defer func() { err = errors.Join(err, failed(unlock(), "unlock the folder of objects")) }()
	if err := errors.Join(ctx.Err(), w.at(o.Name, at)); err != nil {
		return err
	}
	if err := os.Rename(w.sumFile(), w.sumPath(o.Name, o.Generation)); err != nil {
		return failed(err, "name a checksum")
	}
	return failed(os.Rename(w.file.Name(), w.path(o.Name)), "name an object")
}

// at checks that the generation which must be there is.
func (w *writer) at(name string, at blob.Generation) error {
	there := blob.Absent
	info, err := os.Lstat(w.path(name))
	switch {
	case err == nil && info.IsDir():
		return inTheWay(syscall.EISDIR)
	case err == nil:
		there = generation(info)
	case !errors.Is(err, fs.ErrNotExist):
		return inTheWay(err)
	}
	if there != at {
		return fault.New(fault.Conflict, "the object is not at the generation that was expected")
	}
	return nil
}

// settle makes a name durable, and only then forgets the checksum of the generation before.
func (w *writer) settle(o blob.Object, at blob.Generation) error {
	sum := w.sumPath(o.Name, o.Generation)
	if err := errors.Join(syncFolder(filepath.Dir(sum)), syncFolder(filepath.Dir(w.path(o.Name)))); err != nil {
		return failed(err, "sync the folder of an object")
	}
	if at != blob.Absent {
		os.Remove(w.sumPath(o.Name, at)) // a rest is harmless
	}
	return nil
}

// inTheWay says of a file where a folder must be, or of a folder where a file must be, that the name cannot be had.
func inTheWay(err error) error {
	if errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR) || errors.Is(err, fs.ErrExist) {
		return fault.New(fault.Invalid, "in a directory no object's name can be the folder of another's")
	}
	return failed(err, "make the folder of an object")
}

func writeSynced(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, files)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Sync(), file.Close())
}

// makeFolder makes a folder and those above it, each of them durable.
func makeFolder(path string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return syscall.ENOTDIR
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	parent := filepath.Dir(path)
	if err := makeFolder(parent); err != nil {
		return err
	}
	if err := os.Mkdir(path, folders); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(parent)
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
