package hub

import (
	"fmt"
	"slices"
)

// Switches choose between the readings that the guide leaves open. The zero value is the reading that the simulator takes by default; a text
// that is empty stands for the first reading of its ambiguity.
type Switches struct {
	// Billing: the request.
	Unit                    string `json:"unit"`                    // of startTime and endTime: magnitude, strict, chaos
	Rounding                string `json:"rounding"`                // of endTime: floor, nearest
	Zone                    string `json:"zone"`                    // in which months begin: UTC, UTC-12, UTC+14
	OutOfWindow             string `json:"outOfWindow"`             // more than six months: 400, empty
	WindowOnFile            bool   `json:"windowOnFile"`            // the six months bound the file, too
	DetailViewInverted      bool   `json:"detailViewInverted"`      // true asks for the detail
	SubscriptionsAllTenants bool   `json:"subscriptionsAllTenants"` // without tenantId: those of all tenants
	NoService               string `json:"noService"`               // an organization without a service: 403, 404

	// Billing: the answer.
	JSONNumbers        string `json:"jsonNumbers"`        // decimal, float64
	TruncateSkus       bool   `json:"truncateSkus"`       // fewer skus than pageSize says
	PriceHeader        string `json:"priceHeader"`        // (), (USD)
	CSVTime            string `json:"csvTime"`            // milliseconds, seconds, rfc3339, date, us
	CSVSubscription    string `json:"csvSubscription"`    // which id stands in "Subscription Id": uuid, sid
	CSVPlain           bool   `json:"csvPlain"`           // quotes only where needed, lines end in LF
	CSVMark            bool   `json:"csvMark"`            // begins with a byte order mark
	CSVReordered       bool   `json:"csvReordered"`       // the columns stand in another order
	CSVExtraColumn     bool   `json:"csvExtraColumn"`     // a column that the guide does not have
	CSVHeaderOnly      bool   `json:"csvHeaderOnly"`      // no rows
	ContentDisposition string `json:"contentDisposition"` // file, chaos, none

	// Organizations.
	TokenScope       string `json:"tokenScope"`       // what a provider's token reaches: organization, tenants
	Padding          bool   `json:"padding"`          // name and tag of one organization come with spaces around
	RefuseAdminEmail bool   `json:"refuseAdminEmail"` // adminUserEmail is an error
	StaleUpdate      bool   `json:"staleUpdate"`      // PUT answers what was there before

	// Users and invitations.
	AddUsersPatch     bool   `json:"addUsersPatch"`     // PATCH add-users works as POST does
	AddUsersPatchOnly bool   `json:"addUsersPatchOnly"` // POST add-users is refused, PATCH works
	BindingsOptional  bool   `json:"bindingsOptional"`  // provider_account_admin without orgRoleBindingOrgs
	Confirm           string `json:"confirm"`           // how a change of users is confirmed: 202 (207 in part), 200 (always)
	InvitedAsAdded    bool   `json:"invitedAsAdded"`    // the invited are listed in addedUsers, and there are no invitedUsers
	DuplicateUser     string `json:"duplicateUser"`     // who is a member already: merge, fail
	FailUsersPercent  int    `json:"failUsersPercent"`  // so many of a hundred users fail
	GroupRoles        bool   `json:"groupRoles"`        // some roles come from a group and cannot be removed
	RevokedStatus     string `json:"revokedStatus"`     // of a revoked invitation: AVAILABLE, REVOKED
	BadToken          string `json:"badToken"`          // an API token that nobody has: 401, 400

	// Support.
	PageStart     string `json:"pageStart"`     // record, page
	CreateReply   string `json:"createReply"`   // what comes with 201: location, body, both, none
	UploadAttach  bool   `json:"uploadAttach"`  // an uploaded file needs no fileReferences to be part of its request
	SupportAnswer string `json:"supportAnswer"` // the list: wrapped, bare

	// The service.
	RequireTLS bool `json:"requireTLS"` // plain HTTP is refused
	RateLimit  int  `json:"rateLimit"`  // calls in one second; 0: any number
}

