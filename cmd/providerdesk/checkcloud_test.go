package main

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/probe"
	"github.com/providerdesk/providerdesk/shared/emulator"
)

// Of an installation on Google Cloud, here its emulators: a hub desk, evidence, a bucket, a dataset, the database and topics are asked about too.
func TestCheckLiveOnGoogleCloud(t *testing.T) {
	bus := emulator.PubSub(t)
	project := "check-" + strings.ToLower(rand.Text()[:20])
	env := map[string]string{"FIRESTORE_EMULATOR_HOST": emulator.Firestore(t), "PUBSUB_EMULATOR_HOST": bus, "GOOGLE_CLOUD_PROJECT": project}
	dir, _ := running(t, time.Now)
	path := filepath.Join(dir, "config.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, secret, _ := strings.Cut(string(text), "onboarding:")
	_, secret, _ = strings.Cut(secret, "token: ")
	secret, _, _ = strings.Cut(secret, " #")
	cloud := strings.Replace(string(text), "\ndesks:\n", "\ndesks:\n  hub: {kind: hub, organization: 9d9648a7-115a-4a06-a613-a0c4077469f7, token: "+secret+"}\n", 1)
	before, after, _ := strings.Cut(cloud, "  bucket: ")
	_, after, _ = strings.Cut(after, "\n")
	cloud = before + "  bucket: gs://acme-usage/exports\n  bigquery: {project: acme-prod, dataset: billing, location: EU}\n" + after
	if err := os.WriteFile(path, []byte(cloud), 0o600); err != nil {
		t.Fatal(err)
	}
	ask := func() map[string]probe.Result {
		t.Helper()
		r := cli{env: env}.run(t, "check", "--live", "--json", "--data", dir)
		var all []probe.Result
		if err := json.Unmarshal([]byte(r.out), &all); err != nil {
			t.Fatalf("%v\n%s%s", err, r.out, r.err)
		}
		by := map[string]probe.Result{}
		for _, one := range all {
			by[one.Part+": "+one.What] = one
		}
		return by
	}
	topics := []string{"alerts", "case-commands", "case-activity", "tenant-onboarding", "tenant-lifecycle", "billing-export-tenant", "billing-exported"}
	got := ask()
	for _, topic := range topics {
		if r := got["google cloud: topic "+topic+" takes messages"]; r.Verdict != probe.Fail || !strings.Contains(r.Advice, "there is no such topic") {
			t.Errorf("a topic that is not there: %+v", r)
		}
		makeTopic(t, "http://"+bus+"/v1/projects/"+project+"/topics/"+topic)
	}
	got = ask()
	want := []string{"desk hub: support requests have categories", "desk hub: support requests are listed", "evidence: we may read logs", "evidence: we may read metrics",
		"billing: the bucket can be read", "billing: the bucket can be written", "billing: the dataset is there", "billing: we may load into BigQuery",
		"google cloud: the database answers"}
	for _, topic := range topics {
		want = append(want, "google cloud: topic "+topic+" takes messages")
	}
	for _, what := range want {
		if r, ok := got[what]; !ok || r.Verdict != probe.Pass {
			t.Errorf("%s: %+v", what, r)
		}
	}
	if r := got["google cloud: the APIs are enabled in "+project]; r.Verdict != probe.Fail || !strings.Contains(r.Advice, "gcloud services enable ") {
		t.Errorf("APIs that nobody enabled: %+v", r)
	}
}

func makeTopic(t *testing.T, url string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the topic is not made: %s", resp.Status)
	}
}
