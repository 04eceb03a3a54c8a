package tenantonboard

// Request is what a requester wants: tenants as they should be. See decode.go for its forms.
type Request struct {
	Tenants []Tenant `json:"tenants"`
}

// Tenant is one customer as it should be.
type Tenant struct {
	Key          string       `json:"tenant"` // names it here for ever; lower-case letters, digits and hyphens, 2 to 40
	Organization Organization `json:"organization"`
	Users        []User       `json:"users,omitempty"`
	Google       *Google      `json:"google,omitempty"` // nil: nothing is set up on Google Cloud
	Prune        bool         `json:"prune,omitempty"`  // roles and invitations that nobody wants are taken away, not only reported
	OnFailure    string       `json:"onFailure,omitempty"`

	Line int `json:"-"` // where it stands in the request
}

// What happens when a step certainly failed.
const (
	Stop = "stop" // default: the rest waits for a person
	Undo = "undo" // what this run made is taken back
)

// Organization is a tenant organization of VMware Cloud Provider Hub. It is found again by Tag.
type Organization struct {
	DisplayName string `json:"displayName"`
	CompanyName string `json:"companyName"`
	Country     string `json:"country"` // two letters, ISO 3166-1
	City        string `json:"city"`
	State       string `json:"state"`
	Zip         string `json:"zip"`
	Domain      string `json:"domain"`
	Type        string `json:"type,omitempty"` // DEFAULT (the default) or INTERNAL
}

// User is a person with roles in the organization.
type User struct {
	Email    string   `json:"email"`
	Roles    []string `json:"roles"`              // without "msp:", as tenant_admin
	Bindings []string `json:"bindings,omitempty"` // organizations of a provider_account_admin

	Line int `json:"-"`
}

// Google is what is set up on Google Cloud.
type Google struct {
	Parent        string    `json:"parent"` // projects/ID or organizations/NUMBER
	APIs          []string  `json:"apis,omitempty"`
	Members       []Member  `json:"members,omitempty"`
	Contacts      []Contact `json:"contacts,omitempty"`
	TestCase      bool      `json:"testCase,omitempty"`      // a support case is opened and closed again
	SupportEvents string    `json:"supportEvents,omitempty"` // projects/P/topics/T: the desk's events go there
	Readable      []string  `json:"readable,omitempty"`      // "servicehealth", "recommender": checked, nothing is changed

	Line int `json:"-"`
}

// Member has roles on the parent.
type Member struct {
	Member string   `json:"member"` // user:, group: or serviceAccount: and an address
	Roles  []string `json:"roles"`  // techSupportEditor, techSupportViewer, organizationViewer, supportAccountAdmin, or roles/…

	Line int `json:"-"`
}

// Contact is an essential contact.
type Contact struct {
	Email      string   `json:"email"`
	Categories []string `json:"categories"`
	Language   string   `json:"language,omitempty"` // default en

	Line int `json:"-"`
}
