package google

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

// Limits of one policy. Every appearance of a principal counts.
const (
	maxPrincipals = 1500
	maxGroups     = 250
)

// Condition restricts a binding.
type Condition struct {
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	Expression  string `json:"expression,omitempty"`
	Location    string `json:"location,omitempty"`
}

// Binding gives a role to members. A binding is identified by its role and its condition.
type Binding struct {
	Role      string     `json:"role"`
	Members   []string   `json:"members,omitempty"`
	Condition *Condition `json:"condition,omitempty"`
}

func (b Binding) identity() string {
	if b.Condition == nil {
		return b.Role
	}
	return fmt.Sprintf("%s %q", b.Role, *b.Condition)
}

type auditConfig struct {
	Service string     `json:"service"`
	Logs    []auditLog `json:"auditLogConfigs,omitempty"`
}

type auditLog struct {
	Type   string   `json:"logType"`
	Exempt []string `json:"exemptedMembers,omitempty"`
}

type wirePolicy struct {
	Version  int           `json:"version"`
	Etag     string        `json:"etag"`
	Bindings []Binding     `json:"bindings,omitempty"`
	Audit    []auditConfig `json:"auditConfigs,omitempty"`
}

func (r policyRecord) conditional() bool {
	return slices.ContainsFunc(r.Bindings, func(b Binding) bool { return b.Condition != nil })
}

// etag is that of a policy nobody wrote yet for serial 0, as IAM has it.
func (s *Server) etag(serial uint64) string {
	if serial == 0 {
		return "ACAB"
	}
	return base64.StdEncoding.EncodeToString(append([]byte{7}, binary.BigEndian.AppendUint64(nil, serial)[1:]...))
}

// wire shows a policy to a caller who understands a version.
func (s *Server) wire(r policyRecord, version int64) wirePolicy {
	w := wirePolicy{Version: 1, Etag: s.etag(r.Serial), Bindings: r.Bindings, Audit: r.Audit}
	if !r.conditional() {
		return w
	}
	if version == 3 {
		w.Version = 3
		return w
	}
	w.Bindings = nil
	for _, b := range r.Bindings {
		if b.Condition != nil {
			hash := s.ids.Draw(b.identity(), 0)
			b = Binding{Role: b.Role + "_withcond_" + hex.EncodeToString(hash[:10]), Members: b.Members}
		}
		w.Bindings = append(w.Bindings, b)
	}
	return w
}

func checkVersion(field string, version int64) *rest.Failure {
	if version != 0 && version != 1 && version != 3 {
		return rest.Invalid(field, "Valid versions are 0, 1 and 3.")
	}
	return nil
}

func (s *Server) getPolicy(tx *tx, rq *request) (any, error) {
	resource, f := s.resource(rq.param)
	version := rq.object.object("options").number("requestedPolicyVersion")
	if f == nil {
		f = checkVersion("options.requestedPolicyVersion", version)
	}
	if f != nil {
		return nil, f
	}
	return s.wire(tx.state.policies[resource], version), nil
}

func (s *Server) setPolicy(tx *tx, rq *request) (any, error) {
	resource, f := s.resource(rq.param)
	if f != nil {
		return nil, f
	}
	was := tx.state.policies[resource]
	in := rq.object.object("policy")
	next, err := s.nextPolicy(resource, was, in, rq.object.text("updateMask"))
	if err != nil {
		return nil, err
	}
	if f := s.checkWrite(was, next, in); f != nil {
		return nil, f
	}
	tx.change.Serial++
	next.Serial = tx.change.Serial
	tx.putPolicy(next)
	return s.wire(next, in.number("version")), nil
}

// nextPolicy is the policy that a request makes of the old one. Nil fields of the mask leave what was.
func (s *Server) nextPolicy(resource string, was policyRecord, in object, mask string) (policyRecord, error) {
	next := policyRecord{Resource: resource, Bindings: was.Bindings, Audit: was.Audit}
	if mask == "" {
		mask = "bindings,etag"
	}
	for path := range strings.SplitSeq(mask, ",") {
		switch rest.Camel(strings.TrimSpace(path)) {
		case "bindings":
			bindings, bad := s.readBindings(resource, in.objects("bindings"))
			if f := bad.Failure(); f != nil {
				return next, f
			}
			next.Bindings = bindings
		case "auditConfigs":
			next.Audit = readAudit(in.objects("auditConfigs"))
		case "etag", "version":
		default:
			return next, rest.Invalid("updateMask", "The mask may name bindings, etag, version and auditConfigs.")
		}
	}
	return next, nil
}

