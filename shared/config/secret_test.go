package config

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/providerdesk/providerdesk/shared/fault"
)

const hidden = "the-value-nobody-may-see"

func env(string) (string, bool) { return hidden, true }

// TestSecretNeverPrints: neither the value nor the reference, however it is written.
func TestSecretNeverPrints(t *testing.T) {
	s, err := NewSecret("env:REFERENCE", Sources{Env: env})
	if err != nil {
		t.Fatal(err)
	}
	holder := struct {
		S Secret
		P *Secret
		M map[string]Secret
	}{s, &s, map[string]Secret{"k": s}}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "secret", s, "holder", holder)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "secret", s, "holder", holder)
	out := []string{log.String(), s.String(), encode(t, json.Marshal, holder), encode(t, yaml.Marshal, holder)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%10.3s"} {
		out = append(out, fmt.Sprintf(verb, s), fmt.Sprintf(verb, &s), fmt.Sprintf(verb, []Secret{s}), fmt.Sprintf(verb, holder))
	}
	for _, o := range out {
		if !strings.Contains(o, "***") {
			t.Errorf("not hidden: %s", o)
		}
	}
	unread := struct{ s Secret }{s} // fmt cannot call a method of a field that is not exported
	out = append(out, fmt.Sprintf("%p", s), fmt.Sprintf("%v %+v %#v", unread, unread, unread))
	for _, o := range out {
		if strings.Contains(o, hidden) || strings.Contains(o, "REFERENCE") {
			t.Errorf("printed %s", o)
		}
	}
}

func encode(t *testing.T, marshal func(any) ([]byte, error), v any) string {
	t.Helper()
	b, err := marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSecretResolves(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	manager := func(_ context.Context, version string) (string, error) { return "managed " + version, nil }
	from := Sources{Env: env, Manager: manager}
	for _, c := range []struct{ ref, content, want string }{
		{"env:NAME", "", hidden},
		{"file:" + file, "value\n", "value"},
		{"file:" + file, "value\r\n", "value"},
		{"file:" + file, "two\n\n", "two\n"},
		{"file:" + file, "rotated", "rotated"},
		{"secret:projects/p-1/secrets/s_1/versions/7", "", "managed projects/p-1/secrets/s_1/versions/7"},
	} {
		if err := os.WriteFile(file, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := NewSecret(c.ref, from)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Resolve(t.Context()); err != nil || got != c.want {
			t.Errorf("%s resolves to %q, %v", c.ref, got, err)
		}
	}
}

func TestSecretThatCannotBeResolved(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, bytes.Repeat([]byte("x"), maxSecret+1), 0o600); err != nil {
		t.Fatal(err)
	}
	down := func(context.Context, string) (string, error) { return hidden, fault.New(fault.Transient, "down") }
	unknown := func(context.Context, string) (string, error) { return "", errors.New("odd") }
	blank := func(string) (string, bool) { return " \n", true }
	const version = "secret:projects/p/secrets/s/versions/latest"
	for name, c := range map[string]struct {
		ref  string
		from Sources
		kind fault.Kind
	}{
		"no environment":      {"env:NAME", Sources{}, fault.Denied},
		"blank":               {"env:NAME", Sources{Env: blank}, fault.Denied},
		"large file":          {"file:" + file, Sources{}, fault.Denied},
		"folder":              {"file:" + filepath.Dir(file), Sources{}, fault.Denied},
		"no manager":          {version, Sources{}, fault.Denied},
		"manager is down":     {version, Sources{Manager: down}, fault.Transient},
		"manager fails oddly": {version, Sources{Manager: unknown}, fault.Denied},
	} {
		s, err := NewSecret(c.ref, c.from)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Resolve(t.Context())
		if got != "" || !fault.Is(err, c.kind) || strings.Contains(err.Error(), hidden) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := (Secret{}).Resolve(t.Context()); got != "" || err == nil {
		t.Errorf("no secret resolves to %q, %v", got, err)
	}
}

func TestSecretReferences(t *testing.T) {
	for _, ref := range []string{"", "hunter2", "env:", "env:A B", "env:1A", "file:", "secret:s", "secret:projects/p/secrets/s", "ENV:A",
		"secret:projects/p/secrets/s/versions/", "secret:projects/p/secrets/../versions/1", "vault:x"} {
		s, err := NewSecret(ref, Sources{Env: env})
		if !fault.Is(err, fault.Invalid) || !s.IsZero() || fault.Public(err) == "" || ref == "hunter2" && strings.Contains(err.Error(), ref) {
			t.Errorf("%q: %v", ref, err)
		}
	}
}
