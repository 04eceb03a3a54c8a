package site

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/platform"
)

// Env looks up an environment variable.
type Env = func(string) (string, bool)

// ConfigError is why there is no configuration: a config.Problems, or why the file cannot be read.
type ConfigError struct{ error }

func (e ConfigError) Unwrap() error { return e.error }

// Load reads a configuration and checks all of it. Its error is a ConfigError.
func Load(path string, env Env) (*config.Config, error) {
	c, err := config.Load(path, env, config.WithManager(platform.FetchSecret))
	if err != nil {
		return nil, ConfigError{err}
	}
	if found := casewebhook.Check(c); len(found) > 0 {
		return nil, ConfigError{inFile(found, path)}
	}
	return c, nil
}

// inFile gives the problems the file's name where a check that has not read the file could not.
func inFile(found []config.Problem, path string) config.Problems {
	for i := range found {
		if found[i].File == "" {
			found[i].File = path
		}
	}
	return found
}

// Find returns which file configures an installation: the one named, the environment's, or the folder's own.
func Find(named string, f Folder, env Env) string {
	if named != "" {
		return named
	}
	if path, _ := env("PROVIDERDESK_CONFIG"); path != "" {
		return path
	}
	return f.Config()
}

//go:embed default.yaml
var defaultConfig string

//go:embed tenants.yaml
var exampleTenants string

// firstSenders are the senders of the configuration that the first start writes.
var firstSenders = []string{"prod-alertmanager", "cloud-monitoring"}

// writeConfig writes the configuration that a first start needs, with its secrets, unless there is one. hubToken is the provider's API token at
// the simulated hub.
func (f Folder) writeConfig(base, hubToken string) (written bool, err error) {
	if _, err := os.Stat(f.Config()); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if err := f.keepSecret(secretHub, hubToken); err != nil {
		return false, err
	}
	fill := []string{"{base}", base}
	for _, name := range append([]string{secretBus, secretHub, secretTenants, secretSlack, secretBot}, firstSenders...) {
		if _, err := f.ensureSecret(name); err != nil {
			return false, err
		}
		path, err := f.secretPath(name)
		if err != nil {
			return false, err
		}
		fill = append(fill, "{"+name+"}", strconv.Quote("file:"+path))
	}
	usage, err := filepath.Abs(f.path("usage"))
	if err != nil {
		return false, err
	}
	fill = append(fill, "{usage}", strconv.Quote("file:"+usage))
	if err := replaceFile(f.Example(), exampleTenants); err != nil {
		return false, err
	}
	return true, replaceFile(f.Config(), strings.NewReplacer(fill...).Replace(defaultConfig))
}

// advice is what a person who has just started for the first time may do next.
func (f Folder) advice(base string) (string, error) {
	path, err := f.secretPath(firstSenders[0])
	return fmt.Sprintf(`Paste into the configuration of Alertmanager, and name the receiver in a route:

receivers:
  - name: providerdesk
    webhook_configs:
      - url: %s/AlertWebhook/%s
        send_resolved: true
        http_config:
          authorization:
            credentials_file: %s

Its cases are told on a simulated Slack and Google Chat, where you can answer, and command (%[1]s/sim/chat/).

Take two tenants in, as %[4]s says; all of it happens at simulators:

  providerdesk tenants apply %[4]s --data %[5]s

Export what tenants used in the months that the hub still reports; the files are in %[5]s/usage:

  providerdesk exports run --data %[5]s

`, base, firstSenders[0], path, f.Example(), string(f)), err
}

// endpoint is one that a configuration may point to a simulator.
type endpoint struct {
	url  *string
	path string // of the simulator
}

func endpoints(c *config.Config) []endpoint {
	e := &c.Endpoints
	return []endpoint{
		{&e.CloudSupport, simPath}, {&e.Hub, simHubAPI}, {&e.ServiceUsage, simGooglePath}, {&e.ResourceManager, simGooglePath},
		{&e.EssentialContacts, simGooglePath}, {&e.Recommender, simGooglePath}, {&e.ServiceHealth, simGooglePath},
		{&e.Logging, simGooglePath}, {&e.Monitoring, simGooglePath}, {&e.Slack, simSlackAPI}, {&e.Chat, simChatAPI},
		{&e.Storage, simStoragePath}, {&e.BigQuery, simBigQueryPath},
	}
}

// isSimulator reports whether the URL is the simulator's of an "up" on this machine.
func (e endpoint) isSimulator() bool {
	u, err := url.Parse(*e.url)
	return err == nil && strings.TrimSuffix(u.Path, "/") == e.path && IsLoopback(u.Hostname())
}

// chats are the addresses of Google Chat that a configuration may have on this machine: our own, and where the keys of the simulator are.
func chats(c *config.Config) []endpoint {
	if c.Chat.Google == nil {
		return nil
	}
	return []endpoint{{&c.Chat.Google.Audience, chatWebhook + "/google"}, {&c.Chat.Google.Certificates, simChatPath + "/google/jwks"}}
}

// Redirect points a configuration that names the simulators of an installation to where that installation serves now: the port may be
// another one than when the file was written.
func Redirect(c *config.Config, base string) {
	for _, e := range append(endpoints(c), chats(c)...) {
		if e.isSimulator() {
			*e.url = base + e.path
		}
	}
}

// UsesSimulators reports whether anything remote is the simulator of an "up" on this machine.
func UsesSimulators(c *config.Config) bool {
	return slices.ContainsFunc(endpoints(c), endpoint.isSimulator)
}

// SimulatesDesk reports whether Google's support desk is.
func SimulatesDesk(c *config.Config) bool {
	return endpoint{&c.Endpoints.CloudSupport, simPath}.isSimulator()
}

// SimulatesHub reports whether the hub is.
func SimulatesHub(c *config.Config) bool { return endpoint{&c.Endpoints.Hub, simHubAPI}.isSimulator() }

// SimulatesBucket reports whether usage is exported to the simulated Cloud Storage.
func SimulatesBucket(c *config.Config) bool {
	return strings.HasPrefix(c.Billing.Bucket, "gs://") && endpoint{&c.Endpoints.Storage, simStoragePath}.isSimulator()
}

// IsLoopback reports whether a host is this machine.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
