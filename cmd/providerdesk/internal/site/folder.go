package site

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store/bolt"
)

// Folder is the data folder of an installation. Whoever holds its store holds the folder.
type Folder string

// The secrets that an installation makes for itself.
const (
	secretAdmin = "admin" // opens /api/
	secretBus   = "bus"   // whoever has it may deliver events to the functions

	secretTenants = "tenants"   // opens /TenantWebhook/
	secretHub     = "hub-token" // the provider's API token at the simulated hub
	secretSlack   = "slack"     // what the simulated Slack signs with
	secretBot     = "slack-bot" // our token there
)

func (f Folder) path(name string) string { return filepath.Join(string(f), name) }

// Config is where the configuration is when no other is named.
func (f Folder) Config() string { return f.path("config.yaml") }

// Example is where the first start leaves a request for two tenants.
func (f Folder) Example() string { return f.path("tenants.yaml") }

func (f Folder) store() string      { return f.path("store.db") }
func (f Folder) bus() string        { return f.path("bus.db") }
func (f Folder) simulators() string { return f.path("sim") }
func (f Folder) address() string    { return f.path("address") }

// secretPath is where a secret is, absolute so that a configuration can name it.
func (f Folder) secretPath(name string) (string, error) {
	return filepath.Abs(filepath.Join(string(f), "secrets", name))
}

// Exists reports whether there is an installation in the folder.
func (f Folder) Exists() bool {
	_, err := os.Stat(f.store())
	return err == nil
}

// hold opens the store, and so keeps every other process out.
func (f Folder) hold(wait time.Duration) (*bolt.DB, error) {
	return bolt.Open(f.store(), bolt.LockTimeout(wait))
}

// Running returns the base URL of the "up" that holds the folder, "" when none does.
func (f Folder) Running() (string, error) {
	if !f.Exists() {
		return "", nil
	}
	db, err := f.hold(10 * time.Millisecond)
	if err == nil {
		return "", db.Close()
	}
	if !fault.Is(err, fault.Conflict) {
		return "", err
	}
	base, err := os.ReadFile(f.address())
	if err != nil {
		return "", fault.New(fault.Transient, "another process holds %s and does not serve yet: try again", string(f))
	}
	return strings.TrimSpace(string(base)), nil
}

// Admin returns the token that opens /api/ of the "up" on this folder.
func (f Folder) Admin() (string, error) {
	path, err := f.secretPath(secretAdmin)
	if err != nil {
		return "", err
	}
	return readSecret(path)
}

// ensureSecret returns the secret of that name and makes it first if need be, readable for its owner only.
func (f Folder) ensureSecret(name string) (string, error) {
	path, err := f.secretPath(name)
	if err != nil {
		return "", err
	}
	secret, err := readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	secret = rand.Text()
	return secret, f.keepSecret(name, secret)
}

// keepSecret keeps a secret that somebody else has made.
func (f Folder) keepSecret(name, secret string) error {
	path, err := f.secretPath(name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return replaceFile(path, secret+"\n")
}

func readSecret(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(data))
	if secret == "" {
		return "", fmt.Errorf("%s is empty: remove it, and the next start makes a new one", path)
	}
	return secret, nil
}

// replaceFile writes a file whole or not at all, readable for its owner only.
func replaceFile(path, content string) error {
	next, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // CreateTemp gives mode 0600
	if err != nil {
		return err
	}
	_, err = next.WriteString(content)
	err = errors.Join(err, next.Sync(), next.Close())
	if err == nil {
		err = os.Rename(next.Name(), path)
	}
	if err != nil {
		os.Remove(next.Name())
	}
	return err
}
