package config

import (
	"context"
	"io"
	"os"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/strict"
)

// Problem is one thing in the file that must be changed.
type Problem = strict.Problem

// Problems are all problems of a file, in the order of its lines. They are the error of [Load] and [Parse].
type Problems = strict.Problems

// Limits of a file.
const (
	maxFile   = 1 << 20 // bytes
	maxValues = 20000   // once its anchors are followed
)

// Option changes where secrets come from.
type Option func(*Sources)

// WithManager lets resolve read the references secret:projects/P/secrets/S/versions/V. Without it they resolve to an error.
func WithManager(resolve func(ctx context.Context, version string) (string, error)) Option {
	return func(s *Sources) { s.Manager = resolve }
}

// Load reads the file at path; see [Parse].
func Load(path string, env func(string) (string, bool), options ...Option) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.Wrap(fault.Missing, err, "reading the configuration")
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fault.Wrap(fault.Missing, err, "reading the configuration")
	}
	return Parse(path, data, env, options...)
}

// Parse reads a configuration and checks it as a whole. Its error is a [Problems]. References env: and file: are resolved once, to see
// that they can be; references secret: are checked for their form only, so that a file can be checked anywhere.
func Parse(name string, data []byte, env func(string) (string, bool), options ...Option) (*Config, error) {
	r := &reader{Reader: strict.New(strict.Options{File: name, Bytes: maxFile, Values: maxValues, Empty: "write at least push, desks and routes"})}
	r.sources.Env = env
	for _, o := range options {
		o(&r.sources)
	}
	c := &Config{}
	if root, ok := r.YAML(data); ok {
		r.config(root, c)
	}
	if problems := r.Problems(); len(problems) > 0 {
		return nil, problems
	}
	return c, nil
}
