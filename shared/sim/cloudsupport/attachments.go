package cloudsupport

import (
	"net/http"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// attach stages an attachment. Its bytes are kept first: a change never names bytes that are not there.
func (s *Server) attach(tx *tx, rq *request) (any, error) {
	d, _, err := tx.dossier(rq.param)
	if err != nil {
		return nil, err
	}
	if rq.media == nil {
		return nil, rest.Invalid("media", "An attachment needs its content: send it to %s.", rq.method.Upload)
	}
	if d.State == stateClosed && !s.opts.CommentsOnClosed {
		return nil, closedCase()
	}
	if rq.media.more {
		return s.uploads.carryOn(tx, rq)
	}
	return tx.attachment(d, rq)
}

func (tx *tx) attachment(d *dossier, rq *request) (any, error) {
	r := attachmentRecord{
		Case: d.Number, ID: "0684M00000" + letters(tx.next("attachment"), 8), File: rq.object.text("attachment.filename"),
		Type: rq.media.kind, Bytes: int64(len(rq.media.data)), Author: rq.caller, Created: tx.at,
	}
	if err := tx.blobs.Save(r.ID, rq.media.data); err != nil {
		return nil, err
	}
	tx.change.Attachments = append(tx.change.Attachments, r)
	c := d.caseRecord
	c.Updated = tx.at
	tx.put(c, "ATTACHMENT_CREATED")
	return r.wire(d.name()), nil
}

func (tx *tx) findAttachment(name string) (*dossier, attachmentRecord, error) {
	d, id, err := tx.dossier(name)
	if err != nil {
		return nil, attachmentRecord{}, err
	}
	for _, a := range d.attachments {
		if a.ID == id {
			return d, a, nil
		}
	}
	return nil, attachmentRecord{}, rest.NotFound()
}

func (s *Server) getAttachment(tx *tx, rq *request) (any, error) {
	d, a, err := tx.findAttachment(rq.param)
	if err != nil {
		return nil, err
	}
	return a.wire(d.name()), nil
}

func (s *Server) listAttachments(tx *tx, rq *request) (any, error) {
	d, _, err := tx.dossier(rq.param)
	if err != nil {
		return nil, err
	}
	l, err := s.listing(rq, d.name(), "")
	if err != nil {
		return nil, err
	}
	n := len(d.attachments)
	list, next := rest.Page(l, n, func(i int) (string, wireAttachment, bool) {
		return rest.NewestFirst(n - i), d.attachments[n-1-i].wire(d.name()), true
	})
	return struct {
		Attachments []wireAttachment `json:"attachments,omitempty"`
		Next        string           `json:"nextPageToken,omitempty"`
	}{list, next}, nil
}

// download answers the bytes. They are a stranger's: a browser must not take them for a page.
func (s *Server) download(tx *tx, rq *request) (any, error) {
	_, a, err := tx.findAttachment(rq.param)
	if err != nil {
		return nil, err
	}
	data, err := s.blobs.Load(a.ID)
	if err != nil {
		return nil, err
	}
	h := http.Header{"Content-Type": {a.Type}, "Content-Disposition": {"attachment"}, "X-Content-Type-Options": {"nosniff"}}
	return server.Reply{Status: http.StatusOK, Header: h, Body: data}, nil
}
