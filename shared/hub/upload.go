package hub

import (
	"context"
	"io"
	"mime/multipart"
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// UploadFile is the upload of "Create a Support Request", POST /support/v1/orgs/{org}/support-requests/{id}/upload: one send of a multipart form
// with the parts fileDetail (the base name of the file) and uploadedInputStream (the file). r is read once, as it is sent; if the hub refuses
// the access token it is read again from its beginning where it is an io.Seeker, and the call fails unsent where it is not. The file
// belongs to the ticket once ChangeTicket has sent the reference that is returned. The guide does not show the answer: one without an id of the
// file is Transient.
func (c *Client) UploadFile(ctx context.Context, org, id, name string, r io.Reader) (FileReference, error) {
	const doing = "upload a file"
	name = baseName(name)
	switch {
	case !idForm.MatchString(id):
		return FileReference{}, fault.New(fault.Invalid, "not the id of a support request")
	case name == "":
		return FileReference{}, fault.New(fault.Invalid, "a file needs a name")
	}
	up, err := newUpload(name, r)
	if err != nil {
		return FileReference{}, fault.Wrap(fault.Bug, err, doing)
	}
	a, err := c.call(ctx, request{doing: doing, method: "POST", org: org, path: supportPath(org) + "/" + id + "/upload", stream: up})
	if err != nil {
		return FileReference{}, err
	}
	o, _ := objectOf(a.body)
	f := FileReference{Name: name, ID: o.text("fileId", "id"), Action: "ADD"}
	if f.ID == "" {
		return FileReference{}, unreadable("file", doing)
	}
	return f, nil
}

// upload is a multipart form around a reader, composed without a copy of the file.
type upload struct {
	head, tail string
	boundary   string
	file       io.Reader
	start      int64 // where the file began, -1 if it cannot be read again
}

func newUpload(name string, file io.Reader) (*upload, error) {
	var b strings.Builder
	w := multipart.NewWriter(&b)
	if err := w.WriteField("fileDetail", name); err != nil {
		return nil, err
	}
	if _, err := w.CreateFormFile("uploadedInputStream", name); err != nil {
		return nil, err
	}
	head := b.String()
	if err := w.Close(); err != nil {
		return nil, err
	}
	return &upload{head: head, tail: b.String()[len(head):], boundary: w.Boundary(), file: file, start: position(file)}, nil
}

func position(r io.Reader) int64 {
	s, ok := r.(io.Seeker)
	if !ok {
		return -1
	}
	at, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return -1
	}
	return at
}

func (u *upload) reader() io.Reader {
	return io.MultiReader(strings.NewReader(u.head), u.file, strings.NewReader(u.tail))
}

func (u *upload) kind() string { return "multipart/form-data; boundary=" + u.boundary }

func (u *upload) rewind() bool {
	if u.start < 0 {
		return false
	}
	_, err := u.file.(io.Seeker).Seek(u.start, io.SeekStart)
	return err == nil
}
