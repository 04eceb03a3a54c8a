// Gen writes the published contract of BigQuery, as far as loads of the usage export use it, out of the discovery document that ships inside the
// module google.golang.org/api. Run it with go generate in the folder above.
package main

import (
	"fmt"
	"os"

	"github.com/providerdesk/providerdesk/shared/sim/discovery"
)

// table is what the simulator has. Its Op is the whole published id.
var table = discovery.Table{
	API: "bigquery", Version: "v2", Package: "bigquery", Methods: []string{
		"bigquery.datasets.get",
		"bigquery.jobs.get",
		"bigquery.jobs.insert",
		"bigquery.tabledata.list",
		"bigquery.tables.get",
		"bigquery.tables.insert",
		"bigquery.tables.patch",
	},
}

func main() {
	if err := table.Write("contract_gen.go"); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}