// Ambiguity is one thing that the guide says in two ways, or not at all.
type Ambiguity struct {
	Name     string   `json:"name"`     // of the switch
	Trap     string   `json:"trap"`     // what is open
	Readings []string `json:"readings"` // the first is the default

	text   func(*Switches) *string
	flag   func(*Switches) *bool
	number func(*Switches) *int
}

// Set chooses a reading.
func (a Ambiguity) Set(s *Switches, reading string) error {
	if !slices.Contains(a.Readings, reading) {
		return fmt.Errorf("switch %s has no such reading; it has %q", a.Name, a.Readings)
	}
	switch {
	case a.text != nil:
		*a.text(s) = reading
	case a.flag != nil:
		*a.flag(s) = reading == "true"
	default:
		_, err := fmt.Sscan(reading, a.number(s))
		return err
	}
	return nil
}

// Ambiguities is the table of all of them: a test that goes through it meets every reading.
func Ambiguities() []Ambiguity {
	return slices.Concat(requestAmbiguities(), answerAmbiguities(), userAmbiguities(), serviceAmbiguities())
}

func one(name, trap string, field func(*Switches) *string, readings ...string) Ambiguity {
	return Ambiguity{Name: name, Trap: trap, Readings: readings, text: field}
}

func flag(name, trap string, field func(*Switches) *bool) Ambiguity {
	return Ambiguity{Name: name, Trap: trap, Readings: []string{"false", "true"}, flag: field}
}

func amount(name, trap string, field func(*Switches) *int, readings ...string) Ambiguity {
	return Ambiguity{Name: name, Trap: trap, Readings: readings, number: field}
}

func requestAmbiguities() []Ambiguity {
	return []Ambiguity{
		one("tokenScope", "tokens are scoped to one organization, but provider roles manage tenants", func(s *Switches) *string { return &s.TokenScope }, "organization", "tenants"),
		flag("padding", "name and tag come padded in an example", func(s *Switches) *bool { return &s.Padding }),
		flag("refuseAdminEmail", "adminUserEmail is optional, later forbidden", func(s *Switches) *bool { return &s.RefuseAdminEmail }),
		flag("staleUpdate", "the answer to PUT shows old values", func(s *Switches) *bool { return &s.StaleUpdate }),
		one("unit", "seconds in one example, milliseconds in the other", func(s *Switches) *string { return &s.Unit }, "magnitude", "strict", "chaos"),
		one("rounding", "endTime rounds to the beginning of the month, or to the last day of the nearest", func(s *Switches) *string { return &s.Rounding }, "floor", "nearest"),
		one("zone", "where a month begins is not said", func(s *Switches) *string { return &s.Zone }, "UTC", "UTC-12", "UTC+14"),
		one("outOfWindow", "what comes for more than six months is not said", func(s *Switches) *string { return &s.OutOfWindow }, "400", "empty"),
		flag("windowOnFile", "the six months are said of the report only", func(s *Switches) *bool { return &s.WindowOnFile }),
		flag("detailViewInverted", "true returns a summary, against the name", func(s *Switches) *bool { return &s.DetailViewInverted }),
		flag("subscriptionsAllTenants", "without tenantId: the provider's, or all tenants'", func(s *Switches) *bool { return &s.SubscriptionsAllTenants }),
		one("noService", "at least one active service is a precondition, its error is not said", func(s *Switches) *string { return &s.NoService }, "403", "404"),
	}
}

