package probe_test

import (
	"context"
	"testing"

	support "google.golang.org/api/cloudsupport/v2"
	"google.golang.org/api/option"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/probe"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
	"github.com/providerdesk/providerdesk/shared/sim/google"
)

const (
	engine = "Technical Issue > Compute > Compute Engine"
	parent = "projects/acme-prod"
	events = "projects/acme-desk/topics/support-events"
)

// supportDesk is a simulated desk, with a case if wanted.
func supportDesk(t *testing.T, o cloudsupport.Options, withCase bool) (*cloudsupport.Server, probe.API) {
	t.Helper()
	srv, err := cloudsupport.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	a := api(t, srv.Transport())
	if withCase {
		openCase(t, a)
	}
	return srv, a
}

func openCase(t *testing.T, a probe.API) {
	t.Helper()
	s, err := support.NewService(t.Context(), option.WithHTTPClient(a.Client), option.WithEndpoint(a.Endpoint+"/"))
	if err != nil {
		t.Fatal(err)
	}
	classes, err := s.CaseClassifications.Search().Do()
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Cases.Create(parent, &support.Case{DisplayName: "A disk is full", Description: "94 % used", Priority: "P4", TimeZone: "UTC", LanguageCode: "en",
		Classification: &support.CaseClassification{Id: classes.CaseClassifications[0].Id}, TestCase: true}).Do()
	if err != nil {
		t.Fatal(err)
	}
}

func TestDesk(t *testing.T) {
	d := config.Desk{Kind: "google", Parent: parent}
	for name, tc := range map[string]struct {
		empty   bool // there is no case
		parent  string
		classes []string
		fault   string
		want    []string
	}{
		"everything is there": {classes: []string{engine},
			want: []string{"pass the support plan of " + parent + " answers", `pass classification "` + engine + `" can be used`}},
		"no case to be seen": {empty: true,
			want: []string{"cannot tell the support plan of " + parent + " answers: there is no case to be seen, which is also what a plan without the API answers"}},
		"another project": {parent: "projects/nobody-knows", classes: []string{engine},
			want: []string{"fail the support plan of projects/nobody-knows answers: access is refused; give our account roles/cloudsupport.techSupportEditor", "pass "}},
		"a classification with a mistake": {classes: []string{engine, "Technical Issue > Compute"},
			want: []string{"pass ", "pass ", `fail classification "Technical Issue > Compute" can be used: the desk does not list it; take the exact name`}},
		"a desk that is down": {fault: "status:503", classes: []string{engine},
			want: []string{"cannot tell the support plan of " + parent + " answers: it does not answer; try again, and look at endpoints", "cannot tell "}},
	} {
		t.Run(name, func(t *testing.T) {
			srv, a := supportDesk(t, cloudsupport.Options{}, !tc.empty)
			if tc.fault != "" {
				arm(t, srv, tc.fault)
			}
			if d.Parent = parent; tc.parent != "" {
				d.Parent = tc.parent
			}
			probed(t, srv, func() []probe.Result { return probe.Desk(t.Context(), a, d, tc.classes, events) }, tc.want...)
		})
	}
}

// An event subscription is there and works, or Google says why not.
func TestEvents(t *testing.T) {
	const organization = "organizations/123456789012"
	d := config.Desk{Kind: "google", Parent: parent, Updates: config.Updates{Organization: organization}}
	refuse := func(context.Context, string, map[string]string, []byte) error {
		return cloudsupport.ErrPermissionDenied
	}
	for name, tc := range map[string]struct {
		announced string
		topic     string
		publish   func(context.Context, string, map[string]string, []byte) error
		parent    string
		fault     string
		want      string
	}{
		"it works":                  {announced: events, topic: events, want: "pass events of " + organization + " come"},
		"there is none":             {topic: events, want: "fail events of " + organization + ` come: there is no subscription on our topic; run "providerdesk tenants apply"`},
		"it is on another topic":    {announced: "projects/other/topics/events", topic: events, want: "fail events of " + organization + " come: there is no subscription on our topic"},
		"our topic is not known":    {announced: events, want: "cannot tell events of " + organization + " come: there is one on " + events + "; set GOOGLE_CLOUD_PROJECT"},
		"Google may not publish":    {announced: events, topic: events, publish: refuse, want: "fail events of " + organization + " come: the subscription is FAILING PERMISSION_DENIED; give cloud-support-apievents@"},
		"another organization":      {topic: events, parent: "organizations/5", want: "fail events of organizations/5 come: we may not look"},
		"it does not answer at all": {topic: events, fault: "status:503", want: "cannot tell events of " + organization + " come: it does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			srv, a := supportDesk(t, cloudsupport.Options{Publish: tc.publish}, false)
			if tc.announced != "" {
				if err := srv.Announce(tc.announced); err != nil {
					t.Fatal(err)
				}
			}
			openCase(t, a) // an event, which Google publishes or cannot
			d := d
			if tc.parent != "" {
				d.Updates.Organization = tc.parent
			}
			if tc.fault != "" {
				if err := srv.ArmFault("organizations.supportEventSubscriptions.list", tc.fault, 100); err != nil {
					t.Fatal(err)
				}
			}
			probed(t, srv, func() []probe.Result { return probe.Desk(t.Context(), a, d, nil, tc.topic) }, "pass the support plan", tc.want)
		})
	}
}

func TestPermissions(t *testing.T) {
	wanted := []string{"cloudsupport.techCases.create", "cloudsupport.techCases.list"}
	for name, tc := range map[string]struct {
		resource string
		denied   []string
		fault    string
		want     string
	}{
		"we have them":                {resource: parent, want: "pass we may work on cases"},
		"on an organization":          {resource: "organizations/123456789012", want: "pass we may work on cases"},
		"one is missing":              {resource: parent, denied: wanted[:1], want: "fail we may work on cases: we lack cloudsupport.techCases.create; give our account roles/x on " + parent},
		"all are missing":             {resource: parent, denied: wanted, want: "fail we may work on cases: we lack cloudsupport.techCases.create, cloudsupport.techCases.list; give"},
		"there is no such project":    {resource: "projects/nobody-knows", want: "fail we may work on cases: there is no projects/nobody-knows, or we may not look at it"},
		"the answer cannot be read":   {resource: parent, fault: "garbage", want: "cannot tell we may work on cases: it does not answer"},
		"there is no answer":          {resource: parent, fault: "drop", want: "cannot tell we may work on cases: it does not answer"},
		"an answer from a front door": {resource: parent, fault: "status:502", want: "cannot tell we may work on cases: it does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			srv, err := google.New(google.Options{Denied: tc.denied})
			if err != nil {
				t.Fatal(err)
			}
			defer srv.Close()
			if tc.fault != "" {
				arm(t, srv, tc.fault)
			}
			probed(t, srv, func() []probe.Result {
				return []probe.Result{probe.Permissions(t.Context(), api(t, srv.Transport()), tc.resource, "we may work on cases", "roles/x", wanted...)}
			}, tc.want)
		})
	}
}
