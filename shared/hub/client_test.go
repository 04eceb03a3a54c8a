package hub_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/big"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
)

// A bench is the simulator with a client in front, in virtual time.
type bench struct {
	*testing.T
	*hub.Client
	sim      *simhub.Server
	switches simhub.Switches
	month    hub.Period // that closed last
}

// on runs a test in a bubble whose time is late enough for the seeded usage.
func on(t *testing.T, o simhub.Options, test func(b *bench)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 10, 6, 9, 0, 0, 0, time.UTC)))
		sim, err := simhub.New(o)
		if err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		b := &bench{T: t, sim: sim, switches: o.Switches, month: hub.Period{Year: 2026, Month: time.September}}
		b.Client, err = hub.New(hub.Options{
			Endpoint: "https://hub.example/api", Organization: simhub.Provider, Token: b.token, Base: sim.Transport(), Backoff: time.Millisecond,
		})
		if err != nil {
			t.Fatal(err)
		}
		test(b)
	})
}

var ownerRoles = []string{hub.ProviderAdmin, hub.ProviderOperations, hub.ProviderAccountAdmin, hub.ProviderBilling, hub.ProviderSupport}

func (b *bench) token(_ context.Context, org string) (string, error) {
	roles := []string{hub.TenantAdmin}
	if org == simhub.Provider {
		roles = ownerRoles
	}
	if t := b.sim.TokenFor(org, roles...); t != "" {
		return t, nil
	}
	return "", fault.New(fault.Missing, "no API token")
}

func (b *bench) ok(err error, doing string) {
	b.Helper()
	if err != nil {
		b.Fatalf("%s: kind %q: %v", doing, fault.Of(err), err)
	}
}

// patient makes a write again when it was refused for now, as a caller may that knows it was not executed.
func patient[T any](write func() (T, error)) (T, error) {
	for {
		v, err := write()
		if !fault.Is(err, fault.Throttled) {
			return v, err
		}
		time.Sleep(max(fault.RetryAfter(err), time.Second))
	}
}

// TestEveryReading runs the whole client against every reading of everything that the guide leaves open. What must hold is the same in all of
// them; where it is not, the step says which switch makes the difference.
func TestEveryReading(t *testing.T) {
	n := 0
	for _, a := range simhub.Ambiguities() {
		for _, reading := range a.Readings {
			n++
			t.Run(a.Name+"="+reading, func(t *testing.T) {
				var s simhub.Switches
				if err := a.Set(&s, reading); err != nil {
					t.Fatal(err)
				}
				on(t, simhub.Options{Switches: s}, whole)
			})
		}
	}
	t.Logf("%d readings of %d ambiguities", n, len(simhub.Ambiguities()))
}

// TestReadingsTogether turns on what makes life hardest, all at once.
func TestReadingsTogether(t *testing.T) {
	on(t, simhub.Options{Seed: 7, Switches: simhub.Switches{
		Unit: "chaos", Rounding: "nearest", Zone: "UTC+14", OutOfWindow: "empty", WindowOnFile: true, DetailViewInverted: true, SubscriptionsAllTenants: true,
		NoService: "404", JSONNumbers: "float64", PriceHeader: "(USD)", CSVTime: "rfc3339", CSVSubscription: "sid", CSVPlain: true, CSVMark: true,
		CSVReordered: true, CSVExtraColumn: true, ContentDisposition: "chaos", TokenScope: "tenants", Padding: true, RefuseAdminEmail: true, StaleUpdate: true,
		AddUsersPatch: true, BindingsOptional: true, Confirm: "200", InvitedAsAdded: true, DuplicateUser: "fail", FailUsersPercent: 50, GroupRoles: true,
		RevokedStatus: "REVOKED", BadToken: "400", PageStart: "page", CreateReply: "none", UploadAttach: true, SupportAnswer: "bare", RateLimit: 50,
	}}, whole)
}

func whole(b *bench) {
	b.organizations()
	b.users()
	b.invitations()
	b.usage()
	b.window()
	b.subscriptions()
	b.support()
}

