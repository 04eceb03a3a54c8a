package cloudsupport

import (
	"fmt"
	"math"
	"strconv"
)

const (
	defaultPage = 10
	maxPage     = 100 // the document has it for attachments only; all listings keep to it
)

// listing is one request for a page. Its identity is the method, the parent and the filter: a token is good for the same ones only.
type listing struct {
	id    string
	after string // the key of the last item already sent
	size  int
}

func (s *Server) listing(rq *request, parent, filter string) (listing, error) {
	l := listing{id: fmt.Sprintf("%s\x00%s\x00%s\x00%s", rq.method.Op, parent, filter, rq.query.Get("showDeleted")), size: defaultPage}
	if n, _ := strconv.Atoi(rq.query.Get("pageSize")); n > 0 {
		l.size = min(n, maxPage)
	}
	if token := rq.query.Get("pageToken"); token != "" {
		place, ok := s.place(l.id, token)
		if !ok {
			return l, invalid("pageToken", "The page token is not valid for this request.")
		}
		l.after = place
	}
	return l, nil
}

// newestFirst is a key that sorts later items before earlier ones, and does not move when items are added.
func newestFirst(seq int) string { return fmt.Sprintf("%010d", math.MaxInt32-seq) }

// page takes the next items that match, out of n items in ascending order of their keys, and the token of the page after them.
func page[T any](s *Server, l listing, n int, item func(int) (key string, v T, ok bool)) ([]T, string) {
	var items []T
	last := ""
	for i := range n {
		key, v, ok := item(i)
		if !ok || key <= l.after {
			continue
		}
		if len(items) == l.size {
			return items, s.pageToken(l.id, last)
		}
		items, last = append(items, v), key
	}
	return items, ""
}
