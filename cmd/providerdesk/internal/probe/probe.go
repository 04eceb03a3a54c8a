// Package probe asks a support desk whether what the configuration says of it is there and may be used. It only reads: no case is opened.
package probe

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/api/cloudsupport/v2"
	"google.golang.org/api/option"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// Result is the answer to one question.
type Result struct {
	What   string
	OK     bool
	Advice string // what to change, if it is not OK
}

// Desk asks about a desk and the classifications that are used there.
func Desk(ctx context.Context, client *http.Client, endpoint string, d config.Desk, classifications []string) []Result {
	if d.Kind != "google" {
		return []Result{{What: "live checks", Advice: "desks of kind " + d.Kind + " have none yet; leave out --live"}}
	}
	opts := []option.ClientOption{option.WithHTTPClient(client)}
	if endpoint != "" {
		opts = append(opts, option.WithEndpoint(strings.TrimSuffix(endpoint, "/")+"/"))
	}
	api, err := cloudsupport.NewService(ctx, opts...)
	if err != nil {
		return []Result{{What: "the client", Advice: err.Error()}}
	}
	a := asked{api, d.Parent}
	results := []Result{a.readable(ctx), a.searchable(ctx)}
	for _, name := range classifications {
		results = append(results, a.classification(ctx, name))
	}
	return results
}

type asked struct {
	api    *cloudsupport.Service
	parent string
}

func (a asked) readable(ctx context.Context) Result {
	call := a.api.Cases.List(a.parent).PageSize(1)
	err := gapi.Do(ctx, "list the cases", func(ctx context.Context) error {
		_, err := call.Context(ctx).Do()
		return err
	})
	return result(a.parent+" is readable", err)
}

// searchable searches for what no case holds.
func (a asked) searchable(ctx context.Context) Result {
	call := a.api.Cases.Search(a.parent).Query(`"REFPROVIDERDESKCHECK"`).PageSize(1)
	err := gapi.Do(ctx, "search the cases", func(ctx context.Context) error {
		_, err := call.Context(ctx).Do()
		return err
	})
	return result("a search works", err)
}

func (a asked) classification(ctx context.Context, name string) Result {
	found := false
	err := gapi.Do(ctx, "list the classifications", func(ctx context.Context) error {
		return a.api.CaseClassifications.Search().Pages(ctx, func(page *cloudsupport.SearchCaseClassificationsResponse) error {
			found = found || slices.ContainsFunc(page.CaseClassifications, func(c *cloudsupport.CaseClassification) bool { return c.DisplayName == name })
			return nil
		})
	})
	r := result(fmt.Sprintf("classification %q exists", name), err)
	if err == nil && !found {
		r.OK, r.Advice = false, "the desk does not list it; take the exact name from caseClassifications.search"
	}
	return r
}

func result(what string, err error) Result {
	return Result{What: what, OK: err == nil, Advice: advice(err)}
}

func advice(err error) string {
	switch fault.Of(err) {
	case "":
		return ""
	case fault.Denied:
		return "access is refused; give our account roles/cloudsupport.techSupportEditor on the parent, enable cloudsupport.googleapis.com, and see " +
			"that the support plan has the API (" + err.Error() + ")"
	case fault.Missing:
		return "it does not exist; correct the parent (" + err.Error() + ")"
	case fault.Transient, fault.Throttled:
		return "the desk does not answer; try again, and look at endpoints (" + err.Error() + ")"
	}
	return err.Error()
}
