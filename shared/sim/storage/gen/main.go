// Gen writes the published contract of Cloud Storage's JSON API, as far as the simulator has it, out of the discovery document that ships
// inside the module google.golang.org/api. Run it with go generate in the folder above.
package main

import (
	"fmt"
	"os"

	"github.com/providerdesk/providerdesk/shared/sim/discovery"
)

// table names the methods that the simulator has. Their Op is the whole published id.
var table = discovery.Table{
	API: "storage", Version: "v1", Package: "storage",
	Methods: []string{
		"storage.buckets.get", "storage.buckets.testIamPermissions", "storage.objects.delete", "storage.objects.get", "storage.objects.insert", "storage.objects.list", "storage.objects.rewrite",
	},
}

const file = "contract_gen.go"

func main() {
	if err := table.Write(file); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}
