package hub

import (
	"context"
	"io"
	"iter"
)

// Reports as the hub sent them, for callers that keep what they received before they read it: UsageFile, and these.

// UsageReportFile is the report of Usage as JSON. The caller closes it, and reads it with ReadReport. Units are as with UsageFile: that of the
// endpoint's own example first, the other one if that is refused. Nothing in the report says which month it is about: a report without usage
// may be that of January 1970.
func (c *Client) UsageReportFile(ctx context.Context, org string, q UsageQuery) (*UsageFile, error) {
	return c.report(ctx, "download a usage report as JSON", org, "/usage-report", q, Seconds)
}

// SubscriptionsFile is the answer of Subscriptions as JSON. The caller closes it, and reads it with ReadReport. It has no unit.
func (c *Client) SubscriptionsFile(ctx context.Context, org string, q SubscriptionQuery) (*UsageFile, error) {
	const doing = "read subscriptions"
	v, err := q.values()
	if err != nil {
		return nil, err
	}
	resp, err := c.open(ctx, request{doing: doing, method: "GET", org: org, path: billingPath(org) + "/subscriptions", query: v})
	if err != nil {
		return nil, err
	}
	return &UsageFile{ReadCloser: resp.Body, Name: fileName(resp.Header)}, nil
}

// ReadReport reads what UsageReportFile and SubscriptionsFile give, as strictly as Usage and Subscriptions do and in their order: one subscription at
// a time is in memory. A report about a tenant names no other organization; one without a tenant is that of org itself; one without either is
// about any. What is foreign is ErrForeign and not given out. The sequence ends after its first error, and can be ranged over once.
func ReadReport(r io.Reader, org, tenant string) iter.Seq2[UsageItem, error] {
	return func(yield func(UsageItem, error) bool) {
		more := true
		err := readTree(io.NopCloser(r), "read a report", foreignTo(org, tenant, tenant == "" && org != ""), func(i UsageItem) bool {
			more = yield(i, nil)
			return more
		})
		if err != nil && more {
			yield(UsageItem{}, err)
		}
	}
}
