package storage

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

const mostObjects = 1000 // of a page

type wireList struct {
	Kind     string       `json:"kind"`
	Next     string       `json:"nextPageToken,omitempty"`
	Prefixes []string     `json:"prefixes,omitempty"`
	Items    []wireObject `json:"items,omitempty"`
}

// listObjects answers a page in the order of names. With a delimiter the names that go on after it are one prefix.
func (s *Server) listObjects(tx *tx, rq *request) (server.Reply, error) {
	q, bucket := rq.Query, rq.params["bucket"]
	identity := fmt.Sprintf("%q %q %q %q %q", bucket, q.Get("prefix"), q.Get("startOffset"), q.Get("endOffset"), q.Get("delimiter"))
	after, f := s.place(identity, q.Get("pageToken"))
	if f != nil {
		return server.Reply{}, f
	}
	size, f := s.size(q.Get("maxResults"))
	if f != nil {
		return server.Reply{}, f
	}
	out, last := wireList{Kind: "storage#objects"}, ""
	for _, name := range tx.state.names(bucket) {
		entry, folded := fold(name, q)
		if !within(name, q) || entry <= after || entry == last {
			continue
		}
		if len(out.Items)+len(out.Prefixes) == size {
			out.Next = s.ids.PageToken(identity, last)
			break
		}
		if last = entry; folded {
			out.Prefixes = append(out.Prefixes, entry)
		} else {
			out.Items = append(out.Items, tx.state.objects[objectKey{bucket, name}].wire(rq.Base))
		}
	}
	slices.Sort(out.Prefixes)
	return answer(out)
}

// place is the last entry of the page before, as its token says.
func (s *Server) place(identity, token string) (string, *failure) {
	if token == "" {
		return "", nil
	}
	place, ok := s.ids.Place(identity, token)
	if !ok {
		return "", invalid("Invalid argument: pageToken")
	}
	return place, nil
}

func (s *Server) size(asked string) (int, *failure) {
	if asked == "" {
		return s.opts.Page, nil
	}
	n, err := strconv.Atoi(asked)
	if err != nil || n < 1 {
		return 0, invalid("Invalid value for: maxResults")
	}
	return min(n, s.opts.Page), nil
}

func within(name string, q url.Values) bool {
	end := q.Get("endOffset")
	return strings.HasPrefix(name, q.Get("prefix")) && name >= q.Get("startOffset") && (end == "" || name < end)
}

// fold is the entry of a list that a name stands under.
func fold(name string, q url.Values) (entry string, folded bool) {
	rest, ok := strings.CutPrefix(name, q.Get("prefix"))
	delimiter := q.Get("delimiter")
	if !ok || delimiter == "" {
		return name, false
	}
	head, _, cut := strings.Cut(rest, delimiter)
	if !cut {
		return name, false
	}
	return q.Get("prefix") + head + delimiter, true
}
