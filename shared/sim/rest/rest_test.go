package rest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// A failure names what is wrong in Google's shape, with the names of fields cut short, and gives nothing else away.
func TestFailure(t *testing.T) {
	var bad Violations
	bad.Add(strings.Repeat("x", 100), "There is no such field.")
	bad.Check("b", "")
	bad.Check("a", "100% wrong.")
	f := bad.Sorted().Failure().Because("example.com", "WRONG", nil)
	want := `{
  "error": {
    "code": 400,
    "message": "a: 100% wrong.",
    "status": "INVALID_ARGUMENT",
    "details": [
      {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [
          {
            "field": "a",
            "description": "100% wrong."
          },
          {
            "field": "` + strings.Repeat("x", 64) + `",
            "description": "There is no such field."
          }
        ]
      },
      {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "domain": "example.com",
        "metadata": null,
        "reason": "WRONG"
      }
    ]
  }
}`
	if a := f.Reply(); string(a.Body) != want || a.Status != 400 || a.Reason != f.Message {
		t.Errorf("%d %s %s", a.Status, a.Reason, a.Body)
	}
	if f := (Violations{}).Failure(); f != nil {
		t.Errorf("nothing is wrong: %v", f)
	}
	for code, header := range map[int]string{401: "WWW-Authenticate", 429: "Retry-After"} {
		if FailCode(code).Reply().Header.Get(header) == "" {
			t.Errorf("%d without %s", code, header)
		}
	}
}

func TestStatus(t *testing.T) {
	for code, want := range map[int]string{400: "INVALID_ARGUMENT", 409: "ABORTED", 429: "RESOURCE_EXHAUSTED", 504: "DEADLINE_EXCEEDED", 418: "UNKNOWN"} {
		if f := FailCode(code); f.Status != want || f.Code != code {
			t.Errorf("%d is %s %d", code, f.Status, f.Code)
		}
	}
	for _, tt := range []struct {
		err  error
		code int
		says string
	}{
		{fmt.Errorf("look: %w", NotFound()), http.StatusNotFound, "Requested entity was not found."},
		{&server.Refusal{Message: "No body."}, http.StatusBadRequest, "No body."},
		{&server.Refusal{Fields: []server.Field{{Name: "op", Description: "None such."}}}, http.StatusBadRequest, "op: None such."},
		{errors.New("disk full"), http.StatusServiceUnavailable, "The service is currently unavailable."},
	} {
		if f := FailureOf(tt.err); f.Code != tt.code || f.Message != tt.says {
			t.Errorf("%v: %d %s", tt.err, f.Code, f.Message)
		}
	}
}

func TestNames(t *testing.T) {
	for snake, camel := range map[string]string{"": "", "a": "a", "display_name": "displayName", "a_b_c": "aBC", "é_é": "éÉ"} {
		if Camel(snake) != camel || Snake(camel) != snake {
			t.Errorf("%s: %s, %s: %s", snake, Camel(snake), camel, Snake(camel))
		}
	}
	if Join("", "a") != "a" || Join("a", "b") != "a.b" {
		t.Error("join")
	}
	path := PathPattern("/v1/{+name}:undelete", []Field{{Name: "name", Path: true, Pattern: "^projects/[^/]+$"}, {Name: "view"}})
	for name, want := range map[string]bool{"/v1/projects/a:undelete": true, "/v1/projects/a/b:undelete": false, "/v1/projects/a": false, "/V1/projects/a:undelete": false} {
		if path.MatchString(name) != want {
			t.Errorf("%s: not %v", name, want)
		}
	}
}

// A listing goes on where its last page ended, and its token is good for no other.
func TestPage(t *testing.T) {
	var got []int
	token := ""
	for pages := 0; pages == 0 || token != ""; pages++ {
		l, err := NewListing(1, "list", url.Values{"pageSize": {"900"}, "pageToken": {token}}, 2, 3)
		if err != nil || pages > 3 {
			t.Fatalf("page %d: %v", pages, err)
		}
		var items []int
		items, token = Page(l, 14, func(i int) (string, int, bool) { return Ordinal(i), i, i%2 == 0 })
		got = append(got, items...)
		if token != "" {
			if _, err := NewListing(1, "other", url.Values{"pageToken": {token}}, 2, 3); err == nil {
				t.Error("the token is good for another listing")
			}
		}
	}
	if !slices.Equal(got, []int{0, 2, 4, 6, 8, 10, 12}) {
		t.Errorf("%v", got)
	}
	if l, _ := NewListing(1, "list", nil, 2, 3); l.size != 2 || NewestFirst(2) >= NewestFirst(1) {
		t.Errorf("%+v", l)
	}
}
