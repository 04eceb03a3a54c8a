package alert

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/strict"
)

// Plain decodes our own form, for people's scripts: one object or an array of them, each an incident.
//
//	key          required: the same from the first notification to the last
//	title        required
//	status       "firing", which is what it is without one, or "resolved"
//	severity     a word such as "critical", "error", "warning", "info" or "none"
//	summary      what a person should know
//	since        when it began, RFC 3339; the same in every notification
//	resource     where
//	observed     what was measured, a text or a number
//	threshold    what it should have been, likewise
//	labels       names and texts, for routes
//	annotations  names and texts, for people
//	links        an array of {"name": ..., "url": ...}
//
// It is strict, because a script's author reads the answer: a field that is not known is refused, and all problems are told at once.
func Plain(body []byte) ([]Incident, error) {
	return readPlain(body, plainDefaults{source: SourcePlain})
}

// plainDefaults is what stands around plain data.
type plainDefaults struct {
	source string
	key    string
	since  time.Time
}

func readPlain(body []byte, d plainDefaults) ([]Incident, error) {
	v, err := readValue(body)
	if err != nil {
		return nil, err
	}
	p := plainReader{plainDefaults: d, keys: map[string]bool{}}
	var all []Incident
	switch v.kind() {
	case '{':
		all = append(all, p.incident(v, ""))
	case '[':
		if v.count() > maxBatch {
			return nil, errBatch
		}
		for e := range v.items() {
			all = append(all, p.incident(e, "["+strconv.Itoa(len(all))+"]"))
		}
	default:
		return nil, fault.New(fault.Invalid, "the body is neither a JSON object nor an array of them")
	}
	return all, p.err(&all)
}

// plainReader collects what is wrong with a body.
type plainReader struct {
	plainDefaults
	problems []string // the first ones
	count    int      // of all
	unknown  bool     // one of them is a field
	keys     map[string]bool
}

// maxProblems is how many problems an answer tells.
const maxProblems = 20

func (p *plainReader) add(at, field, problem string) {
	if at != "" && field != "" {
		at += "."
	}
	if p.count++; p.count <= maxProblems {
		p.problems = append(p.problems, strings.TrimSpace(at+field+" "+problem))
	}
}

// err makes one sentence of all problems, and takes back what was read.
func (p *plainReader) err(all *[]Incident) error {
	if p.count == 0 {
		return nil
	}
	*all = nil
	said := strings.Join(p.problems, "; ")
	if more := p.count - len(p.problems); more > 0 {
		said += "; and " + strconv.Itoa(more) + " more"
	}
	if p.unknown {
		said += "; the fields are " + strings.Join(plainFields, ", ")
	}
	return fault.New(fault.Invalid, "%s", said)
}

var plainFields = []string{"key", "title", "status", "severity", "summary", "since", "resource", "labels", "annotations", "links", "observed", "threshold"}

// incident reads one object; at says where it stands.
func (p *plainReader) incident(v value, at string) Incident {
	o := v.object()
	if o == nil {
		p.add(at, "", "must be an object")
		return Incident{}
	}
	p.known(o, at, plainFields)
	key := p.key(o, at)
	a := Alert{
		Fingerprint: identity(key, maxName),
		Status:      p.status(o, at),
		Severity:    p.severity(o, at),
		Name:        p.title(o, at),
		Summary:     clip(p.text(o, at, "summary"), maxText),
		Resource:    line(p.text(o, at, "resource"), maxName),
		Observed:    clip(p.text(o, at, "observed"), maxText),
		Threshold:   clip(p.text(o, at, "threshold"), maxText),
		Starts:      p.begin(o, at),
		Labels:      clipped(p.texts(o, at, "labels"), maxLabel),
		Annotations: clipped(p.texts(o, at, "annotations"), maxText),
		Links:       links(p.links(o, at)...),
	}
	in := own(p.source, key, a)
	in.Title = title(a.Name) // as it was written
	return in
}

// known refuses fields that are not known. Their names are input and not repeated; the nearest one that is known is.
func (p *plainReader) known(o object, at string, fields []string) {
	for f := range value(o).items() {
		if slices.Contains(fields, f[0].name) {
			continue
		}
		nearest := ""
		if p.count < maxProblems {
			nearest = strict.Suggest(f[0].name, fields)
		}
		p.add(at, "", "has a field that is not known"+nearest)
		p.unknown = true
	}
}

func (p *plainReader) key(o object, at string) string {
	s := p.text(o, at, "key")
	if strings.TrimSpace(s) == "" {
		s = p.plainDefaults.key
	}
	switch {
	case s == "":
		p.add(at, "key", "is missing; write what stays the same from the first notification of an incident to the last")
	case p.keys[s]:
		p.add(at, "key", "is the key of another alert of the body; send one alert for each key")
	}
	p.keys[s] = true
	return s
}

func (p *plainReader) title(o object, at string) string {
	s := line(p.text(o, at, "title"), maxName)
	if s == "" {
		p.add(at, "title", "is missing; write what a person calls it")
	}
	return s
}

func (p *plainReader) status(o object, at string) Status {
	switch p.text(o, at, "status") {
	case "", "firing":
		return Firing
	case "resolved":
		return Resolved
	}
	p.add(at, "status", `must be "firing" or "resolved"`)
	return Firing
}

func (p *plainReader) severity(o object, at string) Severity {
	word := p.text(o, at, "severity")
	s := severity(word)
	if s == SeverityNone && word != "" && !strings.EqualFold(word, "none") {
		p.add(at, "severity", "must be critical, error, warning, info or none")
	}
	return s
}

func (p *plainReader) begin(o object, at string) time.Time {
	s := p.text(o, at, "since")
	if s == "" {
		return p.since
	}
	t, ok := instant(s)
	if !ok {
		p.add(at, "since", "must be a time such as 2026-01-31T15:04:05Z")
	}
	return t
}

// text reads a field that is a text, a number or a truth value.
func (p *plainReader) text(o object, at, field string) string {
	v := o.get(field)
	if k := v.kind(); k == '{' || k == '[' {
		p.add(at, field, "must be a text")
	}
	return v.text()
}

func (p *plainReader) texts(o object, at, field string) map[string]string {
	list, err := o.texts(field, field)
	if err != nil {
		p.add(at, "", fault.Public(err))
	}
	return list.mapped()
}

func (p *plainReader) links(o object, at string) (all []Link) {
	v := o.get("links")
	if v.kind() != '[' {
		if !v.isNull() {
			p.add(at, "links", "must be an array of objects with name and url")
		}
		return nil
	}
	for e := range v.items() {
		where := at + "links[" + strconv.Itoa(len(all)) + "]"
		if at != "" {
			where = at + "." + where[len(at):]
		}
		l := e.object()
		p.known(l, where, []string{"name", "url"})
		all = append(all, Link{l.text("name"), l.text("url")})
		if safeURL(l.text("url")) == "" {
			p.add(where, "url", "must be an http or https address without a user in it")
		}
	}
	return all
}
