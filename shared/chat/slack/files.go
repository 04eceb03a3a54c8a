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
		return fault.New(fault.Invalid, "the file is larger than what is taken")
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
	return gapi.Download(ctx, doing, limit, w, func(ctx context.Context) (*http.Response, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, fault.Wrap(fault.Bug, errors.New("not a request"), doing)
		}
		resp, err := r.media.Do(req)
		if err == nil && (resp.StatusCode != http.StatusOK || page(resp, kind)) {
			defer resp.Body.Close()
			return nil, refusedFile(resp, doing)
		}
		return resp, err
	})
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
