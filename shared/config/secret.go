package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// maxSecret is the largest secret file that is read, in bytes: Secret Manager's own limit.
const maxSecret = 64 << 10

const howToWriteSecret = "write env:NAME, file:PATH or secret:projects/P/secrets/S/versions/V"

var (
	envName    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	secretName = regexp.MustCompile(`^projects/([a-z0-9][a-z0-9.:-]*)/secrets/([A-Za-z0-9_-]+)/versions/([0-9]+|[a-z][a-z0-9_-]*)$`)
)

// Secret is a reference to a secret, never the secret itself: env:NAME, file:PATH or secret:projects/P/secrets/S/versions/V. It is
// resolved on every use, so a rotated file is seen without a restart. Whatever prints a Secret prints ***. The zero Secret is "none
// configured"; it resolves to an error, never to an empty string.
type Secret struct {
	to *reference // a pointer, because the verb %p and a field nobody may read are printed without asking Format
}

type reference struct {
	ref  string
	from Sources
}

// Sources are the places where secrets are looked up.
type Sources struct {
	Env     func(name string) (string, bool)                          // nil: no variable is set
	Manager func(ctx context.Context, version string) (string, error) // resolves projects/P/secrets/S/versions/V; nil: there is none
}

// isSecretName reports whether a name is one of Secret Manager's, with at most its 255 characters for the secret.
func isSecretName(name string) bool {
	m := secretName.FindStringSubmatch(name)
	return m != nil && len(m[2]) <= 255
}

// NewSecret checks the syntax of ref. The error never holds ref: it may be a secret somebody wrote into the file by mistake.
func NewSecret(ref string, from Sources) (Secret, error) {
	scheme, name, _ := strings.Cut(ref, ":")
	switch {
	case scheme == "env" && envName.MatchString(name):
	case scheme == "file" && name != "" && !strings.ContainsRune(name, 0):
	case scheme == "secret" && isSecretName(name):
	case ref == "":
		return Secret{}, fault.New(fault.Invalid, "a secret must not be empty; %s", howToWriteSecret)
	case scheme == "env":
		return Secret{}, fault.New(fault.Invalid, "after env: comes the name of an environment variable: letters, digits and _")
	case scheme == "file":
		return Secret{}, fault.New(fault.Invalid, "after file: comes the path of a file that holds the secret")
	case scheme == "secret":
		return Secret{}, fault.New(fault.Invalid, "after secret: comes projects/P/secrets/S/versions/V")
	default:
		return Secret{}, fault.New(fault.Invalid, "a secret must not stand in the file itself; %s", howToWriteSecret)
	}
	return Secret{&reference{ref, from}}, nil
}

// IsZero reports whether no secret is configured.
func (s Secret) IsZero() bool { return s.to == nil }

// Resolve returns the secret, which is never empty. Its errors name the reference, not the value. A secret that cannot be read is the
// operator's to grant (fault.Denied) unless the manager knows better.
func (s Secret) Resolve(ctx context.Context) (string, error) {
	if s.IsZero() {
		return "", fault.New(fault.Denied, "no secret is configured")
	}
	value, err := s.lookup(ctx)
	if err == nil {
		return value, nil
	}
	if fault.Of(err) == fault.Bug {
		err = fault.Wrap(fault.Denied, err, "reading it")
	}
	return "", fmt.Errorf("secret %s: %w", s.to.ref, err)
}

func (s Secret) lookup(ctx context.Context) (value string, err error) {
	scheme, name, _ := strings.Cut(s.to.ref, ":")
	switch scheme {
	case "env":
		value, err = s.to.from.env(name)
	case "file":
		value, err = readSecret(name)
	default:
		value, err = s.to.from.manager(ctx, name)
	}
	if err == nil && strings.TrimSpace(value) == "" {
		return "", errors.New("the secret is empty")
	}
	return value, err
}

func (f *Sources) env(name string) (string, error) {
	if f.Env != nil {
		if v, ok := f.Env(name); ok {
			return v, nil
		}
	}
	return "", errors.New("the environment variable is not set")
}

func (f *Sources) manager(ctx context.Context, version string) (string, error) {
	if f.Manager == nil {
		return "", errors.New("there is no secret manager here, it needs the platform; use a reference to env or file")
	}
	return f.Manager(ctx, version)
}

// readSecret reads a regular file (a pipe would block) and drops one newline at its end, which editors add.
func readSecret(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("it is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", err
	}
	if len(b) > maxSecret {
		return "", fmt.Errorf("the file is larger than %d bytes", maxSecret)
	}
	b = bytes.TrimSuffix(b, []byte("\n"))
	return string(bytes.TrimSuffix(b, []byte("\r"))), nil
}

const redacted = "***"

func (s Secret) String() string               { return redacted }
func (s Secret) Format(f fmt.State, _ rune)   { io.WriteString(f, redacted) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (s Secret) MarshalYAML() (any, error)    { return redacted, nil }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
