package cloud

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"google.golang.org/api/cloudresourcemanager/v3"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// A policy is written at most maxWrites times before the call gives up.
const (
	maxWrites     = 8
	firstBackoff  = 200 * time.Millisecond
	longestWait   = 10 * time.Second
	policyVersion = 3
)

// Condition restricts a binding; see IAM.
type Condition struct {
	Title       string
	Description string
	Expression  string
	Location    string
}

// Binding gives a role to members, like "user:a@example.com". It is identified by its role and its condition; nil is none.
type Binding struct {
	Role      string
	Members   []string
	Condition *Condition
}

var (
	roleForm   = regexp.MustCompile(`^(roles|projects/[a-z][a-z0-9-]+/roles|organizations/[0-9]+/roles)/[A-Za-z0-9_.]+$`)
	memberForm = regexp.MustCompile(`^[A-Za-z]+:\S+$`)
)

// Bindings reads the policy of a project, a folder or an organization, with its conditions.
func (c *Clients) Bindings(ctx context.Context, resource string) ([]Binding, error) {
	if err := check(resourceForm, resource, "a resource"); err != nil {
		return nil, err
	}
	p, err := c.policy(ctx, resource)
	if err != nil {
		return nil, err
	}
	out := make([]Binding, len(p.Bindings))
	for i, b := range p.Bindings {
		out[i] = Binding{Role: b.Role, Members: b.Members, Condition: conditionOf(b.Condition)}
	}
	return out, nil
}

func conditionOf(e *cloudresourcemanager.Expr) *Condition {
	if e == nil {
		return nil
	}
	return &Condition{Title: e.Title, Description: e.Description, Expression: e.Expression, Location: e.Location}
}

// GrantRoles makes the members members, beside those that are there, and returns what was not there before.
func (c *Clients) GrantRoles(ctx context.Context, resource string, bindings []Binding) ([]Binding, error) {
	return c.change(ctx, resource, bindings, "grant roles", grant)
}

// RevokeRoles takes members out of the bindings, and returns what was there before. Deleted members stay: they are other principals.
func (c *Clients) RevokeRoles(ctx context.Context, resource string, bindings []Binding) ([]Binding, error) {
	return c.change(ctx, resource, bindings, "revoke roles", revoke)
}

// merge changes a policy by bindings and returns the part of them that made a difference.
type merge func(p *cloudresourcemanager.Policy, bindings []Binding) []Binding

// change reads, merges and writes until a reading shows that nothing is left to be done. A write that was refused for its etag is never
// sent again: the policy is read and merged anew. So is one whose fate is open; what it would have done then counts as done by us.
func (c *Clients) change(ctx context.Context, resource string, bindings []Binding, doing string, m merge) ([]Binding, error) {
	if err := checkBindings(resource, bindings); err != nil {
		return nil, err
	}
	var ours []Binding
	var last error
	for n := range maxWrites + 1 {
		p, err := c.policy(ctx, resource)
		if err != nil {
			return ours, err
		}
		difference := m(p, bindings)
		if len(difference) == 0 {
			return ours, nil
		}
		if n == maxWrites {
			break
		}
		if last = c.setPolicy(ctx, resource, p, doing); last == nil || isOpen(last) {
			ours = union(ours, difference)
		}
		if err := c.again(ctx, n, last, doing); err != nil {
			return ours, err
		}
	}
	if last == nil {
		last = fault.Wrap(fault.Conflict, errors.New("what was written does not stay"), doing)
	}
	return ours, last
}

// isOpen reports whether a failed write may have been executed.
func isOpen(err error) bool {
	return !fault.IsUnsent(err) && (fault.Is(err, fault.Transient) || fault.Is(err, fault.Bug))
}

// again decides whether the policy is read once more after a write, and waits before it if the write failed.
func (c *Clients) again(ctx context.Context, n int, err error, doing string) error {
	switch {
	case err == nil:
		return nil
	case !isCollision(err) && !fault.Is(err, fault.Transient):
		return err
	}
	return pause(ctx, c.backoff(n, firstBackoff, longestWait), doing)
}