// checkWrite holds what the versions, the etag and the sizes mean together.
func (s *Server) checkWrite(was, next policyRecord, in object) *rest.Failure {
	version, etag := in.number("version"), in.text("etag")
	if f := checkVersion("policy.version", version); f != nil {
		return f
	}
	if next.conditional() && version != 3 {
		return rest.Invalid("policy.version", "A policy with conditions must have version 3.")
	}
	if etag != "" && etag != s.etag(was.Serial) {
		return rest.Fail("ABORTED", "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.")
	}
	if etag != "" && was.conditional() && version != 3 {
		return rest.Invalid("policy.version", "A policy that has conditions can be changed with version 3 only.")
	}
	if f := checkOwners(was, next); f != nil {
		return f
	}
	return checkSizes(next)
}

// checkOwners refuses a new user among the owners of a project: people are invited, and have to accept.
func checkOwners(was, next policyRecord) *rest.Failure {
	if !strings.HasPrefix(next.Resource, "projects/") {
		return nil
	}
	before := owners(was)
	for _, member := range owners(next) {
		if strings.HasPrefix(member, "user:") && !slices.Contains(before, member) {
			f := rest.Fail("FAILED_PRECONDITION", "Request contains an invalid argument: a user is made owner of a project by an invitation.")
			f.Details = append(f.Details, map[string]string{
				"@type": rest.Typed("google.cloudresourcemanager.projects.v1beta1.ProjectIamPolicyError"), "type": "SOLO_MUST_INVITE_OWNERS", "role": "roles/owner",
			})
			return f
		}
	}
	return nil
}

func owners(r policyRecord) []string {
	var all []string
	for _, b := range r.Bindings {
		if b.Role == "roles/owner" {
			for _, m := range b.Members {
				all = append(all, stored(m))
			}
		}
	}
	return all
}

func checkSizes(r policyRecord) *rest.Failure {
	principals, groups := 0, 0
	for _, b := range r.Bindings {
		principals += len(b.Members)
		for _, m := range b.Members {
			if strings.HasPrefix(m, "group:") {
				groups++
			}
		}
	}
	for _, a := range r.Audit {
		for _, l := range a.Logs {
			principals += len(l.Exempt)
		}
	}
	switch {
	case principals > maxPrincipals:
		return rest.Invalid("policy", "The policy has %d principals; the most is %d.", principals, maxPrincipals)
	case groups > maxGroups:
		return rest.Invalid("policy", "The policy has %d groups; the most is %d.", groups, maxGroups)
	}
	return nil
}

// readBindings checks bindings and puts them in order: one for each role and condition, members as stored and once each.
func (s *Server) readBindings(resource string, in []object) ([]Binding, rest.Violations) {
	var bad rest.Violations
	byIdentity := map[string]*Binding{}
	var order []string
	for _, o := range in {
		b := Binding{Role: o.text("role"), Members: o.texts("members"), Condition: readCondition(o.object("condition"))}
		bad = append(bad, s.checkBinding(resource, b)...)
		id := b.identity()
		if byIdentity[id] == nil {
			byIdentity[id] = &Binding{Role: b.Role, Condition: b.Condition}
			order = append(order, id)
		}
		for _, m := range b.Members {
			byIdentity[id].Members = append(byIdentity[id].Members, stored(m))
		}
	}
	var out []Binding
	for _, id := range order {
		b := *byIdentity[id]
		slices.Sort(b.Members)
		b.Members = slices.Compact(b.Members)
		out = append(out, b)
	}
	slices.SortStableFunc(out, func(a, b Binding) int { return cmp.Compare(a.Role, b.Role) })
	return out, bad.Sorted()
}

func (s *Server) checkBinding(resource string, b Binding) rest.Violations {
	var bad rest.Violations
	const at = "policy.bindings"
	bad.Check(at+".role", checkRole(resource, b.Role))
	if len(b.Members) == 0 {
		bad.Add(at+".members", "A binding has at least one member.")
	}
	for _, m := range b.Members {
		bad.Check(at+".members", s.checkMember(resource, m))
	}
	if b.Condition != nil && (b.Condition.Expression == "" || b.Condition.Title == "") {
		bad.Add(at+".condition", "A condition has a title and an expression.")
	}
	return bad
}

func readCondition(o object) *Condition {
	if o == nil {
		return nil
	}
	return &Condition{Title: o.text("title"), Description: o.text("description"), Expression: o.text("expression"), Location: o.text("location")}
}

func readAudit(in []object) []auditConfig {
	var all []auditConfig
	for _, o := range in {
		c := auditConfig{Service: o.text("service")}
		for _, l := range o.objects("auditLogConfigs") {
			c.Logs = append(c.Logs, auditLog{Type: l.text("logType"), Exempt: l.texts("exemptedMembers")})
		}
		all = append(all, c)
	}
	return all
}
