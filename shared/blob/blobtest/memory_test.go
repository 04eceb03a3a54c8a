package blobtest_test

import (
	"errors"
	"testing"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/blob/blobtest"
	"github.com/providerdesk/providerdesk/shared/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBucket(t *testing.T) {
	blobtest.Test(t, func(*testing.T) blobtest.Place {
		m := blobtest.NewMemory()
		return blobtest.Place{Open: func() blob.Bucket { return m }, Corrupt: m.Corrupt, Rest: func() int { return 0 }}
	})
}

// The hook is asked at every point of a commit, and decides what becomes of it.
func TestHook(t *testing.T) {
	m := blobtest.NewMemory()
	died := errors.New("died")
	var points []string
	fatal := ""
	m.Hook = func(point string) error {
		if points = append(points, point); point == fatal {
			return died
		}
		return nil
	}
	put := func() error {
		_, err := blob.PutOnce(t.Context(), m, "text/plain", "a", []byte("x"))
		return err
	}
	for _, c := range []struct {
		fatal  string
		want   error
		exists bool
	}{{"before a", died, false}, {"after a", died, true}, {"", nil, true}} {
		m.Remove("a")
		fatal = c.fatal
		if err := put(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.fatal, err)
		}
		if _, found, _ := blob.Stat(t.Context(), m, "a"); found != c.exists {
			t.Errorf("%s: there %v", c.fatal, found)
		}
	}
	if m.Type("a") != "text/plain" || m.Type("b") != "" {
		t.Errorf("type %q", m.Type("a"))
	}
	points = nil
	if _, err := blob.PutBytes(t.Context(), m, "text/plain", "a", nil, blob.Absent); !fault.Is(err, fault.Conflict) || len(points) != 1 {
		t.Errorf("a conflict: %v %q", err, points)
	}
}
