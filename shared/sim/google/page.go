package google

import (
	"fmt"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

// listing is one request for a page of what a parent has and a filter lets through.
func (s *Server) listing(rq *request, size, most int) (rest.Listing, error) {
	id := fmt.Sprintf("%s\x00%s\x00%s\x00%q", rq.method.Op, rq.param, rq.Query.Get("filter"), rq.Query["notificationCategories"])
	return rest.NewListing(s.ids, id, rq.Query, size, most)
}
