package billingexport

import (
	"cmp"
	"context"
	"time"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/logs"
)

// job is a tenant's part that is to be made.
type job struct {
	Month   string
	Run     string
	Begun   time.Time
	Tenant  Tenant
	Archive bool
}

// maker makes a part and leaves its objects in the bucket. Made again, by whomever, it is the same part. Its error says whether it may heal.
type maker interface {
	Make(ctx context.Context, j job) (revision.Part, error)
}

// lease is how long a part is left to who makes it. It is politeness: two who make it leave the same objects.
const lease = 12 * time.Minute

// ExportTenantUsage handles one message of topic "billing-export-tenant": it makes the part and, if there is no open one left, finishes the month.
func (f *Function) ExportTenantUsage(ctx context.Context, e event.Envelope) error {
	t, err := decodeTask(e.Data)
	if err == nil {
		err = f.take(ctx, t)
	}
	if err == nil || fault.Healing(err) {
		return err
	}
	from := ledger.Source{Event: e.ID, Attempt: e.Attempt, Traceparent: e.Traceparent}
	_, err = f.ledger.Park(ctx, "", TopicTenant+"/"+e.ID, err.Error(), e.Data, from)
	return err
}

func (f *Function) take(ctx context.Context, t task) error {
	p, err := f.readPart(ctx, t.Month, t.Org)
	switch {
	case fault.Is(err, fault.Missing):
		return nil // forgotten: its run is long over
	case err != nil:
		return err
	case !p.Done && p.Run == t.Run:
		if err := f.makePart(ctx, p); err != nil {
			return err
		}
	}
	return f.finish(ctx, p.period())
}

// makePart takes a part as far as it goes now. An error brings the message back.
func (f *Function) makePart(ctx context.Context, p *part) error {
	now := f.Now()
	switch {
	case now.Before(p.Lease):
		return fault.New(fault.Transient, "somebody else makes this part")
	case p.hopeless(now):
		return f.giveUp(ctx, p, unreachable(""))
	case now.Before(p.NotBefore):
		return fault.After(fault.New(fault.Throttled, "this part failed just now"), p.NotBefore.Sub(now))
	}
	p.Lease, p.Attempts = now.Add(lease), p.Attempts+1
	if p.Tried.IsZero() {
		p.Tried = now
	}
	if err := f.savePart(ctx, p); err != nil {
		return err
	}
	made, err := f.maker.Make(ctx, job{Month: p.Month, Run: p.Run, Begun: p.Begun, Tenant: p.Tenant, Archive: p.Archive})
	if err != nil {
		return f.missed(ctx, p, err)
	}
	p.Done, p.Digest, p.Error, p.Lease, p.NotBefore = true, made.Digest, "", time.Time{}, time.Time{}
	return f.savePart(ctx, p)
}

// missed notes that an attempt failed. What can never succeed is given up at once.
func (f *Function) missed(ctx context.Context, p *part, cause error) error {
	f.Log.WarnContext(ctx, "a part was not made", "month", p.Month, "org", p.Tenant.ID, "attempt", p.Attempts, "error", cause)
	if !fault.Healing(cause) {
		return f.giveUp(ctx, p, unreachable(cmp.Or(fault.Public(cause), "it is "+string(fault.Of(cause)))))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout) // the end of the request is one way to fail
	defer cancel()
	p.Lease, p.NotBefore, p.Error = time.Time{}, f.Now().Add(max(pause(p.Attempts), min(fault.RetryAfter(cause), longestPause))), short(cause.Error(), maxError)
	if err := f.savePart(ctx, p); err != nil && !fault.Is(err, fault.Conflict) {
		f.Log.WarnContext(ctx, "that is not recorded either: the part is left alone until its lease ends", "error", err)
	}
	return cause
}

// recordTimeout is what recording may take after the request has ended.
const recordTimeout = 10 * time.Second

// giveUp ends a part without a result, so that it holds nobody up.
func (f *Function) giveUp(ctx context.Context, p *part, why *bill.Verdict) error {
	p.Done, p.Verdict, p.Lease, p.NotBefore = true, why, time.Time{}, time.Time{}
	if err := f.savePart(ctx, p); err != nil {
		return err
	}
	f.Log.ErrorContext(ctx, "a part is given up, and the month will not be reconciled", logs.ExportFailed.Attr(), "month", p.Month, "org", p.Tenant.ID,
		"attempts", p.Attempts, "error", p.Error)
	return nil
}

// maxError is how many bytes of an error's text are kept.
const maxError = 500

// short keeps the beginning of a text.
func short(s string, kept int) string {
	if len(s) <= kept {
		return s
	}
	for ; kept > 0; kept-- {
		if s[kept]&0xC0 != 0x80 { // not within a character
			return s[:kept] + "…"
		}
	}
	return ""
}
