package google

import (
	"fmt"
	"strconv"
)

// listing is one request for a page. Its identity is the method, the parent and the filter: a token is good for the same ones only.
type listing struct {
	id    string
	after string // the key of the last item already sent
	size  int
}

// listing reads the paging parameters. A size beyond the most is taken as the most.
func (s *Server) listing(rq *request, size, most int) (listing, error) {
	l := listing{id: fmt.Sprintf("%s\x00%s\x00%s\x00%q", rq.method.Op, rq.param, rq.query.Get("filter"), rq.query["notificationCategories"]), size: size}
	if n, _ := strconv.Atoi(rq.query.Get("pageSize")); n > 0 {
		l.size = min(n, most)
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

// page takes the next of n items, which are in ascending order of their keys, and the token of the page after them.
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

// ordinal is a key in the order of numbers.
func ordinal(i int) string { return fmt.Sprintf("%010d", i) }
