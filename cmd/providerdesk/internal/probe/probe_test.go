package probe_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/probe"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
)

const (
	endpoint = "http://desk.example"
	engine   = "Technical Issue > Compute > Compute Engine"
)

func newDesk(t *testing.T) (*cloudsupport.Server, *http.Client) {
	t.Helper()
	srv, err := cloudsupport.New(cloudsupport.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := gapi.Client(gapi.Options{Endpoint: endpoint, Token: gapi.StaticToken("any"), Base: srv.Transport(), Backoff: 1})
	if err != nil {
		t.Fatal(err)
	}
	return srv, c
}

// render is one line a result, as a person reads them.
func render(results []probe.Result) string {
	var b strings.Builder
	for _, r := range results {
		if r.OK {
			b.WriteString("ok " + r.What + "\n")
		} else {
			b.WriteString("bad " + r.What + ": " + r.Advice + "\n")
		}
	}
	return b.String()
}

func TestDesk(t *testing.T) {
	for name, tc := range map[string]struct {
		desk    config.Desk
		classes []string
		arm     func(*cloudsupport.Server) error
		want    []string // of each line
	}{
		"everything is there": {
			desk: config.Desk{Kind: "google", Parent: "projects/acme-prod"}, classes: []string{engine},
			want: []string{"ok projects/acme-prod is readable", "ok a search works", `ok classification "` + engine + `" exists`},
		},
		"another project": {
			desk: config.Desk{Kind: "google", Parent: "projects/nobody-knows"}, classes: []string{engine},
			want: []string{"bad projects/nobody-knows is readable: access is refused; give our account roles/cloudsupport.techSupportEditor",
				"bad a search works: access is refused", "ok classification"},
		},
		"a classification with a mistake": {
			desk: config.Desk{Kind: "google", Parent: "projects/acme-prod"}, classes: []string{engine, "Technical Issue > Compute"},
			want: []string{"ok ", "ok ", "ok ", `bad classification "Technical Issue > Compute" exists: the desk does not list it; take the exact name`},
		},
		"a desk that is down": {
			desk: config.Desk{Kind: "google", Parent: "projects/acme-prod"}, classes: []string{engine},
			arm:  func(s *cloudsupport.Server) error { return s.ArmFault("*", "status:503", 1000) },
			want: []string{"bad projects/acme-prod is readable: the desk does not answer; try again, and look at endpoints", "bad ", "bad "},
		},
		"a desk of another kind": {
			desk: config.Desk{Kind: "hub"},
			want: []string{"bad live checks: desks of kind hub have none yet"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv, client := newDesk(t)
			if tc.arm != nil {
				if err := tc.arm(srv); err != nil {
					t.Fatal(err)
				}
			}
			got := render(probe.Desk(t.Context(), client, endpoint, tc.desk, tc.classes))
			lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
			if len(lines) != len(tc.want) {
				t.Fatalf("got\n%s", got)
			}
			for i, want := range tc.want {
				if !strings.HasPrefix(lines[i], want) {
					t.Errorf("line %d is %q, want %q", i+1, lines[i], want)
				}
			}
			if _, counts := srv.Calls(); counts["cases.create"] != 0 || counts["unknown"] != 0 {
				t.Errorf("calls %v", counts)
			}
		})
	}
}
