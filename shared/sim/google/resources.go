package google

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

var (
	numberForm  = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)
	projectForm = regexp.MustCompile(`^[a-z][a-z0-9-]{4,28}[a-z0-9]$`)
)

// resource resolves "projects/ID", "projects/NUMBER", "folders/NUMBER" or "organizations/NUMBER" to the name that answers use, which has
// the number. What is unknown is denied, not missing: the APIs do not tell what exists.
func (s *Server) resource(name string) (string, *rest.Failure) {
	kind, id, _ := strings.Cut(name, "/")
	ok := false
	switch kind {
	case "projects":
		id = s.projectNumber(id)
		ok = id != ""
	case "folders":
		ok = numberForm.MatchString(id) && (s.opts.AnyParent || slices.Contains(s.opts.Folders, id))
	case "organizations":
		ok = numberForm.MatchString(id) && (s.opts.AnyParent || id == s.opts.Organization)
	default:
		return "", rest.Invalid("parent", "The parent must be a project, a folder or an organization.")
	}
	if !ok {
		return "", rest.Fail("PERMISSION_DENIED", "The caller does not have permission")
	}
	return kind + "/" + id, nil
}

// above returns the resource of a name that goes on below it: projects/1 of projects/1/contacts/0.
func above(name string) string {
	part := strings.SplitN(name, "/", 3)
	if len(part) < 2 {
		return name
	}
	return part[0] + "/" + part[1]
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

// parents are a resource and what is above it.
func (s *Server) parents(resource string) []string {
	organization := "organizations/" + s.opts.Organization
	if strings.HasPrefix(resource, "organizations/") || resource == organization {
		return []string{resource}
	}
	return []string{resource, organization}
}

// created is when everything here was created.
var created = time.Date(2019, 11, 11, 11, 11, 11, 0, time.UTC)

func (s *Server) getResource(tx *tx, rq *request) (any, error) {
	name, f := s.resource(rq.param)
	if f != nil {
		return nil, f
	}
	out := map[string]any{"name": name, "state": "ACTIVE", "displayName": name, "createTime": timestamp(created), "updateTime": timestamp(created), "etag": tx.etag(0)}
	kind, number, _ := strings.Cut(name, "/")
	if kind != "organizations" {
		out["parent"] = "organizations/" + s.opts.Organization
	}
	if kind == "projects" {
		out["projectId"], out["displayName"] = s.projectID(number, rq.param), s.projectID(number, rq.param)
	}
	return out, nil
}

// projectID is the id of a number; a project that came to be when it was named has the name it was asked for.
func (s *Server) projectID(number, asked string) string {
	if id := s.numbered[number]; id != "" {
		return id
	}
	id := strings.TrimPrefix(asked, "projects/")
	if numberForm.MatchString(id) {
		return "project-" + id
	}
	return id
}
