package localbus_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/publish/localbus"
)

// The crash test kills a real process, again and again at a random moment, while it publishes, delivers, retries and buries. The process
// writes one line to its standard output for each thing it knows, after it knows it; a killed process loses nothing that it wrote.
const (
	crashFile       = "LOCALBUS_CRASH_FILE"    // the child's bolt file; its being set makes the test binary the child
	crashRound      = "LOCALBUS_CRASH_ROUND"   // "drain": publish nothing, end when all is delivered
	crashOrdered    = "LOCALBUS_CRASH_ORDERED" // set: each publisher has an ordering key, and the subscription is ordered
	crashAttempts   = 4
	crashPublishers = 8
)

func TestKill9LosesNothing(t *testing.T) {
	book, letters := killOften(t, 30)
	book.checkComplete(t, letters)
}

// TestKill9KeepsOrder kills in the same way, with ordering keys. A message that was delivered before a kill may come again, but none that
// is behind another of its key may have come in between.
func TestKill9KeepsOrder(t *testing.T) {
	book, letters := killOften(t, 12, crashOrdered+"=yes")
	book.checkComplete(t, letters)
	deliveries, inversions := 0, 0
	for publisher, places := range book.order {
		deliveries += len(places)
		for i := range places[1:] {
			if places[i+1] < places[i] {
				inversions++
				t.Errorf("key %s: %d was delivered after %d", publisher, places[i+1], places[i])
			}
		}
	}
	t.Logf("%d deliveries over %d keys, %d inversions", deliveries, len(book.order), inversions)
	if len(book.order) != crashPublishers {
		t.Errorf("%d keys were delivered, not %d", len(book.order), crashPublishers)
	}
}

// killOften returns what the children said and how often each text is a dead letter.
func killOften(t *testing.T, times int, env ...string) (ledger, map[string]int) {
	path := filepath.Join(t.TempDir(), "bus")
	book := ledger{env: env, killed: times, published: map[string]int{}, delivered: map[string]int{}, order: map[string][]int{}}
	for round := range times {
		book.run(t, path, fmt.Sprint(round), 50+rand.IntN(400))
	}
	book.run(t, path, "drain", 0)
	return book, lettersOf(t, path)
}

func (l ledger) checkComplete(t *testing.T, letters map[string]int) {
	lost, poisoned, repeats := 0, 0, 0
	for name := range l.published {
		switch {
		case l.delivered[name] == 0:
			lost++
			t.Errorf("%s was published and never delivered", name)
		case !strings.HasPrefix(name, "poison"):
			repeats += l.delivered[name] - 1
		case letters[name] != 1:
			t.Errorf("%s is a dead letter %d times", name, letters[name])
		default:
			poisoned++
		}
	}
	l.checkBounds(t, letters)
	if len(l.published) < 10*l.killed || poisoned < l.killed {
		t.Errorf("only %d published, %d of them poisoned: too few to mean anything", len(l.published), poisoned)
	}
	t.Logf("killed %d times: %d published, %d lost; %d good, delivered again after a kill %d times; %d poisoned, each exactly one dead letter, none delivered more than %d times",
		l.killed, len(l.published), lost, len(l.published)-poisoned, repeats, poisoned, crashAttempts)
}

// checkBounds also sees the messages whose publisher was killed before it knew them published.
func (l ledger) checkBounds(t *testing.T, letters map[string]int) {
	for name, n := range l.delivered {
		if n > crashAttempts {
			t.Errorf("%s was delivered %d times, more than %d", name, n, crashAttempts)
		}
	}
	for name, n := range letters {
		if n > 1 {
			t.Errorf("%s is a dead letter %d times", name, n)
		}
	}
}

// ledger is what the children said: "P name" after Publish returned, "D name" before a delivery is answered.
type ledger struct {
	env                  []string
	killed               int
	published, delivered map[string]int
	order                map[string][]int // of the deliveries, by publisher
}

// note takes a delivery into the order. A name is what, round, publisher and number.
func (l ledger) note(name string) {
	var round, number int
	parts := strings.Split(name, "-")
	fmt.Sscan(parts[1], &round)
	fmt.Sscan(parts[3], &number)
	l.order[parts[2]] = append(l.order[parts[2]], round*1_000_000+number)
}

// run starts a child and kills it after so many lines; with none it waits for its end.
func (l ledger) run(t *testing.T, path, round string, lines int) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(append(os.Environ(), crashFile+"="+path, crashRound+"="+round), l.env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	l.read(out, func(n int) {
		if n == lines {
			if err := cmd.Process.Kill(); err != nil { // SIGKILL
				t.Error(err)
			}
		}
	})
	if err := cmd.Wait(); (err == nil) != (lines == 0) {
		t.Fatalf("round %s ended with %v", round, err)
	}
}

func (l ledger) read(out io.Reader, line func(n int)) {
	for n, s := 1, bufio.NewScanner(out); s.Scan(); n++ {
		switch what, name, _ := strings.Cut(s.Text(), " "); what {
		case "P":
			l.published[name]++
		case "D":
			l.delivered[name]++
			l.note(name)
		}
		line(n)
	}
}

func lettersOf(t *testing.T, path string) map[string]int {
	letters, err := open(t, path, localbus.Options{}).Dead("work", 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, l := range letters {
		count[string(l.Data)]++
	}
	return count
}

// crashChild is the process that is killed. It returns its exit status.
func crashChild(path string) int {
	bus, err := localbus.Open(path, localbus.Options{Topics: []string{"work"}})
	if err != nil {
		return complain(err)
	}
	if err := bus.Subscribe(localbus.Subscription{
		Name: "worker", Topic: "work", To: localbus.Receiver{Handler: http.HandlerFunc(crashWorker)},
		MinBackoff: time.Millisecond, MaxBackoff: 20 * time.Millisecond, MaxAttempts: crashAttempts, Ordered: os.Getenv(crashOrdered) != "",
	}); err != nil {
		return complain(err)
	}
	if round := os.Getenv(crashRound); round != "drain" {
		return complain(publishUntilKilled(bus, round))
	}
	for d, _ := bus.Depth("worker"); d != (localbus.Depth{}); d, _ = bus.Depth("worker") {
		time.Sleep(time.Millisecond) // between two looks at a condition
	}
	if err := bus.Close(context.Background()); err != nil {
		return complain(err)
	}
	return 0
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func publishUntilKilled(bus *localbus.Bus, round string) error {
	failed := make(chan error)
	for publisher := range crashPublishers {
		go func() {
			for i := 0; ; i++ {
				name := fmt.Sprintf("%s-%s-%d-%d", []string{"good", "poison"}[i%2], round, publisher, i)
				m := publish.Message{Topic: "work", Data: []byte(name)}
				if os.Getenv(crashOrdered) != "" {
					m.OrderingKey = fmt.Sprint("key ", publisher)
				}
				if _, err := bus.Publish(context.Background(), m); err != nil {
					failed <- err
					return
				}
				say("P", name)
			}
		}()
	}
	return <-failed
}

// crashWorker refuses what is poisoned.
func crashWorker(w http.ResponseWriter, r *http.Request) {
	name := dataOf(r)
	say("D", name)
	if strings.HasPrefix(name, "poison") {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

var saying sync.Mutex

func say(what, name string) {
	saying.Lock()
	defer saying.Unlock()
	fmt.Fprintln(os.Stdout, what, name)
}
