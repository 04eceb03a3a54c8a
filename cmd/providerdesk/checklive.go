package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/probe"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/functions/billingexport"
	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/functions/casewebhook/commands"
	"github.com/providerdesk/providerdesk/functions/casewebhook/follow"
	"github.com/providerdesk/providerdesk/functions/tenantonboard"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/say/rooms"
)

// The functions that can be asked about alone.
const (
	caseFunction   = "casewebhook"
	tenantFunction = "tenantonboard"
	exportFunction = "billingexport"
)

var functionNames = []string{caseFunction, tenantFunction, exportFunction}

// inquiry asks everything that a configuration names, one after the other.
type inquiry struct {
	program
	*config.Config
	only  string // a function; empty: all
	close []func()
}

// checkLive asks, and says what came of it. What fails is an error of the configuration; what did not answer is one of the moment.
func (p program) checkLive(ctx context.Context, in installation, only string, asJSON bool) error {
	c, err := p.located(in)
	if err != nil {
		return err
	}
	q := &inquiry{program: p, Config: c, only: only}
	results := q.all(ctx)
	for _, f := range q.close {
		f()
	}
	if asJSON {
		err = p.stdout().JSON(results)
	} else {
		resultsTable(p.stdout(), results)
	}
	return errors.Join(err, judged(results))
}

func judged(results []probe.Result) error {
	failed, silent := 0, 0
	for _, r := range results {
		switch {
		case r.Verdict == probe.Fail:
			failed++
		case r.Again:
			silent++
		}
	}
	switch {
	case failed > 0:
		return usage{fmt.Errorf("%s failed", count(failed, "check"))}
	case silent > 0:
		return verdict{fmt.Errorf("nothing failed, and %s had no answer: try again", count(silent, "check")), exitFailed}
	}
	return nil
}

func resultsTable(s screen.Screen, results []probe.Result) {
	rows := make([][]screen.Cell, len(results))
	for i, r := range results {
		verdict := screen.Cell{Text: string(r.Verdict), Paint: s.Warn}
		switch r.Verdict {
		case probe.Pass:
			verdict.Paint = s.Good
		case probe.Fail:
			verdict.Paint = s.Bad
		}
		rows[i] = []screen.Cell{verdict, screen.Plain(r.Part), screen.Plain(r.What), screen.Plain(r.Advice)}
	}
	s.Table([]string{"VERDICT", "PART", "QUESTION", "WHAT TO DO"}, rows)
}

// of reports whether a function is asked about.
func (q *inquiry) of(function string) bool { return q.only == "" || q.only == function }

func (q *inquiry) all(ctx context.Context) []probe.Result {
	var all []probe.Result
	if q.of(caseFunction) {
		all = slices.Concat(q.desks(ctx), q.chats(ctx), q.evidence(ctx), probe.In("secrets", q.secrets(ctx)))
	}
	if q.of(tenantFunction) && q.Onboarding.Organization != "" {
		all = append(all, probe.In("onboarding", q.onboarding(ctx))...)
	}
	if q.of(exportFunction) && q.Billing.Organization != "" {
		all = append(all, probe.In("billing", q.billing(ctx))...)
	}
	return append(all, q.cloud(ctx)...)
}

// api makes the client of one of Google's APIs.
func (q *inquiry) api(endpoint string) (probe.API, error) {
	client, err := site.ClientAt(q.Config, endpoint)
	if err != nil {
		return probe.API{}, err
	}
	q.close = append(q.close, client.CloseIdleConnections)
	return probe.API{Client: client, Endpoint: endpoint}, nil
}

// project is where our topics are; empty where nobody can know.
func (q *inquiry) project() string {
	named, _ := q.env("GOOGLE_CLOUD_PROJECT")
	if named == "" && site.SimulatesDesk(q.Config) {
		return site.Project(q.env)
	}
	return named
}

func (q *inquiry) desks(ctx context.Context) (all []probe.Result) {
	for _, name := range slices.Sorted(maps.Keys(q.Desks)) {
		ask := q.googleDesk
		if q.Desks[name].Kind == "hub" {
			ask = q.hubDesk
		}
		all = append(all, probe.In("desk "+name, ask(ctx, name))...)
	}
	return all
}

// workingOnCases are the permissions that desk/google uses.
var workingOnCases = []string{"cloudsupport.techCases.create", "cloudsupport.techCases.escalate", "cloudsupport.techCases.get",
	"cloudsupport.techCases.list", "cloudsupport.techCases.update"}

func (q *inquiry) googleDesk(ctx context.Context, name string) []probe.Result {
	d := q.Desks[name]
	support, err := q.api(q.Endpoints.CloudSupport)
	if err != nil {
		return probe.Failed(err)
	}
	resources, err := q.api(q.Endpoints.ResourceManager)
	if err != nil {
		return probe.Failed(err)
	}
	topic := ""
	if p := q.project(); p != "" {
		topic = "projects/" + p + "/topics/" + follow.TopicEvents
	}
	return append(probe.Desk(ctx, support, d, classifications(q.Config, name), topic),
		probe.Permissions(ctx, resources, d.Parent, "we may work on cases", "roles/cloudsupport.techSupportEditor", workingOnCases...))
}

