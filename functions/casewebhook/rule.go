package casewebhook

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/config"
)

// What a reason to raise may ask for beside the fields of an incident: incident.alerts counts what fires, as far as is known, and
// incident.age is how long the first of it has been firing.
const (
	ageField    = "incident.age"
	alertsField = "incident.alerts"
)

// rule is a compiled reason to raise.
type rule struct {
	config.Raise
	when  cel.Program
	uses  []string        // the fields that it asks for
	steps []time.Duration // the ages at which it may change its mind
}

// subject is an incident as reasons to raise see it.
type subject struct {
	fields map[string]any
	severe bool      // it is critical
	since  time.Time // when the first of what fires began
}

// subjectOf returns the incident n as it is after a message.
func subjectOf(n incident, in alert.Incident) subject {
	x := subject{fields: variables(in), severe: in.Severity == alert.Critical}
	firing := in.Omitted
	for _, a := range n.Alerts {
		if !a.firing() {
			continue
		}
		firing++
		if begins := a.begins(); x.since.IsZero() || begins.Before(x.since) {
			x.since = begins
		}
	}
	if a, ok := n.Alerts[unlisted]; ok && a.firing() {
		firing-- // it stands for those that were left out
	}
	x.fields[alertsField] = firing
	return x
}

// begins is when an alert began, or else when we heard of it.
func (s seen) begins() time.Time {
	if s.Starts.IsZero() {
		return s.Heard
	}
	return s.Starts
}

// holds reports whether a rule holds at a time. One that cannot be evaluated does not.
func (one rule) holds(x subject, t time.Time) bool {
	vars := maps.Clone(x.fields)
	vars[ageField] = t.Sub(x.since)
	v, _, err := one.when.Eval(vars)
	return err == nil && v.Value() == true
}

// why says what the rule saw, in the words of a person.
func (one rule) why(x subject, t time.Time) string {
	var saw []string
	for _, name := range one.uses {
		switch v := x.fields[name].(type) {
		case string:
			saw = append(saw, strings.TrimPrefix(name, "incident.")+" "+clip(v, 100))
		case int:
			saw = append(saw, counted(v, "alert"))
		}
		if name == ageField {
			saw = append(saw, "firing for "+short(t.Sub(x.since)))
		}
	}
	if len(saw) == 0 {
		return clip(one.When, 200)
	}
	return strings.Join(saw, ", ")
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// short writes a duration as people do, in minutes.
func short(d time.Duration) string {
	s := strings.TrimSuffix(d.Truncate(time.Minute).String(), "0s")
	if h, ok := strings.CutSuffix(s, "h0m"); ok {
		return h + "h"
	}
	return s
}

// ruleOf compiles a reason to raise.
func ruleOf(env *cel.Env, c config.Raise) (one rule, err error) {
	one.Raise = c
	compiled, err := condition(env, c.When)
	if err != nil {
		return one, err
	}
	if one.uses, one.steps, err = read(compiled); err == nil {
		one.when, err = env.Program(compiled, cel.CostLimit(costLimit))
	}
	return one, err
}

// read finds what a condition asks for. It must compare an age with durations that stand in it, and do nothing else with one: so it is known
// beforehand when the answer may change, and nobody has to ask every minute.
func read(compiled *cel.Ast) (uses []string, steps []time.Duration, err error) {
	for _, e := range ast.MatchDescendants(ast.NavigateAST(compiled.NativeRep()), ast.KindMatcher(ast.IdentKind)) {
		name := e.AsIdent()
		if !strings.HasPrefix(name, "incident.") {
			continue // of a macro
		}
		if !slices.Contains(uses, name) {
			uses = append(uses, name)
		}
		if name != ageField {
			continue
		}
		step, ok := compared(e)
		if !ok {
			return uses, nil, fmt.Errorf(`%s must be compared with a duration, such as %[1]s > duration("30m")`, ageField)
		}
		steps = append(steps, step)
	}
	return uses, steps, nil
}

// compared returns the duration that an expression is compared with.
func compared(e ast.NavigableExpr) (time.Duration, bool) {
	up, ok := e.Parent()
	if !ok || up.Kind() != ast.CallKind || !slices.Contains(comparisons[:], up.AsCall().FunctionName()) {
		return 0, false
	}
	for _, side := range up.AsCall().Args() {
		if side.ID() != e.ID() {
			return written(side)
		}
	}
	return 0, false
}

var comparisons = [...]string{operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals}

// written reads duration("30m").
func written(e ast.Expr) (time.Duration, bool) {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != overloads.TypeConvertDuration || len(e.AsCall().Args()) != 1 {
		return 0, false
	}
	text := e.AsCall().Args()[0]
	if text.Kind() != ast.LiteralKind {
		return 0, false
	}
	s, ok := text.AsLiteral().Value().(string)
	d, err := time.ParseDuration(s)
	return d, ok && err == nil
}
