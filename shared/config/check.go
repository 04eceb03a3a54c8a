package config

import (
	"net"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/strict"
)

var (
	slugForm         = regexp.MustCompile(`^[a-z0-9-]+$`)
	parentForm       = regexp.MustCompile(`^(organizations/[0-9]{1,20}|projects/([0-9]{1,20}|([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]))$`)
	subscriptionForm = regexp.MustCompile(`^(projects/[a-z0-9.:-]+/subscriptions/)?[A-Za-z][A-Za-z0-9._~+%-]{2,}$`)
	organizationForm = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
	languageForm     = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
	slackTeamForm    = regexp.MustCompile(`^[TE][A-Z0-9]{2,20}$`)
	slackUserForm    = regexp.MustCompile(`^[UW][A-Z0-9]{2,20}$`)
	slackChannelForm = regexp.MustCompile(`^[CGD][A-Z0-9]{2,20}$`)
	googleUserForm   = regexp.MustCompile(`^users/[A-Za-z0-9_-]+$`)
	googleSpaceForm  = regexp.MustCompile(`^spaces/[A-Za-z0-9_-]+$`)
	digitsForm       = regexp.MustCompile(`^[0-9]{1,20}$`)
	wholeForm        = regexp.MustCompile(`^organizations/[0-9]{1,20}$`)
	headerForm       = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
)

// form makes a check of a pattern, of at most so many bytes after the last slash, and of the sentence that says what to write. A bound of
// hundreds inside a pattern would make it slow to compile, and every start of a function pays for that.
func form(pattern *regexp.Regexp, most int, sentence string) strict.Check {
	return func(s string) string {
		if len(s)-strings.LastIndex(s, "/")-1 <= most && pattern.MatchString(s) {
			return ""
		}
		return sentence
	}
}

func slug(s string) string {
	return form(slugForm, 40, "must be 1 to 40 of the characters a-z, 0-9 and -")(s)
}

func parent(s string) string {
	return form(parentForm, 100, "must be organizations/NUMBER, projects/ID or projects/NUMBER")(s)
}

func subscription(s string) string {
	return form(subscriptionForm, 255, "must be projects/P/subscriptions/S, or the name of a subscription of the embedded bus")(s)
}

func organization(s string) string {
	return form(organizationForm, 64, "must be the id of the organization, such as 9d9648a7-115a-4a06-a613-a0c4077469f7")(s)
}

func language(s string) string {
	return form(languageForm, 100, "must be a language tag such as en or pt-BR")(s)
}

func slackTeam(s string) string {
	return form(slackTeamForm, 21, "must be the id of a workspace, such as T024BE7LD")(s)
}

func slackUser(s string) string {
	return form(slackUserForm, 21, "must be the id of a user, such as U024BE7LH")(s)
}

func slackChannel(s string) string {
	return form(slackChannelForm, 21, "must be the id of a channel, such as C024BE91L")(s)
}

func googleUser(s string) string {
	return form(googleUserForm, 40, "must be users/ and the number of a user")(s)
}

func googleSpace(s string) string {
	return form(googleSpaceForm, 40, "must be spaces/ and the id of a space")(s)
}

func digits(s string) string {
	return form(digitsForm, 20, "must be the number of a project, not its id")(s)
}

func wholeOrganization(s string) string {
	return form(wholeForm, 20, "must be organizations/NUMBER")(s)
}

func header(s string) string {
	return form(headerForm, 100, "must be the name of an HTTP header")(s)
}

func sameHeader(a, b string) bool { return strings.EqualFold(a, b) }

func username(s string) string {
	if strings.Contains(s, ":") {
		return "must not hold a colon; basic authentication cannot carry one"
	}
	return ""
}

func email(s string) string {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || !strings.Contains(s[strings.LastIndex(s, "@"):], ".") {
		return "must be an e-mail address such as oncall@example.com"
	}
	return ""
}

func timeZone(s string) string {
	if _, err := time.LoadLocation(s); err != nil || s == "Local" {
		return "must be a time zone's IANA name, such as Europe/Berlin"
	}
	return ""
}

// baseURL is one that a path can be added to.
func baseURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "must be an http or https URL with no user, query or fragment"
	}
	return ""
}

// secureURL is https; who could change what is read there could let anybody in. A machine may trust itself.
func secureURL(s string) string {
	u, err := url.Parse(s)
	if baseURL(s) != "" || err != nil {
		return baseURL(s)
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme != "https" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "must be an https URL"
	}
	return ""
}

// endpoint reads a base URL, without the slash at its end.
func endpoint(dst *string) func(value) {
	return func(v value) {
		strict.Text(dst, baseURL)(v)
		*dst = strings.TrimRight(*dst, "/")
	}
}