func checkBindings(resource string, bindings []Binding) error {
	if err := check(resourceForm, resource, "a resource"); err != nil {
		return err
	}
	for _, b := range bindings {
		if err := check(roleForm, b.Role, "a role"); err != nil {
			return err
		}
		for _, m := range b.Members {
			if err := check(memberForm, m, "a member of a policy"); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Clients) policy(ctx context.Context, resource string) (*cloudresourcemanager.Policy, error) {
	rq := &cloudresourcemanager.GetIamPolicyRequest{Options: &cloudresourcemanager.GetPolicyOptions{RequestedPolicyVersion: policyVersion}}
	p, err := call(ctx, "read a policy", func(ctx context.Context) (*cloudresourcemanager.Policy, error) {
		switch kind, _, _ := strings.Cut(resource, "/"); kind {
		case "folders":
			return c.resources.Folders.GetIamPolicy(resource, rq).Context(ctx).Do()
		case "organizations":
			return c.resources.Organizations.GetIamPolicy(resource, rq).Context(ctx).Do()
		}
		return c.resources.Projects.GetIamPolicy(resource, rq).Context(ctx).Do()
	})
	switch {
	case err != nil:
		return nil, err
	case p.Etag == "":
		return nil, unreadable("etag", "read a policy") // without one a write would overwrite
	case slices.Contains(p.Bindings, nil):
		return nil, unreadable("binding", "read a policy")
	}
	return p, nil
}

// setPolicy writes the bindings of a policy that was read; the default mask leaves the rest of it alone.
func (c *Clients) setPolicy(ctx context.Context, resource string, p *cloudresourcemanager.Policy, doing string) error {
	rq := &cloudresourcemanager.SetIamPolicyRequest{
		Policy: &cloudresourcemanager.Policy{Version: policyVersion, Etag: p.Etag, Bindings: p.Bindings},
	}
	_, err := call(ctx, doing, func(ctx context.Context) (*cloudresourcemanager.Policy, error) {
		switch kind, _, _ := strings.Cut(resource, "/"); kind {
		case "folders":
			return c.resources.Folders.SetIamPolicy(resource, rq).Context(ctx).Do()
		case "organizations":
			return c.resources.Organizations.SetIamPolicy(resource, rq).Context(ctx).Do()
		}
		return c.resources.Projects.SetIamPolicy(resource, rq).Context(ctx).Do()
	})
	return err
}

func grant(p *cloudresourcemanager.Policy, bindings []Binding) []Binding {
	var added []Binding
	for _, b := range bindings {
		var missing []string
		for _, m := range b.Members {
			if !granted(p.Bindings, b, m) && !holds(missing, m) {
				missing = append(missing, m)
			}
		}
		if len(missing) == 0 {
			continue
		}
		added = append(added, Binding{b.Role, missing, b.Condition})
		addTo(p, b, missing)
	}
	return added
}

// granted reports whether a member is in a binding of the same identity. A policy may hold several.
func granted(there []*cloudresourcemanager.Binding, b Binding, member string) bool {
	return slices.ContainsFunc(there, func(o *cloudresourcemanager.Binding) bool { return b.is(o) && holds(o.Members, member) })
}

func addTo(p *cloudresourcemanager.Policy, b Binding, members []string) {
	i := slices.IndexFunc(p.Bindings, b.is)
	if i < 0 {
		p.Bindings = append(p.Bindings, &cloudresourcemanager.Binding{Role: b.Role, Condition: b.Condition.expr(), Members: members})
		return
	}
	p.Bindings[i].Members = append(p.Bindings[i].Members, members...)
}

func revoke(p *cloudresourcemanager.Policy, bindings []Binding) []Binding {
	var removed []Binding
	for _, b := range bindings {
		var gone []string
		for _, o := range p.Bindings {
			if !b.is(o) {
				continue
			}
			o.Members = slices.DeleteFunc(o.Members, func(m string) bool {
				if !holds(b.Members, m) {
					return false
				}
				gone = append(gone, m)
				return true
			})
		}
		if len(gone) > 0 {
			removed = append(removed, Binding{b.Role, gone, b.Condition})
		}
	}
	p.Bindings = slices.DeleteFunc(p.Bindings, func(o *cloudresourcemanager.Binding) bool { return len(o.Members) == 0 })
	return removed
}

// is reports whether two bindings have the same role and condition.
func (b Binding) is(o *cloudresourcemanager.Binding) bool {
	c := conditionOf(o.Condition)
	return b.Role == o.Role && (b.Condition == nil) == (c == nil) && (c == nil || *c == *b.Condition)
}

func (c *Condition) expr() *cloudresourcemanager.Expr {
	if c == nil {
		return nil
	}
	return &cloudresourcemanager.Expr{Title: c.Title, Description: c.Description, Expression: c.Expression, Location: c.Location}
}

func holds(members []string, member string) bool {
	return slices.ContainsFunc(members, func(m string) bool { return identity(m) == identity(member) })
}

// identity is a member as IAM compares it: addresses and domains whatever their case, everything else as it is.
func identity(member string) string {
	kind, rest, _ := strings.Cut(member, ":")
	if slices.Contains([]string{"user", "serviceAccount", "group", "domain"}, kind) {
		return kind + ":" + strings.ToLower(rest)
	}
	return member
}

// union adds the members of b to those of a, each once.
func union(a, b []Binding) []Binding {
	for _, more := range b {
		same := &cloudresourcemanager.Binding{Role: more.Role, Condition: more.Condition.expr()}
		i := slices.IndexFunc(a, func(o Binding) bool { return o.is(same) })
		if i < 0 {
			a = append(a, more)
			continue
		}
		for _, m := range more.Members {
			if !holds(a[i].Members, m) {
				a[i].Members = append(a[i].Members, m)
			}
		}
	}
	return a
}
