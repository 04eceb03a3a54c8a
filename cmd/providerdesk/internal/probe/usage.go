package probe

import (
	"context"
	"net/http"
	"net/url"

	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// Usage asks whether a token reads usage: the report of the last month, of which only the beginning is waited for.
func Usage(ctx context.Context, c *hub.Client, organization string, month hub.Period) Result {
	file, err := c.UsageFile(ctx, organization, hub.UsageQuery{Period: month})
	if err == nil {
		err = file.Close()
	}
	return may("provider billing user").result("the token reads the usage of "+month.String(), err)
}

// ofBucket is what refusals of a bucket mean.
var ofBucket = hints{denied: "access is refused; give our account roles/storage.objectUser on the bucket", missing: "there is no such bucket; correct billing.bucket"}

// Readable asks a place for objects for one of them.
func Readable(ctx context.Context, b blob.Bucket) Result {
	_, err := b.List(ctx, "", "", 1)
	return ofBucket.result("the bucket can be read", err)
}

// Writable asks whether we may write into a bucket of Cloud Storage.
func Writable(ctx context.Context, a API, bucket string) Result {
	wanted := []string{"storage.objects.create", "storage.objects.delete", "storage.objects.get", "storage.objects.list"}
	var g granted
	to := a.base("https://storage.googleapis.com") + "/storage/v1/b/" + url.PathEscape(bucket) + "/iam/testPermissions?" + url.Values{"permissions": wanted}.Encode()
	err := a.ask(ctx, "test permissions", http.MethodGet, to, nil, &g)
	return g.allOf(wanted, "the bucket can be written", "give our account roles/storage.objectUser on the bucket", ofBucket, err)
}

// Folder asks whether a folder can be written: an object is begun there and given up.
func Folder(ctx context.Context, b blob.Bucket) Result {
	w, err := b.Create(ctx, "text/plain")
	if err == nil {
		_, err = w.Write([]byte("x"))
		w.Abort()
	}
	return hints{}.result("the folder can be written", err)
}

// Warehouse is a dataset. *warehouse.Warehouse is one.
type Warehouse interface{ Check(context.Context) error }

// Dataset asks whether a dataset is there, where it should be.
func Dataset(ctx context.Context, w Warehouse) Result {
	return hints{
		denied:  "access is refused; give our account roles/bigquery.dataEditor on the dataset",
		missing: "there is no such dataset; terraform apply makes it, or correct billing.bigquery",
		invalid: "correct billing.bigquery.location",
	}.result("the dataset is there", w.Check(ctx))
}
