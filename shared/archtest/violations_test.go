package archtest

// violating holds, for each rule, files that break it in the lines marked BAD, beside some that are right.
var violating = map[string]string{
	"fault imports only the standard library": `
-- shared/fault/fault.go --
package fault
import (
	"errors"
	"example.com/other" // BAD
	"github.com/providerdesk/providerdesk/shared/store" // BAD
)
-- shared/fault/fault_test.go --
package fault_test
import "github.com/providerdesk/providerdesk/shared/fault"
-- shared/store/store.go --
package store
import "example.com/other"
`,
	"functions never import each other": `
-- functions/a/function.go --
package a
import (
	_ "github.com/providerdesk/providerdesk/functions/b" // BAD
	_ "github.com/providerdesk/providerdesk/functions/b/focus" // BAD
	_ "github.com/providerdesk/providerdesk/functions/a/focus"
)
-- functions/a/cmd/main.go --
package main
import _ "github.com/providerdesk/providerdesk/functions/a"
-- functions/a/a_test.go --
package a
import _ "github.com/providerdesk/providerdesk/functions/b" // BAD
-- cmd/providerdesk/up.go --
package main
import _ "github.com/providerdesk/providerdesk/functions/b"
`,
	"only store/firestore imports Firestore": `
-- shared/store/firestore/db.go --
package firestore
import "cloud.google.com/go/firestore"
-- shared/ledger/ledger.go --
package ledger
import "cloud.google.com/go/firestore" // BAD
-- shared/ledger/ledger_test.go --
package ledger
import "cloud.google.com/go/firestore/apiv1" // BAD
`,
	"only publish imports Pub/Sub": `
-- shared/publish/pubsub/publisher.go --
package pubsub
import "cloud.google.com/go/pubsub/v2"
-- shared/store/store.go --
package store
import (
	"cloud.google.com/go/pubsub/v2" // BAD
	"cloud.google.com/go/pubsublite" // another product
)
`,
	"only gapi imports oauth2": `
-- shared/gapi/token.go --
package gapi
import "golang.org/x/oauth2/google"
-- shared/desk/google/client.go --
package google
import (
	"golang.org/x/oauth2" // BAD
	"cloud.google.com/go/auth/credentials" // BAD
	"github.com/coreos/go-oidc/v3/oidc"
)
`,
	"only casewebhook imports CEL": `
-- functions/casewebhook/route.go --
package casewebhook
import "cel.dev/cel-go/cel"
-- shared/config/check.go --
package config
import "cel.dev/cel-go/cel" // BAD
`,
	"simulators are imported by tests and the operator's command only": `
-- cmd/providerdesk/up.go --
package main
import "github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
-- shared/desk/google/google_test.go --
package google
import "github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
-- shared/desk/google/google.go --
package google
import "github.com/providerdesk/providerdesk/shared/sim/cloudsupport" // BAD
-- functions/casewebhook/function.go --
package casewebhook
import "github.com/providerdesk/providerdesk/shared/sim" // BAD
`,
	"simulators share nothing with the clients they test": `
-- shared/sim/cloudsupport/server.go --
package cloudsupport
import (
	"github.com/providerdesk/providerdesk/shared/desk" // BAD
	"github.com/providerdesk/providerdesk/shared/desk/google" // BAD
	"github.com/providerdesk/providerdesk/shared/gapi" // BAD
	"github.com/providerdesk/providerdesk/shared/hub" // BAD
	"google.golang.org/api/cloudsupport/v2" // BAD
	"github.com/providerdesk/providerdesk/shared/chat/slack" // BAD
	"google.golang.org/api/chat/v1" // BAD
	"github.com/slack-go/slack" // BAD
	"net/http"
)
-- shared/sim/cloudsupport/server_test.go --
package cloudsupport
import "google.golang.org/api/cloudsupport/v2"
`,
	"only the tests of sim/chat import slack-go": `
-- shared/sim/chat/client_test.go --
package chat
import "github.com/slack-go/slack"
-- shared/sim/chat/server.go --
package chat
import "github.com/slack-go/slack/slackevents"
-- shared/chat/slack/room.go --
package slack
import "github.com/slack-go/slack" // BAD
-- shared/chat/rooms_test.go --
package chat_test
import "github.com/slack-go/slack" // BAD
`,
	"decode and decide do no I/O": `
-- functions/a/decide.go --
package a
import (
	"context" // BAD
	"math/rand/v2" // BAD
	"net" // BAD
	"net/http" // BAD
	"net/url"
	"os" // BAD
	"time"
	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/desk/google" // BAD
	"github.com/providerdesk/providerdesk/shared/publish" // BAD
	"github.com/providerdesk/providerdesk/shared/store" // BAD
)
-- functions/a/decode.go --
package a
import "log/slog" // BAD
-- functions/a/effect.go --
package a
import "net/http"
`,
	"shared code knows no function": `
-- shared/ledger/ledger.go --
package ledger
import _ "github.com/providerdesk/providerdesk/functions/a" // BAD
-- shared/ledger/ledger_test.go --
package ledger
import _ "github.com/providerdesk/providerdesk/cmd/providerdesk" // BAD
`,
	"functions do not import commands": `
-- functions/a/function.go --
package a
import _ "github.com/providerdesk/providerdesk/cmd/providerdesk/internal/up" // BAD
`,
	"test tools are imported by tests only": `
-- shared/store/store.go --
package store
import "testing" // BAD
-- shared/store/bolt/db.go --
package bolt
import "github.com/providerdesk/providerdesk/shared/store/storetest" // BAD
-- shared/store/bolt/db_test.go --
package bolt
import "github.com/providerdesk/providerdesk/shared/store/storetest"
-- shared/store/storetest/suite.go --
package storetest
import "testing"
`,
	"decode and decide are given the time": `
-- functions/a/decide.go --
package a
import "time"
func late(t time.Time) bool { return time.Since(t) > time.Hour } // BAD
var clock = time.Now // BAD
func day(t time.Time) time.Time { return t.Truncate(24 * time.Hour) }
-- functions/a/function.go --
package a
import "time"
func New() time.Time { return time.Now() }
`,
	"packages are called after what they hold": `
-- shared/utils/x.go --
package utils // BAD
-- shared/x/helper/x.go --
package x // BAD
-- shared/helpful/x.go --
package helpful
`,
	"every package says what it is": `
-- shared/a/a.go --
package a // BAD
-- shared/b/b.go --
package b
-- shared/b/doc.go --
// Package b is right.
package b
`,
	"init only registers functions": `
-- functions/a/register.go --
package a
import "github.com/GoogleCloudPlatform/functions-framework-go/functions"
func init() {
	functions.HTTP("A", nil)
	functions.CloudEvent("B", nil)
	setUp() // BAD
	x = 1 // BAD
}
-- shared/b/b.go --
package b
func init() { register() } // BAD
type t struct{}
func (t) init() { register() }
`,
	"tests do not sleep": `
-- shared/a/a_test.go --
package a
import "time"
func wait() { time.Sleep(time.Second) } // BAD
func poll() {
	for !done() {
		time.Sleep(time.Millisecond)
	}
	for ; !done(); time.Sleep(time.Millisecond) {
	}
	for {
		time.Sleep(time.Second) // BAD
	}
}
-- shared/a/b_test.go --
package a
import clock "time"
func wait2() { clock.Sleep(1) } // BAD
-- shared/a/virtual_test.go --
package a
import (
	"testing/synctest"
	"time"
)
func virtual() { synctest.Test(nil, nil); time.Sleep(time.Hour) }
`,
	"nothing panics": `
-- shared/a/a.go --
package a
func f() { panic("no") } // BAD
-- shared/a/a_test.go --
package a
func g() { panic("a test may") }
-- shared/run/panic.go --
package run
import "net/http"
func drop() { panic(http.ErrAbortHandler) }
func again(p any) { panic(p) } // BAD
`,
	"a context comes from the caller": `
-- shared/a/a.go --
package a
import "context"
func f() { g(context.Background()) } // BAD
func h() { g(context.TODO()) } // BAD
func i(ctx context.Context) { g(context.WithoutCancel(ctx)) }
-- functions/a/cmd/main.go --
package main
import "context"
func main() { run(context.Background()) }
-- shared/a/a_test.go --
package a
import "context"
func test() { g(context.Background()) }
`,
	"no context in a struct": `
-- shared/a/a.go --
package a
import "context"
type server struct {
	name string
	ctx context.Context // BAD
}
type handler func(ctx context.Context) error
-- shared/store/storetest/suite.go --
package storetest
import "context"
type fixture struct { ctx context.Context }
`,
	"only main ends the process": `
-- shared/a/a.go --
package a
import (
	"log"
	"os"
)
func f() { os.Exit(1) } // BAD
func g() { log.Fatalf("no") } // BAD
-- cmd/providerdesk/main.go --
package main
import "os"
func main() { os.Exit(1) }
`,
	"no package-level state": `
-- shared/a/a.go --
package a
import (
	_ "embed"
	"errors"
	"io"
	"regexp"
	"sync"
)
var cache map[string]int // BAD
var clients = map[string]int{} // BAD
var count = 0 // BAD
var mu sync.Mutex // BAD
var once = sync.OnceValue(f) // BAD
var pointer = &server{} // BAD
var made = make(chan int) // BAD
var publish = func() {} // BAD
var now = time.Now // BAD
var swapped = "by a test" // BAD
var last []string // BAD
var (
	errGone = errors.New("gone")
	errEnd = io.EOF
	word = regexp.MustCompile("[a-z]+")
	table = map[string]int{"one": 1}
	list = []string{"one"}
	base = "x"
	_ error = (*fault)(nil)
)
//go:embed page.html
var page string
func f() {
	clients["x"] = 1
	count++
	list := []string{"a local one"}
	list[0] = base
	first := &list[0]
	print(table["one"], first)
}
-- shared/a/a_test.go --
package a
func swap() { swapped = "here" }
-- shared/emulator/emulator.go --
package emulator
var process = &server{}
`,
	"every path that the documents name exists": "-- README.md --\n" +
		"Run `./check`, then read `docs/page.md` and `gone.md` (BAD).\n" +
		"The package `shared/absent` (BAD), the type `application/json`, the target `./...`, the URL `/FileCase`.\n" +
		"    go run ./cmd/absent BAD\n" +
		"[page](docs/page.md#part) and [web](https://example.com/x)\n" +
		"-- docs/page.md --\n" +
		"[up](../README.md) [here](none.md) BAD\n" +
		"-- shared/a/README.md --\n" +
		"`not/a/page/of/ours`\n" +
		"-- check --\n",
	"every test that the documents name exists": "-- docs/page.md --\n" +
		"`TestThere` and `TestGone` (BAD)\n" +
		"`FuzzGone` BAD\n" +
		"-- a/a_test.go --\npackage a\nfunc TestThere() {}\n",
	"no file names a package registry": `
-- Makefile.md --
get it from https://prox{}y.golang.org/x BAD
get it from https://regis{}try.npmjs.org BAD
registry.example is nobody's
`,
	"no file names a path of one machine": `
-- notes.md --
see /ho{}me/somebody/x BAD
"/ro{}ot/.cache" BAD
the path /home/ alone, and https://example.com/work/page
-- cloudbuild.yaml --
dir: /works{}pace/.stage
`,
}
