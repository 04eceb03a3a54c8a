package publishtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/publish"
)

func arrivesIntact(f *fixture) {
	r := newReceiver(nil)
	f.subscribe(f.topic, r, nil)
	for name, m := range samples() {
		m.Topic = f.topic
		f.publish(m)
		got := f.await(r, 1)[0].Message
		if !bytes.Equal(got.Data, m.Data) {
			f.Errorf("%s: %d bytes (%x) arrived, %d (%x) were published", name, len(got.Data), sha256.Sum256(got.Data), len(m.Data), sha256.Sum256(m.Data))
		}
		if !maps.Equal(got.Attributes, m.Attributes) {
			f.Errorf("%s: attributes %q arrived, %q were published", name, got.Attributes, m.Attributes)
		}
	}
}

func samples() map[string]publish.Message {
	binary := make([]byte, 256)
	for i := range binary {
		binary[i] = byte(i)
	}
	large := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{1}).Read(large)
	full := map[string]string{strings.Repeat("k", publish.MaxAttributeKey): strings.Repeat("v", publish.MaxAttribute), "empty": ""}
	return map[string]publish.Message{
		"text":            {Data: []byte(`{"a":"é"}`), Attributes: map[string]string{"source": "test", "é": "\"<&>\n\u2028"}},
		"binary":          {Data: binary},
		"only attributes": {Attributes: map[string]string{"only": "attributes"}},
		"1 MiB":           {Data: large, Attributes: full},
	}
}

func fansOut(f *fixture) {
	one, two := newReceiver(nil), newReceiver(nil)
	f.subscribe(f.topic, one, nil)
	f.subscribe(f.topic, two, nil)
	f.publish(f.text("a"), f.text("b"), f.text("c"))
	for _, r := range []*receiver{one, two} {
		if got := f.awaitEach(r, 3); got["a"]*got["b"]*got["c"] == 0 {
			f.Errorf("a subscription got %v", got)
		}
	}
}

// awaitEach waits until r got n different texts and counts each.
func (f *fixture) awaitEach(r *receiver, n int) map[string]int {
	f.Helper()
	got := map[string]int{}
	for len(got) < n {
		got[string(f.await(r, 1)[0].Message.Data)]++
	}
	return got
}

func idsInOrder(f *fixture) {
	r := newReceiver(nil)
	f.subscribe(f.topic, r, nil)
	texts := []string{"a", "b", "c", "d"}
	var msgs []publish.Message
	for _, s := range texts {
		msgs = append(msgs, f.text(s))
	}
	ids := f.publish(msgs...)
	if len(ids) != len(texts) {
		f.Fatalf("%d ids for %d messages", len(ids), len(texts))
	}
	for range texts {
		m := f.await(r, 1)[0].Message
		if i := slices.Index(texts, string(m.Data)); m.MessageID == "" || ids[i] != m.MessageID {
			f.Errorf("message %q arrived as %q, Publish said %q", m.Data, m.MessageID, ids[i])
		}
	}
}

func publishesNothing(f *fixture) {
	if ids := f.publish(); len(ids) != 0 {
		f.Errorf("ids %q of no messages", ids)
	}
}

func unknownTopic(f *fixture) {
	for _, topic := range []string{fresh("nowhere"), publish.Dead(fresh("nowhere"))} {
		if _, err := f.Publisher.Publish(f.ctx, publish.Message{Topic: topic, Data: []byte("x")}); !fault.Is(err, fault.Missing) {
			f.Errorf("an unknown topic gives %v, of kind %q", err, fault.Of(err))
		}
	}
}

