package cloudsupport

import (
	"fmt"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

const (
	defaultPage = 10
	maxPage     = 100 // the document has it for attachments only; all listings keep to it
)

// listing is one request for a page of what a parent has and a filter lets through.
func (s *Server) listing(rq *request, parent, filter string) (rest.Listing, error) {
	id := fmt.Sprintf("%s\x00%s\x00%s\x00%s", rq.method.Op, parent, filter, rq.Query.Get("showDeleted"))
	return rest.NewListing(s.ids, id, rq.Query, defaultPage, maxPage)
}
