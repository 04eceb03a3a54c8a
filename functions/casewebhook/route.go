package casewebhook

import (
	"fmt"
	"text/template"

	"cel.dev/cel-go/cel"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// costLimit bounds the evaluation of one route, in CEL's own unit; a comparison costs about 3.
const costLimit = 100_000

// router finds the route of an incident.
type router struct{ routes []route }

// route is a configured route, compiled.
type route struct {
	config.Route
	when               cel.Program
	uses               []string // the fields that when asks for
	raise              []rule
	hours              *hours
	title, description *template.Template // nil: the default
}

// fields are what a route may ask of an incident. Each is a variable of its own name, so a misspelt one is an error of the
// configuration and not a route that never holds.
var fields = []struct {
	name string
	kind *cel.Type
	of   func(alert.Incident) any
}{
	{"incident.tenant", cel.StringType, func(i alert.Incident) any { return i.Tenant }},
	{"incident.sender", cel.StringType, func(i alert.Incident) any { return i.Sender }},
	{"incident.source", cel.StringType, func(i alert.Incident) any { return i.Source }},
	{"incident.key", cel.StringType, func(i alert.Incident) any { return i.Key }},
	{"incident.title", cel.StringType, func(i alert.Incident) any { return i.Title }},
	{"incident.severity", cel.StringType, func(i alert.Incident) any { return string(i.Severity) }},
	{"incident.status", cel.StringType, func(i alert.Incident) any { return string(i.Status) }},
	{"incident.labels", cel.MapType(cel.StringType, cel.StringType), func(i alert.Incident) any { return filled(i.Labels) }},
	{"incident.annotations", cel.MapType(cel.StringType, cel.StringType), func(i alert.Incident) any { return filled(i.Annotations) }},
	{"incident.names", cel.ListType(cel.StringType), names},
	{"incident.alerts", cel.IntType, func(i alert.Incident) any { return len(i.Alerts) + i.Omitted }},
}

func names(i alert.Incident) any {
	all := make([]string, len(i.Alerts))
	for n, a := range i.Alerts {
		all[n] = a.Name
	}
	return all
}

func filled(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// newRouter compiles the routes of a configuration. Its error joins the problems of all of them.
func newRouter(c *config.Config) (*router, error) {
	r, problems := compile(c)
	if len(problems) > 0 {
		return nil, fault.Wrap(fault.Invalid, problems, "compile routes")
	}
	return r, nil
}

// Check returns the problems of a configuration that config.Load cannot see, because it does not know CEL.
func Check(c *config.Config) []config.Problem {
	_, problems := compile(c)
	return problems
}

func compile(c *config.Config) (*router, config.Problems) {
	env, err := environment()
	if err != nil {
		return nil, config.Problems{{Key: "routes", Message: err.Error()}}
	}
	aged, err := env.Extend(cel.Variable(ageField, cel.DurationType))
	if err != nil {
		return nil, config.Problems{{Key: "routes", Message: err.Error()}}
	}
	r, all := &router{}, problems(nil)
	for i, rc := range c.Routes {
		r.routes = append(r.routes, all.route(env, aged, rc, fmt.Sprintf("routes[%d].", i)))
	}
	return r, config.Problems(all)
}

// problems are those of the routes that are being compiled.
type problems config.Problems

func (p *problems) note(line int, key string, err error) {
	if err != nil {
		*p = append(*p, config.Problem{Line: line, Key: key, Message: err.Error()})
	}
}

// route compiles one route, and notes all that is wrong with it.
func (p *problems) route(env, aged *cel.Env, c config.Route, key string) route {
	one := route{Route: c}
	var err error
	one.when, one.uses, err = program(env, c.When)
	p.note(c.Line, key+"when", err)
	for i, rc := range c.Raise {
		up, err := ruleOf(aged, rc)
		p.note(rc.Line, fmt.Sprintf("%sraise[%d].when", key, i), err)
		one.raise = append(one.raise, up)
	}
	one.hours, err = hoursOf(c.Hours)
	p.note(c.Line, key+"hours.time_zone", err)
	one.title, err = text(c.Title, "title")
	p.note(c.Line, key+"title", err)
	one.description, err = text(c.Description, "description")
	p.note(c.Line, key+"description", err)
	return one
}

func environment() (*cel.Env, error) {
	vars := make([]cel.EnvOption, len(fields))
	for i, f := range fields {
		vars[i] = cel.Variable(f.name, f.kind)
	}
	return cel.NewEnv(vars...)
}

func program(env *cel.Env, when string) (p cel.Program, uses []string, err error) {
	compiled, err := condition(env, when)
	if err != nil {
		return nil, nil, err
	}
	if uses, _, err = read(compiled); err == nil {
		p, err = env.Program(compiled, cel.CostLimit(costLimit))
	}
	return p, uses, err
}

// condition checks what must be true or false.
func condition(env *cel.Env, when string) (*cel.Ast, error) {
	compiled, issues := env.Compile(when)
	if issues.Err() != nil {
		return nil, fmt.Errorf("this is no CEL condition: %w", issues.Err())
	}
	if compiled.OutputType() != cel.BoolType {
		return nil, fmt.Errorf("a condition is true or false, this one is %s", compiled.OutputType())
	}
	return compiled, nil
}

func text(s, name string) (*template.Template, error) {
	if s == "" {
		return nil, nil
	}
	return config.Template(name, s)
}

// match returns the first route that holds. A condition that cannot be evaluated, such as one that asks for a label that is not there,
// does not hold.
func (r *router) match(in alert.Incident) (route, error) {
	vars := variables(in)
	for _, one := range r.routes {
		if v, _, err := one.when.Eval(vars); err == nil && v.Value() == true {
			return one, nil
		}
	}
	return route{}, fault.New(fault.Invalid, "no route holds for this incident; let the last route be `when: \"true\"`")
}

// variables are the fields of an incident.
func variables(in alert.Incident) map[string]any {
	vars := make(map[string]any, len(fields)+1) // a subject's age is one more
	for _, f := range fields {
		vars[f.name] = f.of(in)
	}
	return vars
}
