//go:build !race

package infra

import (
	"cmp"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// right is that somebody may do something somewhere.
type right struct{ Who, Role, On string }

func (r right) String() string { return r.Who + " has " + r.Role + " on " + r.On }

// scopes say what a type of resource gives a right on, and which value names it.
var scopes = map[string][2]string{
	"google_bigquery_dataset_iam_member":      {"dataset", "dataset_id"},
	"google_cloud_run_v2_service_iam_member":  {"service", "name"},
	"google_organization_iam_member":          {"organization", "org_id"},
	"google_project_iam_member":               {"project", "project"},
	"google_pubsub_subscription_iam_member":   {"subscription", "subscription"},
	"google_pubsub_topic_iam_member":          {"topic", "topic"},
	"google_secret_manager_secret_iam_member": {"secret", "secret_id"},
	"google_service_account_iam_member":       {"account", "service_account_id"},
	"google_storage_bucket_iam_member":        {"bucket", "bucket"},
}

var (
	ourAccount = regexp.MustCompile(`^serviceAccount:([a-z-]+)@acme-desk\.iam\.gserviceaccount\.com$`)
	agent      = regexp.MustCompile(`^serviceAccount:service-415104041262@gcp-sa-([a-z-]+)\.iam\.gserviceaccount\.com$`)
)

// person is the short name of a member.
func person(member string) string {
	if m := ourAccount.FindStringSubmatch(member); m != nil {
		return m[1]
	}
	if m := agent.FindStringSubmatch(member); m != nil {
		return "agent " + m[1]
	}
	switch member {
	case "allUsers":
		return "everybody"
	case "serviceAccount:cloud-support-apievents@system.gserviceaccount.com":
		return "cloud-support-apievents"
	}
	return member
}

// rights are those of a plan. A resource that gives rights in another way than by a member is reported, as is one of an unknown type.
func (p plan) rights(t *testing.T) (all []right) {
	for _, r := range p {
		scope, known := scopes[r.Type]
		switch {
		case strings.Contains(r.Type, "_iam_") && !known:
			t.Errorf("a resource of type %s gives rights: say in scopes on what", r.Type)
		case known:
			on := r.text(scope[1])
			on = on[strings.LastIndex(on, "/")+1:]
			all = append(all, right{person(r.text("member")), strings.TrimPrefix(r.text("role"), "roles/"), scope[0] + " " + strings.TrimSuffix(on, "@acme-desk.iam.gserviceaccount.com")})
		}
	}
	return sorted(all)
}

func sorted(all []right) []right {
	slices.SortFunc(all, func(a, b right) int { return cmp.Compare(a.String(), b.String()) })
	return slices.Compact(all)
}

// documented are the rights of the table in README.md.
func documented(t *testing.T) (all []right) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "## Who may do what")
	for line := range strings.SplitSeq(table, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || strings.HasPrefix(line, "|---") || strings.TrimSpace(cells[1]) == "who" {
			continue
		}
		kind, names, _ := strings.Cut(strings.TrimSpace(cells[3]), " ")
		if strings.TrimSpace(cells[4]) == "" {
			t.Errorf("nobody says why: %s", line)
		}
		for role := range strings.SplitSeq(cells[2], ",") {
			for name := range strings.SplitSeq(strings.ReplaceAll(names, "{project}", "acme-desk"), ",") {
				all = append(all, right{strings.TrimSpace(cells[1]), strings.TrimSpace(role), kind + " " + strings.TrimSpace(name)})
			}
		}
	}
	return sorted(all)
}

// testRights: Terraform gives what the table in README.md says, and nothing beyond it.
func (p plan) testRights(t *testing.T) {
	planned, told := p.rights(t), documented(t)
	for _, r := range planned {
		if !slices.Contains(told, r) {
			t.Errorf("Terraform gives what README.md does not say: %s", r)
		}
	}
	for _, r := range told {
		if !slices.Contains(planned, r) {
			t.Errorf("README.md says what Terraform does not give: %s", r)
		}
	}
	t.Logf("%d rights, each told", len(planned))
}
