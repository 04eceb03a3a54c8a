package localbus

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

func TestBackoffLimits(t *testing.T) {
	const least, most = 10 * time.Second, 600 * time.Second
	for _, random := range []float64{0, 0.25, 0.5, 0.999999} {
		last := time.Duration(0)
		for attempt := 1; attempt <= 100; attempt++ {
			d := backoff(least, most, attempt, random)
			if d < least || d > most || d < last {
				t.Errorf("random %v: %v after attempt %d, %v after the one before", random, d, attempt, last)
			}
			last = d
		}
	}
	if none, full := backoff(least, most, 3, 0), backoff(least, most, 3, 0.999999); full-none < 9*time.Second {
		t.Errorf("the third back-off is from %v to %v: too little jitter", none, full)
	}
	if d := backoff(time.Second, time.Second, 5, 0.999999); d != time.Second {
		t.Errorf("equal limits give %v", d)
	}
}

// FuzzRecord checks that a damaged file is an error and no more.
func FuzzRecord(f *testing.F) {
	f.Add([]byte("\x02{}data"))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01{}"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var m message
		if data, err := splitRecord(raw, &m); err == nil && !bytes.HasSuffix(raw, data) {
			t.Errorf("%q holds no %q", raw, data)
		}
	})
}

// TestDamageHoldsUpNoOther damages a message and its neighbour's state.
func TestDamageHoldsUpNoOther(t *testing.T) {
	b, err := Open(t.TempDir()+"/bus", Options{Topics: []string{"work"}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close(t.Context())
	q := newQueue(b, Subscription{Name: "worker", Topic: "work"}.withDefaults())
	var got beginning
	err = b.file.update(func(tx *bbolt.Tx) error {
		if err := makeSubscription(tx, q.sub); err != nil {
			return err
		}
		for range 3 {
			if _, err := enqueue(tx, &message{Topic: "work", Data: []byte("x")}, time.Now()); err != nil {
				return err
			}
		}
		if err := tx.Bucket(topicsBucket).Bucket([]byte("work")).Put(number(1), []byte("\xff")); err != nil {
			return err
		}
		if err := tx.Bucket(queuesBucket).Bucket([]byte("worker")).Put(number(2), []byte("{")); err != nil {
			return err
		}
		got, err = q.begin(tx, []appointment{{id: 1}, {id: 2}, {id: 3}, {id: 4}}, time.Now())
		return err
	}, nil)
	if err != nil || len(got.begun) != 1 || got.begun[0].ID != 3 || len(got.ended) != 3 {
		t.Errorf("%+v, %v; want the third message begun alone", got, err)
	}
}

// TestDamageFreesItsKey damages the first message of a key on the disk, behind the back of the queue, and one before it is loaded.
func TestDamageFreesItsKey(t *testing.T) {
	b, err := Open(t.TempDir()+"/bus", Options{Topics: []string{"work"}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close(t.Context())
	q := newQueue(b, Subscription{Name: "worker", Topic: "work", Ordered: true}.withDefaults())
	damage := func(tx *bbolt.Tx, id uint64) error {
		return tx.Bucket(topicsBucket).Bucket([]byte("work")).Put(number(id), []byte("\xff"))
	}
	var got beginning
	err = b.file.update(func(tx *bbolt.Tx) error {
		if err := makeSubscription(tx, q.sub); err != nil {
			return err
		}
		for range 4 {
			if _, err := enqueue(tx, &message{Topic: "work", Key: "k", Data: []byte("x")}, time.Now()); err != nil {
				return err
			}
		}
		if err := errors.Join(damage(tx, 1), q.load(tx), damage(tx, 2)); err != nil {
			return err
		}
		got, err = q.begin(tx, q.take(), time.Now())
		return err
	}, nil)
	if err != nil || len(got.begun) != 0 || len(got.ended) != 2 {
		t.Fatalf("%+v, %v; want two damaged messages", got, err)
	}
	q.done(got.ended...)
	if due := q.take(); len(due) != 1 || due[0].id != 3 || q.lines.behind() != 1 {
		t.Errorf("due after the damage: %+v, %d behind; want the third and one behind it", due, q.lines.behind())
	}
}
