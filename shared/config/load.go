package config

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// maxFile is the largest file that is read, in bytes.
const maxFile = 1 << 20

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
	r := &reader{file: name, sources: Sources{Env: env}}
	for _, o := range options {
		o(&r.sources)
	}
	c := &Config{}
	if root, ok := r.root(data); ok {
		r.config(root, c)
		for _, check := range r.later {
			check()
		}
	}
	if len(r.problems) > 0 {
		return nil, r.problems.sorted()
	}
	return c, nil
}

// root parses the text into the one mapping that the file is.
func (r *reader) root(data []byte) (value, bool) {
	switch {
	case len(data) > maxFile:
		r.add(1, "", "the file is larger than %d bytes; make it smaller", maxFile)
		return value{}, false
	case !utf8.Valid(data):
		r.add(1, "", "the file is not UTF-8; save it as UTF-8")
		return value{}, false
	}
	dec := yaml.NewDecoder(strings.NewReader(string(data)))
	var doc, more yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0 {
		r.add(1, "", "the file is empty; write at least push, desks and routes")
		return value{}, false
	}
	if err != nil {
		r.syntax(err)
		return value{}, false
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		r.add(1, "", "the file holds more than one YAML document; remove the others")
		return value{}, false
	}
	return value{r, doc.Content[0], ""}, true
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line ([0-9]+): )?`)

func (r *reader) syntax(err error) {
	m := yamlLine.FindStringSubmatch(err.Error())
	line, message := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if m != nil {
		message = strings.TrimPrefix(err.Error(), m[0])
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	r.add(line, "", "the file is not valid YAML: %s", message)
}

func (r *reader) add(line int, key, format string, args ...any) {
	if r.full {
		return
	}
	r.problems = append(r.problems, Problem{r.file, max(line, 1), key, fmt.Sprintf(format, args...)})
}
