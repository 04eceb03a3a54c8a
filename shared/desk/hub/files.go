package hub

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	api "github.com/providerdesk/providerdesk/shared/hub"
)

// Attach uploads a file and then adds it to the request: two writes, each sent once. The content type is not sent, the hub has no place for it.
// r is read once, and again from its beginning only if it is an io.Seeker and the hub refused the access token.
func (d *Desk) Attach(ctx context.Context, name, file, contentType string, r io.Reader) (desk.Attachment, error) {
	id, err := d.id(name)
	if err != nil {
		return desk.Attachment{}, err
	}
	n := &counted{Reader: r}
	up, err := d.o.Client.UploadFile(ctx, d.o.Organization, id, file, n)
	if err != nil {
		return desk.Attachment{}, err
	}
	t, err := d.o.Client.ChangeTicket(ctx, d.o.Organization, id, api.TicketChange{Files: []api.FileReference{up}})
	if err != nil {
		if t, err = d.holding(ctx, id, up, err); err != nil {
			return desk.Attachment{}, err
		}
	}
	a := d.attachment(id, up)
	a.Type, a.Bytes, a.Created = contentType, n.bytes, t.Updated
	return a, nil
}

// holding reads the request of a file whose reference failed: some hubs add a file with its upload. The failure is definite only if the hub
// refused the reference and does not show the file; the upload has happened, so it is never unsent.
func (d *Desk) holding(ctx context.Context, id string, file api.FileReference, failed error) (api.Ticket, error) {
	const doing = "add an uploaded file to a support request"
	t, err := d.o.Client.Ticket(ctx, d.o.Organization, id)
	if err == nil && slices.ContainsFunc(t.Files, func(f api.FileReference) bool { return f.ID == file.ID }) {
		return t, nil
	}
	if k := fault.Of(failed); err == nil && !fault.IsUnsent(failed) && slices.Contains(refusals, k) {
		return t, fault.Wrap(k, failed, doing)
	}
	return t, fault.Wrap(fault.Transient, errors.New(failed.Error()), doing) // without its being unsent
}

var refusals = []fault.Kind{fault.Invalid, fault.Denied, fault.Missing, fault.Conflict}

// Attachments are the files of a request, in the hub's order, without their sizes and times.
func (d *Desk) Attachments(ctx context.Context, name string) ([]desk.Attachment, error) {
	t, err := d.read(ctx, name)
	if err != nil {
		return nil, err
	}
	all := make([]desk.Attachment, len(t.Files))
	for i, f := range t.Files {
		all[i] = d.attachment(t.ID, f)
	}
	return all, nil
}

// Download is fault.Invalid: the hub's API takes files and does not give them back.
func (d *Desk) Download(context.Context, string, io.Writer) error {
	return fault.New(fault.Invalid, "the hub does not give files back; look at the support request in its pages")
}

func (d *Desk) attachment(id string, f api.FileReference) desk.Attachment {
	return desk.Attachment{Name: d.path + id + "/files/" + f.ID, File: f.Name}
}

// counted counts the bytes of a file, and reads it again where the file can.
type counted struct {
	io.Reader
	bytes int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.bytes += int64(n)
	return n, err
}

func (c *counted) Seek(offset int64, whence int) (int64, error) {
	s, ok := c.Reader.(io.Seeker)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	if whence != io.SeekCurrent {
		c.bytes = 0
	}
	return s.Seek(offset, whence)
}
