package gapi

import (
	"context"
	"io"
	"net/http"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Unlimited lets a writer alone say how much it takes.
const Unlimited = -1

// Download makes one read and copies the body of its answer to w, at most limit bytes: a longer one is fault.Invalid. An error of w is returned
// as it is. After an error w holds part of the body.
func Download(ctx context.Context, doing string, limit int64, w io.Writer, get func(context.Context) (*http.Response, error)) error {
	to := &sink{w: w}
	err := Do(ctx, doing, func(ctx context.Context) error {
		resp, err := get(ctx)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		return copyAtMost(to, resp.Body, limit)
	})
	if to.err != nil {
		return to.err
	}
	return err
}

// copyAtMost copies everything, or limit bytes and an error.
func copyAtMost(w io.Writer, from io.Reader, limit int64) error {
	if limit == Unlimited {
		_, err := io.Copy(w, from)
		return err
	}
	if _, err := io.Copy(w, io.LimitReader(from, limit)); err != nil {
		return err
	}
	if n, _ := io.CopyN(io.Discard, from, 1); n > 0 {
		return fault.New(fault.Invalid, "the file is larger than what is taken")
	}
	return nil
}

// sink tells a writer's error from the network's.
type sink struct {
	w   io.Writer
	err error
}

func (s *sink) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err != nil {
		s.err = err
	}
	return n, err
}