func (q *inquiry) hubDesk(ctx context.Context, name string) []probe.Result {
	d := q.Desks[name]
	c, err := hub.New(hub.Options{Endpoint: q.Endpoints.Hub, Organization: d.Organization, CallTimeout: q.Ledger.CallTimeout,
		Token: func(ctx context.Context, _ string) (string, error) { return d.Token.Resolve(ctx) }})
	if err != nil {
		return probe.Failed(err)
	}
	defer c.Close()
	return append(probe.HubDesk(ctx, c, d.Organization), probe.Age(ctx, "the desk", d.Token, q.now()))
}

func (q *inquiry) chats(ctx context.Context) []probe.Result {
	var all []probe.Result
	if q.Chat.Slack == nil && q.Chat.Google == nil {
		return nil
	}
	open, err := rooms.Open(ctx, q.Config, q.now)
	if err != nil {
		return probe.In("chat", probe.Failed(err))
	}
	q.close = append(q.close, func() { site.LetGoOfRooms(open) })
	channels, spaces := q.places()
	if s, ok := open[chat.Slack].(probe.Slack); ok {
		all = append(all, probe.In("chat slack", probe.InSlack(ctx, s, q.Chat.Slack.Team, q.Chat.Slack.BotUser, channels))...)
	}
	if g, ok := open[chat.Google].(probe.GoogleChat); ok {
		all = append(all, probe.In("chat google", probe.InGoogleChat(ctx, g, spaces))...)
	}
	return all
}

// places are the rooms that a configuration names, each once.
func (q *inquiry) places() (slack, google []string) {
	all := slices.Concat(q.Chat.Alarms, q.Billing.Rooms)
	for _, d := range q.Desks {
		all = append(all, d.Rooms...)
	}
	for _, r := range all {
		if r.Slack != "" {
			slack = append(slack, r.Slack)
		} else {
			google = append(google, r.Google)
		}
	}
	slices.Sort(slack)
	slices.Sort(google)
	return slices.Compact(slack), slices.Compact(google)
}

// evidence asks whether the log and the metrics of our project can be read. Those of other projects are for an incident to show.
func (q *inquiry) evidence(ctx context.Context) []probe.Result {
	project, _ := q.env("GOOGLE_CLOUD_PROJECT")
	if project == "" || q.Evidence.Logs == nil && q.Evidence.Metrics == nil {
		return nil
	}
	resources, err := q.api(q.Endpoints.ResourceManager)
	if err != nil {
		return probe.In("evidence", probe.Failed(err))
	}
	var all []probe.Result
	if q.Evidence.Logs != nil {
		all = append(all, probe.Permissions(ctx, resources, "projects/"+project, "we may read logs", "roles/logging.viewer", "logging.logEntries.list"))
	}
	if q.Evidence.Metrics != nil {
		all = append(all, probe.Permissions(ctx, resources, "projects/"+project, "we may read metrics", "roles/monitoring.viewer", "monitoring.timeSeries.list"))
	}
	return probe.In("evidence", all)
}

// secrets asks for those with which others prove who they are to us, and we to them: nothing else here uses them.
func (q *inquiry) secrets(ctx context.Context) (all []probe.Result) {
	add := func(whose string, secrets ...config.Secret) {
		for _, s := range secrets {
			if !s.IsZero() {
				all = append(all, probe.Secret(ctx, whose, s))
			}
		}
	}
	add("push", q.Push.Bearer)
	for _, s := range q.Senders {
		add("sender "+s.Name, s.Auth.Bearer, s.Auth.StandardWebhook)
		if s.Auth.Basic != nil {
			add("sender "+s.Name, s.Auth.Basic.Password)
		}
		if s.Auth.HMAC != nil {
			add("sender "+s.Name, s.Auth.HMAC.Secret)
		}
	}
	if q.Chat.Slack != nil {
		add("Slack's requests", q.Chat.Slack.SigningSecret)
	}
	for _, w := range q.Webhooks {
		add("webhook "+w.Name, w.Secret)
	}
	return all
}

func (q *inquiry) onboarding(ctx context.Context) []probe.Result {
	c, err := site.Hub(ctx, q.Config)
	if err != nil {
		return probe.Failed(err)
	}
	defer c.Close()
	return slices.Concat(probe.Onboarding(ctx, c, q.Onboarding), q.ages(ctx, q.Onboarding.Token, q.Onboarding.Tokens))
}

// ages asks how old tokens are.
func (q *inquiry) ages(ctx context.Context, provider config.Secret, tenants map[string]config.Secret) []probe.Result {
	all := []probe.Result{probe.Age(ctx, "the provider", provider, q.now())}
	for _, org := range slices.Sorted(maps.Keys(tenants)) {
		all = append(all, probe.Age(ctx, "organization "+org, tenants[org], q.now()))
	}
	return all
}

