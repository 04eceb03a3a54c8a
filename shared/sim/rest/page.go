package rest

import (
	"fmt"
	"math"
	"net/url"
	"strconv"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// Listing is one request for a page. Its identity is all that decides what is listed: a token is good for the same listing only.
type Listing struct {
	ids   server.IDs
	id    string
	after string // the key of the last item already sent
	size  int
}

// NewListing reads the paging parameters. A size beyond the most is taken as the most.
func NewListing(ids server.IDs, id string, query url.Values, size, most int) (Listing, error) {
	l := Listing{ids: ids, id: id, size: size}
	if n, _ := strconv.Atoi(query.Get("pageSize")); n > 0 {
		l.size = min(n, most)
	}
	if token := query.Get("pageToken"); token != "" {
		place, ok := ids.Place(id, token)
		if !ok {
			return l, Invalid("pageToken", "The page token is not valid for this request.")
		}
		l.after = place
	}
	return l, nil
}

// Sent says whether the item of a key was on an earlier page.
func (l Listing) Sent(key string) bool { return key <= l.after }

// Page takes the next of n items that match, which are in ascending order of their keys, and the token of the page after them.
func Page[T any](l Listing, n int, item func(int) (key string, v T, ok bool)) ([]T, string) {
	var items []T
	last := ""
	for i := range n {
		key, v, ok := item(i)
		if !ok || l.Sent(key) {
			continue
		}
		if len(items) == l.size {
			return items, l.ids.PageToken(l.id, last)
		}
		items, last = append(items, v), key
	}
	return items, ""
}

// Ordinal is a key in the order of numbers.
func Ordinal(i int) string { return fmt.Sprintf("%010d", i) }

// NewestFirst is a key that sorts later items before earlier ones, and does not move when items are added.
func NewestFirst(seq int) string { return Ordinal(math.MaxInt32 - seq) }
