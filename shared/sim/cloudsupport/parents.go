package cloudsupport

import (
	"regexp"
	"strings"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

var (
	numberForm  = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)
	projectForm = regexp.MustCompile(`^(?:[a-z0-9.-]{1,60}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$`)
)

// parent resolves "projects/ID", "projects/NUMBER" or "organizations/NUMBER" to the name that answers use, which has the number. What is
// unknown is denied, not missing: the API does not tell what exists.
func (s *Server) parent(name string) (string, *rest.Failure) {
	kind, id, _ := strings.Cut(name, "/")
	switch {
	case kind != "projects" && kind != "organizations":
		return "", rest.Invalid("parent", "The parent must be a project or an organization.")
	case kind == "organizations" && !numberForm.MatchString(id):
		return "", rest.Invalid("parent", "An organization is named by its number.")
	case kind == "organizations" && (s.opts.AnyParent || id == s.opts.Organization):
		return name, nil
	case kind == "projects" && s.projectNumber(id) != "":
		return "projects/" + s.projectNumber(id), nil
	}
	return "", rest.Fail("PERMISSION_DENIED", "The caller does not have permission")
}

func (s *Server) projectNumber(id string) string {
	switch number := s.opts.Projects[id]; {
	case number != "":
		return number
	case s.numbered[id] != "":
		return id
	case s.opts.AnyParent && numberForm.MatchString(id):
		return id
	case s.opts.AnyParent && projectForm.MatchString(id):
		return rest.ProjectNumber(id)
	}
	return ""
}

// organization is the organization above a parent.
func (s *Server) organization(parent string) string {
	if strings.HasPrefix(parent, "organizations/") {
		return parent
	}
	return "organizations/" + s.opts.Organization
}

// under reports whether a search under parent covers the cases of another.
func (s *Server) under(parent, other string) bool {
	return other == parent || s.organization(other) == parent
}

// dossier resolves the name of a case, or of something below one: it returns the case and the last segment of the name.
func (tx *tx) dossier(name string) (*dossier, string, error) {
	part := strings.Split(name, "/")
	parent, f := tx.parent(part[0] + "/" + part[1])
	if f != nil {
		return nil, "", f
	}
	d := tx.state.find(parent, part[3])
	if d == nil {
		return nil, "", rest.NotFound()
	}
	return d, part[len(part)-1], nil
}
