package probe

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/api/cloudsupport/v2"
	"google.golang.org/api/option"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// ofSupport is what Google's refusals mean.
var ofSupport = hints{
	denied: "access is refused; give our account roles/cloudsupport.techSupportEditor on the parent, enable cloudsupport.googleapis.com, and see " +
		"that the support plan has the API",
	missing: "it does not exist; correct the parent",
}

// Desk asks about a desk of Google's and the classifications that are used there. topic is the full name of the one that its events should come
// on, "" where nobody can know.
func Desk(ctx context.Context, a API, d config.Desk, classifications []string, topic string) []Result {
	opts := []option.ClientOption{option.WithHTTPClient(a.Client)}
	if a.Endpoint != "" {
		opts = append(opts, option.WithEndpoint(strings.TrimSuffix(a.Endpoint, "/")+"/"))
	}
	api, err := cloudsupport.NewService(ctx, opts...)
	if err != nil {
		return Failed(err)
	}
	q := asked{api, d.Parent}
	results := append([]Result{q.answers(ctx)}, q.classifications(ctx, classifications)...)
	if d.Updates.Organization != "" {
		results = append(results, q.subscribed(ctx, d.Updates.Organization, topic))
	}
	return results
}

type asked struct {
	api    *cloudsupport.Service
	parent string
}

// answers tells a support plan that has the API from one that has not, which may answer an empty list and no error: so only a case that is
// seen proves it. A search may see one that the list leaves out.
func (a asked) answers(ctx context.Context) Result {
	seen := 0
	err := gapi.Do(ctx, "list the cases", func(ctx context.Context) error {
		list, err := a.api.Cases.List(a.parent).PageSize(1).Context(ctx).Do()
		if err == nil {
			seen = len(list.Cases)
		}
		return err
	})
	if err == nil && seen == 0 {
		err = gapi.Do(ctx, "search the cases", func(ctx context.Context) error {
			found, err := a.api.Cases.Search(a.parent).PageSize(1).Context(ctx).Do()
			if err == nil {
				seen = len(found.Cases)
			}
			return err
		})
	}
	r := ofSupport.result("the support plan of "+a.parent+" answers", err)
	if err == nil && seen == 0 {
		return r.but(Unclear, "there is no case to be seen, which is also what a plan without the API answers; let it open a test case "+
			"(testCase: true in a tenant's request), and ask again")
	}
	return r
}

// classifications looks each name up among those that can be used now.
func (a asked) classifications(ctx context.Context, names []string) (results []Result) {
	known := map[string]bool{}
	err := gapi.Do(ctx, "list the classifications", func(ctx context.Context) error {
		return a.api.CaseClassifications.Search().Pages(ctx, func(page *cloudsupport.SearchCaseClassificationsResponse) error {
			for _, c := range page.CaseClassifications {
				known[c.DisplayName] = true
			}
			return nil
		})
	})
	for _, name := range names {
		r := ofSupport.result(fmt.Sprintf("classification %q can be used", name), err)
		if err == nil && !known[name] {
			r = r.but(Fail, "the desk does not list it; take the exact name from caseClassifications.search")
		}
		results = append(results, r)
	}
	return results
}

// ofSubscriptions is what refusals about event subscriptions mean.
var ofSubscriptions = hints{denied: "we may not look; give our account roles/cloudsupport.techSupportViewer on the organization", missing: "there is no such organization; correct updates.organization"}

const subscribe = `run "providerdesk tenants apply" with a tenant that has google.supportEvents`

// subscribed asks whether the desk tells us what happens. Google itself says whether it can publish: the grant on the topic is in that.
func (a asked) subscribed(ctx context.Context, organization, topic string) Result {
	all, err := gapi.Pages(ctx, "list the event subscriptions", func(ctx context.Context, token string) ([]*cloudsupport.SupportEventSubscription, string, error) {
		page, err := a.api.Organizations.SupportEventSubscriptions.List(organization).PageToken(token).Context(ctx).Do()
		if err != nil {
			return nil, "", err
		}
		return page.SupportEventSubscriptions, page.NextPageToken, nil
	})
	r := ofSubscriptions.result("events of "+organization+" come", err)
	if err != nil {
		return r
	}
	for _, s := range all {
		switch {
		case s == nil || s.State == "DELETED" || topic != "" && s.PubSubTopic != topic:
		case s.State == "WORKING" && topic != "":
			return r
		case s.State == "WORKING":
			return r.but(Unclear, "there is one on "+s.PubSubTopic+"; set GOOGLE_CLOUD_PROJECT to know whether that is ours")
		default:
			return r.but(Fail, "the subscription is "+s.State+" "+s.FailureReason+"; give cloud-support-apievents@system.gserviceaccount.com "+
				"roles/pubsub.publisher on "+s.PubSubTopic+", which terraform apply does")
		}
	}
	return r.but(Fail, "there is no subscription on our topic; "+subscribe+"; until then cases are looked at every updates.every")
}