func (q *inquiry) billing(ctx context.Context) []probe.Result {
	b := q.Billing
	f, letGo, err := site.ExportReader(ctx, q.Config, q.now)
	if err != nil {
		return probe.Failed(err)
	}
	defer letGo()
	all := []probe.Result{probe.Usage(ctx, f.Hub, b.Organization, hub.PeriodOf(q.now()).Add(-1)), probe.Readable(ctx, f.Bucket), q.writable(ctx, f)}
	if f.Warehouse != nil {
		all = append(all, probe.Dataset(ctx, f.Warehouse), q.loads(ctx, b.BigQuery.Project))
	}
	return append(all, q.ages(ctx, b.Token, b.Tokens)...)
}

func (q *inquiry) writable(ctx context.Context, f *billingexport.Function) probe.Result {
	name, there := strings.CutPrefix(q.Billing.Bucket, "gs://")
	if !there {
		return probe.Folder(ctx, f.Bucket)
	}
	name, _, _ = strings.Cut(name, "/")
	storage, err := q.api(q.Endpoints.Storage)
	if err != nil {
		return probe.Failed(err)[0]
	}
	return probe.Writable(ctx, storage, name)
}

func (q *inquiry) loads(ctx context.Context, project string) probe.Result {
	resources, err := q.api(q.Endpoints.ResourceManager)
	if err != nil {
		return probe.Failed(err)[0]
	}
	return probe.Permissions(ctx, resources, "projects/"+project, "we may load into BigQuery", "roles/bigquery.jobUser", "bigquery.jobs.create")
}

// cloud asks about what the functions stand on, where the environment says that they stand on Google Cloud.
func (q *inquiry) cloud(ctx context.Context) []probe.Result {
	if !site.Cloud(q.env) {
		return nil
	}
	all := []probe.Result{q.store(ctx)}
	project := site.Project(q.env)
	emulator, _ := q.env("PUBSUB_EMULATOR_HOST")
	endpoint := ""
	if emulator != "" {
		endpoint = "http://" + emulator
	}
	bus, err := q.api(endpoint)
	if err != nil {
		return probe.In("google cloud", append(all, probe.Failed(err)...))
	}
	for _, topic := range q.topics() {
		all = append(all, probe.Topic(ctx, bus, project, topic, emulator != ""))
	}
	if named, _ := q.env("GOOGLE_CLOUD_PROJECT"); named != "" {
		all = append(all, q.enabled(ctx, named))
	}
	return probe.In("google cloud", all)
}

// openTimeout is how long the database may take to answer.
const openTimeout = 15 * time.Second

func (q *inquiry) store(ctx context.Context) probe.Result {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	db, err := site.OpenCloud(ctx, q.env)
	if err != nil {
		return probe.Failed(err)[0]
	}
	defer db.Close()
	return probe.Store(ctx, db)
}

// topics are those that we publish on.
func (q *inquiry) topics() (all []string) {
	if q.of(caseFunction) {
		all = append(all, casewebhook.TopicAlerts, commands.Topic, follow.TopicActivity)
	}
	if q.of(tenantFunction) && q.Onboarding.Organization != "" {
		all = append(all, tenantonboard.TopicOnboarding, tenantonboard.TopicLifecycle)
	}
	if q.of(exportFunction) && q.Billing.Organization != "" {
		all = append(all, billingexport.TopicTenant, billingexport.TopicDone)
	}
	return all
}

func (q *inquiry) enabled(ctx context.Context, project string) probe.Result {
	usage, err := q.api(q.Endpoints.ServiceUsage)
	if err != nil {
		return probe.Failed(err)[0]
	}
	return probe.APIs(ctx, usage, project, q.apis())
}

// apis are those that what is configured takes.
func (q *inquiry) apis() []string {
	all := []string{"firestore", "pubsub", "secretmanager"}
	add := func(used bool, names ...string) {
		if used {
			all = append(all, names...)
		}
	}
	google := slices.ContainsFunc(slices.Collect(maps.Values(q.Desks)), func(d config.Desk) bool { return d.Kind == "google" })
	add(q.of(caseFunction) && google, "cloudsupport", "cloudresourcemanager")
	add(q.of(caseFunction) && q.Chat.Google != nil, "chat")
	add(q.of(caseFunction) && q.Evidence.Logs != nil, "logging")
	add(q.of(caseFunction) && q.Evidence.Metrics != nil, "monitoring")
	add(q.of(tenantFunction) && q.Onboarding.Organization != "", "serviceusage", "cloudresourcemanager", "essentialcontacts", "recommender", "servicehealth", "cloudsupport")
	add(q.of(exportFunction) && strings.HasPrefix(q.Billing.Bucket, "gs://"), "storage")
	add(q.of(exportFunction) && q.Billing.BigQuery != nil, "bigquery")
	slices.Sort(all)
	all = slices.Compact(all)
	for i := range all {
		all[i] += ".googleapis.com"
	}
	return all
}

// classifications are those that a desk and its routes name.
func classifications(c *config.Config, deskName string) []string {
	var names []string
	for _, name := range append([]string{c.Desks[deskName].Classification}, routed(c, deskName)...) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func routed(c *config.Config, deskName string) (names []string) {
	for _, r := range c.Routes {
		if r.Desk == deskName {
			names = append(names, r.Classification)
		}
	}
	return names
}
