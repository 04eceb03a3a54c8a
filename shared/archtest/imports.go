package archtest

import (
	"path"
	"slices"
	"strings"
)

// A bound says which files may not import what: the files in, but not in except, none of what. Tests are files like others unless notTests.
type bound struct {
	rule     string
	in       []string // folders; "" is everything
	named    []string // of these names only; none: of any name
	except   []string // folders
	notTests bool
	what     []string // import paths and all below them
	but      []string // not these
}

const (
	oauth     = "golang.org/x/oauth2"
	firestore = "cloud.google.com/go/firestore"
	pubsub    = "cloud.google.com/go/pubsub"
	apis      = "google.golang.org/api"
	slackGo   = "github.com/slack-go/slack"
)

// testing tools: packages that only tests may import, and that may import each other.
var testTools = []string{
	"shared/archtest", "shared/emulator", "shared/proctest", "shared/store/storetest", "shared/publish/publishtest", "shared/desk/desktest", "shared/blob/blobtest", "shared/sim/simtest", "e2e",
}

var bounds = []bound{
	{
		rule: "only store/firestore imports Firestore",
		in:   []string{""}, except: []string{"shared/store/firestore"}, what: []string{firestore},
	},
	{
		rule: "only publish imports Pub/Sub",
		in:   []string{""}, except: []string{"shared/publish"}, what: []string{pubsub, "cloud.google.com/go/pubsub/v2"},
	},
	{
		rule: "only gapi imports oauth2",
		in:   []string{""}, except: []string{"shared/gapi"}, what: []string{oauth, "cloud.google.com/go/auth"},
	},
	{
		rule: "only casewebhook imports CEL", // it costs start-up time that the other functions need not pay
		in:   []string{""}, except: []string{"functions/casewebhook"}, what: []string{"cel.dev/cel-go", "github.com/google/cel-go"},
	},
	{
		rule: "simulators are imported by tests and the operator's command only",
		in:   []string{""}, except: []string{"shared/sim", "cmd/providerdesk"}, notTests: true, what: []string{module + "shared/sim"},
	},
	{
		rule: "simulators share nothing with the clients they test",
		in:   []string{"shared/sim"}, notTests: true,
		what: ours("shared/desk", "shared/gapi", "shared/hub", "shared/chat", "shared/blob", apis+"/cloudsupport", apis+"/chat", apis+"/storage", slackGo),
	},
	{
		rule: "only the tests of sim/chat import slack-go", // a client of other people's shows that the simulator speaks as Slack does
		in:   []string{""}, except: []string{"shared/sim/chat"}, what: []string{slackGo},
	},
	{
		rule: "decode and decide do no I/O",
		in:   []string{"functions"}, named: []string{"decode.go", "decide.go"},
		what: append(ours("shared/store", "shared/publish", "shared/desk/google", "shared/desk/hub", "shared/gapi", "shared/hub", "shared/run",
			"shared/blob", "shared/sim"),
			"net", "os", "io/fs", "io/ioutil", "path/filepath", "syscall", "database", "log", "math/rand", "crypto/rand", "context",
			"cloud.google.com", apis, "google.golang.org/grpc", "golang.org/x", "go.etcd.io"),
		but: []string{"net/url", "net/netip", "net/mail"}, // pure: they parse
	},
	{
		rule: "shared code knows no function",
		in:   []string{"shared"}, what: ours("functions", "cmd", "console", "e2e"),
	},
	{
		rule: "functions do not import commands",
		in:   []string{"functions"}, what: ours("cmd", "console", "e2e"),
	},
	{
		rule: "test tools are imported by tests only",
		in:   []string{""}, except: testTools, notTests: true, what: append(ours(testTools...), "testing", "go.uber.org/goleak"),
	},
}

// ours makes import paths of folders; what is none of ours stays as it is.
func ours(folders ...string) []string {
	paths := make([]string, len(folders))
	for i, f := range folders {
		paths[i] = f
		if !strings.Contains(strings.SplitN(f, "/", 2)[0], ".") {
			paths[i] = module + f
		}
	}
	return paths
}

func importRules() []Rule {
	rules := []Rule{
		{"fault imports only the standard library", faultIsFree},
		{"functions never import each other", functionsStandAlone},
	}
	for _, b := range bounds {
		rules = append(rules, Rule{b.rule, b.check})
	}
	return rules
}

func (b bound) check(t *Tree) []Violation {
	return t.imports(func(s source, p string) bool {
		return b.holds(s) && within(p, b.what...) && !within(p, b.but...)
	})
}

// holds reports whether the bound is about the file.
func (b bound) holds(s source) bool {
	switch {
	case s.test && b.notTests, !s.within(b.in...), s.within(b.except...):
		return false
	}
	return len(b.named) == 0 || slices.Contains(b.named, path.Base(s.path))
}

// imports returns a violation for every import that is bad.
func (t *Tree) imports(bad func(s source, p string) bool) (found []Violation) {
	for _, s := range t.sources {
		for _, i := range s.file.Imports {
			if p := imported(i); bad(s, p) {
				found = append(found, t.at(s, i, "imports %s", p))
			}
		}
	}
	return found
}

func faultIsFree(t *Tree) []Violation {
	return t.imports(func(s source, p string) bool {
		first, _, _ := strings.Cut(p, "/")
		return s.within("shared/fault") && strings.Contains(first, ".") && p != module+"shared/fault"
	})
}

func functionsStandAlone(t *Tree) []Violation {
	return t.imports(func(s source, p string) bool {
		other := functionOf(strings.TrimPrefix(p, module))
		return s.within("functions") && other != "" && other != functionOf(s.path)
	})
}

// functionOf returns the name of the function that a path lies in, "" if it lies in none.
func functionOf(p string) string {
	parts := strings.SplitN(p, "/", 3)
	if len(parts) < 2 || parts[0] != "functions" {
		return ""
	}
	return parts[1]
}
