//go:build unix

package dir

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// lock takes the lock of the bucket, which other processes have for the moment of a rename only. Every call opens the file anew: flock's
// locks belong to that.
func (b bucket) lock() (unlock func() error, err error) {
	file, err := os.OpenFile(filepath.Join(b.folder, lockFile), os.O_RDWR|os.O_CREATE, files)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file.Close, nil
}
