package billingexport

import (
	"regexp"
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/strict"
)

// Limits of a request.
const (
	maxMonths  = 12
	maxTenants = 4000 // of a month: with their names they fit one document
	maxName    = 100  // bytes of a tenant's name
	maxRequest = 1 << 20
	maxMessage = 1 << 10
	maxValues  = 20000
	maxBy      = 200
)

// decodeRequest reads a message of topic "billing-export". Its error is fault.Invalid, with a sentence that repeats nothing of the message.
func decodeRequest(data []byte) (q Request, err error) {
	r := strict.New(strict.Options{Bytes: maxRequest, Values: maxValues, Empty: "write {} for what is due", Hostile: true})
	if root, ok := r.JSON(data); ok {
		root.Mapping(strict.Fields{
			"months":  strict.Texts(&q.Months, aMonth),
			"tenants": strict.Texts(&q.Tenants, anOrganization),
			"archive": strict.Yes(&q.Archive),
			"by":      strict.Text(&q.By, caller),
		})
	}
	if problems := r.Problems(); len(problems) > 0 {
		return Request{}, fault.New(fault.Invalid, `the message is not like {"months":["2026-09"],"tenants":["ID"],"archive":true,"by":"anna@example.com"}: %s %s`,
			problems[0].Key, problems[0].Message)
	}
	return q, q.check()
}

// check says what is wrong with a request, whoever made it.
func (q Request) check() error {
	switch {
	case len(q.Months) > maxMonths:
		return fault.New(fault.Invalid, "an export is of at most %d months: ask for the rest afterwards", maxMonths)
	case len(q.Tenants) > maxTenants:
		return fault.New(fault.Invalid, "an export is of at most %d tenants", maxTenants)
	case q.Archive && len(q.Months) == 0:
		return fault.New(fault.Invalid, "an export from the archive names its months")
	}
	for _, m := range q.Months {
		if wrong := aMonth(m); wrong != "" {
			return fault.New(fault.Invalid, "a month %s", wrong)
		}
	}
	for _, t := range q.Tenants {
		if wrong := anOrganization(t); wrong != "" {
			return fault.New(fault.Invalid, "a tenant %s", wrong)
		}
	}
	return nil
}

// task is a message of topic "billing-export-tenant".
type task struct {
	Month string `json:"month"`
	Org   string `json:"org"`
	Run   string `json:"run"`
}

// decodeTask reads one. Its error is fault.Invalid: it can never succeed.
func decodeTask(data []byte) (t task, err error) {
	r := strict.New(strict.Options{Bytes: maxMessage, Values: 20, Empty: "name a month, an organization and a run", Hostile: true})
	if root, ok := r.JSON(data); ok {
		root.Mapping(strict.Fields{
			"month": strict.Text(&t.Month, aMonth), "org": strict.Text(&t.Org, anOrganization), "run": strict.Text(&t.Run, aRun),
		}, "month", "org", "run")
	}
	if problems := r.Problems(); len(problems) > 0 {
		return task{}, fault.New(fault.Invalid, `the message is not {"month":"2026-09","org":"ID","run":"RUN"}: %s`, problems[0].Message)
	}
	return t, nil
}

var (
	orgForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	runForm = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}\.[0-9]{6}Z$`)
)

func anOrganization(s string) string {
	if !orgForm.MatchString(s) {
		return "is the id of an organization: letters, digits, - and _"
	}
	return ""
}

func aRun(s string) string {
	if !runForm.MatchString(s) {
		return "is a run as ExportUsage names it"
	}
	return ""
}

func caller(s string) string {
	if s == "" || len(s) > maxBy || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "is one line that says who asks"
	}
	return ""
}
