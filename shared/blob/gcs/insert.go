package gcs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"

	"google.golang.org/api/googleapi"
	"google.golang.org/api/storage/v1"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

const typeJSON = "application/json; charset=UTF-8"

// insert makes an object in one request.
func (b *bucket) insert(ctx context.Context, d deed, data []byte) (*storage.Object, error) {
	meta, err := json.Marshal(&storage.Object{
		Name: b.prefix + d.name, ContentType: d.kind, Crc32c: d.sum.CRC32C, Metadata: map[string]string{writer: d.id},
	})
	if err != nil {
		return nil, fault.Wrap(fault.Bug, err, "describe an object")
	}
	var head bytes.Buffer
	related := multipart.NewWriter(&head)
	part(related, typeJSON).Write(meta)
	part(related, d.kind)
	tail := "\r\n--" + related.Boundary() + "--\r\n"

	content := &loan{bytes: data}
	defer content.take()
	at := b.uploads(url.Values{"uploadType": {"multipart"}, "ifGenerationMatch": {strconv.FormatInt(int64(d.at), 10)}})
	body := io.MultiReader(&head, content, bytes.NewReader([]byte(tail)))
	header := http.Header{"Content-Type": {"multipart/related; boundary=" + related.Boundary()}}
	var made *storage.Object
	err = b.send(ctx, "write an object", request{http.MethodPost, at, header, body, int64(head.Len() + len(data) + len(tail))}, func(resp *http.Response) error {
		made, err = decode(resp)
		return err
	})
	return made, tampered(err)
}

// part begins the next part of a body in memory, which takes everything.
func part(w *multipart.Writer, kind string) io.Writer {
	p, err := w.CreatePart(textproto.MIMEHeader{"Content-Type": {kind}})
	if err != nil {
		return io.Discard
	}
	return p
}

// request is one that the generated client does not make.
type request struct {
	method string
	url    string
	header http.Header
	body   io.Reader
	bytes  int64 // of the body
}

// send makes a request once, and reads its answer.
func (b *bucket) send(ctx context.Context, doing string, r request, read func(*http.Response) error) error {
	return gapi.Do(ctx, doing, func(ctx context.Context) error {
		body := r.body
		if r.bytes == 0 {
			body = http.NoBody
		}
		rq, err := http.NewRequestWithContext(ctx, r.method, r.url, body)
		if err != nil {
			return err
		}
		rq.Header, rq.ContentLength, rq.GetBody = r.header, r.bytes, nil
		resp, err := b.http.Do(rq)
		if err != nil {
			return err
		}
		defer googleapi.CloseBody(resp)
		return read(resp)
	})
}

// decode reads the object that an answer describes.
func decode(resp *http.Response) (*storage.Object, error) {
	if err := googleapi.CheckResponse(resp); err != nil {
		return nil, err
	}
	made := new(storage.Object)
	if err := json.NewDecoder(resp.Body).Decode(made); err != nil {
		return nil, fmt.Errorf("read an answer: %w", err)
	}
	return made, nil
}

// tampered is a refusal of content. Names, types and preconditions are ours and right: what remains is that the bytes did not arrive as they
// were sent, which is no reason to give them up.
func tampered(err error) error {
	if fault.Is(err, fault.Invalid) {
		return fault.Wrap(fault.Bug, err, "the content was refused")
	}
	return err
}
