package blob

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Incoming begins the names of what is unfinished.
const Incoming = "incoming/"

const maxSegment = 255 // bytes, as file systems have it

// CheckName says what is wrong with the name of an object: segments that are separated by single slashes, none of them "." or "..", without
// control characters, not under Incoming, and without a dot at the very beginning, where an implementation may have something of its own.
func CheckName(name string) error {
	switch {
	case name == "" || len(name) > MaxName:
		return fault.New(fault.Invalid, "the name of an object has 1 to %d bytes", MaxName)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return fault.New(fault.Invalid, "the name of an object is text without control characters")
	case strings.HasPrefix(name+"/", Incoming) || strings.HasPrefix(name, "."):
		return fault.New(fault.Invalid, "the name of an object does not begin with %s or a dot", Incoming)
	}
	for segment := range strings.SplitSeq(name, "/") {
		if segment == "" || segment == "." || segment == ".." || len(segment) > maxSegment {
			return fault.New(fault.Invalid, "the name of an object is made of segments that have 1 to %d bytes and are no dots", maxSegment)
		}
	}
	return nil
}
