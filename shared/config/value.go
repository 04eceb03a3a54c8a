package config

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/strict"
)

// reader reads one file.
type reader struct {
	*strict.Reader
	sources Sources
}

type (
	value  = strict.Value
	fields = strict.Fields
)

// secret reads a reference and, where that can be done offline, sees that it leads to a secret.
func (r *reader) secret(dst *Secret) func(value) {
	return func(v value) {
		ref := v.Scalar(howToWriteSecret[len("write "):])
		if ref == "" {
			return
		}
		s, err := NewSecret(ref, r.sources)
		if err != nil {
			v.Problem("%s", fault.Public(err))
			return
		}
		if !strings.HasPrefix(ref, "secret:") {
			if _, err := s.lookup(context.Background()); err != nil {
				v.Problem("%s cannot be used: %v", ref, cause(err))
				return
			}
		}
		*dst = s
	}
}

// cause is an error less the path in it, which the reference names already.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