func answerAmbiguities() []Ambiguity {
	return []Ambiguity{
		one("jsonNumbers", "money is a JSON number", func(s *Switches) *string { return &s.JSONNumbers }, "decimal", "float64"),
		flag("truncateSkus", "skuData has a pageSize and no page", func(s *Switches) *bool { return &s.TruncateSkus }),
		one("priceHeader", `the header says "Price ()"`, func(s *Switches) *string { return &s.PriceHeader }, "()", "(USD)"),
		one("csvTime", "the form of Billable Usage Timestamp is not shown", func(s *Switches) *string { return &s.CSVTime }, "milliseconds", "seconds", "rfc3339", "date", "us"),
		one("csvSubscription", "a subscription has two ids", func(s *Switches) *string { return &s.CSVSubscription }, "uuid", "sid"),
		flag("csvPlain", "quoting and line ends are not shown", func(s *Switches) *bool { return &s.CSVPlain }),
		flag("csvMark", "a byte order mark is not excluded", func(s *Switches) *bool { return &s.CSVMark }),
		flag("csvReordered", "the order of columns is not promised", func(s *Switches) *bool { return &s.CSVReordered }),
		flag("csvExtraColumn", "nor that there are no others", func(s *Switches) *bool { return &s.CSVExtraColumn }),
		flag("csvHeaderOnly", "what an empty month looks like is not shown", func(s *Switches) *bool { return &s.CSVHeaderOnly }),
		one("contentDisposition", "the file name comes from outside", func(s *Switches) *string { return &s.ContentDisposition }, "file", "chaos", "none"),
	}
}

func userAmbiguities() []Ambiguity {
	return []Ambiguity{
		flag("addUsersPatch", "add-users is POST in the text, PATCH in the example", func(s *Switches) *bool { return &s.AddUsersPatch }),
		flag("addUsersPatchOnly", "the example may be right and the text wrong", func(s *Switches) *bool { return &s.AddUsersPatchOnly }),
		flag("bindingsOptional", "the example leaves out orgRoleBindingOrgs, which the text asks for", func(s *Switches) *bool { return &s.BindingsOptional }),
		one("confirm", "which status confirms a change of users is not said", func(s *Switches) *string { return &s.Confirm }, "202", "200"),
		flag("invitedAsAdded", "where the invited are listed is not shown", func(s *Switches) *bool { return &s.InvitedAsAdded }),
		one("duplicateUser", "adding a member again is not described", func(s *Switches) *string { return &s.DuplicateUser }, "merge", "fail"),
		amount("failUsersPercent", "some users of a call may fail", func(s *Switches) *int { return &s.FailUsersPercent }, "0", "50", "100"),
		flag("groupRoles", "memberType may be other than DIRECT", func(s *Switches) *bool { return &s.GroupRoles }),
		one("revokedStatus", "a revoked invitation is shown AVAILABLE", func(s *Switches) *string { return &s.RevokedStatus }, "AVAILABLE", "REVOKED"),
		one("badToken", "the error for a bad API token is not said", func(s *Switches) *string { return &s.BadToken }, "401", "400"),
	}
}

func serviceAmbiguities() []Ambiguity {
	return []Ambiguity{
		one("pageStart", "the start point for index of records: a record or a page", func(s *Switches) *string { return &s.PageStart }, "record", "page"),
		one("createReply", "201, and nothing else is shown", func(s *Switches) *string { return &s.CreateReply }, "location", "body", "both", "none"),
		flag("uploadAttach", "whether a file needs a reference after its upload is not said", func(s *Switches) *bool { return &s.UploadAttach }),
		one("supportAnswer", "the list of support requests is not shown", func(s *Switches) *string { return &s.SupportAnswer }, "wrapped", "bare"),
		flag("requireTLS", "one example is in plain HTTP", func(s *Switches) *bool { return &s.RequireTLS }),
		amount("rateLimit", "limits are not said", func(s *Switches) *int { return &s.RateLimit }, "0", "50"),
	}
}

// settled fills in the default readings and refuses what is no reading. Numbers may be others than those in the table.
func (s Switches) settled() (Switches, error) {
	for _, a := range Ambiguities() {
		if a.text == nil {
			continue
		}
		reading := a.text(&s)
		if *reading == "" {
			*reading = a.Readings[0]
		}
		if err := a.Set(&s, *reading); err != nil {
			return s, err
		}
	}
	if s.FailUsersPercent < 0 || s.FailUsersPercent > 100 {
		return s, fmt.Errorf("switch failUsersPercent is from 0 to 100")
	}
	if s.RateLimit < 0 {
		return s, fmt.Errorf("switch rateLimit is not negative")
	}
	return s, nil
}
