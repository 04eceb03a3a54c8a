package chat

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// wireFile is a file as Slack shows it; base is where this server is mounted.
func wireFile(f file, base string) map[string]any {
	address := base + slackFiles + f.ID + "/" + url.PathEscape(f.Name)
	return map[string]any{
		"id": f.ID, "name": f.Name, "title": f.Name, "mimetype": f.Type, "size": f.Bytes, "mode": "hosted", "user": f.Author, "is_external": false,
		"url_private": address, "url_private_download": address,
	}
}

func (s *Server) fileInfo(c *call) (map[string]any, *refusal) {
	f, ok := s.state.files[key{Slack, c.texts["file"]}]
	if !ok {
		return nil, refuse("file_not_found")
	}
	return map[string]any{"file": wireFile(f, c.Base.String())}, nil
}

// slackDownload answers the bytes of a file. Who has no token is sent to the page where people log in, as Slack does it.
func (s *Server) slackDownload(rq *server.Request) server.Reply {
	if token := rq.Bearer(); token == "" || !s.taken(token) {
		a := server.Typed(http.StatusFound, "text/html; charset=utf-8", nil)
		a.Header.Set("Location", rq.Base.String()+"/slack/login")
		a.Reason = "no token"
		return a
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(rq.Path, slackFiles), "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.state.files[key{Slack, id}]
	if !ok {
		return server.Typed(http.StatusNotFound, "text/plain; charset=utf-8", []byte("File not found\n"))
	}
	return s.bytes(f)
}

// bytes of a file are a stranger's: a browser must not take them for a page.
func (s *Server) bytes(f file) server.Reply {
	data, err := s.blobs.Load(f.Blob)
	if err != nil {
		return frontEnd(http.StatusInternalServerError)
	}
	h := http.Header{"Content-Type": {f.Type}, "Content-Disposition": {"attachment"}, "X-Content-Type-Options": {"nosniff"}}
	return server.Reply{Status: http.StatusOK, Header: h, Body: data}
}
