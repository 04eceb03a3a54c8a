// Command cmd runs the function that FUNCTION_TARGET names (ExportUsage, ExportTenantUsage or SweepExports) on PORT, as the
// platform does, and ends in order on SIGTERM.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/providerdesk/providerdesk/functions/billingexport"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := billingexport.Main(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