func (b *bench) organizations() {
	ctx := b.Context()
	all, err := b.Tenants(ctx, simhub.Provider)
	b.ok(err, "list tenants")
	if len(all) != 2 {
		b.Errorf("%d tenants, want the two of the seed", len(all))
	}
	made, err := patient(func() (hub.Organization, error) { return b.CreateTenant(ctx, simhub.Provider, tenantDraft()) })
	b.ok(err, "create a tenant")
	if all, err = b.Tenants(ctx, simhub.Provider); err != nil || len(all) != 3 {
		b.Errorf("%d tenants after one was created: %v", len(all), err)
	}
	found := hub.FindTenants(all, tenantDraft())
	if len(found) != 1 || found[0].ID != made.ID || made.Parent != simhub.Provider {
		b.Errorf("found %d tenants by their tag; created %+v", len(found), made)
	}
	lorem, err := b.Organization(ctx, simhub.TenantLorem)
	if b.ok(err, "get an organization"); lorem.Tag != "hightouchVMC" || lorem.Created.Year() != 2018 {
		b.Errorf("organization %+v", lorem)
	}
	b.update(lorem)
	d := tenantDraft()
	d.AdminEmail, d.Tag = person, ""
	_, err = patient(func() (hub.Organization, error) { return b.CreateTenant(ctx, simhub.Provider, d) })
	if refused := fault.Is(err, fault.Invalid); refused != b.switches.RefuseAdminEmail || !refused && err != nil {
		b.Errorf("a tenant with an administrator's address: %v", err)
	}
	_, err = b.Users(ctx, made.ID) // the provider's token stands in
	if reached := err == nil; reached != (b.switches.TokenScope == "tenants") || !reached && !fault.Is(err, fault.Denied) {
		b.Errorf("users of a tenant without a token: %v", err)
	}
}

func (b *bench) update(before hub.Organization) {
	rename := func(d *hub.TenantDraft) { d.DisplayName = "Lorem 2" }
	after, err := patient(func() (hub.Organization, error) { return b.UpdateTenant(b.Context(), before.ID, rename) })
	b.ok(err, "update a tenant")
	want := before.Draft()
	want.DisplayName = "Lorem 2"
	if after.Draft() != want {
		b.Errorf("the tenant is %+v, want %+v", after.Draft(), want)
	}
	_, counts := b.sim.Calls()
	if again, err := b.UpdateTenant(b.Context(), before.ID, rename); err != nil || again.DisplayName != "Lorem 2" {
		b.Errorf("the same update again: %v", err)
	}
	if _, now := b.sim.Calls(); now["orgs.update"] != counts["orgs.update"] {
		b.Error("an update that changes nothing was sent")
	}
}

func (b *bench) users() {
	ctx, org := b.Context(), simhub.TenantCoke
	names := []string{"one@lorem.com", "two@elsewhere.example", "three@refused.example"}
	var asked []hub.User
	for _, n := range names {
		asked = append(asked, hub.User{Username: n})
	}
	added, err := patient(func() (hub.Added, error) {
		return b.AddUsers(ctx, org, hub.AddUsers{Users: asked, Roles: []string{hub.TenantUser}})
	})
	b.ok(err, "add users")
	members, err := b.Users(ctx, org)
	b.ok(err, "list users")
	open, err := b.Invitations(ctx, org)
	b.ok(err, "list invitations")
	for _, n := range names {
		said, is := added.Verdicts[n], hub.Locate(n, members, open, time.Now())
		agrees := said == is || said == hub.Failed && is == hub.Unknown || said == hub.Joined && is == hub.Invited && b.switches.InvitedAsAdded
		if !agrees {
			b.Errorf("%s was said to be %s and is %s", n, said, is)
		}
	}
	if added.Verdicts[names[2]] != hub.Failed || b.switches.FailUsersPercent == 0 && added.Verdicts[names[0]] != hub.Joined {
		b.Errorf("verdicts %v", added.Verdicts)
	}
	b.again()
	b.roles()
	_, err = patient(func() (hub.Added, error) {
		return b.AddUsers(ctx, simhub.Provider, hub.AddUsers{
			Users: []hub.User{{Username: "account@lorem.com"}}, Roles: []string{hub.ProviderAccountAdmin}, Bindings: []string{org},
			Services: []hub.ServiceRoles{{Service: "I8_", Roles: []string{"log-intelligence:user"}}},
		})
	})
	b.ok(err, "add an account administrator")
}

