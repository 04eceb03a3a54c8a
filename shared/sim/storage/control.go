package storage

import (
	"bytes"
	"io"
	"maps"
	"net/http"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// control serves what the API does not have: the hands of the tester.
func (s *Server) control(r *http.Request) (any, error) {
	if r.Method+" "+r.URL.Path != "POST /corruptions" {
		return nil, missing("control")
	}
	var in struct {
		Bucket string `json:"bucket"`
		Name   string `json:"name"`
		At     int64  `json:"at"`
	}
	if err := server.ReadControl(r, &in); err != nil {
		return nil, err
	}
	return struct{}{}, s.Corrupt(in.Bucket, in.Name, in.At)
}

// Corrupt makes one byte of an object another one. Generation and checksums stay what they are.
func (s *Server) Corrupt(bucket, name string, at int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := s.begin(s.opts.Now())
	r, err := tx.live(bucket, name, "")
	if err != nil {
		return err
	}
	if at < 0 || at >= r.Content.Bytes {
		return invalid("The object has no such byte.")
	}
	pieces := append([]piece(nil), r.Content.Pieces...)
	i := 0
	for ; at >= pieces[i].Bytes; i++ {
		at -= pieces[i].Bytes
	}
	data, err := s.blobs.Load(pieces[i].ID)
	if err != nil {
		return err
	}
	data = bytes.Clone(data)
	data[at] ^= 1
	spoilt, err := tx.save(data)
	if err != nil {
		return err
	}
	pieces[i] = spoilt[0]
	r.Content.Pieces = pieces
	tx.change.Objects = append(tx.change.Objects, r)
	return tx.commit()
}

// ObjectView is an object as the server has it, for whoever checks what really happened.
type ObjectView struct {
	Name       string
	Generation int64
	Bytes      int64
	CRC32C     string
	Type       string
	Metadata   map[string]string
}

func (r objectRecord) view() ObjectView {
	return ObjectView{r.Name, r.Generation, r.Content.Bytes, r.Content.crc32c(), r.Settings.Type, maps.Clone(r.Settings.Metadata)}
}

// Objects are the objects of a bucket, in the order of their names.
func (s *Server) Objects(bucket string) []ObjectView {
	s.Settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []ObjectView
	for _, name := range s.state.names(bucket) {
		all = append(all, s.state.objects[objectKey{bucket, name}].view())
	}
	return all
}

// History are the objects of a bucket that were ever made since the server was opened, in that order, whatever became of them.
func (s *Server) History(bucket string) []ObjectView {
	s.Settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []ObjectView
	for _, r := range s.made {
		if r.Bucket == bucket && r.Generation > 0 {
			all = append(all, r.view())
		}
	}
	return all
}

// Content is the content of an object, nil if there is none.
func (s *Server) Content(bucket, name string) ([]byte, error) {
	s.Settle()
	s.mu.Lock()
	r := s.state.objects[objectKey{bucket, name}]
	s.mu.Unlock()
	return io.ReadAll(&stream{server: s, pieces: r.Content.Pieces, left: r.Content.Bytes})
}

// Uploads is how many sessions are open.
func (s *Server) Uploads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, up := range s.state.uploads {
		if up.Done == nil {
			n++
		}
	}
	return n
}

// Ops are the ids of all methods that the server has.
func Ops() []string {
	all := []string{opDownload, opStart, opChunk, opStatus, opCancel}
	for _, m := range methods {
		all = append(all, m.Op)
	}
	return all
}