func outsideLimits(f *fixture) {
	many := map[string]string{}
	for i := range publish.MaxAttributes + 1 {
		many[fmt.Sprint("k", i)] = "v"
	}
	r := newReceiver(nil)
	f.subscribe(f.topic, r, nil)
	for name, m := range map[string]publish.Message{
		"too much data":      {Data: make([]byte, publish.MaxData+1)},
		"nothing at all":     {},
		"long attribute":     {Attributes: map[string]string{"k": strings.Repeat("v", publish.MaxAttribute+1)}},
		"long name":          {Attributes: map[string]string{strings.Repeat("k", publish.MaxAttributeKey+1): "v"}},
		"no name":            {Attributes: map[string]string{"": "v"}},
		"reserved name":      {Attributes: map[string]string{"googclient": "v"}},
		"not UTF-8":          {Attributes: map[string]string{"k": "\xff"}},
		"too many":           {Attributes: many},
		"name not UTF-8":     {Attributes: map[string]string{"\xff": "v"}},
		"long ordering key":  {Data: []byte("x"), OrderingKey: strings.Repeat("k", publish.MaxOrderingKey+1)},
		"key not UTF-8":      {Data: []byte("x"), OrderingKey: "\xff"},
		"data and bad value": {Data: []byte("x"), Attributes: map[string]string{"k": "\xff"}},
	} {
		m.Topic = f.topic
		if _, err := f.Publisher.Publish(f.ctx, f.text("good"), m); !fault.Is(err, fault.Invalid) {
			f.Errorf("%s: %v, of kind %q", name, err, fault.Of(err))
		}
	}
	f.publish(publish.Message{Topic: f.topic, Data: bytes.Repeat([]byte{'x'}, publish.MaxData)})
	if got := f.await(r, 1)[0]; len(got.Message.Data) != publish.MaxData {
		f.Errorf("a message beside an invalid one was published: %d bytes", len(got.Message.Data))
	}
}

func endedContext(f *fixture) {
	canceled, cancel := context.WithCancel(f.ctx)
	cancel()
	late, cancel := context.WithDeadline(f.ctx, time.Now().Add(-time.Second))
	defer cancel()
	for name, ctx := range map[string]context.Context{"canceled": canceled, "late": late} {
		if _, err := f.Publisher.Publish(ctx, f.text("x")); !fault.Is(err, fault.Transient) {
			f.Errorf("%s: %v, of kind %q", name, err, fault.Of(err))
		}
	}
}

func manyPublishers(f *fixture) {
	const publishers, each = 32, 32
	r := newReceiver(nil)
	f.subscribe(f.topic, r, nil)
	var all sync.WaitGroup
	for i := range publishers {
		all.Go(func() {
			for j := range each {
				if _, err := f.Publisher.Publish(f.ctx, f.text(fmt.Sprint(i, "/", j))); err != nil {
					f.Errorf("Publish: %v", err)
				}
			}
		})
	}
	all.Wait()
	f.awaitEach(r, publishers*each)
}

func pushShape(f *fixture) {
	r := newReceiver(nil)
	name := f.subscribe(f.topic, r, nil)
	before := time.Now().Add(-time.Minute)
	ids := f.publish(f.text("x"))
	p := f.await(r, 1)[0]
	m := p.Message
	checkPush(f.T, p, name)
	if m.MessageID != ids[0] || m.MessageID2 != ids[0] {
		f.Errorf("ids %q and %q, Publish said %q", m.MessageID, m.MessageID2, ids[0])
	}
	at, err := time.Parse(time.RFC3339Nano, m.PublishTime)
	if err != nil || m.PublishTime2 != m.PublishTime || at.Before(before) || at.After(time.Now().Add(time.Minute)) {
		f.Errorf("published at %q and %q: %v", m.PublishTime, m.PublishTime2, err)
	}
	if want := map[bool]int{true: 1}[f.Counts]; p.Attempt != want {
		f.Errorf("delivery attempt %d, want %d", p.Attempt, want)
	}
}

func checkPush(t *testing.T, p push, subscription string) {
	if p.bad != nil {
		t.Errorf("body %.200q: %v", p.raw, p.bad)
	}
	if p.method != "POST" || !strings.HasPrefix(p.contentType, "application/json") {
		t.Errorf("%s with content type %q", p.method, p.contentType)
	}
	if !strings.HasPrefix(p.Subscription, "projects/") || !strings.HasSuffix(p.Subscription, "/subscriptions/"+subscription) {
		t.Errorf("subscription %q of %s", p.Subscription, subscription)
	}
}