// again adds who is a member already.
func (b *bench) again() {
	const name = "user@coke.com"
	added, err := patient(func() (hub.Added, error) {
		return b.AddUsers(b.Context(), simhub.TenantCoke, hub.AddUsers{Users: []hub.User{{Username: name}}, Roles: []string{hub.TenantUser}})
	})
	b.ok(err, "add a member again")
	switch v := added.Verdicts[name]; {
	case b.switches.DuplicateUser == "fail" && v != hub.Failed, b.switches.DuplicateUser != "fail" && b.switches.FailUsersPercent == 0 && v != hub.Joined:
		b.Errorf("a member again is %s", v)
	}
}

func (b *bench) roles() {
	ctx, org := b.Context(), simhub.TenantCoke
	held := func() []string {
		members, err := b.Users(ctx, org)
		b.ok(err, "list users")
		m, _ := hub.FindMember(members, "USER@coke.com")
		return m.RoleNames()
	}
	add, remove := hub.Difference(held(), []string{hub.TenantBilling, hub.TenantUser})
	_, err := patient(func() (int, error) {
		return 0, b.ChangeRoles(ctx, org, hub.User{Username: "user@coke.com"}, add, remove)
	})
	if b.ok(err, "change roles"); !slices.Equal(held(), []string{hub.TenantBilling, hub.TenantUser}) {
		b.Errorf("roles %q", held())
	}
	rounds, err := patient(func() (int, error) { return b.RemoveUser(ctx, org, "user@coke.com") })
	if b.ok(err, "remove a user"); rounds != 1 || len(held()) != 0 {
		b.Errorf("%d rounds, roles left %q", rounds, held())
	}
	if rounds, err = b.RemoveUser(ctx, org, "user@coke.com"); err != nil || rounds != 0 {
		b.Errorf("remove who is gone: %d rounds, %v", rounds, err)
	}
	_, err = patient(func() (int, error) { return b.RemoveUser(ctx, org, "billing_user@coke.com") })
	if grouped := fault.Is(err, fault.Conflict); grouped != b.switches.GroupRoles || !grouped && err != nil {
		b.Errorf("remove a user with a role from a group: %v", err)
	}
}

func (b *bench) invitations() {
	if b.switches.FailUsersPercent > 0 {
		return // who is invited is luck
	}
	ctx, org := b.Context(), simhub.TenantLorem
	guests := []string{"stays@elsewhere.example", "goes@elsewhere.example"}
	_, err := patient(func() (hub.Added, error) {
		return b.AddUsers(ctx, org, hub.AddUsers{Users: []hub.User{{Username: guests[0]}, {Username: guests[1]}}, Roles: []string{hub.TenantUser}})
	})
	b.ok(err, "invite")
	b.outcome("resend what is pending", b.Resend, guests, "", "", strings.Join(guests, " "))
	b.outcome("revoke", b.Revoke, []string{guests[1], "nobody@elsewhere.example"}, guests[1], "", "nobody@elsewhere.example")
	b.outcome("revoke again", b.Revoke, guests[1:], "", "", guests[1])
	b.status(guests, hub.Pending, hub.Revoked)
	time.Sleep(7 * 24 * time.Hour)
	b.status(guests, hub.Expired, hub.Revoked)
	b.outcome("resend", b.Resend, guests, guests[0], "", guests[1])
	b.status(guests, hub.Pending, hub.Revoked)
	b.ok(b.sim.Accept(org, guests[0]), "accept")
	b.status(guests, hub.Redeemed, hub.Revoked)
}

func (b *bench) outcome(doing string, act func(context.Context, string, []string) (hub.Outcome, error), emails []string, done, left, skipped string) {
	b.Helper()
	got, err := patient(func() (hub.Outcome, error) { return act(b.Context(), simhub.TenantLorem, emails) })
	b.ok(err, doing)
	if strings.Join(got.Done, " ") != done || strings.Join(got.Left, " ") != left || strings.Join(got.Skipped, " ") != skipped {
		b.Errorf("%s: %+v", doing, got)
	}
}

