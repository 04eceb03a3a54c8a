// Command bare is the baseline of the measurements: what a function is that reads a body, publishes it and answers 202, written on the
// framework and Google's client libraries alone. It checks nobody, understands nothing, logs nothing and bounds nothing.
//
// BARE_FIRESTORE=1 opens Firestore too, as a function does that also keeps state. BARE_AT_ONCE=1 publishes without the library's wait of 10 ms for
// further messages.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"

	"cloud.google.com/go/firestore"
	"cloud.google.com/go/pubsub/v2"
	"github.com/GoogleCloudPlatform/functions-framework-go/funcframework"
	"github.com/GoogleCloudPlatform/functions-framework-go/functions"
)

func init() { functions.HTTP("Bare", serve) }

func main() {
	if err := funcframework.StartHostPort("127.0.0.1", os.Getenv("PORT")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type clients struct {
	state  *firestore.Client // nil: none wanted
	alerts *pubsub.Publisher
}

var open = sync.OnceValues(func() (c clients, err error) {
	ctx, project := context.Background(), os.Getenv("GOOGLE_CLOUD_PROJECT")
	if os.Getenv("BARE_FIRESTORE") == "1" {
		if c.state, err = firestore.NewClient(ctx, project); err != nil {
			return c, err
		}
	}
	client, err := pubsub.NewClient(ctx, project)
	if err != nil {
		return c, err
	}
	c.alerts = client.Publisher("alerts")
	if os.Getenv("BARE_AT_ONCE") == "1" {
		c.alerts.PublishSettings.CountThreshold = 1
	}
	return c, nil
})

func serve(w http.ResponseWriter, r *http.Request) {
	c, err := open()
	if err != nil {
		http.Error(w, "open", http.StatusInternalServerError)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "read", http.StatusBadRequest)
		return
	}
	if _, err := c.alerts.Publish(r.Context(), &pubsub.Message{Data: body}).Get(r.Context()); err != nil {
		http.Error(w, "publish", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}
