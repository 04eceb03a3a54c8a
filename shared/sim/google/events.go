package google

import (
	"strconv"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

const (
	eventsPage    = 10
	maxEventsPage = 100
)

// Event is an incident that Service Health knows of, of a project or of an organization.
type Event struct {
	Parent      string // resource as answers name it
	ID          string
	Title       string
	Description string
	State       string // ACTIVE, CLOSED
	Relevance   string // of a project's event
	Product     string
	Location    string
	Started     time.Time
	Updated     time.Time
	Ended       time.Time
}

type wireImpact struct {
	Product  map[string]string `json:"product,omitempty"`
	Location map[string]string `json:"location,omitempty"`
}

type wireEvent struct {
	Name        string       `json:"name"`
	Title       string       `json:"title,omitempty"`
	Description string       `json:"description,omitempty"`
	Category    string       `json:"category"`
	State       string       `json:"state"`
	Relevance   string       `json:"relevance,omitempty"`
	Impacts     []wireImpact `json:"eventImpacts,omitempty"`
	Started     string       `json:"startTime,omitempty"`
	Updated     string       `json:"updateTime,omitempty"`
	Ended       string       `json:"endTime,omitempty"`
}

// collection is what events of a resource are called.
func collection(resource string) string {
	if strings.HasPrefix(resource, "organizations/") {
		return "organizationEvents"
	}
	return "events"
}

func (e Event) name() string {
	return e.Parent + "/locations/global/" + collection(e.Parent) + "/" + e.ID
}

func (e Event) wire() wireEvent {
	w := wireEvent{
		Name: e.name(), Title: e.Title, Description: e.Description, Category: "INCIDENT", State: e.State,
		Started: timestamp(e.Started), Updated: timestamp(e.Updated), Ended: timestamp(e.Ended),
		Impacts: []wireImpact{{map[string]string{"productName": e.Product}, map[string]string{"locationName": e.Location}}},
	}
	if collection(e.Parent) == "events" {
		w.Relevance = e.Relevance
	}
	return w
}

// value is what a filter compares.
func (e Event) value(field string) []string {
	return map[string][]string{"category": {"INCIDENT"}, "state": {e.State}, "relevance": {e.Relevance}}[field]
}

// eventParent resolves the resource of a name. Events are global.
func (s *Server) eventParent(name string) (string, *rest.Failure) {
	parent, f := s.resource(above(name))
	if f == nil && strings.Split(name, "/")[3] != "global" {
		f = rest.Invalid("parent", "The only location is global.")
	}
	return parent, f
}

func (s *Server) getEvent(_ *tx, rq *request) (any, error) {
	parent, f := s.eventParent(rq.param)
	if f != nil {
		return nil, f
	}
	for _, e := range s.opts.Events {
		if e.Parent == parent && strings.HasSuffix(rq.param, "/"+e.ID) {
			return e.wire(), nil
		}
	}
	return nil, rest.NotFound()
}

func (s *Server) listEvents(_ *tx, rq *request) (any, error) {
	parent, f := s.eventParent(rq.param)
	if f != nil {
		return nil, f
	}
	if size := rq.Query.Get("pageSize"); size != "" {
		if n, _ := strconv.Atoi(size); n < 1 || n > maxEventsPage {
			return nil, rest.Invalid("pageSize", "Acceptable values are 1 to %d.", maxEventsPage)
		}
	}
	match, f := parseFilter(rq.Query.Get("filter"), "category", "state", "relevance")
	if f != nil {
		return nil, f
	}
	l, err := s.listing(rq, eventsPage, maxEventsPage)
	if err != nil {
		return nil, err
	}
	all := s.opts.Events
	list, next := rest.Page(l, len(all), func(i int) (string, wireEvent, bool) {
		return rest.Ordinal(i), all[i].wire(), all[i].Parent == parent && match(all[i].value)
	})
	out := map[string]any{collection(parent): list}
	if next != "" {
		out["nextPageToken"] = next
	}
	return out, nil
}
