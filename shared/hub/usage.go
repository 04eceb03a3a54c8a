package hub

import (
	"context"
	"io"
	"iter"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// UsageQuery asks for the usage of one month.
type UsageQuery struct {
	Period   Period
	Tenant   string   // of this tenant only; empty: of all tenants of a master organization
	Provider bool     // of the provider itself only; excludes Tenant, which the hub would ignore
	Services []string // ids of service definitions; empty: all
	Detail   bool     // ask for the most granular rows. The guide says both what true and what false means: judge the rows with View
	Unit     Unit     // of the times sent
	Archive  bool     // ask for a month before the window all the same; a refusal or an empty report is then ErrOutOfWindow
}

// Usage is "Generate a Services Usage Report", GET /billing/v1/orgs/{org}/usage-report, streamed: one subscription at a time is in memory. The
// items of a service come before the service and those of an organization before the organization. Amounts are sums of the hub, in the
// currency of the skus.
//
// Nothing in the report says which month it is about, and a hub that takes seconds for milliseconds reports January 1970: no usage. So as long as
// the unit is in doubt, items are held back until one shows usage; a report without any is asked for once more in the other unit, and the
// one with usage is given out, the first if none has any.
//
// The sequence ends after its first error. It makes its request when it is ranged over.
func (c *Client) Usage(ctx context.Context, org string, q UsageQuery) iter.Seq2[UsageItem, error] {
	return func(yield func(UsageItem, error) bool) {
		u := &usage{c: c, org: org, q: q, yield: yield}
		if err := u.read(ctx); err != nil && !u.stopped {
			yield(UsageItem{}, err)
		}
	}
}

// usage is a report that is being given out.
type usage struct {
	c     *Client
	org   string
	q     UsageQuery
	yield func(UsageItem, error) bool

	held          []UsageItem // without usage so far, while the unit is in doubt
	used, stopped bool
}

func (u *usage) read(ctx context.Context) error {
	first, err := u.try(ctx, u.q.Unit)
	if err == nil && !u.used && u.q.Unit == AnyUnit {
		err = u.again(ctx, first.other())
	}
	if err == nil && !u.used && u.q.Archive && u.q.Period.old(u.c.now()) {
		return fault.Wrap(fault.Invalid, ErrOutOfWindow, "read a usage report without usage")
	}
	u.release()
	return err
}

// again looks with the other unit. What it finds counts only if there is usage in it.
func (u *usage) again(ctx context.Context, other Unit) error {
	held := u.held
	u.held = nil
	_, err := u.try(ctx, other)
	if !u.used {
		u.held = held
	}
	if refusedWith(err, http.StatusBadRequest) {
		return nil
	}
	return err
}

func (u *usage) try(ctx context.Context, unit Unit) (Unit, error) {
	const doing = "read a usage report"
	q := u.q
	q.Unit = unit
	f, err := u.c.report(ctx, doing, u.org, "/usage-report", q, Seconds)
	if err != nil {
		return "", err
	}
	return f.Unit, readTree(f, doing, foreignTo(u.org, q.Tenant, q.Provider), u.take)
}

// take gives an item out, or holds it back as long as nothing was used.
func (u *usage) take(i UsageItem) bool {
	u.used = u.used || i.used()
	u.held = append(u.held, i)
	if u.used || u.q.Unit != AnyUnit && !u.q.Archive {
		u.release()
	}
	return !u.stopped
}

func (u *usage) release() {
	for _, i := range u.held {
		u.stopped = u.stopped || !u.yield(i, nil)
	}
	u.held = nil
}

// emptyUnless forgives a second look in another unit that was refused: the first answer stands.
func emptyUnless(err error) error {
	if refusedWith(err, http.StatusBadRequest) {
		return nil
	}
	return err
}

// UsageFile is "Download a Usage Report", GET /billing/v1/orgs/{org}/usage-report/file: the CSV as the hub sent it. The caller closes it, and
// reads it with NewUsageReader. An empty Tenant means all tenants.
//
// Rows may lie outside of the month: the caller drops them (Period.Contains) and counts them. If none lies in it, the hub may have understood
// the times in another unit: see UsageRows.
func (c *Client) UsageFile(ctx context.Context, org string, q UsageQuery) (*UsageFile, error) {
	return c.report(ctx, "download a usage report", org, "/usage-report/file", q, Milliseconds)
}

// UsageFile is a report that is being received. Its errors are faults.
type UsageFile struct {
	io.ReadCloser
	Name string // the last part of the file name in Content-Disposition: for a log, never a path
	Unit Unit   // that the hub accepted
}

// UsageRows downloads the CSV and returns its rows of the month. If the unit is in doubt and none lies in the month, it looks once more with the
// other unit. Tally is complete when the sequence has ended; rows only outside of the month are ErrPeriodMismatch.
func (c *Client) UsageRows(ctx context.Context, org string, q UsageQuery) (rows iter.Seq2[UsageRow, error], tally *Tally) {
	tally = &Tally{}
	return func(yield func(UsageRow, error) bool) {
		if err := c.rows(ctx, org, q, tally, yield); err != nil {
			yield(UsageRow{}, err)
		}
	}, tally
}

// Tally is what UsageRows saw.
type Tally struct {
	Inside, Outside int    // rows in the month, given out, and rows in other months, dropped; a row without a readable time is given out
	Currency        string // see UsageReader
	Unit            Unit   // with which the rows came
	stopped         bool
}

func (c *Client) rows(ctx context.Context, org string, q UsageQuery, t *Tally, yield func(UsageRow, error) bool) error {
	f, err := c.UsageFile(ctx, org, q)
	if err != nil {
		return err
	}
	if err := t.read(f, q, yield); err != nil || t.stopped || t.Inside > 0 {
		return err
	}
	outside := t.Outside
	if q.Unit == AnyUnit {
		if err := c.rowsInOther(ctx, org, q, t, yield); err != nil || t.stopped || t.Inside > 0 {
			return err
		}
	}
	switch {
	case outside+t.Outside > 0:
		return fault.Wrap(fault.Transient, ErrPeriodMismatch, "read the rows of a usage report")
	case q.Archive && q.Period.old(c.now()):
		return fault.Wrap(fault.Invalid, ErrOutOfWindow, "read a usage report without rows")
	}
	return nil
}

func (c *Client) rowsInOther(ctx context.Context, org string, q UsageQuery, t *Tally, yield func(UsageRow, error) bool) error {
	outside := t.Outside
	q.Unit = t.Unit.other()
	f, err := c.UsageFile(ctx, org, q)
	if err != nil {
		return emptyUnless(err)
	}
	t.Outside = 0
	err = t.read(f, q, yield)
	if t.Inside == 0 {
		t.Outside += outside
	}
	return err
}

func (t *Tally) read(f *UsageFile, q UsageQuery, yield func(UsageRow, error) bool) error {
	defer f.Close()
	t.Unit = f.Unit
	r, err := NewUsageReader(f)
	if err != nil {
		return err
	}
	t.Currency = r.Currency
	for {
		row, err := r.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case !row.Time.IsZero() && !q.Period.Contains(row.Time):
			t.Outside++
			continue
		case q.Tenant != "" && row.OrgID != q.Tenant:
			return foreign("read the rows of a usage report")
		}
		t.Inside++
		if t.stopped = !yield(row, nil); t.stopped {
			return nil
		}
	}
}

