package warehouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"

	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// maxManifest is how many bytes of a manifest are read.
const maxManifest = 256 << 20

// manifest reads a revision, and its digest.
func (w *Warehouse) manifest(ctx context.Context, m hub.Period, rev int) (revision.Manifest, string, error) {
	var out revision.Manifest
	r, err := w.o.Bucket.Open(ctx, revision.Folder(m, rev)+revision.ManifestFile)
	if err != nil {
		return out, "", err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
	if err != nil {
		return out, "", fault.Wrap(fault.Transient, err, "read a manifest")
	}
	if len(data) > maxManifest {
		return out, "", fault.New(fault.Invalid, "the manifest has more than %d bytes", maxManifest)
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return out, "", fault.Wrap(fault.Invalid, err, "read a manifest")
	}
	if out.Month != m.String() || out.Revision != rev || out.State != revision.Published {
		return out, "", fault.New(fault.Invalid, "the manifest is not that of a published revision of its place")
	}
	sum := sha256.Sum256(data)
	return out, hex.EncodeToString(sum[:]), nil
}

// jobOf is what there is to load of a revision. Files without rows are left out, except for one if there are no others: it empties the month.
func (w *Warehouse) jobOf(m revision.Manifest, month hub.Period, l revision.Lens, sum string) Job {
	var full, empty []string
	for _, p := range m.Parts {
		a, b := w.uris(p.Files, l)
		full, empty = append(full, a...), append(empty, b...)
	}
	if len(full) == 0 && len(empty) > 0 {
		full = empty[:1]
	}
	j := Job{Month: month, Lens: l, ManifestSHA256: sum, Current: full, First: m.Since == 0}
	if !j.First {
		j.Ledger, _ = w.uris(m.Delta, l)
	}
	return j
}

// uris are those of the Parquet files of a lens, with rows and without.
func (w *Warehouse) uris(files []revision.File, l revision.Lens) (full, empty []string) {
	for _, f := range files {
		switch {
		case f.Lens != l || f.Format != revision.Parquet:
		case f.Rows > 0:
			full = append(full, w.o.Root+f.Name)
		default:
			empty = append(empty, w.o.Root+f.Name)
		}
	}
	return full, empty
}
