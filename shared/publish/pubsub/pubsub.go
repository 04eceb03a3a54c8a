// Package pubsub publishes on Google Cloud Pub/Sub.
//
// It is a package of its own, below publish, so that a program with the embedded broker does not link gRPC: this is the only package of
// the project that imports Pub/Sub.
//
// A Publish is one request for each topic (more when there are more than a thousand messages or 9 MB), sent at once: the service's own
// request under the caller's context, not the client library's publisher, which waits 10 ms for company, sends in the background where a
// caller's deadline does not reach, and needs a goroutine and a shutdown for each topic. Batching is the caller's: the messages of one
// call travel together. There are no ordering keys.
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
	p.topics = topics
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
		res, err := p.topics.Publish(ctx, p.request(b, msgs), gax.WithRetry(retryer))
		if err != nil {
			return nil, fault.Wrap(kindOf(err), err, "publish")
		}
		if len(res.MessageIds) != len(b.indexes) {
			return nil, fault.New(fault.Transient, "Pub/Sub acknowledged %d messages of %d", len(res.MessageIds), len(b.indexes))
		}
		for i, at := range b.indexes {
			ids[at] = res.MessageIds[i]
		}
	}
	return ids, nil
}

func (p *Publisher) request(b *batch, msgs []publish.Message) *pubsubpb.PublishRequest {
	req := &pubsubpb.PublishRequest{Topic: p.topicName(b.topic)}
	for _, at := range b.indexes {
		req.Messages = append(req.Messages, &pubsubpb.PubsubMessage{Data: msgs[at].Data, Attributes: msgs[at].Attributes})
	}
	return req
}

func (p *Publisher) topicName(topic string) string {
	return "projects/" + p.project + "/topics/" + topic
}

// retryer repeats what may heal in a moment. A message is published twice when only the answer was lost, which publish allows.
func retryer() gax.Retryer {
	return gax.OnCodes([]codes.Code{codes.Aborted, codes.Internal, codes.Unknown, codes.Unavailable},
		gax.Backoff{Initial: 100 * time.Millisecond, Max: 5 * time.Second, Multiplier: 2})
}
