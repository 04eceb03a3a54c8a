package site

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/records"
	"github.com/providerdesk/providerdesk/functions/billingexport"
	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/functions/tenantonboard"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/run"
	"github.com/providerdesk/providerdesk/shared/say"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Functions are the functions of an installation on one store. Each has a ledger of its own kinds of effects; the records of both are in the
// same collection.
type Functions struct {
	Cases     *casewebhook.Function
	Reception *casewebhook.Reception  // of what people do in chats
	Tenants   *tenantonboard.Function // nil: the configuration takes no tenants in
	Exports   *billingexport.Function // nil: it exports no usage

	publisher publish.Publisher
}

// Parts is what functions are made of.
type Parts struct {
	Config    *config.Config
	DB        store.DB
	Publisher publish.Publisher
	Log       *slog.Logger
	Now       func() time.Time
}

// OpenFunctions makes the functions that a configuration has. The function given back lets go of their connections.
func OpenFunctions(ctx context.Context, p Parts) (f Functions, letGo func(), err error) {
	desks, letGoOfDesks, err := Desks(p.Config, "", p.Now)
	if err != nil {
		return f, nil, err
	}
	f.publisher = p.Publisher
	options := ledger.Options{CallTimeout: p.Config.Ledger.CallTimeout, Settle: p.Config.Ledger.Settle, Now: p.Now, Log: p.Log}
	rooms, err := casewebhook.Rooms(ctx, p.Config, time.Now) // a deadline of a call is the machine's time, whatever the installation's clock shows
	if err != nil {
		letGoOfDesks()
		return f, nil, ConfigError{err}
	}
	f.Cases, err = casewebhook.New(ctx, casewebhook.Deps{
		Config: p.Config, DB: p.DB, Publisher: p.Publisher, Desks: desks, Rooms: rooms, Log: p.Log, Now: p.Now, Ledger: options,
	})
	letGoOfCases := func() { f.Cases.CloseIdleConnections(); LetGoOfRooms(rooms); letGoOfDesks() }
	letGo = letGoOfCases
	if err == nil {
		f.Reception, err = openReception(ctx, p)
	}
	if err == nil && onboards(p.Config) {
		var letGoOfTenants func()
		f.Tenants, letGoOfTenants, err = openTenants(ctx, p, options)
		letGo = func() { letGoOfTenants(); letGoOfCases() }
	}
	if err == nil && exporting(p.Config) {
		var letGoOfExports func()
		letGoOfOthers := letGo
		f.Exports, letGoOfExports, err = openExports(ctx, p, options)
		letGo = func() { letGoOfExports(); letGoOfOthers() }
	}
	if err != nil {
		letGoOfDesks()
		return f, nil, err
	}
	return f, letGo, nil
}

// openReception makes what takes in what people do in chats.
func openReception(ctx context.Context, p Parts) (*casewebhook.Reception, error) {
	fronts, err := casewebhook.Fronts(ctx, p.Config, p.Now)
	if err != nil {
		return nil, ConfigError{err}
	}
	return casewebhook.NewReception(ctx, casewebhook.ReceptionDeps{Config: p.Config, Publisher: p.Publisher, Fronts: fronts, Log: p.Log, Now: p.Now})
}

// LetGoOfRooms lets go of the connections of chat platforms that have their own.
func LetGoOfRooms(rooms say.Rooms) {
	for _, r := range rooms {
		if own, ok := r.(interface{ CloseIdleConnections() }); ok {
			own.CloseIdleConnections()
		}
	}
}

// onboards reports whether a configuration takes tenants in.
func onboards(c *config.Config) bool { return c.Onboarding.Organization != "" }

