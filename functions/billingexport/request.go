package billingexport

// Request asks for an export. The zero value asks for what is due: the months that a run looks at, of all tenants.
type Request struct {
	Months  []string `json:"months,omitempty"`  // like 2026-09; empty: those that are due
	Tenants []string `json:"tenants,omitempty"` // ids of organizations; empty: all
	Archive bool     `json:"archive,omitempty"` // from what was fetched before, without asking the hub
	By      string   `json:"by,omitempty"`      // who asks, if a person does
}

// Tenant is an organization whose usage is exported.
type Tenant struct {
	ID     string `json:"id"`
	Name   string `json:"name,omitempty"`
	Status string `json:"status,omitempty"`
}
