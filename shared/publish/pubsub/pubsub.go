// Package pubsub publishes on Google Cloud Pub/Sub.
//
// It is a package of its own, below publish, so that a program with the embedded broker does not link gRPC: this is the only package of
// the project that imports Pub/Sub.
//
// The messages of one Publish travel together, one request for each topic and ordering key, because the service takes no two keys in one
// (more when there are more than a thousand messages or 9 MB). It leaves at once; only when two requests of a topic are under way, calls wait for one of them and then travel together, see lane. It is
// the service's own request under a caller's context, not the client library's publisher, which waits 10 ms for company, sends in the
// background where a caller's deadline does not reach, and needs a goroutine and a shutdown for each topic. A request that fails with
// several callers on it is made again by each of them alone, so that nobody suffers for another's message or deadline.
//
// Calls with one ordering key go one after the other. A call that failed is over when it returns its error: it holds up no later one, and
// nothing need be resumed. The service keeps the order of what is published in one region: who publishes from several names one of the
// service's regional endpoints. When it delivers a message with a key again it may do so with those behind it, acknowledged or not.
//
// An error says who must act: an unknown topic is fault.Missing, a refusal for lack of rights fault.Denied, a malformed request
// fault.Invalid, a quota fault.Throttled, and all else fault.Transient: after it the messages may have been published. What may heal in a
// moment is repeated until the caller's deadline, or for a minute without one; a quota is not, so that the caller can say so to its own.
//
// Topics and subscriptions belong to Terraform; Ensure makes them on the emulator only.
package pubsub

import (
	"context"
	"os"
	"sync"
	"time"

	admin "cloud.google.com/go/pubsub/v2/apiv1"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/googleapis/gax-go/v2"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/publish"
)

// Publisher publishes on the topics of one project. It is a publish.Publisher, for concurrent use.
type Publisher struct {
	project  string
	opts     []option.ClientOption
	emulator bool
	topics   *admin.TopicAdminClient

	mu    sync.Mutex
	lanes map[way]*lane // those in use
}

var _ publish.Publisher = (*Publisher)(nil)

// Open connects to Pub/Sub, or to the emulator that PUBSUB_EMULATOR_HOST names. Close it.
func Open(ctx context.Context, project string, opts ...option.ClientOption) (*Publisher, error) {
	if host := os.Getenv("PUBSUB_EMULATOR_HOST"); host != "" {
		return OpenEmulator(ctx, project, host)
	}
	return open(ctx, &Publisher{project: project, opts: opts})
}

// OpenEmulator connects to the emulator at hostPort.
func OpenEmulator(ctx context.Context, project, hostPort string) (*Publisher, error) {
	return open(ctx, &Publisher{project: project, emulator: true, opts: []option.ClientOption{
		option.WithEndpoint(hostPort),
		option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
	}})
}

func open(ctx context.Context, p *Publisher) (*Publisher, error) {
	if p.project == "" {
		return nil, fault.New(fault.Invalid, "Pub/Sub needs a project")
	}
	topics, err := admin.NewTopicAdminClient(ctx, p.opts...)
	if err != nil {
		return nil, fault.Wrap(fault.Transient, err, "open Pub/Sub")
	}
	p.topics, p.lanes = topics, map[way]*lane{}
	return p, nil
}

// Close ends the connection.
func (p *Publisher) Close() error {
	return fault.Wrap(fault.Transient, p.topics.Close(), "close Pub/Sub")
}

// Publish returns when Pub/Sub has acknowledged all messages.
func (p *Publisher) Publish(ctx context.Context, msgs ...publish.Message) ([]string, error) {
	if err := publish.Check(msgs...); err != nil {
		return nil, err
	}
	ids := make([]string, len(msgs))
	for _, b := range batches(msgs) {
		got, err := p.ride(ctx, b.way, b.rider(msgs))
		if err != nil {
			return nil, err
		}
		for i, at := range b.indexes {
			ids[at] = got[i]
		}
	}
	return ids, nil
}

func (p *Publisher) ride(ctx context.Context, w way, r *rider) ([]string, error) {
	l := p.enter(w)
	defer p.leave(w, l)
	return l.publish(ctx, r)
}

// enter returns the lane of a way, which is there as long as it has users: a process sees ever new ordering keys.
func (p *Publisher) enter(w way) *lane {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, ok := p.lanes[w]
	if !ok {
		l = p.newLane(w)
		p.lanes[w] = l
	}
	l.users++
	return l
}

func (p *Publisher) leave(w way, l *lane) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.users--; l.users == 0 {
		delete(p.lanes, w)
	}
}

func (p *Publisher) newLane(w way) *lane {
	l := &lane{most: maxUnderWay, send: func(ctx context.Context, msgs []*pubsubpb.PubsubMessage) ([]string, error) {
		return p.send(ctx, w.topic, msgs)
	}}
	if w.key != "" {
		l.most = 1
	}
	return l
}

// send makes one request.
func (p *Publisher) send(ctx context.Context, topic string, msgs []*pubsubpb.PubsubMessage) ([]string, error) {
	res, err := p.topics.Publish(ctx, &pubsubpb.PublishRequest{Topic: p.topicName(topic), Messages: msgs}, gax.WithRetry(retryer))
	if err != nil {
		return nil, fault.Wrap(kindOf(err), err, "publish")
	}
	if len(res.MessageIds) != len(msgs) {
		return nil, fault.New(fault.Transient, "Pub/Sub acknowledged %d messages of %d", len(res.MessageIds), len(msgs))
	}
	return res.MessageIds, nil
}

func (p *Publisher) topicName(topic string) string {
	return "projects/" + p.project + "/topics/" + topic
}

// retryer repeats what may heal in a moment. A message is published twice when only the answer was lost, which publish allows.
func retryer() gax.Retryer {
	return gax.OnCodes([]codes.Code{codes.Aborted, codes.Internal, codes.Unknown, codes.Unavailable},
		gax.Backoff{Initial: 100 * time.Millisecond, Max: 5 * time.Second, Multiplier: 2})
}
