package localbus

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/publish"
)

// The buckets of the file; numbers are big-endian, so that a cursor goes from the oldest to the newest.
var (
	topicsBucket        = []byte("topics")        // topic -> number -> message, while a queue holds it
	subscriptionsBucket = []byte("subscriptions") // subscription -> its topic
	queuesBucket        = []byte("queues")        // subscription -> number -> state
	lettersBucket       = []byte("letters")       // number -> letter
)

// message is one message on a topic. First is when it was first published, before any replay.
type message struct {
	ID         uint64            `json:"-"`
	Topic      string            `json:"-"`
	Data       []byte            `json:"-"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Key        string            `json:"key,omitempty"` // the ordering key
	Published  time.Time         `json:"published"`
	First      time.Time         `json:"first"`
}

// state is where a message stands in one queue: attempts made and, unless more is heard of the last one, when the next is due and why.
type state struct {
	Attempts int       `json:"attempts"`
	Due      time.Time `json:"due"`
	Reason   string    `json:"reason,omitempty"`
}

type queuedMessage struct {
	subscription string
	id           uint64
	key          string
}

func layOut(tx *bbolt.Tx, topics []string) error {
	for _, name := range [][]byte{topicsBucket, subscriptionsBucket, queuesBucket, lettersBucket} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	for _, topic := range topics {
		if err := makeTopic(tx, topic); err != nil {
			return err
		}
	}
	return nil
}

func makeTopic(tx *bbolt.Tx, topic string) error {
	all := tx.Bucket(topicsBucket)
	if _, err := all.CreateBucketIfNotExists([]byte(topic)); err != nil || isDead(topic) {
		return err
	}
	_, err := all.CreateBucketIfNotExists([]byte(publish.Dead(topic)))
	return err
}

func isDead(topic string) bool { return strings.HasSuffix(topic, publish.Dead("")) }

func requireTopics(tx *bbolt.Tx, msgs []publish.Message) error {
	for _, m := range msgs {
		if err := requireTopic(tx, m.Topic); err != nil {
			return err
		}
	}
	return nil
}

func requireTopic(tx *bbolt.Tx, topic string) error {
	if topic == "" || tx.Bucket(topicsBucket).Bucket([]byte(topic)) == nil {
		return fault.Wrap(fault.Missing, fmt.Errorf("no topic %q", topic), "look up a topic")
	}
	return nil
}

// enqueue numbers m and puts it into the queue of each subscription of its topic, which must exist, due at once.
func enqueue(tx *bbolt.Tx, m *message, now time.Time) ([]queuedMessage, error) {
	topics := tx.Bucket(topicsBucket)
	id, err := topics.NextSequence()
	if err != nil {
		return nil, err
	}
	m.ID = id
	var queued []queuedMessage
	for _, sub := range subscribers(tx, m.Topic) {
		if err := putState(tx, sub, id, state{Due: now}); err != nil {
			return nil, err
		}
		queued = append(queued, queuedMessage{sub, id, m.Key})
	}
	if len(queued) == 0 {
		return nil, nil
	}
	return queued, putRecord(topics.Bucket([]byte(m.Topic)), id, m, m.Data)
}

func subscribers(tx *bbolt.Tx, topic string) []string {
	var names []string
	for c, sub, of := cursor(tx.Bucket(subscriptionsBucket)); sub != nil; sub, of = c.Next() {
		if string(of) == topic {
			names = append(names, string(sub))
		}
	}
	return names
}

func getMessage(tx *bbolt.Tx, topic string, id uint64) (message, error) {
	m := message{ID: id, Topic: topic}
	var err error
	m.Data, err = getRecord(tx.Bucket(topicsBucket).Bucket([]byte(topic)), id, &m)
	return m, err
}

// keyOf returns the ordering key of a message without a copy of its data.
func keyOf(tx *bbolt.Tx, topic string, id uint64) (string, error) {
	head, _, err := cutRecord(tx.Bucket(topicsBucket).Bucket([]byte(topic)).Get(number(id)))
	if err != nil {
		return "", err
	}
	var m message
	err = json.Unmarshal(head, &m)
	return m.Key, err
}

func getState(tx *bbolt.Tx, sub string, id uint64) (state, error) {
	var s state
	raw := tx.Bucket(queuesBucket).Bucket([]byte(sub)).Get(number(id))
	if raw == nil {
		return s, errNoRecord
	}
	return s, json.Unmarshal(raw, &s)
}

func putState(tx *bbolt.Tx, sub string, id uint64, s state) error {
	raw, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return tx.Bucket(queuesBucket).Bucket([]byte(sub)).Put(number(id), raw)
}

// dequeue takes a message out of one queue, and away altogether when no other queue holds it.
func dequeue(tx *bbolt.Tx, topic, sub string, id uint64) error {
	queues := tx.Bucket(queuesBucket)
	if err := queues.Bucket([]byte(sub)).Delete(number(id)); err != nil {
		return err
	}
	for _, other := range subscribers(tx, topic) {
		if queues.Bucket([]byte(other)).Get(number(id)) != nil {
			return nil
		}
	}
	return tx.Bucket(topicsBucket).Bucket([]byte(topic)).Delete(number(id))
}

var errNoRecord = errors.New("no such record")

// putRecord stores head as JSON and data as it is behind it.
func putRecord(in *bbolt.Bucket, id uint64, head any, data []byte) error {
	h, err := json.Marshal(head)
	if err != nil {
		return err
	}
	raw := binary.AppendUvarint(make([]byte, 0, binary.MaxVarintLen32+len(h)+len(data)), uint64(len(h)))
	return in.Put(number(id), append(append(raw, h...), data...))
}

// getRecord reads what putRecord stored. The data is a copy: bolt's memory ends with the transaction.
func getRecord(in *bbolt.Bucket, id uint64, head any) ([]byte, error) {
	return splitRecord(in.Get(number(id)), head)
}

func splitRecord(raw []byte, head any) ([]byte, error) {
	h, data, err := cutRecord(raw)
	if err != nil {
		return nil, err
	}
	return append([]byte(nil), data...), json.Unmarshal(h, head)
}

func cutRecord(raw []byte) (head, data []byte, err error) {
	if raw == nil {
		return nil, nil, errNoRecord
	}
	size, n := binary.Uvarint(raw)
	if n <= 0 || size > uint64(len(raw)-n) {
		return nil, nil, errors.New("a damaged record")
	}
	return raw[n : n+int(size)], raw[n+int(size):], nil
}

func number(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

func cursor(b *bbolt.Bucket) (c *bbolt.Cursor, key, value []byte) {
	c = b.Cursor()
	key, value = c.First()
	return c, key, value
}
