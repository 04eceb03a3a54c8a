package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"google.golang.org/api/googleapi"
	"google.golang.org/api/recommender/v1"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// Access is whether something can be read.
type Access string

const (
	Readable     Access = "readable"
	APIDisabled  Access = "API disabled"  // in the project that the call is charged to, or is about
	NoPermission Access = "no permission" // of our account, on the resource
)

var (
	locationForm    = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	recommenderForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9.]*$`)
	parentForm      = regexp.MustCompile(`^(projects/([a-z][a-z0-9-]{4,28}[a-z0-9]|[1-9][0-9]{0,18})|organizations/[1-9][0-9]{0,18})$`)
)

// CanReadRecommender reports whether the recommendations of a project or an organization can be listed: one page of one.
func (c *Clients) CanReadRecommender(ctx context.Context, parent, location, name string) (Access, error) {
	err := errors.Join(check(parentForm, parent, "a project or an organization"), check(locationForm, location, "a location"), check(recommenderForm, name, "a recommender"))
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "list recommendations")
	}
	full := parent + "/locations/" + location + "/recommenders/" + name
	_, err = call(ctx, "list recommendations", func(ctx context.Context) (*recommender.GoogleCloudRecommenderV1ListRecommendationsResponse, error) {
		if strings.HasPrefix(parent, "organizations/") {
			return c.recommend.Organizations.Locations.Recommenders.Recommendations.List(full).PageSize(1).Context(ctx).Do()
		}
		return c.recommend.Projects.Locations.Recommenders.Recommendations.List(full).PageSize(1).Context(ctx).Do()
	})
	return access(err)
}

// CanReadServiceHealth reports whether the incidents of a project or an organization can be listed. An answer of an organization covers
// only its projects that have the API enabled.
func (c *Clients) CanReadServiceHealth(ctx context.Context, parent string) (Access, error) {
	if err := check(parentForm, parent, "a project or an organization"); err != nil {
		return "", err
	}
	collection := "events"
	if strings.HasPrefix(parent, "organizations/") {
		collection = "organizationEvents"
	}
	return access(c.health.get(ctx, parent+"/locations/global/"+collection, url.Values{"pageSize": {"1"}}, "list service health events"))
}

// access turns a refusal into an answer; every other failure stays one.
func access(err error) (Access, error) {
	switch {
	case err == nil:
		return Readable, nil
	case hasReason(err, "SERVICE_DISABLED"):
		return APIDisabled, nil
	case isForbidden(err):
		return NoPermission, nil
	}
	return "", err
}

func isForbidden(err error) bool {
	var g *googleapi.Error
	return fault.Is(err, fault.Denied) && errors.As(err, &g) && g.Code == http.StatusForbidden
}

// hasReason reports whether the details of a refusal give one of the reasons.
func hasReason(err error, reasons ...string) bool {
	var g *googleapi.Error
	if !fault.Is(err, fault.Denied) || !errors.As(err, &g) {
		return false
	}
	for _, d := range g.Details {
		detail, _ := d.(map[string]any)
		for _, r := range reasons {
			if detail["reason"] == r {
				return true
			}
		}
	}
	return false
}

// health is the little of Service Health that is needed; google.golang.org/api has no client of it.
type health struct {
	http *http.Client
	base string
}

func newHealth(o Options) (health, error) {
	hc, err := o.client(o.Endpoints.ServiceHealth)
	h := health{hc, "https://servicehealth.googleapis.com"}
	if o.Endpoints.ServiceHealth != "" {
		h.base = strings.TrimSuffix(o.Endpoints.ServiceHealth, "/")
	}
	return h, err
}

// get reads a listing and checks that it is an answer.
func (h health) get(ctx context.Context, name string, query url.Values, doing string) error {
	return gapi.Do(ctx, doing, func(ctx context.Context) error {
		rq, err := http.NewRequestWithContext(ctx, http.MethodGet, h.base+"/v1/"+name+"?"+query.Encode(), nil)
		if err != nil {
			return err
		}
		res, err := h.http.Do(rq)
		if err != nil {
			return err
		}
		defer googleapi.CloseBody(res)
		if err := googleapi.CheckResponse(res); err != nil {
			return err
		}
		return readObject(res.Body)
	})
}

var errNoObject = errors.New("the answer is not a JSON object")

// readObject reads one JSON object to its end; gapi limits how long it is.
func readObject(r io.Reader) error {
	var v map[string]json.RawMessage
	if err := json.NewDecoder(r).Decode(&v); err != nil || v == nil {
		return errNoObject
	}
	return nil
}
