package probe

import (
	"context"
	"net/http"
	"strings"

	"google.golang.org/api/option"
	"google.golang.org/api/serviceusage/v1"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
)

// APIs asks whether APIs are enabled in a project. There is one result for all of them: they are enabled together.
func APIs(ctx context.Context, a API, project string, names []string) Result {
	var off []string
	err := gapi.Do(ctx, "look which APIs are enabled", func(ctx context.Context) error {
		api, err := serviceusage.NewService(ctx, option.WithHTTPClient(a.Client), option.WithEndpoint(a.base("https://serviceusage.googleapis.com")+"/"))
		if err != nil {
			return err
		}
		full := make([]string, len(names))
		for i, name := range names {
			full[i] = "projects/" + project + "/services/" + name
		}
		answer, err := api.Services.BatchGet("projects/" + project).Names(full...).Context(ctx).Do()
		if err != nil {
			return err
		}
		for _, s := range answer.Services {
			if s.State != "ENABLED" {
				off = append(off, s.Name[strings.LastIndex(s.Name, "/")+1:])
			}
		}
		return nil
	})
	r := hints{denied: "we may not look; give our account roles/serviceusage.serviceUsageViewer, and see that GOOGLE_CLOUD_PROJECT is right"}.
		result("the APIs are enabled in "+project, err)
	switch {
	case fault.Is(err, fault.Denied):
		r.Verdict = Unclear // the functions need no right to look
	case len(off) > 0:
		return r.but(Fail, "not enabled: "+strings.Join(off, ", ")+"; gcloud services enable "+strings.Join(off, " "))
	}
	return r
}

// Store asks whether the database answers. That a document is not there is an answer.
func Store(ctx context.Context, db store.DB) Result {
	_, err := db.Get(ctx, store.Key{Collection: ledger.Collection, ID: "check"})
	if fault.Is(err, fault.Missing) {
		err = nil
	}
	return hints{denied: "access is refused; give our account roles/datastore.user for the database, and see that FIRESTORE_DATABASE is right"}.
		result("the database answers", err)
}

// Topic asks whether a topic of a project is there, and whether we may publish on it. An emulator checks no rights: there it is only looked at.
func Topic(ctx context.Context, a API, project, topic string, emulator bool) Result {
	url := a.base("https://pubsub.googleapis.com") + "/v1/projects/" + project + "/topics/" + topic
	h := hints{denied: "we may not look; give our account roles/pubsub.publisher on it", missing: "there is no such topic; terraform apply makes it"}
	what := "topic " + topic + " takes messages"
	if emulator {
		return h.result(what, a.ask(ctx, "look at a topic", http.MethodGet, url, nil, &struct{}{}))
	}
	wanted := []string{"pubsub.topics.publish"}
	var g granted
	err := a.ask(ctx, "test permissions", http.MethodPost, url+":testIamPermissions", map[string][]string{"permissions": wanted}, &g)
	return g.allOf(wanted, what, "give our account roles/pubsub.publisher on it, which terraform apply does", h, err)
}
