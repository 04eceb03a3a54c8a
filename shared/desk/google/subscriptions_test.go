package google_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/desk/google"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
)

// Every subscription of an organization is listed with its state, deleted ones left out.
func TestSubscriptions(t *testing.T) {
	var failure error
	b := newBench(t, cloudsupport.Options{Publish: func(context.Context, string, map[string]string, []byte) error { return failure }}, google.Options{})
	all, err := b.Subscriptions(t.Context(), "organizations/123456789012")
	if err != nil || len(all) != 0 {
		t.Fatalf("%v, %v", all, err)
	}
	for range 12 {
		b.post(t, "/v2/organizations/123456789012/supportEventSubscriptions", `{"pubSubTopic":"projects/acme-prod/topics/support-events"}`)
	}
	failure = cloudsupport.ErrPermissionDenied
	b.post(t, "/v2/organizations/123456789012/supportEventSubscriptions", `{"pubSubTopic":"projects/acme-prod/topics/another"}`)
	if _, err := b.Open(t.Context(), draft()); err != nil {
		t.Fatal(err)
	}
	if all, err = b.Subscriptions(t.Context(), "organizations/123456789012"); err != nil || len(all) != 13 {
		t.Fatalf("%d of 13, %v", len(all), err)
	}
	for _, s := range all {
		if s.Working || s.Failure != "PERMISSION_DENIED" || !strings.HasPrefix(s.Topic, "projects/acme-prod/topics/") || s.Name == "" {
			t.Errorf("%+v", s)
		}
	}
	if _, err := b.Subscriptions(t.Context(), "projects/acme-prod"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a project: %v", err)
	}
	b.arm(t, "organizations.supportEventSubscriptions.list", "garbage", 1)
	if _, err := b.Subscriptions(t.Context(), "organizations/123456789012"); !fault.Is(err, fault.Transient) {
		t.Errorf("an answer that nobody can read: %v", err)
	}
}

// post is a request to the desk by hand.
func (b *bench) post(t *testing.T, path, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer t")
	req.Header.Set("Content-Type", "application/json")
	resp, err := b.o.HTTP.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", path, resp.Status)
	}
}
