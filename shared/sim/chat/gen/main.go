// Gen writes the published contract of the part of the Google Chat API that the simulator has, out of the discovery document that ships inside
// the module google.golang.org/api. Run it with go generate in the folder above.
package main

import (
	"fmt"
	"os"

	"github.com/providerdesk/providerdesk/shared/sim/discovery"
)

const output = "googlecontract_gen.go"

var table = discovery.Table{
	API: "chat", Version: "v1", Package: "chat", Prefix: "google",
	Methods: []string{
		"chat.media.download", "chat.spaces.get", "chat.spaces.list", "chat.spaces.members.list", "chat.spaces.messages.create",
		"chat.spaces.messages.delete", "chat.spaces.messages.get", "chat.spaces.messages.list", "chat.spaces.messages.patch",
	},
}

func main() {
	if err := table.Write(output); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}
