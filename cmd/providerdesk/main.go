// Providerdesk is the operator's command: it runs everything on one machine, sends test alerts, and shows and decides what the functions
// have done. "providerdesk help" lists its commands.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := program{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.LookupEnv, place: time.Local, now: time.Now}.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}
