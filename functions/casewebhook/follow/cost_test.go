package follow_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// What a comment costs that the desk pushes: calls of the desk, and operations of the store, for a case with one room and no webhook.
func TestCostOfAComment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{desk: inSlack})
		w.subscribe()
		var names []string
		for i := range 20 {
			names = append(names, w.open(i))
		}
		w.minutes(3 * time.Minute)
		w.push()
		w.db.Reset()
		before, relayed := w.reads(), 0
		for i := range 5 {
			time.Sleep(time.Minute) // so that the first message shows another time
			for _, name := range names {
				w.reply(name, fmt.Sprint("answer ", i), "")
				w.push()
				relayed++
			}
		}
		calls, ops := float64(w.reads()-before)/float64(relayed), w.db.Counts()
		per := func(n int) float64 { return float64(n) / float64(relayed) }
		t.Logf("%d comments: %.2f calls of the desk each; store: %.2f reads, %.2f writes in %.2f commits, %.2f queries each", relayed, calls,
			per(ops.Reads), per(ops.Writes), per(ops.Commits), per(ops.Queries))
		if calls > 1.2 || per(ops.Writes) > 7 || per(ops.Commits) > 4 || ops.Queries > 0 || per(ops.Reads) > 6 {
			t.Error("too dear")
		}
		told := 0
		for _, th := range w.slack.threads(cases) {
			told += len(th.posts)
		}
		if told != relayed {
			t.Errorf("%d told, want %d", told, relayed)
		}
		w.db.Reset()
		before = w.reads()
		w.lose()
		for _, name := range names {
			w.events = append(w.events, desksEvent("COMMENT_CREATED", name)) // a second copy
		}
		w.push()
		if got := w.db.Counts(); got.Writes > 0 || w.reads()-before != len(names) {
			t.Errorf("a doubled event costs %d writes and %d calls", got.Writes, w.reads()-before)
		}
	})
}
