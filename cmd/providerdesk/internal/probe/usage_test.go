package probe_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/probe"
	"github.com/providerdesk/providerdesk/functions/billingexport/warehouse"
	"github.com/providerdesk/providerdesk/shared/blob/dir"
	"github.com/providerdesk/providerdesk/shared/blob/gcs"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/sim/bigquery"
	"github.com/providerdesk/providerdesk/shared/sim/storage"
)

func TestBucket(t *testing.T) {
	const reads, writes = "the bucket can be read", "the bucket can be written"
	for name, tc := range map[string]struct {
		bucket, fault string
		denied        []string
		want          []string
	}{
		"everything is there": {bucket: "acme-usage", want: []string{"pass " + reads, "pass " + writes}},
		"we may only read": {bucket: "acme-usage", denied: []string{"storage.objects.create", "storage.objects.delete"},
			want: []string{"pass " + reads, "fail " + writes + ": we lack storage.objects.create, storage.objects.delete; give our account roles/storage.objectUser"}},
		"there is no such bucket": {bucket: "nobodys", want: []string{"fail " + reads + ": there is no such bucket; correct billing.bucket", "fail " + writes + ": there is no such bucket"}},
		"storage is down":         {bucket: "acme-usage", fault: "status:503", want: []string{"cannot tell " + reads, "cannot tell " + writes + ": it does not answer"}},
	} {
		t.Run(name, func(t *testing.T) {
			srv, err := storage.New(storage.Options{Denied: tc.denied})
			if err != nil {
				t.Fatal(err)
			}
			defer srv.Close()
			if tc.fault != "" {
				arm(t, srv, tc.fault)
			}
			b, err := gcs.New(gcs.Options{Bucket: tc.bucket, Transport: gapi.Options{Endpoint: endpoint, Base: srv.Transport(), Backoff: 1}})
			if err != nil {
				t.Fatal(err)
			}
			probed(t, srv, func() []probe.Result {
				return []probe.Result{probe.Readable(t.Context(), b), probe.Writable(t.Context(), api(t, srv.Transport()), tc.bucket)}
			}, tc.want...)
			if made := srv.Objects(tc.bucket); len(made) > 0 {
				t.Errorf("the bucket has %d objects", len(made))
			}
		})
	}
}

func TestFolder(t *testing.T) {
	at := filepath.Join(t.TempDir(), "usage")
	b, err := dir.New(at)
	if err != nil {
		t.Fatal(err)
	}
	lines(t, []probe.Result{probe.Readable(t.Context(), b), probe.Folder(t.Context(), b)}, "pass the bucket can be read", "pass the folder can be written")
	if left, err := filepath.Glob(filepath.Join(at, "incoming", "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := os.RemoveAll(at); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, nil, 0o600); err != nil { // a file where the folder was
		t.Fatal(err)
	}
	if r := probe.Folder(t.Context(), b); r.Verdict == probe.Pass || r.Advice == "" {
		t.Errorf("of a folder that is a file: %+v", r)
	}
}

func TestDataset(t *testing.T) {
	const what = "the dataset is there"
	for name, tc := range map[string]struct{ dataset, location, fault, want string }{
		"it is":              {"usage", "EU", "", "pass " + what},
		"there is no such":   {"other", "EU", "", "fail " + what + ": there is no such dataset; terraform apply makes it"},
		"it is elsewhere":    {"usage", "US", "", "fail " + what + ": correct billing.bigquery.location"},
		"we may not":         {"usage", "EU", "status:403", "fail " + what + ": access is refused; give our account roles/bigquery.dataEditor"},
		"there is no answer": {"usage", "EU", "drop", "cannot tell " + what + ": it does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			srv, err := bigquery.New(bigquery.Options{Datasets: map[string]string{"usage": "EU"}})
			if err != nil {
				t.Fatal(err)
			}
			defer srv.Close()
			if tc.fault != "" {
				arm(t, srv, tc.fault)
			}
			w, err := warehouse.New(t.Context(), warehouse.Options{Project: "acme-prod", Dataset: tc.dataset, Location: tc.location, Endpoint: endpoint,
				Transport: gapi.Options{Base: srv.Transport(), Backoff: 1}, Root: "gs://acme-usage/"})
			if err != nil {
				t.Fatal(err)
			}
			probed(t, srv, func() []probe.Result { return []probe.Result{probe.Dataset(t.Context(), w)} }, tc.want)
		})
	}
}
