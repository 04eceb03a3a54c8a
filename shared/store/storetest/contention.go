package storetest

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

const callers = 32

var contention = []subtest{
	{"of 32 concurrent creates one wins", func(s *suite) {
		start := time.Now()
		errs := concurrently(func(i int) error {
			_, err := s.DB.Commit(s.Context(), store.Create(doc("a", strconv.Itoa(i))))
			return err
		})
		s.Logf("%d concurrent creates of one key took %v", callers, time.Since(start).Round(100*time.Microsecond))
		s.oneWinner(errs)
	}},
	{"of 32 concurrent replaces of one version one wins", func(s *suite) {
		v := s.create(doc("a", "old"))
		start := time.Now()
		errs := concurrently(func(i int) error {
			_, err := s.DB.Commit(s.Context(), store.Replace(doc("a", strconv.Itoa(i)), v))
			return err
		})
		s.Logf("%d concurrent replaces of one version took %v", callers, time.Since(start).Round(100*time.Microsecond))
		s.oneWinner(errs)
	}},
	{"32 concurrent increments all count", func(s *suite) {
		s.create(store.Doc{Key: key("a"), Data: []byte("0")})
		start := time.Now()
		for i, err := range concurrently(func(int) error { return increment(s.Context(), s.DB, key("a")) }) {
			if err != nil {
				s.Errorf("caller %d: %v", i, err)
			}
		}
		s.Logf("%d concurrent increments of one document took %v", callers, time.Since(start).Round(100*time.Microsecond))
		if got := string(s.get("a").Data); got != strconv.Itoa(callers) {
			s.Errorf("the document counts %s increments, want %d", got, callers)
		}
	}},
	{"concurrent commits of the same documents stay whole", func(s *suite) {
		errs := concurrently(func(i int) error {
			text := strconv.Itoa(i)
			_, err := s.DB.Commit(s.Context(), store.Create(doc("a", text)), store.Create(doc("b", text)), store.Create(doc("own"+text, text)))
			return err
		})
		winner := strconv.Itoa(s.oneWinner(errs))
		for _, id := range []string{"a", "b", "own" + winner} {
			s.holds(doc(id, winner), s.get(id).Version)
		}
		s.find(store.Query{}, "a", "b", "own"+winner)
	}},
	{"concurrent commits of different documents all succeed", func(s *suite) {
		errs := concurrently(func(i int) error {
			_, err := s.DB.Commit(s.Context(), store.Create(doc(fmt.Sprintf("%02d", i), strconv.Itoa(i))))
			return err
		})
		for i, err := range errs {
			if err != nil {
				s.Fatalf("caller %d: %v", i, err)
			}
			id := fmt.Sprintf("%02d", i)
			s.holds(doc(id, strconv.Itoa(i)), s.get(id).Version)
		}
	}},
}

// concurrently calls f for every caller at once.
func concurrently(f func(i int) error) []error {
	var wg sync.WaitGroup
	errs, begin := make([]error, callers), make(chan struct{})
	for i := range callers {
		wg.Go(func() { <-begin; errs[i] = f(i) })
	}
	close(begin)
	wg.Wait()
	return errs
}

// oneWinner checks that all but one failed with a conflict and returns that one.
func (s *suite) oneWinner(errs []error) int {
	s.Helper()
	winner, conflicts := -1, 0
	for i, err := range errs {
		switch {
		case err == nil:
			winner = i
		case fault.Is(err, fault.Conflict):
			conflicts++
		default:
			s.Errorf("caller %d: %v", i, err)
		}
	}
	if winner < 0 || conflicts != callers-1 {
		s.Fatalf("%d conflicts among %d callers, winner %d", conflicts, callers, winner)
	}
	return winner
}

// increment adds one to a number, deciding again on a conflict.
func increment(ctx context.Context, db store.DB, k store.Key) error {
	for {
		d, err := db.Get(ctx, k)
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(d.Data))
		if err != nil {
			return err
		}
		_, err = db.Commit(ctx, store.Replace(store.Doc{Key: k, Data: []byte(strconv.Itoa(n + 1))}, d.Version))
		if !fault.Is(err, fault.Conflict) {
			return err
		}
	}
}
