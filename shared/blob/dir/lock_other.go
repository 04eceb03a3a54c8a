//go:build !unix

package dir

import "github.com/providerdesk/providerdesk/shared/fault"

// lock refuses: without a lock between processes the promises do not hold.
func (b bucket) lock() (unlock func() error, err error) {
	return nil, fault.New(fault.Invalid, "a directory of objects needs a Unix system")
}
