package billingexport

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/charge"
	"github.com/providerdesk/providerdesk/functions/billingexport/fetch"
	"github.com/providerdesk/providerdesk/functions/billingexport/reconcile"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// partVersion is part of a part's digest. It is raised when the same input would come to another part, beside what charge.Version says.
const partVersion = "1"

// workshop makes parts of what the hub says: fetched, charged, reconciled.
type workshop struct {
	fetcher *fetch.Fetcher
	bucket  blob.Bucket
	billing config.Billing
	blind   bool // see rules
}

// workshop returns what makes parts and what lists tenants.
func (f *Function) workshop() (*workshop, source) {
	b := f.Config.Billing
	w := &workshop{bucket: f.Bucket, billing: b, fetcher: &fetch.Fetcher{Hub: f.Hub, Bucket: f.Bucket, Now: f.Now, Master: b.Organization}}
	return w, listing{w.fetcher, b.Tenants}
}

// listing lists the tenants that the configuration names, else those of the hub.
type listing struct {
	fetcher *fetch.Fetcher
	named   []string
}

func (l listing) Tenants(ctx context.Context) (all []Tenant, err error) {
	for _, id := range l.named {
		all = append(all, Tenant{ID: id})
	}
	if len(all) > 0 {
		return all, nil
	}
	listed, err := l.fetcher.Tenants(ctx)
	for _, t := range listed {
		all = append(all, Tenant(t))
	}
	return all, err
}

// Make implements maker. part.json is written last; if it is there, everything is, and nothing else is read.
func (w *workshop) Make(ctx context.Context, j job) (revision.Part, error) {
	p, err := hub.ParsePeriod(j.Month)
	if err != nil {
		return revision.Part{}, err
	}
	fetched, err := w.fetch(ctx, p, j)
	if err != nil {
		return revision.Part{}, err
	}
	digest, err := w.digest(fetched, j)
	if err != nil {
		return revision.Part{}, err
	}
	name := revision.PartFolder(p, j.Tenant.ID, digest) + revision.PartFile
	data, _, err := blob.ReadAll(ctx, w.bucket, name, revision.MaxPart)
	if err == nil {
		return revision.DecodePart(data)
	}
	if !fault.Is(err, fault.Missing) {
		return revision.Part{}, err
	}
	made, err := w.make(ctx, j, fetched, digest)
	if err != nil {
		return revision.Part{}, err
	}
	if data, err = revision.Encode(made); err != nil {
		return revision.Part{}, err
	}
	_, err = blob.PutOnce(ctx, w.bucket, revision.ContentType, name, data)
	return made, err
}

// fetch returns what the hub says of the tenant's month, or what the archive has of it.
func (w *workshop) fetch(ctx context.Context, p hub.Period, j job) (revision.Fetched, error) {
	if !j.Archive {
		return w.fetcher.Fetch(ctx, fetch.Request{Month: p, Org: j.Tenant.ID, Run: j.Run})
	}
	f, err := w.fetcher.Archived(ctx, p, j.Tenant.ID)
	if fault.Is(err, fault.Missing) {
		return revision.Fetched{V: revision.Version, Month: j.Month, Org: j.Tenant.ID, Run: j.Run, At: j.Begun.UTC(), Verdicts: []bill.Verdict{{
			Code: bill.OutOfWindow, Grave: true, Text: "The hub does not report this month any more, and nothing was fetched of this tenant when it did."}}}, nil
	}
	return f, err
}

// digest is of everything that goes into a part.
func (w *workshop) digest(f revision.Fetched, j job) (string, error) {
	o := w.options(j)
	if w.blind {
		o = charge.Options{}
	}
	data, err := json.Marshal([]any{partVersion, charge.Version(), fetch.Digest(f), j.Month, j.Tenant.ID, o})
	if err != nil {
		return "", fault.Wrap(fault.Bug, err, "encode what goes into a part")
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// make charges what was fetched and holds it against what the hub states beside it.
func (w *workshop) make(ctx context.Context, j job, f revision.Fetched, digest string) (revision.Part, error) {
	p, err := hub.ParsePeriod(j.Month)
	if err != nil {
		return revision.Part{}, err
	}
	stated, verdicts, err := w.stated(ctx, f)
	if err != nil {
		return revision.Part{}, err
	}
	o := w.options(j)
	got, err := charge.Charge(ctx, w.bucket, f, charge.Stated{Currencies: stated.Currencies()}, revision.PartFolder(p, j.Tenant.ID, digest), o)
	if err != nil {
		return revision.Part{}, err
	}
	made := revision.Part{V: revision.Version, Month: j.Month, Org: j.Tenant.ID, OrgName: j.Tenant.Name, Digest: digest, Raw: f.Raw,
		Files: got.Files, Bill: got.Bill, Quarantine: got.Quarantine}
	for _, a := range o.Lenses {
		made.Accounts = append(made.Accounts, revision.Account(a))
	}
	made.Verdicts = append(append(append(verdicts, f.Verdicts...), got.Verdicts...), reconcile.Judge(got.Lines, stated)...)
	return made, nil
}

// stated reads what the hub states beside the file. What cannot be read is a verdict: reading it again does not help.
func (w *workshop) stated(ctx context.Context, f revision.Fetched) (s reconcile.Stated, verdicts []bill.Verdict, err error) {
	s, err = reconcile.Read(ctx, w.bucket, f)
	if fault.Is(err, fault.Invalid) {
		return reconcile.Stated{}, []bill.Verdict{{Code: bill.BadFile, Grave: true, Text: "The usage report or the list of subscriptions cannot be read."}}, nil
	}
	return s, nil, err
}

// options are those of a tenant's charges.
func (w *workshop) options(j job) charge.Options { return optionsOf(w.billing, j) }

func (f *Function) options(j job) charge.Options { return optionsOf(f.Config.Billing, j) }

func optionsOf(b config.Billing, j job) charge.Options {
	p, _ := hub.ParsePeriod(j.Month)
	o := charge.Options{Month: p, Org: j.Tenant.ID, OrgName: j.Tenant.Name, Master: b.Organization, Currency: b.Currency, Formats: formats}
	for _, l := range b.Lenses {
		a := charge.Account{Lens: revision.Lens(l)}
		if a.Lens == revision.Tenant {
			a.Issuer, a.Markup = b.Issuer, b.Markup
		}
		o.Lenses = append(o.Lenses, a)
	}
	return o
}
