package evidence

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"google.golang.org/api/logging/v2"
	"google.golang.org/api/monitoring/v3"
	"google.golang.org/api/option"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// Google are the clients of Cloud Logging and Cloud Monitoring. They only read, and keep no state.
type Google struct {
	logging    *logging.Service
	monitoring *monitoring.Service
	clients    []*http.Client
}

// NewGoogle returns the clients, each on the transport of its own options, whose Endpoint replaces Google's. It does no I/O.
func NewGoogle(ctx context.Context, logs, metrics gapi.Options) (*Google, error) {
	g := &Google{}
	var err error
	if g.logging, err = service(ctx, g, logs, logging.NewService); err != nil {
		return nil, err
	}
	g.monitoring, err = service(ctx, g, metrics, monitoring.NewService)
	return g, err
}

// CloseIdleConnections lets go of the connections.
func (g *Google) CloseIdleConnections() {
	for _, c := range g.clients {
		c.CloseIdleConnections()
	}
}

// service makes a generated client. Its constructor reads options and connects to nothing.
func service[S any](ctx context.Context, g *Google, o gapi.Options, create func(context.Context, ...option.ClientOption) (*S, error)) (*S, error) {
	client, err := gapi.Client(o)
	if err != nil {
		return nil, err
	}
	g.clients = append(g.clients, client)
	opts := []option.ClientOption{option.WithHTTPClient(client)}
	if o.Endpoint != "" {
		opts = append(opts, option.WithEndpoint(strings.TrimSuffix(o.Endpoint, "/")+"/"))
	}
	s, err := create(ctx, opts...)
	return s, fault.Wrap(fault.Bug, err, "make a Google API client")
}

// Limits of what is read for one file.
const (
	entriesPage = 50     // entries of 256 KiB, the largest there are, fit an answer
	maxPages    = 40     // of entries; a page may be empty and still have a successor
	pointsPage  = 10_000 // points of one answer
	maxPoints   = 50_000
)

// entries reads the newest entries that a filter selects: at most most of them, and no more once they have so many bytes.
func (g *Google) entries(ctx context.Context, project, filter string, most, bytes int) (all []*logging.LogEntry, err error) {
	rq := &logging.ListLogEntriesRequest{ResourceNames: []string{"projects/" + project}, Filter: filter, OrderBy: "timestamp desc"}
	for range maxPages {
		rq.PageSize = int64(min(entriesPage, most-len(all)))
		var page *logging.ListLogEntriesResponse
		err := gapi.Do(ctx, "list log entries", func(ctx context.Context) (err error) {
			page, err = g.logging.Entries.List(rq).Context(ctx).Do()
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, e := range page.Entries {
			if e != nil && len(all) < most {
				all, bytes = append(all, e), bytes-len(e.TextPayload)-len(e.JsonPayload)-len(e.ProtoPayload)
			}
		}
		if rq.PageToken = page.NextPageToken; rq.PageToken == "" || len(all) >= most || bytes <= 0 {
			break
		}
	}
	return all, nil
}

// errTooMany is why a metric is left out that has more points than anybody looks at.
var errTooMany = errors.New("the time series have more than 50000 points in this window")

// timeSeries reads the time series that a filter selects, as they were written: no aggregation.
func (g *Google) timeSeries(ctx context.Context, project, filter string, from, to time.Time) (all []*monitoring.TimeSeries, err error) {
	points, token := 0, ""
	for points <= maxPoints {
		var page *monitoring.ListTimeSeriesResponse
		err := gapi.Do(ctx, "list time series", func(ctx context.Context) (err error) {
			page, err = g.monitoring.Projects.TimeSeries.List("projects/" + project).Filter(filter).
				IntervalStartTime(from.UTC().Format(time.RFC3339)).IntervalEndTime(to.UTC().Format(time.RFC3339)).
				View("FULL").PageSize(pointsPage).PageToken(token).Context(ctx).Do()
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, s := range page.TimeSeries {
			if s != nil {
				all, points = append(all, s), points+len(s.Points)
			}
		}
		if page.NextPageToken == "" || page.NextPageToken == token {
			return all, nil
		}
		token = page.NextPageToken
	}
	return nil, fault.Wrap(fault.Invalid, errTooMany, "list time series")
}
