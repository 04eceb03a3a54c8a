package slack

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// Download asks files.info where the file is and fetches it from there, if that is where Slack keeps files: our token goes nowhere else. At
// most limit bytes come to w. After an error w holds part of the file.
func (r *Room) Download(ctx context.Context, f chat.File, limit int64, w io.Writer) error {
	if err := formed(fileForm, f.Ref, "the file"); err != nil {
		return err
	}
	var info struct {
		File struct {
			URL      string `json:"url_private"`
			Mimetype string
			Size     int64
		}
	}
	if err := r.read(ctx, "look up a file", "files.info", url.Values{"file": {f.Ref}}, &info); err != nil {
		return err
	}
	if info.File.Size > limit {
		return tooLarge()
	}
	if err := r.kept(info.File.URL); err != nil {
		return err
	}
	return r.fetch(ctx, info.File.URL, info.File.Mimetype, limit, w)
}

// kept refuses an address that is not where Slack keeps files.
func (r *Room) kept(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.Scheme != r.files.Scheme || u.Host != r.files.Host || !strings.HasPrefix(u.Path, r.files.Path+"/") {
		return fault.New(fault.Invalid, "the file is not kept by Slack")
	}
	return nil
}

func (r *Room) fetch(ctx context.Context, address, kind string, limit int64, w io.Writer) error {
	const doing = "download a file"
	to := &sink{w: w}
	err := gapi.Do(ctx, doing, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return fault.Wrap(fault.Bug, errors.New("not a request"), doing)
		}
		resp, err := r.media.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK || page(resp, kind) {
			return refusedFile(resp, doing)
		}
		return copyAtMost(to, resp.Body, limit)
	})
	if to.err != nil {
		return to.err
	}
	return err
}

// page reports whether the answer is a page for people, as Slack's login page is, instead of the file.
func page(resp *http.Response, kind string) bool {
	got, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return got == "text/html" && kind != got
}

// refusedFile knows that Slack sends whoever may not read a file to its login page.
func refusedFile(resp *http.Response, doing string) error {
	if resp.StatusCode/100 == 3 || resp.StatusCode == http.StatusOK {
		return fault.Wrap(fault.Denied, errors.New("a login was asked for; the bot needs files:read"), doing)
	}
	return gapi.Refused(resp, "")
}

// copyAtMost copies everything, or limit bytes and an error.
func copyAtMost(w io.Writer, from io.Reader, limit int64) error {
	if _, err := io.Copy(w, io.LimitReader(from, limit)); err != nil {
		return err
	}
	if n, _ := io.CopyN(io.Discard, from, 1); n > 0 {
		return tooLarge()
	}
	return nil
}

func tooLarge() error { return fault.New(fault.Invalid, "the file is larger than what is taken") }

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