// Book is the ledger of all functions: everything is read from one, decisions go to the one that can carry them out.
func (f Functions) Book() records.Book {
	return records.Divided{Book: f.Cases.Ledger(), Of: func(kind string) records.Book {
		switch family, _, _ := strings.Cut(kind, "."); {
		case f.Tenants != nil && (family == "tenant" || family == "google"):
			return f.Tenants.Ledger()
		case f.Exports != nil && family == "export":
			return f.Exports.Ledger()
		}
		return f.Cases.Ledger()
	}}
}

// tick is the scheduler's.
func (f Functions) tick(ctx context.Context, _ *http.Request) (run.Response, error) {
	t, err := f.Cases.Follower().Tick(ctx)
	return run.Response{Body: t}, err
}

func (s *Site) openFunctions(ctx context.Context) error {
	fn, letGo, err := OpenFunctions(ctx, Parts{Config: s.config, DB: s.db, Publisher: s.bus, Log: s.o.Log, Now: s.o.Now})
	if err != nil {
		return err
	}
	s.fn = fn
	s.onClose(func(context.Context) error { letGo(); return nil })
	return nil
}

// Where the functions are, and where the bus delivers to.
const (
	alertWebhook    = "/AlertWebhook"
	fileCase        = "/FileCase"
	chatWebhook     = "/ChatWebhook"
	commentWebhook  = "/CommentWebhook"
	caseCommand     = "/CaseCommand"
	caseUpdate      = "/CaseUpdate"
	followCases     = "/CaseUpdate/tick" // the scheduler's message on topic "support-events", without the way over the bus
	exportUsage     = "/ExportUsage"
	exportDue       = "/ExportUsage/tick" // the scheduler's message on topic "billing-export"
	exportTenant    = "/ExportTenantUsage"
	sweepExports    = "/SweepExports"
	sweepCases      = "/SweepCases"
	tenantWebhook   = "/TenantWebhook"
	onboardTenant   = "/OnboardTenant"
	sweepTenants    = "/SweepTenants"
	invitationSweep = "/InvitationSweep"
	deadLetter      = "/DeadLetter"
)

// mount serves the functions, as the platform does: anybody may call a webhook, which checks the caller itself; the rest is the bus's.
func (f Functions) mount(mux *http.ServeMux, anybody, byBus run.Options) {
	webhook := func(path, name string, h run.HTTPHandler) {
		mux.Handle(path+"/", http.StripPrefix(path, run.HTTP(name, is(h), anybody)))
	}
	event := func(path, name string, h run.EventHandler) { mux.Handle(path, run.Event(name, is(h), byBus)) }
	sweep := func(path, name string, h run.HTTPHandler) { mux.Handle(path, run.HTTP(name, is(h), byBus)) }

	webhook(alertWebhook, "AlertWebhook", f.Cases.AlertWebhook)
	event(fileCase, "FileCase", f.Cases.FileCase)
	sweep(sweepCases, "SweepCases", f.Cases.SweepCases)
	webhook(chatWebhook, "ChatWebhook", f.Reception.ChatWebhook)
	webhook(commentWebhook, "CommentWebhook", f.Reception.CommentWebhook)
	event(caseCommand, "CaseCommand", f.Cases.CaseCommand)
	event(caseUpdate, "CaseUpdate", f.Cases.CaseUpdate)
	sweep(followCases, "CaseUpdate", f.tick)
	if f.Exports != nil {
		event(exportUsage, "ExportUsage", f.Exports.ExportUsage)
		sweep(exportDue, "ExportUsage", f.exportTick)
		event(exportTenant, "ExportTenantUsage", f.Exports.ExportTenantUsage)
		sweep(sweepExports, "SweepExports", f.Exports.SweepExports)
	}
	if f.Tenants == nil {
		return
	}
	webhook(tenantWebhook, "TenantWebhook", f.Tenants.TenantWebhook)
	event(onboardTenant, "OnboardTenant", f.Tenants.OnboardTenant)
	sweep(sweepTenants, "SweepTenants", f.Tenants.SweepTenants)
	sweep(invitationSweep, "InvitationSweep", f.Tenants.InvitationSweep)
}
