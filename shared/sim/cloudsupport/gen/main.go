// Gen writes contract_gen.go: the published contract of the Cloud Support API v2, out of the discovery document that ships inside the
// module google.golang.org/api. Run it with go generate in the folder above.
package main

import (
	"fmt"
	"os"

	"github.com/providerdesk/providerdesk/shared/sim/discovery"
)

var table = discovery.Table{API: "cloudsupport", Version: "v2", Package: "cloudsupport", Ops: "cloudsupport."}

func main() {
	if err := table.Write("contract_gen.go"); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}
