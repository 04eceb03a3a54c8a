package casewebhook

import (
	"context"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"github.com/providerdesk/providerdesk/shared/platform"
	"github.com/providerdesk/providerdesk/shared/run"
)

// drain lets requests in flight end when the platform stops the process. It is the one piece of package state: the framework gives a main
// no way to reach the handlers that init registered.
var drain = run.NewDrain()

func init() {
	functions.HTTP("AlertWebhook", run.HTTP("AlertWebhook", openAlertWebhook, options()))
	functions.HTTP("FileCase", run.Event("FileCase", openFileCase, platform.Pushed(options())))
	functions.HTTP("ChatWebhook", run.HTTP("ChatWebhook", openChatWebhook, options()))
	functions.HTTP("CommentWebhook", run.HTTP("CommentWebhook", openCommentWebhook, options()))
	functions.HTTP("CaseCommand", run.Event("CaseCommand", openCaseCommand, platform.Pushed(options())))
	functions.HTTP("CaseUpdate", run.Event("CaseUpdate", openCaseUpdate, platform.Pushed(options())))
	functions.HTTP("SweepCases", run.HTTP("SweepCases", openSweepCases, platform.Pushed(options())))
}

const service = "casewebhook"

// Main serves the function that FUNCTION_TARGET names until ctx ends, and lets requests in flight end.
func Main(ctx context.Context) error { return run.Main(ctx, drain, platform.Logger(service)) }

func options() run.Options {
	return run.Options{Log: platform.Logger(service), Drain: drain, MaxBody: 2 << 20}
}

// openAlertWebhook opens what taking a notification in needs: the configuration and Pub/Sub, neither store nor desks.
func openAlertWebhook(ctx context.Context) (run.HTTPHandler, error) {
	d, err := published(ctx)
	if err != nil {
		return nil, err
	}
	f, err := New(ctx, d)
	if err != nil {
		return nil, err
	}
	return f.AlertWebhook, nil
}

func openFileCase(ctx context.Context) (run.EventHandler, error) {
	f, err := open(ctx)
	if err != nil {
		return nil, err
	}
	return f.FileCase, nil
}

func openCaseUpdate(ctx context.Context) (run.EventHandler, error) {
	f, err := open(ctx)
	if err != nil {
		return nil, err
	}
	return f.CaseUpdate, nil
}

func openSweepCases(ctx context.Context) (run.HTTPHandler, error) {
	f, err := open(ctx)
	if err != nil {
		return nil, err
	}
	return f.SweepCases, nil
}

// open opens everything: configuration, Pub/Sub, Firestore and the desks.
func open(ctx context.Context) (*Function, error) {
	d, err := published(ctx)
	if err != nil {
		return nil, err
	}
	if d.DB, err = platform.Store(ctx); err != nil {
		return nil, err
	}
	client, err := platform.Support(d.Config)
	if err != nil {
		return nil, err
	}
	if d.Desks, err = Desks(d.Config, client, time.Now); err != nil {
		return nil, err
	}
	if d.Rooms, err = Rooms(ctx, d.Config, time.Now); err != nil {
		return nil, err
	}
	return New(ctx, d)
}

// published opens the configuration and Pub/Sub.
func published(ctx context.Context) (d Deps, err error) {
	d.Log = platform.Logger(service)
	if d.Config, err = platform.Load(); err != nil {
		return d, err
	}
	d.Publisher, err = platform.Publisher(ctx)
	return d, err
}
