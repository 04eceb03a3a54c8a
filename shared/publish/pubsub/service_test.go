package pubsub

import (
	"context"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/providerdesk/providerdesk/shared/publish"
)

// service is a Pub/Sub server of topics only, for what the emulator cannot do: failing on request, and looking inside.
type service struct {
	pubsubpb.UnimplementedPublisherServer
	addr     string
	failures []codes.Code // of the first calls of Publish

	mu     sync.Mutex
	calls  int
	topics map[string]bool
	sent   []*pubsubpb.PubsubMessage // the id is the place
}

// serve starts a service and opens a publisher on it, with the topics a and b.
func serve(t *testing.T, failures ...codes.Code) (*service, *Publisher) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &service{addr: l.Addr().String(), failures: failures, topics: map[string]bool{}}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(10 << 20))
	pubsubpb.RegisterPublisherServer(server, s)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	p, err := OpenEmulator(t.Context(), project, s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, p) })
	ensure(t, p, Spec{Topics: []string{"a", "b"}})
	return s, p
}

func (s *service) CreateTopic(_ context.Context, topic *pubsubpb.Topic) (*pubsubpb.Topic, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.topics[topic.Name] {
		return nil, status.Error(codes.AlreadyExists, "there already")
	}
	s.topics[topic.Name] = true
	return topic, nil
}

func (s *service) Publish(_ context.Context, req *pubsubpb.PublishRequest) (*pubsubpb.PublishResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	switch {
	case s.calls <= len(s.failures):
		return nil, status.Error(s.failures[s.calls-1], "injected")
	case !s.topics[req.Topic]:
		return nil, status.Error(codes.NotFound, "no such topic")
	case len(req.Messages) == 0 || len(req.Messages) > 1000:
		return nil, status.Error(codes.InvalidArgument, "1 to 1000 messages")
	case slices.ContainsFunc(req.Messages, func(m *pubsubpb.PubsubMessage) bool { return m.OrderingKey != req.Messages[0].OrderingKey }):
		return nil, status.Error(codes.InvalidArgument, "more than one ordering key")
	}
	res := &pubsubpb.PublishResponse{}
	for _, m := range req.Messages {
		res.MessageIds = append(res.MessageIds, strconv.Itoa(len(s.sent)))
		s.sent = append(s.sent, m)
	}
	return res, nil
}

func (s *service) message(t *testing.T, id string) *pubsubpb.PubsubMessage {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := strconv.Atoi(id)
	if err != nil || n >= len(s.sent) {
		t.Fatalf("no message %q", id)
	}
	return s.sent[n]
}

func text(topic, s string) publish.Message { return publish.Message{Topic: topic, Data: []byte(s)} }
