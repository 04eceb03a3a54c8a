package google

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/api/cloudsupport/v2"
	"google.golang.org/api/googleapi"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// Attach calls media.upload. It turns chunks off, so that a file of any size is one multipart request that cannot be repeated: the
// generated client retries chunks, and only chunks. r is read once. The API publishes no limit of size.
func (d *Desk) Attach(ctx context.Context, name, file, contentType string, r io.Reader) (desk.Attachment, error) {
	const doing = "attach a file"
	if err := check(caseForm, name, "a case"); err != nil {
		return desk.Attachment{}, err
	}
	if file == "" {
		return desk.Attachment{}, fault.New(fault.Invalid, "an attachment needs a file name")
	}
	var a *cloudsupport.Attachment
	err := gapi.Do(ctx, doing, func(ctx context.Context) (err error) {
		a, err = d.media.Media.Upload(name, &cloudsupport.CreateAttachmentRequest{Attachment: &cloudsupport.Attachment{Filename: file}}).
			Media(r, googleapi.ChunkSize(0), googleapi.ContentType(cmp.Or(contentType, "application/octet-stream"))).Context(ctx).Do()
		return err
	})
	if err != nil {
		return desk.Attachment{}, err
	}
	return attachmentOf(a, doing)
}

// Attachments calls cases.attachments.list, all pages, oldest first.
func (d *Desk) Attachments(ctx context.Context, name string) ([]desk.Attachment, error) {
	const doing = "list attachments"
	if err := check(caseForm, name, "a case"); err != nil {
		return nil, err
	}
	found, err := gapi.Pages(ctx, doing, func(ctx context.Context, token string) ([]*cloudsupport.Attachment, string, error) {
		r, err := d.api.Cases.Attachments.List(name).PageSize(pageSize).PageToken(token).Context(ctx).Do()
		if err != nil {
			return nil, "", err
		}
		return r.Attachments, r.NextPageToken, nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]desk.Attachment, 0, len(found))
	for _, a := range found {
		k, err := attachmentOf(a, doing)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	slices.SortStableFunc(out, func(a, b desk.Attachment) int {
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.Name, b.Name))
	})
	return out, nil
}

// Download calls media.download and copies the file to w, whose error it returns as it is: the size is w's to limit. After an error w
// holds part of the file.
func (d *Desk) Download(ctx context.Context, attachment string, w io.Writer) error {
	if err := check(attachmentForm, attachment, "an attachment"); err != nil {
		return err
	}
	return gapi.Download(ctx, "download a file", gapi.Unlimited, w, func(ctx context.Context) (*http.Response, error) {
		return d.media.Media.Download(attachment).Context(ctx).Download()
	})
}

func attachmentOf(a *cloudsupport.Attachment, doing string) (desk.Attachment, error) {
	if a == nil || !attachmentForm.MatchString(a.Name) {
		return desk.Attachment{}, unreadable("attachment", doing)
	}
	return desk.Attachment{Name: a.Name, File: a.Filename, Type: a.MimeType, Bytes: a.SizeBytes, Created: moment(a.CreateTime)}, nil
}
