package google

import (
	"maps"
	"slices"
)

// ContactView is a contact as the server has it, for whoever checks what really happened.
type ContactView struct {
	Name       string
	Email      string
	Language   string
	Categories []string
	Tests      int // test messages sent
}

// EnabledServices are the services that are on in a project, in their order, after what is due by now has been executed.
func (s *Server) EnabledServices(project string) []string {
	s.Settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.finishDue(s.opts.Now()) // a journal that cannot be written refuses every request, too
	number := s.projectNumber(project)
	return slices.DeleteFunc(slices.Clone(catalogue), func(name string) bool { return !s.state.isEnabled(number, name) })
}

// Policy are the bindings of a resource.
func (s *Server) Policy(resource string) []Binding {
	s.Settle()
	full, _ := s.resource(resource)
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.state.policies[full].Bindings)
}

// Contacts are the contacts of a resource, in the order of their creation.
func (s *Server) Contacts(resource string) []ContactView {
	s.Settle()
	full, _ := s.resource(resource)
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []ContactView
	for _, r := range s.state.contacts[full] {
		if !r.Deleted {
			all = append(all, ContactView{r.name(), r.Email, r.Language, slices.Clone(r.Categories), r.Tests})
		}
	}
	return all
}

// Ops are the ids of all methods that the server has.
func Ops() []string {
	seen := map[string]bool{}
	for _, r := range routes {
		seen[r.method.Op] = true
	}
	return slices.Sorted(maps.Keys(seen))
}
