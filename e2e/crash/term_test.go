//go:build unix

package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/emulator"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/proctest"
	"github.com/providerdesk/providerdesk/shared/publish/pubsub"
	"github.com/providerdesk/providerdesk/shared/store/firestore"
)

// killAfter is how long the platform waits after SIGTERM.
const killAfter = 10 * time.Second

// cloud is a project with the function's own binary, as the platform runs it, on the emulators.
type cloud struct {
	*testing.T
	*desk
	project string
	env     []string
	ledger  *ledger.Ledger
}

func openCloud(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{T: t, desk: openDesk(t), project: project()}
	host := emulator.Firestore(t)
	c.env = append(os.Environ(), "GOOGLE_CLOUD_PROJECT="+c.project, "FIRESTORE_EMULATOR_HOST="+host, "LOCAL_ONLY=true",
		"PUBSUB_EMULATOR_HOST="+emulator.PubSub(t), "PROVIDERDESK_CONFIG="+configure(t, t.TempDir(), c.url), tokenEnv+"="+token)
	db, err := firestore.Open(t.Context(), firestore.Options{Project: c.project, Emulator: host})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	c.ledger = ledger.New(db, ledger.Options{}) // to read
	return c
}

// binary is the function's own, built once.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(programs, "casewebhook")
	if out, err := exec.Command("go", "build", "-o", path, "../../functions/casewebhook/cmd").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// instance is a running binary.
type instance struct {
	*testing.T
	cmd *exec.Cmd
	url string
	out proctest.Output
}

// start starts an instance of one target and returns when it listens.
func (c *cloud) start(target string) *instance {
	c.Helper()
	path, err := binary()
	if err != nil {
		c.Fatalf("build the function: %v", err)
	}
	address := proctest.FreeAddress(c.T)
	_, port, _ := net.SplitHostPort(address)
	i := &instance{T: c.T, cmd: exec.Command(path), url: "http://" + address}
	i.cmd.Env = append(c.env, "FUNCTION_TARGET="+target, "PORT="+port)
	i.cmd.Stdout, i.cmd.Stderr = &i.out, &i.out
	if err := i.cmd.Start(); err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() {
		if i.cmd.ProcessState == nil {
			_ = i.cmd.Process.Kill()
			_ = i.cmd.Wait()
		}
		if c.Failed() {
			c.Logf("the last words of %s:\n%s", target, i.out.Last(6000))
		}
	})
	until(c.T, target+" listens", func(ctx context.Context) (bool, any) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return false, err
		}
		return true, conn.Close()
	})
	return i
}

func (i *instance) terminate() {
	i.Helper()
	if err := i.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		i.Fatal(err)
	}
}

// exit waits for the end after a SIGTERM at a time, in good order and before the platform kills. It returns how long it took.
func (i *instance) exit(since time.Time) time.Duration {
	i.Helper()
	err := i.cmd.Wait()
	took := time.Since(since)
	if err != nil || took >= killAfter {
		i.Errorf("ended %v after SIGTERM with %v", took, err)
	}
	return took
}

// post delivers to an instance. Without an answer the status is 0: the bus comes again.
func (i *instance) post(bearer string, body []byte) int {
	status, err := post(i.Context(), i.url, bearer, body)
	if err != nil {
		i.Logf("no answer: %v", err)
	}
	return status
}

// records lists the whole ledger as it is in Firestore.
func (c *cloud) records() []ledger.Record {
	c.Helper()
	all, err := c.ledger.List(c.Context(), "", "", 100)
	if err != nil {
		c.Fatal(err)
	}
	return all
}

// settle sweeps until n effects are done, and returns their records.
func (c *cloud) settle(sweeper *instance, n int) (all []ledger.Record) {
	c.Helper()
	until(c.T, fmt.Sprintf("%d effects are done", n), func(context.Context) (bool, any) {
		status := sweeper.post(token, nil)
		all = c.records()
		return status == http.StatusOK && report{Records: all}.done(n), fmt.Sprint(status, summary(all))
	})
	return all
}

// TestTerminatedInMidCall ends the function's own binary while the desk has not answered: first over the case, then, another instance,
// over the comment.
func TestTerminatedInMidCall(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		delay string       // of the desk's answer
		state ledger.State // of the record when the process has ended
	}{
		{"the call ends within the grace", "delay:2s", ledger.Succeeded},
		{"the call takes longer than the grace", "delay:20s", ledger.Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := openCloud(t)
			first := p.start("FileCase")
			status, took := p.interrupted(first, createCase, "cases.create", c.delay, alert.Firing)
			records := p.records()
			if len(records) != 1 || records[0].State != c.state {
				t.Fatalf("left behind: %v", summary(records))
			}
			t.Logf("exit %.2f s after SIGTERM; the message was answered %d; record %s", took.Seconds(), status, records[0].State)

			second, sweeper := p.start("FileCase"), p.start("SweepCases")
			if got := second.post(token, push(t, alert.Firing, 2)); got != http.StatusOK { // a redelivery does no harm
				t.Errorf("the redelivery is answered %d", got)
			}
			p.settle(sweeper, 1)
			status, took = p.interrupted(second, createComment, "cases.comments.create", "delay:1s", alert.Resolved)
			if status != http.StatusOK {
				t.Errorf("the second message is answered %d", status)
			}
			p.check(t, p.settle(sweeper, 2))
			began := time.Now()
			sweeper.terminate()
			t.Logf("second instance: exit %.2f s; idle sweeper: exit %.2f s; %d case, %d comment", took.Seconds(), sweeper.exit(began).Seconds(),
				len(p.Cases()), len(p.Cases()[0].Comments))
		})
	}
}

