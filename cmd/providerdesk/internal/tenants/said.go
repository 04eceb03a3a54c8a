package tenants

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/functions/tenantonboard"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// Planned is the plan of one tenant of a request, and how the tenant stands.
type Planned struct {
	Tenant string               `json:"tenant"`
	Status tenantonboard.Status `json:"status"`
	Plan   tenantonboard.Plan   `json:"plan"`
}

// Problem is one thing that is wrong with a request file.
type Problem struct {
	Line    int    `json:"line"`
	Key     string `json:"key,omitempty"`
	Message string `json:"message"`
}

// Problems are all that is wrong with a request file, in the order of its lines.
type Problems struct {
	File string
	All  []Problem
}

func (p Problems) Error() string {
	return fmt.Sprintf("%s has %s", p.File, count(len(p.All), "problem"))
}

// ProblemsOf are the problems of a request file, if that is what err is about.
func ProblemsOf(err error) (found Problems, ok bool) { return found, errors.As(err, &found) }

// Print writes a line for each, as compilers do.
func (p Problems) Print(s screen.Screen) {
	for _, f := range p.All {
		if f.Key != "" {
			f.Message = f.Key + ": " + f.Message
		}
		s.Line("%s:%d: %s", p.File, f.Line, f.Message)
	}
	s.Line("%s %s in %s", s.Bad("providerdesk:"), count(len(p.All), "problem"), p.File)
}

// Accepted is what became of a tenant of a request.
type Accepted struct {
	Tenant string              `json:"tenant"`
	Status int                 `json:"status"` // 202, or 409 and the plan as it is now
	Detail string              `json:"detail,omitempty"`
	Plan   *tenantonboard.Plan `json:"plan,omitempty"`
}

// Refused are the tenants for which nothing was done: what was agreed to is not what would be done now, or something is in the way.
type Refused struct{ All []Accepted }

func (r *Refused) Error() string {
	if len(r.All) == 1 {
		return r.All[0].Detail
	}
	return fmt.Sprintf("nothing was done for %s: %s", count(len(r.All), "tenant"), r.All[0].Detail)
}

// Plans are the plans of the refused as they are now, of those that have one.
func (r *Refused) Plans() (all []Planned) {
	for _, a := range r.All {
		if a.Plan != nil {
			all = append(all, Planned{Tenant: a.Tenant, Plan: *a.Plan})
		}
	}
	return all
}

// refusal turns an answer back into what it was made of.
func refusal(status int, body []byte, file string) error {
	var p struct {
		Detail   string    `json:"detail"`
		Problems []Problem `json:"problems"`
	}
	if json.Unmarshal(body, &p) != nil || p.Detail == "" {
		p.Detail = "the server answered " + strconv.Itoa(status) + " " + http.StatusText(status)
	}
	switch {
	case len(p.Problems) > 0:
		return Problems{file, p.Problems}
	case status == http.StatusConflict:
		return &Refused{[]Accepted{{Status: status, Detail: p.Detail}}}
	}
	kind, ok := kinds[status]
	if !ok {
		kind = fault.Bug
	}
	return fault.New(kind, "%s", p.Detail)
}

// kinds are the faults behind the answers of a server.
var kinds = map[int]fault.Kind{
	http.StatusBadRequest:            fault.Invalid,
	http.StatusUnsupportedMediaType:  fault.Invalid,
	http.StatusRequestEntityTooLarge: fault.Invalid,
	http.StatusUnauthorized:          fault.Denied,
	http.StatusNotFound:              fault.Missing,
	http.StatusBadGateway:            fault.Transient,
	http.StatusServiceUnavailable:    fault.Transient,
	http.StatusGatewayTimeout:        fault.Transient,
}

// Standing is how one tenant stands.
type Standing struct {
	Tenant       string               `json:"tenant"`
	Status       tenantonboard.Status `json:"status"`
	Run          int                  `json:"run"`
	Waiting      string               `json:"waiting,omitempty"` // what a person should do
	Changed      time.Time            `json:"changed"`
	Organization string               `json:"organization,omitempty"`
}

// Detail is everything about a tenant.
type Detail struct {
	Standing
	Mode   tenantonboard.Mode   `json:"mode"`
	By     string               `json:"by"`
	Begun  time.Time            `json:"begun"`
	Failed tenantonboard.Stage  `json:"failed,omitempty"`
	Wanted tenantonboard.Tenant `json:"wanted"`
	Plan   tenantonboard.Plan   `json:"plan"` // that was agreed to
	Work   []Work               `json:"work"` // of this run
	People []Person             `json:"people"`
	Drift  *tenantonboard.Plan  `json:"drift,omitempty"`
	Audit  []tenantonboard.Link `json:"audit,omitempty"`
}

// Work is a step that was begun.
type Work struct {
	Step   tenantonboard.Step   `json:"step"`
	Effect string               `json:"effect"` // of the ledger
	State  ledger.State         `json:"state"`
	Result tenantonboard.Result `json:"result,omitzero"`
	Error  string               `json:"error,omitempty"`
}

// Person is somebody who is wanted, and how far they are.
type Person struct {
	Email      string      `json:"email"`
	Standing   string      `json:"standing"`
	Why        string      `json:"why,omitempty"`
	Invitation *Invitation `json:"invitation,omitempty"`
}

// Invitation is one that has not been accepted yet.
type Invitation struct {
	Since    time.Time `json:"since"`
	Expires  time.Time `json:"expires"`
	Reminded int       `json:"reminded,omitempty"`
	Resent   int       `json:"resent,omitempty"`
	GivenUp  bool      `json:"givenUp,omitempty"`
}
