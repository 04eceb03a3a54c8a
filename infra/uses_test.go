//go:build !race

package infra

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/providerdesk/providerdesk/functions/billingexport"
	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/functions/casewebhook/commands"
	"github.com/providerdesk/providerdesk/functions/casewebhook/follow"
	"github.com/providerdesk/providerdesk/functions/tenantonboard"
	"github.com/providerdesk/providerdesk/shared/publish"
)

// code is what the functions link, as it is written.
type code struct {
	files []*ast.File
	paths []string // of packages
}

const ours = "github.com/providerdesk/providerdesk/"

// linked parses our own packages that a command links, and lists all.
func linked(t *testing.T, commands ...string) (c code) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps", "-f", "{{.ImportPath}}\t{{.Dir}}\t{{join .GoFiles \" \"}}"}, commands...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	for line := range strings.SplitSeq(strings.TrimSpace(string(out)), "\n") {
		fields := strings.Split(line, "\t")
		c.paths = append(c.paths, fields[0])
		if !strings.HasPrefix(fields[0], ours) {
			continue
		}
		for name := range strings.FieldsSeq(fields[2]) {
			f, err := parser.ParseFile(files, filepath.Join(fields[1], name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			c.files = append(c.files, f)
		}
	}
	return c
}

func functions(t *testing.T) []string {
	found, err := filepath.Glob("../functions/*/cmd")
	if err != nil || len(found) == 0 {
		t.Fatalf("no functions: %v", err)
	}
	return found
}

// calls returns the first argument of every call of a selector like os.Getenv where it is a text, each once.
func (c code) calls(selectors ...string) []string {
	set := map[string]bool{}
	for _, f := range c.files {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			s, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			of, ok := s.X.(*ast.Ident)
			text, isText := literal(call.Args[0])
			if ok && isText && slices.Contains(selectors, of.Name+"."+s.Sel.Name) {
				set[text] = true
			}
			return true
		})
	}
	return slices.Sorted(maps.Keys(set))
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}

// collections returns the texts of constants that name a collection: those whose name is "Collection" or ends in "In".
func (c code) collections() []string {
	set := map[string]bool{}
	for _, f := range c.files {
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for i, name := range spec.Names {
				if i < len(spec.Values) && (name.Name == "Collection" || strings.HasSuffix(name.Name, "In")) {
					if text, ok := literal(spec.Values[i]); ok {
						set[text] = true
					}
				}
			}
			return true
		})
	}
	return slices.Sorted(maps.Keys(set))
}

// same reports what only one of two lists has.
func same(t *testing.T, code, infra []string) {
	t.Helper()
	for _, s := range code {
		if !slices.Contains(infra, s) {
			t.Errorf("the code uses %q; it is not in infra", s)
		}
	}
	for _, s := range infra {
		if !slices.Contains(code, s) {
			t.Errorf("infra has %q; the code does not use it", s)
		}
	}
	if len(code) == 0 {
		t.Error("nothing was found in the code")
	}
	t.Logf("%d: %s", len(code), strings.Join(code, ", "))
}

// setByPlatform are variables that Cloud Run sets itself, or that are for a machine of one's own.
var setByPlatform = []string{"K_REVISION", "PORT", "LOCAL_ONLY", "FIRESTORE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST"}

// readByFramework are variables that the functions framework reads, or Go's own runtime.
var readByFramework = []string{"FUNCTION_TARGET", "GOGC", "GOMEMLIMIT"}

// testUses: every target, variable, topic, collection, index and API of the code is in infra, and the reverse.
func (p plan) testUses(t *testing.T) {
	c := linked(t, functions(t)...)
	t.Run("targets", func(t *testing.T) {
		same(t, c.calls("functions.HTTP"), p.env("FUNCTION_TARGET"))
		for _, s := range p.of("cloud_run_v2_service") {
			if target := variables(s)["FUNCTION_TARGET"]; s.text("name") != hyphened(target) {
				t.Errorf("the service of %s is called %s", target, s.text("name"))
			}
		}
	})
	t.Run("environment", func(t *testing.T) {
		read := slices.DeleteFunc(c.calls("os.Getenv", "os.LookupEnv"), func(s string) bool { return slices.Contains(setByPlatform, s) })
		same(t, append(read, readByFramework...), p.env(""))
	})
	t.Run("topics", func(t *testing.T) {
		listened := []string{casewebhook.TopicAlerts, commands.Topic, follow.TopicEvents, tenantonboard.TopicOnboarding, billingexport.TopicExport,
			billingexport.TopicTenant, "monitoring-channel"}
		topics := []string{follow.TopicActivity, tenantonboard.TopicLifecycle, billingexport.TopicDone}
		for _, topic := range listened {
			topics = append(topics, topic, publish.Dead(topic))
		}
		same(t, topics, p.names("pubsub_topic", "name"))
	})
	t.Run("collections", func(t *testing.T) { same(t, c.collections(), p.expiring()) })
	t.Run("fields", func(t *testing.T) {
		encoded, queried := fields(t)
		unqueried := slices.DeleteFunc(encoded, func(s string) bool { return slices.Contains(queried, s) })
		same(t, unqueried, p.names("firestore_field", "field"))
		if n := len(p.of("firestore_index")); n > 0 {
			t.Errorf("%d composite indexes, and no query with two fields", n)
		}
	})
	t.Run("secrets", func(t *testing.T) {
		for _, s := range p.of("cloud_run_v2_service") {
			if mounted := s.block("template").block("volumes").block("secret").text("secret"); mounted != "providerdesk-config" {
				t.Errorf("%s has %q for its configuration", s.text("name"), mounted)
			}
		}
	})
}