// interrupted delivers a message to an instance, ends it while the desk delays its call, and returns what the message was answered and
// how long the end took. What else comes to the instance meanwhile is refused, so that it is delivered again.
func (c *cloud) interrupted(i *instance, path, op, delay string, s alert.Status) (status int, took time.Duration) {
	c.Helper()
	arrived := c.expect(path)
	if err := c.ArmFault(op, delay, 1); err != nil {
		c.Fatal(err)
	}
	answered := make(chan int, 1)
	go func() { answered <- i.post(token, push(c.T, s, 1)) }()
	select {
	case <-arrived:
	case status := <-answered:
		c.Fatalf("answered %d without a call of the desk", status)
	}
	i.terminate()
	since := time.Now()
	until(c.T, "what comes now is refused", func(ctx context.Context) (bool, any) {
		got, _, err := send(ctx, http.MethodGet, i.url, "", nil)
		return got == http.StatusServiceUnavailable, fmt.Sprint(got, err)
	})
	if got := i.post(token, push(c.T, s, 2)); got != http.StatusServiceUnavailable {
		c.Errorf("a message that comes while the instance ends is answered %d", got)
	}
	took = i.exit(since)
	return <-answered, took
}

// TestFromWebhookToCase takes an alert the whole way: AlertWebhook, the Pub/Sub emulator, FileCase, Firestore's emulator, the desk. The
// emulator signs nothing, so somebody with the credential stands between it and FileCase.
func TestFromWebhookToCase(t *testing.T) {
	t.Parallel()
	c := openCloud(t)
	webhook, fileCase, sweeper := c.start("AlertWebhook"), c.start("FileCase"), c.start("SweepCases")
	c.subscribe(fileCase)

	for _, bad := range []struct {
		name string
		i    *instance
		path string
		body []byte
	}{
		{"AlertWebhook", webhook, "/prod-alertmanager", notification(alert.Firing)},
		{"FileCase", fileCase, "", push(t, alert.Firing, 1)},
		{"SweepCases", sweeper, "", nil},
	} {
		for _, bearer := range []string{"", "another-" + token} {
			if status, err := post(t.Context(), bad.i.url+bad.path, bearer, bad.body); err != nil || status != http.StatusUnauthorized {
				t.Errorf("%s answers the credential %q with %d, %v", bad.name, bearer, status, err)
			}
		}
	}
	if left := c.records(); len(left) > 0 || len(c.Cases()) > 0 {
		t.Fatalf("strangers left %v", summary(left))
	}
	for n, s := range []alert.Status{alert.Firing, alert.Resolved} {
		began := time.Now()
		status, answer, err := send(t.Context(), http.MethodPost, webhook.url+"/prod-alertmanager", token, notification(s))
		var accepted struct{ IDs []string }
		if err != nil || status != http.StatusAccepted || json.Unmarshal(answer, &accepted) != nil || len(accepted.IDs) != 1 {
			t.Fatalf("%s is answered %d %s, %v", s, status, answer, err)
		}
		records := c.settle(sweeper, n+1)
		t.Logf("%s: 202 with message %s; %s; %.1f s", s, accepted.IDs[0], states(records), time.Since(began).Seconds())
		if !slices.ContainsFunc(records, func(r ledger.Record) bool { return r.Source.Event == accepted.IDs[0] }) {
			t.Error("no record names the message")
		}
	}
	c.check(t, c.records())
	for _, i := range []*instance{webhook, fileCase, sweeper} {
		began := time.Now()
		i.terminate()
		t.Logf("idle: exit %.2f s", i.exit(began).Seconds())
	}
}

// subscribe makes the topic, and lets its messages go to an instance with the credential.
func (c *cloud) subscribe(to *instance) {
	c.Helper()
	target, err := url.Parse(to.url)
	if err != nil {
		c.Fatal(err)
	}
	signed := httptest.NewServer(&httputil.ReverseProxy{
		Transport: &http.Transport{DisableKeepAlives: true},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Set("Authorization", "Bearer "+token)
		},
	})
	c.Cleanup(signed.Close)
	p, err := pubsub.OpenEmulator(c.Context(), c.project, emulator.PubSub(c.T))
	if err != nil {
		c.Fatal(err)
	}
	err = p.Ensure(c.Context(), pubsub.Spec{Topics: []string{casewebhook.TopicAlerts}, Subscriptions: []pubsub.Subscription{{
		Name: subscription, Topic: casewebhook.TopicAlerts, URL: signed.URL, AckDeadline: 60 * time.Second,
		MinBackoff: time.Second, MaxBackoff: 10 * time.Second, MaxAttempts: 20,
	}}})
	if err != nil {
		c.Fatal(err)
	}
	if err := p.Close(); err != nil {
		c.Error(err)
	}
}
