package cloudsupport

import (
	"errors"
	"strings"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

// selection is a partial response, the parameter "fields": the names to keep and what to keep of each; nil keeps everything.
type selection map[string]selection

var errSelection = errors.New("invalid field selection")

const maxSelection = 2048 // characters

// parseFields reads "cases(name,creator/email),nextPageToken" for answers of a schema. An empty text is the nil selection.
func parseFields(schema, text string) (selection, error) {
	if text == "" || text == "*" {
		return nil, nil
	}
	if len(text) > maxSelection {
		return nil, errSelection
	}
	p := fieldsParser{rest: text}
	sel, ok := p.list(schema)
	if !ok || p.rest != "" {
		return nil, errSelection
	}
	return sel, nil
}

type fieldsParser struct{ rest string }

func (p *fieldsParser) list(schema string) (selection, bool) {
	sel := selection{}
	for {
		if !p.item(schema, sel) {
			return nil, false
		}
		if !p.eat(",") {
			return sel, true
		}
	}
}

// item reads one name and what follows it. The depth of a text is bounded by the depth of the schemas.
func (p *fieldsParser) item(schema string, sel selection) bool {
	n := strings.IndexAny(p.rest+",", ",/()")
	name := strings.TrimSpace(p.rest[:n])
	p.rest = p.rest[n:]
	f := rest.Named(schemas[schema], rest.Camel(name))
	if f == nil {
		return false
	}
	inner, ok := p.below(*f)
	sel[f.Name] = inner
	return ok
}

func (p *fieldsParser) below(f field) (selection, bool) {
	switch {
	case p.eat("/*"):
		return nil, f.Ref != ""
	case p.eat("/"):
		sel := selection{}
		return sel, p.item(f.Ref, sel)
	case p.eat("("):
		sel, ok := p.list(f.Ref)
		return sel, ok && p.eat(")")
	}
	return nil, true
}

func (p *fieldsParser) eat(s string) bool {
	rest, ok := strings.CutPrefix(p.rest, s)
	p.rest = rest
	return ok
}

// keep cuts a decoded answer down to the selection.
func (s selection) keep(v any) any {
	if s == nil {
		return v
	}
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = s.keep(v[i])
		}
	case map[string]any:
		for name, inner := range v {
			if below, ok := s[name]; ok {
				v[name] = below.keep(inner)
			} else {
				delete(v, name)
			}
		}
	}
	return v
}