func (b *bench) status(guests []string, want ...hub.InvitationStatus) {
	b.Helper()
	all, err := b.Invitations(b.Context(), simhub.TenantLorem)
	b.ok(err, "list invitations")
	for i, g := range guests {
		at := slices.IndexFunc(all, func(x hub.Invitation) bool { return x.Username == g })
		if at < 0 || all[at].Status(time.Now()) != want[i] {
			b.Errorf("%s is not %s: %+v", g, want[i], all)
		}
	}
}

// totals of usage by organization, subscription and sku.
type totals map[string]*big.Rat

func (t totals) add(key, n string) {
	r, ok := new(big.Rat).SetString(n)
	if !ok {
		r = big.NewRat(-1, 1) // nothing in the reports is negative: it will differ
	}
	if t[key] == nil {
		t[key] = new(big.Rat)
	}
	t[key].Add(t[key], r)
}

func (t totals) sum() *big.Rat {
	sum := new(big.Rat)
	for _, r := range t {
		sum.Add(sum, r)
	}
	return sum
}

// usage compares what the file and the report say of the same month: they agree to the last digit, or to a millionth where the report's
// numbers went through a float.
func (b *bench) usage() {
	ctx := b.Context()
	for _, q := range []hub.UsageQuery{{Tenant: simhub.TenantCoke}, {Provider: true}, {}, {Detail: true, Tenant: simhub.TenantCoke}} {
		q.Period = b.month
		inTree, truncated := b.tree(b.Usage(ctx, simhub.Provider, q))
		inFile, view, tally := b.file(simhub.Provider, q)
		switch {
		case b.switches.TruncateSkus != truncated:
			b.Errorf("%+v: truncated %v", q, truncated)
		case b.switches.TruncateSkus, b.switches.CSVHeaderOnly, b.switches.CSVTime == "us":
		case len(inTree) == 0 || len(inTree) != len(inFile) || inTree.sum().Sign() <= 0:
			b.Errorf("%+v: %d series in the report, %d in the file", q, len(inTree), len(inFile))
		default:
			b.compare(inTree, inFile)
		}
		if detailed := q.Detail != b.switches.DetailViewInverted; tally.Inside > 0 && view != detailed {
			b.Errorf("%+v: detailed is %v", q, view)
		}
		if want := strings.Trim(b.switches.PriceHeader, "()"); tally.Currency != want {
			b.Errorf("currency %q, want %q", tally.Currency, want)
		}
	}
	f, err := b.UsageFile(ctx, simhub.TenantCoke, hub.UsageQuery{Period: b.month})
	b.ok(err, "download a report with the tenant's own token")
	defer f.Close()
	if strings.ContainsAny(f.Name, `/\`) || (f.Name == "") != (b.switches.ContentDisposition == "none") {
		b.Errorf("the file's name is %q", f.Name)
	}
}

func (b *bench) tree(items iter.Seq2[hub.UsageItem, error]) (totals, bool) {
	b.Helper()
	sum, truncated := totals{}, false
	for i, err := range items {
		b.ok(err, "read a report")
		if i.Subscription == nil {
			continue
		}
		truncated = truncated || i.Subscription.Truncated()
		for _, k := range i.Subscription.Skus {
			sum.add(i.Subscription.OrgID+" "+k.CrossReference, k.TotalBillable.String())
		}
	}
	return sum, truncated
}

func (b *bench) file(org string, q hub.UsageQuery) (totals, bool, *hub.Tally) {
	b.Helper()
	sum, detailed, view := totals{}, false, hub.View{}
	rows, tally := b.UsageRows(b.Context(), org, q)
	for r, err := range rows {
		b.ok(err, "read a file")
		if bad := r.Problem != ""; bad != (b.switches.CSVTime == "us") {
			b.Errorf("line %d has a problem with %q", r.Line, r.Problem)
		}
		detailed = view.Add(r) || detailed
		sum.add(r.OrgID+" "+r.CrossReference, r.Billable.String())
		if len(r.Extra) > 0 != b.switches.CSVExtraColumn {
			b.Errorf("extra columns %v", r.Extra)
		}
	}
	if tally.Outside != 0 || tally.Inside == 0 != b.switches.CSVHeaderOnly {
		b.Errorf("%d rows inside, %d outside", tally.Inside, tally.Outside)
	}
	return sum, detailed, tally
}

func (b *bench) compare(tree, file totals) {
	b.Helper()
	tolerance := new(big.Rat)
	if b.switches.JSONNumbers == "float64" {
		tolerance.SetString("1e-6")
	}
	for key, want := range file {
		got := tree[key]
		if got == nil || new(big.Rat).Abs(new(big.Rat).Sub(got, want)).Cmp(tolerance) > 0 {
			b.Errorf("%s: %v in the report, %v in the file", key, got, want)
		}
	}
}

// window: what is too old is never no usage, and a tenant without a service is that.
func (b *bench) window() {
	ctx := b.Context()
	q := hub.UsageQuery{Period: b.month.Add(-8), Tenant: simhub.TenantCoke}
	last := func(items iter.Seq2[hub.UsageItem, error]) (err error) {
		for _, err = range items {
		}
		return err
	}
	if err := last(b.Usage(ctx, simhub.Provider, q)); !errors.Is(err, hub.ErrOutOfWindow) {
		b.Errorf("out of the window: %v", err)
	}
	q.Archive = true
	if err := last(b.Usage(ctx, simhub.Provider, q)); !errors.Is(err, hub.ErrOutOfWindow) {
		b.Errorf("out of the window, asked all the same: %v", err)
	}
	rows, tally := b.UsageRows(ctx, simhub.Provider, q)
	var err error
	for _, err = range rows {
	}
	if bounded := b.switches.WindowOnFile || b.switches.CSVHeaderOnly; errors.Is(err, hub.ErrOutOfWindow) != bounded || tally.Inside > 0 == bounded {
		b.Errorf("the file out of the window: %d rows, %v", tally.Inside, err)
	}
	all, err := b.Tenants(ctx, simhub.Provider)
	b.ok(err, "list tenants")
	fresh := hub.FindTenants(all, tenantDraft())[0].ID
	if err := last(b.Usage(ctx, simhub.Provider, hub.UsageQuery{Period: b.month, Tenant: fresh})); !errors.Is(err, hub.ErrNoService) {
		b.Errorf("a tenant without a service: %v", err)
	}
}

func (b *bench) subscriptions() {
	ctx := b.Context()
	for _, q := range []hub.SubscriptionQuery{{Tenant: simhub.TenantLorem}, {All: true}, {Provider: true}} {
		orgs, terms := map[string]bool{}, 0
		for i, err := range b.Subscriptions(ctx, simhub.Provider, q) {
			b.ok(err, "read subscriptions")
			if i.Organization != nil {
				orgs[i.Organization.ID] = true
			}
			if s := i.Subscription; s != nil && s.Type == "TERM" && (s.Truncated() || s.Skus[0].UnitPrice == "51987.0" && s.Skus[0].Offer.Term == "12") && s.End.After(s.Start) {
				terms++
			}
		}
		want := map[bool]int{true: 2, false: 1}[q.All]
		if len(orgs) != want || terms != want || q.Tenant != "" && !orgs[q.Tenant] || q.Provider && !orgs[simhub.Provider] {
			b.Errorf("%+v: organizations %v, %d terms", q, orgs, terms)
		}
	}
}

func (b *bench) support() {
	ctx, org := b.Context(), simhub.TenantCoke
	kinds, err := b.Metadata(ctx, simhub.Provider, org)
	if b.ok(err, "read categories"); len(kinds) < 2 || kinds[0].ID != "nonTechnical" || kinds[0].Issues[0].ID != ticketDraft().CategoryID {
		b.Errorf("categories %+v", kinds)
	}
	made, err := patient(func() (hub.Ticket, error) { return b.CreateTicket(ctx, org, ticketDraft()) })
	b.ok(err, "create a support request")
	found, err := b.FindTickets(ctx, org, ticketDraft().InternalID)
	if b.ok(err, "find it"); len(found) != 1 || found[0].ID != made.ID || made.Title != "No access" || made.OrgID != org {
		b.Errorf("created %+v, found %d", made, len(found))
	}
	if all, err := b.Tickets(ctx, simhub.Provider, hub.TicketFilter{Tenants: true, Subject: "no ACC"}); err != nil || len(all) != 1 {
		b.Errorf("%d support requests of the tenants: %v", len(all), err)
	}
	file, err := patient(func() (hub.FileReference, error) {
		return b.UploadFile(ctx, org, made.ID, `C:\Users\someone\log.txt`, strings.NewReader("what happened"))
	})
	b.ok(err, "upload")
	_, err = patient(func() (hub.Ticket, error) {
		return b.ChangeTicket(ctx, org, made.ID, hub.TicketChange{CaseID: "1264530092", Details: "No user access.", Files: []hub.FileReference{file}})
	})
	b.ok(err, "change")
	got, err := b.Ticket(ctx, org, made.ID)
	if b.ok(err, "get it"); got.CaseID != "1264530092" || !slices.Equal(got.AdditionalDetails, []string{"No user access."}) || len(got.Files) != 1 || got.Files[0].Name != "log.txt" {
		b.Errorf("changed to %+v", got)
	}
	if kept, err := b.sim.File(got.Files[0].ID); err != nil || string(kept) != "what happened" {
		b.Errorf("the file is %q: %v", kept, err)
	}
	b.closing(made.ID)
}

func (b *bench) closing(id string) {
	if _, err := b.CloseTicket(b.Context(), simhub.TenantCoke, id, "Because"); !fault.Is(err, fault.Invalid) {
		b.Errorf("closed for no reason of the hub: %v", err)
	}
	for _, when := range []string{"close", "close what is closed"} {
		got, err := patient(func() (hub.Ticket, error) {
			return b.CloseTicket(b.Context(), simhub.TenantCoke, id, " solution provided")
		})
		if b.ok(err, when); !got.Closed() || got.CloseReason != "Solution Provided" {
			b.Errorf("%s: %+v", when, got)
		}
	}
}

// A hub that does not close is told apart from one that fails.
func TestManualClose(t *testing.T) {
	on(t, simhub.Options{}, func(b *bench) {
		made, err := b.CreateTicket(b.Context(), simhub.TenantCoke, ticketDraft())
		b.ok(err, "create")
		for text, want := range map[string]fault.Kind{"status:400": fault.Denied, "status:405": fault.Denied, "status:403": fault.Denied, "status:500": fault.Transient, "drop": fault.Transient} {
			b.ok(b.sim.ArmFault("support.update", text, 1), "arm")
			got, err := b.CloseTicket(b.Context(), simhub.TenantCoke, made.ID, "Duplicate")
			manual := text == "status:400" || text == "status:405"
			if fault.Of(err) != want || errors.Is(err, hub.ErrManualClose) != manual || manual && got.ID != made.ID {
				b.Errorf("%s: kind %q: %v", text, fault.Of(err), err)
			}
		}
	})
}

// Both readings of pageStart find every ticket once.
func TestPages(t *testing.T) {
	for _, reading := range []string{"record", "page"} {
		t.Run(reading, func(t *testing.T) {
			on(t, simhub.Options{Switches: simhub.Switches{PageStart: reading, CreateReply: "body"}}, func(b *bench) {
				made := 0
				for _, n := range []int{0, 1, 99, 100, 101, 200, 205, 350} {
					for ; made < n; made++ {
						_, err := b.CreateTicket(b.Context(), simhub.TenantCoke, ticketDraft())
						b.ok(err, "create")
					}
					all, err := b.Tickets(b.Context(), simhub.TenantCoke, hub.TicketFilter{})
					b.ok(err, "list")
					ids := map[string]bool{}
					for _, k := range all {
						ids[k.ID] = true
					}
					if len(all) != n || len(ids) != n {
						b.Errorf("%d of %d support requests, %d different", len(all), n, len(ids))
					}
				}
			})
		})
	}
}

// The answer is lost after the hub has executed: the error says maybe, one thing was made, and it is found by our own mark.
func TestFoundAfterALostAnswer(t *testing.T) {
	for _, text := range []string{"commit_then_drop", "commit_then_status:502", "garbage"} {
		on(t, simhub.Options{}, func(b *bench) {
			ctx := b.Context()
			b.ok(b.sim.ArmFault("tenants.create", text, 1), "arm")
			b.ok(b.sim.ArmFault("support.create", text, 1), "arm")
			_, err := b.CreateTenant(ctx, simhub.Provider, tenantDraft())
			_, err2 := b.CreateTicket(ctx, simhub.TenantCoke, ticketDraft())
			if text == "garbage" && err2 == nil {
				err2 = err // the ticket was found by its internal id
			}
			for _, err := range []error{err, err2} {
				if !fault.Is(err, fault.Transient) || fault.IsUnsent(err) {
					b.Errorf("%s: kind %q, unsent %v: %v", text, fault.Of(err), fault.IsUnsent(err), err)
				}
			}
			all, err := b.Tenants(ctx, simhub.Provider)
			b.ok(err, "list")
			tickets, err := b.FindTickets(ctx, simhub.TenantCoke, ticketDraft().InternalID)
			b.ok(err, "list")
			if n := len(hub.FindTenants(all, tenantDraft())); n != 1 || len(tickets) != 1 {
				b.Errorf("%s: %d tenants and %d support requests, want one of each", text, n, len(tickets))
			}
		})
	}
}

// When the write succeeded and reading it back fails, the error is neither a refusal nor unsent.
func TestReadBackFails(t *testing.T) {
	for _, text := range []string{"status:403", "status:404", "status:429", "status:500", "drop"} {
		on(t, simhub.Options{Switches: simhub.Switches{CreateReply: "none"}}, func(b *bench) {
			ctx := b.Context()
			if text == "drop" || text == "status:429" {
				b.ok(b.sim.ArmFault("support.list", text, 4), "arm")
			} else {
				b.ok(b.sim.ArmFault("support.list", text, 1), "arm")
			}
			_, err := b.CreateTicket(ctx, simhub.TenantCoke, ticketDraft())
			if !fault.Is(err, fault.Transient) || fault.IsUnsent(err) || len(b.sim.SupportRequests()) != 1 {
				b.Errorf("%s: kind %q, unsent %v: %v", text, fault.Of(err), fault.IsUnsent(err), err)
			}
		})
	}
}

// An access token that ends is replaced without anybody noticing, and an API token that nobody has is Denied under both readings.
func TestTokensOfTheHub(t *testing.T) {
	on(t, simhub.Options{TokenLife: 10 * time.Minute}, func(b *bench) {
		for range 20 {
			if _, err := b.Tenants(b.Context(), simhub.Provider); err != nil {
				b.Error(err)
			}
			time.Sleep(3 * time.Minute)
		}
		log, counts := b.sim.Calls()
		if i := slices.IndexFunc(log, func(c simhub.Call) bool { return c.Status == 401 }); i >= 0 || counts["authn.accesstoken"] != 7 {
			b.Errorf("%d exchanges in an hour of ten minutes' tokens; first 401 at %d", counts["authn.accesstoken"], i)
		}
	})
	for _, reading := range []string{"401", "400"} {
		on(t, simhub.Options{Switches: simhub.Switches{BadToken: reading}}, func(b *bench) {
			c := client(b.T, hub.Options{Endpoint: "https://hub.example/api", Base: b.sim.Transport()})
			_, err := c.Tenants(b.Context(), master)
			if _, counts := b.sim.Calls(); !fault.Is(err, fault.Denied) || !fault.IsUnsent(err) || counts["authn.accesstoken"] != 1 {
				b.Errorf("%s: %d exchanges: %v", reading, counts["authn.accesstoken"], err)
			}
		})
	}
}

// A hundred thousand rows pass through; a file that is closed half read gives its place back.
func TestLongReport(t *testing.T) {
	const rows = 100_000
	on(t, simhub.Options{Rows: rows}, func(b *bench) {
		_, _, tally := b.file(simhub.Provider, hub.UsageQuery{Period: b.month, Tenant: simhub.TenantCoke, Detail: true})
		if tally.Inside != rows {
			b.Errorf("%d rows, want %d", tally.Inside, rows)
		}
		f, err := b.UsageFile(b.Context(), simhub.Provider, hub.UsageQuery{Period: b.month, Detail: true})
		b.ok(err, "download")
		if n, err := io.CopyN(io.Discard, f, 1000); err != nil || n != 1000 {
			b.Error(fmt.Errorf("read %d bytes: %w", n, err))
		}
		f.Close() // half read: its place is free again
		if _, err := b.Tenants(b.Context(), simhub.Provider); err != nil {
			b.Error(err)
		}
	})
}
