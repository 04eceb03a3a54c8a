// Gen writes the published contracts of the Google APIs that onboarding and the evidence of cases use, out of the discovery documents that ship inside the module
// google.golang.org/api. Run it with go generate in the folder above.
package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/providerdesk/providerdesk/shared/sim/discovery"
)

// tables are the methods that the simulator has. Their Op is the whole published id.
var tables = []discovery.Table{
	{API: "serviceusage", Version: "v1", Methods: append(
		below("serviceusage.services", "batchEnable", "batchGet", "disable", "enable", "get", "list"), "serviceusage.operations.get"),
	},
	{API: "cloudresourcemanager", Version: "v3", Methods: slices.Concat(
		below("cloudresourcemanager.projects", "get", "getIamPolicy", "setIamPolicy", "testIamPermissions"),
		below("cloudresourcemanager.folders", "get", "getIamPolicy", "setIamPolicy", "testIamPermissions"),
		below("cloudresourcemanager.organizations", "get", "getIamPolicy", "setIamPolicy", "testIamPermissions")),
	},
	{API: "essentialcontacts", Version: "v1", Methods: slices.Concat(
		below("essentialcontacts.projects.contacts", "compute", "create", "delete", "get", "list", "patch", "sendTestMessage"),
		below("essentialcontacts.folders.contacts", "compute", "create", "delete", "get", "list", "patch", "sendTestMessage"),
		below("essentialcontacts.organizations.contacts", "compute", "create", "delete", "get", "list", "patch", "sendTestMessage")),
	},
	{API: "recommender", Version: "v1", Methods: []string{
		"recommender.organizations.locations.recommenders.recommendations.list",
		"recommender.projects.locations.recommenders.recommendations.list",
	}},
	{API: "logging", Version: "v2", Methods: []string{"logging.entries.list"}},
	{API: "monitoring", Version: "v3", Methods: []string{"monitoring.projects.timeSeries.list"}},
}

func below(resource string, names ...string) []string {
	ids := make([]string, len(names))
	for i, name := range names {
		ids[i] = resource + "." + name
	}
	return ids
}

func main() {
	for _, t := range tables {
		if err := complete(t).Write(t.API + "_gen.go"); err != nil {
			fmt.Fprintln(os.Stderr, "gen:", err)
			os.Exit(1)
		}
	}
}

func complete(t discovery.Table) discovery.Table {
	t.Package, t.Prefix = "google", t.API
	return t
}
