// Package probe asks what a configuration names whether it is there and may be used: desks, chats, the hub, where usage goes, Google Cloud
// itself. It only reads, or tests permissions: nothing is made, changed or said anywhere.
//
// A probe answers one question with pass, fail or cannot tell. "Cannot tell" is an answer of its own: a remote that did not answer, a list that is
// empty for more than one possible reason, a right that it takes to look. Whatever did not pass comes with what to do.
//
// The questions are asked as whoever runs the command, so what they say of rights is about that account: run it as the function's.
package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/api/googleapi"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// Verdict is what a probe found.
type Verdict string

const (
	Pass    Verdict = "pass"
	Fail    Verdict = "fail"
	Unclear Verdict = "cannot tell"
)

// Result is the answer to one question.
type Result struct {
	Part    string  `json:"part"` // of the configuration: "desk google", "hub"
	What    string  `json:"what"` // the sentence that is true if it passes
	Verdict Verdict `json:"verdict"`
	Advice  string  `json:"advice,omitempty"` // what to do, unless it passes
	Again   bool    `json:"again,omitempty"`  // nobody can tell because there was no answer: ask again
}

// In says of which part of the configuration results are.
func In(part string, results []Result) []Result {
	for i := range results {
		results[i].Part = part
	}
	return results
}

// Failed is the only result of a part that cannot be asked at all, since its client cannot be made: its secret is not there, say.
func Failed(err error) []Result { return []Result{hints{}.result("it can be asked", err)} }

// hints are what to do about a failure, by its kind.
type hints struct{ denied, missing, invalid string }

// result makes a result of an error: a definite answer fails, what may heal leaves the question open.
func (h hints) result(what string, err error) Result {
	if err == nil {
		return Result{What: what, Verdict: Pass}
	}
	advice := map[fault.Kind]string{
		fault.Denied: h.denied, fault.Missing: h.missing, fault.Invalid: h.invalid,
		fault.Transient: "it does not answer; try again, and look at endpoints", fault.Throttled: "it has no time for us now; try again",
	}[fault.Of(err)]
	r := Result{What: what, Verdict: Fail, Advice: err.Error()}
	if fault.Healing(err) {
		r.Verdict, r.Again = Unclear, true
	}
	if advice != "" {
		r.Advice = advice + " (" + err.Error() + ")"
	}
	return r
}

// but makes a result fail, or leaves it open, for a reason that is no error.
func (r Result) but(v Verdict, advice string) Result {
	r.Verdict, r.Advice, r.Again = v, advice, false
	return r
}

// API is one of Google's.
type API struct {
	Client   *http.Client // of gapi
	Endpoint string       // replaces Google's; empty: Google's
}

// base is where the API is, without a slash behind it.
func (a API) base(google string) string {
	if a.Endpoint == "" {
		return google
	}
	return strings.TrimSuffix(a.Endpoint, "/")
}

// ask makes one request and decodes its answer.
func (a API) ask(ctx context.Context, doing, method, url string, say, into any) error {
	body, err := json.Marshal(say)
	if err != nil {
		return fault.Wrap(fault.Bug, err, doing)
	}
	return gapi.Do(ctx, doing, func(ctx context.Context) error {
		r, err := http.NewRequestWithContext(ctx, method, url, nil)
		if err == nil && say != nil {
			r, err = http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
		}
		if err != nil {
			return fault.Wrap(fault.Invalid, errors.New("the address is none"), doing)
		}
		r.Header.Set("Content-Type", "application/json")
		resp, err := a.Client.Do(r)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if err := googleapi.CheckResponse(resp); err != nil {
			return err
		}
		return json.NewDecoder(resp.Body).Decode(into)
	})
}

// granted is what every API of Google answers to whoever tests permissions: those that the caller has.
type granted struct {
	Permissions []string `json:"permissions"`
}

// allOf makes a result of what of the wanted permissions we have.
func (g granted) allOf(wanted []string, what, advice string, h hints, err error) Result {
	r := h.result(what, err)
	lacking := slices.DeleteFunc(slices.Clone(wanted), func(p string) bool { return slices.Contains(g.Permissions, p) })
	if err == nil && len(lacking) > 0 {
		return r.but(Fail, "we lack "+strings.Join(lacking, ", ")+"; "+advice)
	}
	return r
}

// Permissions asks whether we have permissions on projects/ID, projects/NUMBER or organizations/NUMBER. The API is the Resource Manager.
func Permissions(ctx context.Context, a API, resource, what, role string, permissions ...string) Result {
	var g granted
	url := a.base("https://cloudresourcemanager.googleapis.com") + "/v3/" + resource + ":testIamPermissions"
	err := a.ask(ctx, "test permissions", http.MethodPost, url, map[string][]string{"permissions": permissions}, &g)
	missing := hints{denied: "there is no " + resource + ", or we may not look at it; correct its name, or give our account " + role, missing: "there is no " + resource}
	return g.allOf(permissions, what, "give our account "+role+" on "+resource, missing, err)
}
