package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (p program) version() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Example: `  providerdesk version`,
		RunE: func(*cobra.Command, []string) error {
			p.stdout().Line("providerdesk %s %s %s/%s", buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}

// buildVersion is what the toolchain stamped into the program.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
