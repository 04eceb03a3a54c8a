package fetch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// read reads a Fetched, fault.Missing if there is none.
func (f *Fetcher) read(ctx context.Context, name string) (revision.Fetched, error) {
	data, _, err := blob.ReadAll(ctx, f.Bucket, name, revision.MaxFetched)
	if err != nil {
		return revision.Fetched{}, fmt.Errorf("read what was fetched: %w", err)
	}
	return revision.DecodeFetched(data)
}

// write writes a Fetched once. If the same run was there first, elsewhere, what that one wrote is what was fetched.
func (f *Fetcher) write(ctx context.Context, name string, d revision.Fetched) (revision.Fetched, error) {
	data, err := revision.Encode(d)
	if err != nil {
		return revision.Fetched{}, err
	}
	_, err = blob.PutBytes(ctx, f.Bucket, revision.ContentType, name, data, blob.Absent)
	switch {
	case fault.Is(err, fault.Conflict):
		return f.read(ctx, name)
	case err != nil:
		return revision.Fetched{}, fmt.Errorf("write what was fetched: %w", err)
	}
	return d, nil
}

// Archived returns the newest Fetched of a month that has an answer of the hub: usage, or that there is no service. fault.Missing if no run got one.
func (f *Fetcher) Archived(ctx context.Context, m hub.Period, org string) (revision.Fetched, error) {
	var names []string
	for o, err := range blob.All(ctx, f.Bucket, revision.FetchedPrefix(m, org)) {
		if err != nil {
			return revision.Fetched{}, fmt.Errorf("look for what was fetched: %w", err)
		}
		names = append(names, o.Name)
	}
	for _, name := range slices.Backward(names) {
		d, err := f.read(ctx, name)
		if err != nil || answered(d) {
			return d, err
		}
	}
	return revision.Fetched{}, fault.New(fault.Missing, "the archive has nothing of this tenant and month")
}

func answered(d revision.Fetched) bool {
	_, usage := d.Of(revision.UsageFile)
	return usage || slices.ContainsFunc(d.Verdicts, func(v bill.Verdict) bool { return v.Code == bill.NoService })
}

// Digest is of what was fetched: two runs that got the same have the same, whenever and however they got it.
func Digest(f revision.Fetched) string {
	type content struct {
		Kind   revision.Kind
		SHA256 string
	}
	pieces := make([]content, 0, len(f.Raw))
	for _, r := range f.Raw {
		pieces = append(pieces, content{r.Kind, r.SHA256})
	}
	slices.SortFunc(pieces, func(a, b content) int { return cmp.Compare(a.Kind, b.Kind) })
	h := sha256.New()
	_ = json.NewEncoder(h).Encode([]any{pieces, slices.Concat([]bill.Verdict{}, f.Verdicts)}) // texts and numbers into a hash: it cannot fail
	return hex.EncodeToString(h.Sum(nil))
}
