package google

import (
	"regexp"
	"slices"
	"strings"
)

var (
	roleForm   = regexp.MustCompile(`^(roles|projects/[^/\s]+/roles|organizations/[0-9]+/roles)/[A-Za-z0-9_.]{3,100}$`)
	memberForm = regexp.MustCompile(`^((user|serviceAccount|group):[^@\s]+@[^@\s?]+\.[^@\s?]+|domain:[^@\s?]+\.[^@\s?]+` +
		`|project(Owner|Editor|Viewer):[a-z][a-z0-9:.-]+|principal(Set)?://\S+` +
		`|deleted:(user|serviceAccount|group):[^@\s]+@[^@\s?]+\?uid=[0-9]+|deleted:principal://\S+)$`)
)

// organizationOnly are roles that exist on organizations only.
var organizationOnly = []string{"roles/cloudsupport.admin", "roles/resourcemanager.organizationAdmin", "roles/resourcemanager.organizationViewer"}

// checkRole says what is wrong with a role on a resource. A name that hides a condition is none to be set.
func checkRole(resource, role string) string {
	switch {
	case !roleForm.MatchString(role), strings.Contains(role, "_withcond_"):
		return "The role is not the name of a role."
	case slices.Contains(organizationOnly, role) && !strings.HasPrefix(resource, "organizations/"):
		return "The role is not supported for this resource."
	}
	return ""
}

func (s *Server) checkMember(resource, member string) string {
	switch {
	case member == "allUsers" || member == "allAuthenticatedUsers":
		if strings.HasPrefix(resource, "projects/") {
			return "A project does not support allUsers and allAuthenticatedUsers as members."
		}
	case !memberForm.MatchString(member):
		return "The member is not of a form that IAM knows."
	case s.stranger(member):
		return "The principal does not exist."
	}
	return ""
}

func (s *Server) stranger(member string) bool {
	_, email, _ := strings.Cut(member, ":")
	return slices.ContainsFunc(s.opts.Strangers, func(e string) bool { return strings.EqualFold(e, email) })
}

// stored is a member as IAM takes it down: e-mails and domains in lower case.
func stored(member string) string {
	for _, kind := range []string{"user:", "serviceAccount:", "group:", "domain:"} {
		if rest, ok := strings.CutPrefix(member, kind); ok {
			return kind + strings.ToLower(rest)
		}
	}
	return member
}