// env returns the values of a variable of the services, or, without a name, the names of all variables.
func (p plan) env(name string) []string {
	set := map[string]bool{}
	for _, s := range p.of("cloud_run_v2_service") {
		for key, value := range variables(s) {
			if name == "" {
				set[key] = true
			} else if key == name {
				set[value] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// variables are those of a service.
func variables(service resource) map[string]string {
	all := map[string]string{}
	list, _ := service.block("template").block("containers").Values["env"].([]any)
	for _, e := range list {
		values, _ := e.(map[string]any)
		v := resource{Values: values}
		all[v.text("name")] = v.text("value")
	}
	return all
}

// expiring are the collections whose documents expire.
func (p plan) expiring() (all []string) {
	for _, f := range p.of("firestore_field") {
		if f.text("field") == "expire" && len(f.Values["ttl_config"].([]any)) == 1 {
			all = append(all, f.text("collection"))
		}
	}
	return all
}

// hyphened is the name of a target's service.
func hyphened(target string) string {
	var b strings.Builder
	for i, r := range target {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

var (
	encodedField = regexp.MustCompile(`(?:fields\["|map\[string\]\*pb\.Value\{|, )"?([a-z]+)"(?:\]| *:)`)
	queriedField = regexp.MustCompile(`(?:where|ascending)\("([a-z]+)"`)
)

// fields are those of a document in Firestore, and those that a query asks for. The name of the document is in every index anyway.
func fields(t *testing.T) (encoded, queried []string) {
	document, err := os.ReadFile("../shared/store/firestore/document.go")
	if err != nil {
		t.Fatal(err)
	}
	_, encoding, _ := strings.Cut(string(document), "func (db *DB) encode(")
	encoding, _, _ = strings.Cut(encoding, "\n}")
	for _, m := range encodedField.FindAllStringSubmatch(encoding, -1) {
		encoded = append(encoded, m[1])
	}
	all, err := filepath.Glob("../shared/store/firestore/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range all {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range queriedField.FindAllStringSubmatch(string(source), -1) {
			queried = append(queried, m[1])
		}
	}
	return encoded, queried
}

// needs are the roles with which a function may use an API: at least one of each list. An empty list is an API that checks nobody's role here:
// Secret Manager's is given by secret, Chat's by the app's own scope.
var needs = map[string][]string{
	"google.golang.org/api/bigquery/v2":             {"bigquery.dataEditor", "bigquery.jobUser"},
	"google.golang.org/api/chat/v1":                 {},
	"google.golang.org/api/cloudresourcemanager/v3": {"resourcemanager.projectIamAdmin"},
	"google.golang.org/api/cloudsupport/v2":         {"cloudsupport.techSupportEditor", "resourcemanager.organizationViewer"},
	"google.golang.org/api/essentialcontacts/v1":    {"essentialcontacts.admin"},
	"google.golang.org/api/logging/v2":              {"logging.viewer"},
	"google.golang.org/api/monitoring/v3":           {"monitoring.viewer"},
	"google.golang.org/api/recommender/v1":          {"recommender.viewer"},
	"google.golang.org/api/secretmanager/v1":        {"secretmanager.secretAccessor"},
	"google.golang.org/api/serviceusage/v1":         {"serviceusage.serviceUsageAdmin"},
	"google.golang.org/api/storage/v1":              {"storage.objectUser"},
	ours + "shared/store/firestore":                 {"datastore.user"},
	ours + "shared/publish/pubsub":                  {"pubsub.publisher"},
	// Service Health has no generated client; the support administrator makes event subscriptions.
	ours + "functions/tenantonboard/cloud": {"servicehealth.viewer", "cloudsupport.admin"},
}

// testRoles: a function has the roles of the APIs that it links, and no other.
func (p plan) testRoles(t *testing.T) {
	rights := p.rights(t)
	for _, command := range functions(t) {
		name := filepath.Base(filepath.Dir(command))
		t.Run(name, func(t *testing.T) {
			wanted := map[string]bool{}
			for _, path := range linked(t, command).paths {
				roles, known := needs[path]
				if isAPI := strings.HasPrefix(path, "google.golang.org/api/") && clientForm.MatchString(path); isAPI && !known {
					t.Errorf("it links %s: say in needs which roles that takes", path)
				}
				for _, role := range roles {
					wanted[role] = true
				}
			}
			held := map[string]bool{}
			for _, r := range rights {
				if r.Who == name {
					held[r.Role] = true
				}
			}
			same(t, slices.Sorted(maps.Keys(wanted)), slices.Sorted(maps.Keys(held)))
		})
	}
}

// clientForm is the path of a generated client.
var clientForm = regexp.MustCompile(`^google\.golang\.org/api/[a-z]+/v[0-9a-z]+$`)
