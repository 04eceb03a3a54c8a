package site

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/functions/casewebhook/follow"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/sim/bigquery"
	"github.com/providerdesk/providerdesk/shared/sim/chat"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
	"github.com/providerdesk/providerdesk/shared/sim/google"
	"github.com/providerdesk/providerdesk/shared/sim/hub"
	"github.com/providerdesk/providerdesk/shared/sim/storage"
)

// Where the simulators are mounted. Each has its controls there: faults, calls and what else its package says.
const (
	simPath       = "/sim/cloudsupport"
	simHubPath    = "/sim/hub"
	simHubAPI     = simHubPath + "/api"
	simGooglePath = "/sim/google"
	simChatPath   = "/sim/chat"

	simStoragePath  = "/sim/storage"
	simBigQueryPath = "/sim/bigquery"

	simSlackAPI = simChatPath + "/slack/api"
	simChatAPI  = simChatPath + "/google"
)

// simulators are the vendors' servers on this machine. Their state is in the folder, a file for each.
type simulators struct {
	desk   *cloudsupport.Server
	hub    *hub.Server
	google *google.Server
	chat   *chat.Server

	storage  *storage.Server
	bigquery *bigquery.Server
}

// openSimulators opens them all, whether the configuration points to them or not: a person may point it there later.
func (s *Site) openSimulators(context.Context) (err error) {
	dir := s.o.Folder.simulators()
	if s.sims.desk, err = cloudsupport.New(cloudsupport.Options{Dir: dir, AnyParent: true, Now: s.o.Now, Publish: s.fromDesk}); err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return s.sims.desk.Close() })
	if err = s.sims.desk.Announce(s.topics() + follow.TopicEvents); err != nil {
		return err
	}
	// Nobody makes API tokens by hand here, so the provider's token reaches the tenants that it makes.
	if s.sims.hub, err = hub.New(hub.Options{Dir: dir, Now: s.o.Now, Switches: hub.Switches{TokenScope: "tenants"}}); err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return s.sims.hub.Close() })
	if s.sims.google, err = google.New(google.Options{Dir: dir, AnyParent: true, Now: s.o.Now}); err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return s.sims.google.Close() })
	signing, err := s.o.Folder.ensureSecret(secretSlack)
	if err != nil {
		return fault.Wrap(fault.Denied, err, "make the secret of the simulated Slack")
	}
	if s.sims.chat, err = chat.New(chat.Options{Dir: dir, Now: s.o.Now, Callback: s.base + chatWebhook, SigningSecret: signing}); err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return s.sims.chat.Close() })
	return s.openWarehouses(dir)
}

// openWarehouses opens the simulators of where usage is exported to. BigQuery loads the files of Cloud Storage.
func (s *Site) openWarehouses(dir string) (err error) {
	if s.sims.storage, err = storage.New(storage.Options{Dir: dir, Now: s.o.Now}); err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return s.sims.storage.Close() })
	if s.sims.bigquery, err = bigquery.New(bigquery.Options{Dir: dir, Now: s.o.Now, Objects: s.sims.object}); err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return s.sims.bigquery.Close() })
	return nil
}

// object opens a file of the simulated Cloud Storage by its URI.
func (m simulators) object(uri string) (io.ReaderAt, int64, error) {
	bucket, name, _ := strings.Cut(strings.TrimPrefix(uri, "gs://"), "/")
	data, err := m.storage.Content(bucket, name)
	return bytes.NewReader(data), int64(len(data)), err
}

// topics is what the full names of this installation's topics begin with.
func (s *Site) topics() string { return "projects/" + Project(s.o.Env) + "/topics/" }

// fromDesk carries what the simulated desk tells to the bus, as Google's publisher does.
func (s *Site) fromDesk(ctx context.Context, topic string, attributes map[string]string, data []byte) error {
	name, ours := strings.CutPrefix(topic, s.topics())
	if !ours || s.bus == nil {
		return cloudsupport.ErrTopicNotFound
	}
	_, err := s.bus.Publish(ctx, publish.Message{Topic: name, Attributes: attributes, Data: data})
	if fault.Is(err, fault.Missing) {
		return cloudsupport.ErrTopicNotFound
	}
	return err
}

// mount serves the simulators.
func (m simulators) mount(mux *http.ServeMux) {
	mux.Handle(simPath+"/", http.StripPrefix(simPath, m.desk))
	mux.Handle(simHubPath+"/", http.StripPrefix(simHubPath, m.hub))
	mux.Handle(simGooglePath+"/", http.StripPrefix(simGooglePath, m.google))
	mux.Handle(simChatPath+"/", http.StripPrefix(simChatPath, m.chat))
	mux.Handle(simStoragePath+"/", http.StripPrefix(simStoragePath, m.storage))
	mux.Handle(simBigQueryPath+"/", http.StripPrefix(simBigQueryPath, m.bigquery))
}

// providerToken is the API token of the simulated hub that holds every role of the provider organization.
func (m simulators) providerToken() (string, error) {
	var most hub.Token
	for _, t := range m.hub.Tokens() {
		if t.OrgID == hub.Provider && len(t.Roles) > len(most.Roles) {
			most = t
		}
	}
	if !slices.Contains(most.Roles, hub.ProviderAdmin) {
		return "", fault.New(fault.Missing, "the simulated hub has no token of a provider's administrator: remove the folder sim")
	}
	return most.Token, nil
}