// report asks for a report, with the unit of its own example first. If the unit is in doubt, a 400 may be about it: the other one is tried once.
func (c *Client) report(ctx context.Context, doing, org, name string, q UsageQuery, unit Unit) (*UsageFile, error) {
	if err := q.check(c.now()); err != nil {
		return nil, err
	}
	if q.Unit != AnyUnit {
		unit = q.Unit
	}
	f, err := c.download(ctx, doing, org, name, q, unit)
	if q.Unit == AnyUnit && refusedWith(err, http.StatusBadRequest) {
		if g, again := c.download(ctx, doing, org, name, q, unit.other()); again == nil {
			return g, nil
		}
	}
	if refusedWith(err, http.StatusBadRequest) && q.Archive && q.Period.old(c.now()) {
		err = fault.Wrap(fault.Invalid, ErrOutOfWindow, doing)
	}
	return f, err
}

func (c *Client) download(ctx context.Context, doing, org, name string, q UsageQuery, u Unit) (*UsageFile, error) {
	resp, err := c.open(ctx, request{doing: doing, method: "GET", org: org, path: billingPath(org) + name, query: q.values(u)})
	if err != nil {
		return nil, err
	}
	return &UsageFile{ReadCloser: resp.Body, Name: fileName(resp.Header), Unit: u}, nil
}

func (q UsageQuery) check(now time.Time) error {
	if err := checkScope(q.Tenant, q.Provider); err != nil {
		return err
	}
	for _, s := range q.Services {
		if s == "" || strings.Contains(s, ",") {
			return fault.New(fault.Invalid, "the id of a service is empty or has a comma")
		}
	}
	switch q.Unit {
	case AnyUnit, Seconds, Milliseconds:
		return q.Period.check(now, q.Archive)
	}
	return fault.New(fault.Invalid, "the unit of times is s or ms")
}

func checkScope(tenant string, provider bool) error {
	switch {
	case tenant != "" && provider:
		return fault.New(fault.Invalid, "a report is about a tenant or about the provider, not both")
	case tenant != "" && !idForm.MatchString(tenant):
		return fault.New(fault.Invalid, "not the id of a tenant")
	}
	return nil
}

// values always has detailView and providerReport: what the hub does without them is said in two ways.
func (q UsageQuery) values(u Unit) url.Values {
	v := url.Values{}
	start, end := q.Period.bounds(u)
	v.Set("startTime", start)
	v.Set("endTime", end)
	v.Set("detailView", strconv.FormatBool(!q.Detail)) // literally: "When set to true, returns a summary view"
	v.Set("providerReport", strconv.FormatBool(q.Provider))
	if q.Tenant != "" {
		v.Set("tenantId", q.Tenant)
	}
	if len(q.Services) > 0 {
		v.Set("serviceIds", strings.Join(q.Services, ","))
	}
	return v
}

// foreignTo returns a test for organizations that must not be in a report. Which tenants a master organization has is not known here.
func foreignTo(org, tenant string, provider bool) func(string) bool {
	return func(id string) bool {
		return tenant != "" && id != tenant || provider && id != org
	}
}

func foreign(doing string) error { return fault.Wrap(fault.Transient, ErrForeign, doing) }

func fileName(h http.Header) string {
	_, params, err := mime.ParseMediaType(h.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	return baseName(params["filename"])
}

// baseName is the last part of a path of any system, "" if that is no name.
func baseName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	if name == "." || name == ".." || name == "/" || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return ""
	}
	return name
}

func billingPath(org string) string { return "/billing/v1/orgs/" + org }
