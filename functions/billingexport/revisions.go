package billingexport

import (
	"context"

	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// committed is a revision that is there.
type committed struct {
	manifest revision.Manifest
	name     string
	sha256   string
}

// says reports whether the revision says what a run found, whoever wrote it.
func (c committed) says(d revision.Draft) bool {
	return c.manifest.Content == revision.Content(d.Parts) && c.manifest.State == d.State()
}

// committed reads a revision, false if there is none of that number.
func (f *Function) committed(ctx context.Context, p hub.Period, rev int) (c committed, found bool, err error) {
	if rev == 0 {
		return c, false, nil
	}
	c.name = revision.Folder(p, rev) + revision.ManifestFile
	data, _, err := blob.ReadAll(ctx, f.Bucket, c.name, revision.MaxManifest)
	if fault.Is(err, fault.Missing) {
		return c, false, nil
	}
	if err != nil {
		return c, false, err
	}
	c.sha256 = blob.SumOf(data).SHA256
	c.manifest, err = revision.DecodeManifest(data)
	return c, err == nil, err
}

func (f *Function) putManifest(ctx context.Context, p hub.Period, man revision.Manifest) (c committed, err error) {
	data, err := revision.Encode(man)
	if err != nil {
		return c, err
	}
	c = committed{manifest: man, name: revision.Folder(p, man.Revision) + revision.ManifestFile, sha256: blob.SumOf(data).SHA256}
	_, err = blob.PutOnce(ctx, f.Bucket, revision.ContentType, c.name, data)
	return c, err
}

// point moves current.json to the last published revision, never back.
func (f *Function) point(ctx context.Context, p hub.Period, newest committed) error {
	last := newest.manifest.LastPublished()
	if last == 0 {
		return nil
	}
	for range tries {
		there, at, err := f.current(ctx, p)
		if err != nil || there.Revision >= last && !f.rules.unguarded {
			return err
		}
		if newest.manifest.Revision != last {
			if newest, _, err = f.committed(ctx, p, last); err != nil {
				return err
			}
		}
		if err = f.putCurrent(ctx, p, newest, at); !fault.Is(err, fault.Conflict) {
			return err
		}
	}
	return fault.New(fault.Transient, "current.json of %s changes all the time", p)
}

func (f *Function) putCurrent(ctx context.Context, p hub.Period, c committed, at blob.Generation) error {
	data, err := revision.Encode(revision.Current{V: revision.Version, Month: p.String(), Revision: c.manifest.Revision, Manifest: c.name,
		ManifestSHA256: c.sha256})
	if err != nil {
		return err
	}
	_, err = blob.PutBytes(ctx, f.Bucket, revision.ContentType, revision.MonthFolder(p)+revision.CurrentFile, data, at)
	return err
}

// current reads current.json and its generation. If there is none it is zero.
func (f *Function) current(ctx context.Context, p hub.Period) (c revision.Current, at blob.Generation, err error) {
	data, o, err := blob.ReadAll(ctx, f.Bucket, revision.MonthFolder(p)+revision.CurrentFile, revision.MaxCurrent)
	if fault.Is(err, fault.Missing) {
		return c, blob.Absent, nil
	}
	if err != nil {
		return c, 0, err
	}
	c, err = revision.DecodeCurrent(data)
	return c, o.Generation, err
}

// free returns the first number of which nothing is there yet.
func (f *Function) free(ctx context.Context, p hub.Period) (int, error) {
	last, err := f.lastFolder(ctx, p)
	return last + 1, err
}

// lastFolder returns the highest number of which anything is there: it jumps from folder to folder.
func (f *Function) lastFolder(ctx context.Context, p hub.Period) (last int, err error) {
	for after := ""; ; {
		page, err := f.Bucket.List(ctx, revision.MonthFolder(p)+"rev=", after, 1)
		if err != nil || len(page) == 0 {
			return last, err
		}
		if last, err = revision.NumberOf(p, page[0].Name); err != nil {
			return 0, err
		}
		after = revision.Folder(p, last) + "~" // after all that is in it
	}
}

// newest returns the newest revision of a month, nil if there is none. A folder without a manifest is no revision.
func (f *Function) newest(ctx context.Context, p hub.Period) (*revision.Manifest, error) {
	last, err := f.lastFolder(ctx, p)
	if err != nil {
		return nil, err
	}
	for rev := last; rev > 0; rev-- {
		c, found, err := f.committed(ctx, p, rev)
		if err != nil || found {
			return &c.manifest, err
		}
	}
	return nil, nil
}

// trend is how many months before a report looks back on.
const trend = 12

// before returns the published revisions of the months before, oldest first.
func (f *Function) before(ctx context.Context, p hub.Period) ([]past, error) {
	found := make([]past, trend)
	err := each(ctx, trend, func(ctx context.Context, i int) error {
		at := p.Add(i - trend)
		c, _, err := f.current(ctx, at)
		found[i] = past{at.String(), c.Revision}
		return err
	})
	var all []past
	for _, b := range found {
		if b.Revision > 0 {
			all = append(all, b)
		}
	}
	return all, err
}
