package hub

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// upload is the file of a multipart body.
type upload struct {
	name string
	data []byte
}

// fileRecord is an uploaded file without its bytes.
type fileRecord struct {
	ID      string    `json:"id"`
	Request string    `json:"request"`
	Name    string    `json:"name"`
	Size    int       `json:"size"`
	Created time.Time `json:"created"`
}

const (
	partFile   = "uploadedInputStream"
	partDetail = "fileDetail"
	maxDetail  = 64 << 10
)

// parseUpload reads the two parts of the guide's table: the file's bytes, which must be there, and a description of the file.
func (rq *request) parseUpload() *failure {
	kind, parameters, err := mime.ParseMediaType(rq.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return fail(http.StatusUnsupportedMediaType, "INVALID_CONTENT_TYPE", "The Content-Type must be multipart/form-data.")
	}
	form := multipart.NewReader(bytes.NewReader(rq.Body), parameters["boundary"])
	seen := map[string]bool{}
	for {
		part, err := form.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fail(http.StatusBadRequest, "INVALID_BODY", "The body is no form.")
		}
		if seen[part.FormName()] {
			return invalid(part.FormName(), "The part stands there twice.")
		}
		seen[part.FormName()] = true
		if f := rq.readPart(part); f != nil {
			return f
		}
	}
	if !seen[partFile] {
		return invalid(partFile, "The part is missing.")
	}
	return nil
}

func (rq *request) readPart(part *multipart.Part) *failure {
	limit := maxUpload
	switch part.FormName() {
	case partFile:
	case partDetail:
		limit = maxDetail
	default:
		return invalid(part.FormName(), "The method has no such part.")
	}
	data, err := io.ReadAll(part)
	if err != nil {
		return fail(http.StatusBadRequest, "INVALID_BODY", "The body is no form.")
	}
	if len(data) > limit {
		return fail(http.StatusRequestEntityTooLarge, "TOO_LARGE", "The part has more than %d bytes.", limit)
	}
	if part.FormName() == partDetail {
		return nil
	}
	rq.upload = upload{name: clipName(part.FileName()), data: data}
	return nil
}

func clipName(name string) string {
	if name == "" {
		return "file"
	}
	return server.Clip(name)
}

func (tx *tx) uploadFile(rq *request) (reply, error) {
	t, err := tx.ticket(rq)
	if err != nil {
		return reply{}, err
	}
	if t.Status == statusClosed {
		return reply{}, invalid("supportRequestId", "The support request is closed.")
	}
	f := fileRecord{ID: uuid(tx.next("file")), Request: t.ID, Name: rq.upload.name, Size: len(rq.upload.data), Created: tx.at}
	if err := tx.blobs.Save(f.ID, rq.upload.data); err != nil {
		return reply{}, err
	}
	tx.change.Files = append(tx.change.Files, f)
	if tx.switches.UploadAttach {
		t.Files = attach(t.Files, []fileReference{{FileName: f.Name, FileID: f.ID, Action: "ADD"}})
		t.Updated = tx.at
		tx.change.Tickets = append(tx.change.Tickets, t)
	}
	return answer(http.StatusOK, map[string]any{"fileId": f.ID, "fileName": f.Name})
}

// File returns the bytes of an uploaded file.
func (s *Server) File(id string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.state.files[id]; !ok {
		return nil, notFound()
	}
	return s.blobs.Load(id)
}
