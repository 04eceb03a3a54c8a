package localbus

import (
	"bytes"
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
	var begun []delivery
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
		begun, _, err = q.begin(tx, []uint64{1, 2, 3, 4}, time.Now())
		return err
	}, nil)
	if err != nil || len(begun) != 1 || begun[0].ID != 3 {
		t.Errorf("begun %+v, %v; want the third message alone", begun, err)
	}
}
