// Package dir is a blob.Bucket in a folder of this machine. An object is a plain file under its own name, for any program to read:
//
//	<folder>/<name>                          the content; its time of modification, in microseconds, is the generation
//	<folder>/.sums/ab/<hash>.<generation>    the checksum; hash is the SHA-256 of the name, ab the beginning of it
//	<folder>/.lock                           held while a name is given
//	<folder>/incoming/<random>               what is unfinished; New removes what is older than a day
//
// A commit writes and syncs content and checksum first. Under the lock it looks which generation is there and renames: the one rename of the
// content changes everything, so a kill at any moment leaves the old generation or the new one. Before it returns it syncs the folders. The lock is flock's: it holds
// between processes and ends with the process that has it. Readers take none.
//
// Not promised: that two objects can be there of which one's name is a folder in the other's (the second is fault.Invalid); names that differ
// only in case, on a file system that does not tell them apart; a file system that keeps times less exactly than microseconds (Commit
// fails), that is shared over a network, or that other programs write to: a file that did not come by Commit, or that was touched, has no
// checksum and is fault.Bug to read.
package dir

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
)

type bucket struct {
	folder string
	now    func() time.Time
}

var _ blob.Bucket = bucket{}

const (
	lockFile = ".lock"
	sums     = ".sums"
	folders  = 0o700 // what is in them is for their owner
	files    = 0o600

	forgotten = 24 * time.Hour // after the last byte was written to what is unfinished
)

// New opens the bucket in a folder, which it makes if it is not there.
func New(folder string) (blob.Bucket, error) {
	abs, err := filepath.Abs(folder)
	if folder == "" || err != nil {
		return nil, fault.New(fault.Invalid, "a directory of objects needs a folder")
	}
	b := bucket{folder: abs, now: time.Now}
	for _, inner := range []string{blob.Incoming, sums} {
		if err := makeFolder(filepath.Join(abs, inner)); err != nil {
			return nil, failed(err, "make the folder of objects")
		}
	}
	b.sweep()
	unlock, err := b.lock() // a file system without locks is found out now
	if err != nil {
		return nil, failed(err, "lock the folder of objects")
	}
	return b, failed(unlock(), "unlock the folder of objects")
}

// sweep removes what writers that died left more than a day ago. What cannot be removed may lie on.
func (b bucket) sweep() {
	rests, _ := os.ReadDir(b.path(blob.Incoming))
	for _, r := range rests {
		if info, err := r.Info(); err == nil && b.now().Sub(info.ModTime()) > forgotten {
			os.Remove(filepath.Join(b.path(blob.Incoming), r.Name()))
		}
	}
}

func (b bucket) path(name string) string { return filepath.Join(b.folder, filepath.FromSlash(name)) }

// Open reads the file of an object. Its checksum is removed when another generation takes its place, which may be between the two looks.
func (b bucket) Open(ctx context.Context, name string) (blob.Reader, error) {
	if err := errors.Join(blob.CheckName(name), ctx.Err()); err != nil {
		return nil, err
	}
	for last := blob.Absent; ; {
		file, o, err := b.open(name)
		switch {
		case err == nil:
			return newReader(file, o), nil
		case !errors.Is(err, errNoSum):
			return nil, failed(err, "open an object")
		case o.Generation == last:
			return nil, fault.Wrap(fault.Bug, errNoSum, "open an object")
		}
		last = o.Generation
	}
}

var errNoSum = errors.New("the file has no checksum: it did not come by a commit")

func (b bucket) open(name string) (*os.File, blob.Object, error) {
	file, err := os.Open(b.path(name))
	if err != nil {
		return nil, blob.Object{}, err
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = fs.ErrNotExist
	}
	var o blob.Object
	if err == nil {
		o, err = b.object(name, info)
	}
	if err != nil {
		file.Close()
	}
	return file, o, err
}

// object is what a file is, with its checksum.
func (b bucket) object(name string, info fs.FileInfo) (blob.Object, error) {
	o := blob.Object{Name: name, Generation: generation(info), Bytes: info.Size(), Created: info.ModTime().UTC()}
	sum, err := os.ReadFile(b.sumPath(name, o.Generation))
	if errors.Is(err, fs.ErrNotExist) {
		return o, errNoSum
	}
	o.CRC32C = string(sum)
	return o, err
}

func generation(info fs.FileInfo) blob.Generation { return blob.Generation(info.ModTime().UnixMicro()) }

func (b bucket) sumPath(name string, g blob.Generation) string {
	hash := blob.SumOf([]byte(name)).SHA256
	return filepath.Join(b.folder, sums, hash[:2], hash+"."+strconv.FormatInt(int64(g), 10))
}

// failed classifies an error of the file system.
func failed(err error, doing string) error {
	var f *fault.Error
	switch {
	case err == nil, errors.As(err, &f):
		return err
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrNotExist):
		return fault.Wrap(fault.Missing, bare(err), doing)
	case errors.Is(err, fs.ErrPermission):
		return fault.Wrap(fault.Denied, bare(err), doing)
	}
	return fault.Wrap(fault.Transient, bare(err), doing)
}

// bare takes the path off, which says how this machine is arranged.
func bare(err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	}
	return err
}
