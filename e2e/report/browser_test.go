// Package report shows that what people read of an export looks right in a real browser: headless Chromium, driven by its own protocol
// through a pipe, so that every request and every console message of a page is seen, and none is a guess.
//
// Without Chromium the tests are skipped with the reason; with REQUIRE_EMULATORS=1 they fail. REPORT_PICTURES names a folder that keeps the
// pictures and the printed pages.
package report

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// patience is how long a browser may take for one answer on a busy machine.
const patience = 60 * time.Second

// browser is a running Chromium. It is asked one thing at a time; what it tells meanwhile is kept.
type browser struct {
	t      testing.TB
	out    *os.File // we write
	in     *os.File // we read
	lines  *bufio.Reader
	last   int
	events []message
}

// message is an answer or an event. Messages end with a zero byte.
type message struct {
	ID      int             `json:"id"`
	Session string          `json:"sessionId"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   *struct{ Message string }
}

// command is what we send.
type command struct {
	ID      int    `json:"id"`
	Method  string `json:"method"`
	Params  any    `json:"params,omitempty"`
	Session string `json:"sessionId,omitempty"`
}

// values are parameters.
type values map[string]any

func chromium(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("chromium")
	switch {
	case err != nil && os.Getenv("REQUIRE_EMULATORS") == "1":
		t.Fatal("needs chromium: on Debian, apt-get install chromium")
	case err != nil:
		t.Skip("needs chromium: on Debian, apt-get install chromium")
	}
	return path
}

// open starts a browser with nothing remembered, until the test ends.
func open(t testing.TB) *browser {
	t.Helper()
	theirIn, ourOut := pipe(t)
	ourIn, theirOut := pipe(t)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, chromium(t),
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--force-color-profile=srgb", "--hide-scrollbars",
		"--user-data-dir="+t.TempDir(), "--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{theirIn, theirOut} // 3 and 4
	cmd.Stderr, cmd.WaitDelay = &said, 10*time.Second
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	theirIn.Close()
	theirOut.Close()
	b := &browser{t: t, out: ourOut, in: ourIn, lines: bufio.NewReader(ourIn)}
	t.Cleanup(func() {
		b.send("", "Browser.close", nil)
		if err := cmd.Wait(); err != nil || t.Failed() {
			t.Logf("the browser ended with %v, and said:\n%s", err, said.String())
		}
		cancel()
	})
	return b
}

func pipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func (b *browser) send(session, method string, params values) int {
	b.t.Helper()
	b.last++
	line, err := json.Marshal(command{b.last, method, params, session})
	if err == nil {
		_, err = b.out.Write(append(line, 0))
	}
	if err != nil {
		b.t.Errorf("%s: %v", method, err)
	}
	return b.last
}

// read returns the next message.
func (b *browser) read() (m message) {
	b.t.Helper()
	err := b.in.SetReadDeadline(time.Now().Add(patience))
	var line []byte
	if err == nil {
		line, err = b.lines.ReadBytes(0)
	}
	if err == nil {
		err = json.Unmarshal(line[:len(line)-1], &m)
	}
	if err != nil {
		b.t.Fatalf("read from the browser: %v", err)
	}
	return m
}

// call asks and waits for the answer.
func (b *browser) call(session, method string, params values, result any) {
	b.t.Helper()
	id := b.send(session, method, params)
	for {
		m := b.read()
		if m.Method != "" {
			b.events = append(b.events, m)
			continue
		}
		if m.ID != id {
			continue
		}
		if m.Error != nil {
			b.t.Fatalf("%s: %s", method, m.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(m.Result, result); err != nil {
				b.t.Fatalf("%s: %v", method, err)
			}
		}
		return
	}
}

// wait reads until an event has come.
func (b *browser) wait(session, method string) {
	b.t.Helper()
	for i := 0; ; i++ {
		if i == len(b.events) {
			if m := b.read(); m.Method != "" {
				b.events = append(b.events, m)
			} else {
				i--
				continue
			}
		}
		if e := b.events[i]; e.Session == session && e.Method == method {
			return
		}
	}
}

// view is how a page is looked at.
type view struct {
	name          string
	width, height int
	dark          bool
}

// tab is a page that is open.
type tab struct {
	b       *browser
	session string
	url     string
}

// visit opens a page of its own and waits until all of it is there and painted.
func (b *browser) visit(url string, v view) *tab {
	b.t.Helper()
	var target struct{ TargetID, SessionID string }
	b.call("", "Target.createTarget", values{"url": "about:blank"}, &target)
	b.call("", "Target.attachToTarget", values{"targetId": target.TargetID, "flatten": true}, &target)
	p := &tab{b, target.SessionID, url}
	for _, domain := range []string{"Page", "Runtime", "Log", "Network", "Audits"} {
		p.call(domain+".enable", nil, nil)
	}
	p.call("Emulation.setDeviceMetricsOverride", values{"width": v.width, "height": v.height, "deviceScaleFactor": 1, "mobile": v.width < 600}, nil)
	scheme := "light"
	if v.dark {
		scheme = "dark"
	}
	p.call("Emulation.setEmulatedMedia", values{"features": []values{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
	p.call("Page.navigate", values{"url": url}, nil)
	b.wait(p.session, "Page.loadEventFired")
	p.eval("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))", nil)
	return p
}

func (p *tab) call(method string, params values, result any) {
	p.b.t.Helper()
	p.b.call(p.session, method, params, result)
}

// eval runs a script of the test's, which the page's own policy does not touch.
func (p *tab) eval(script string, value any) {
	p.b.t.Helper()
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails any
	}
	p.call("Runtime.evaluate", values{"expression": script, "awaitPromise": true, "returnByValue": true}, &answer)
	if answer.ExceptionDetails != nil {
		p.b.t.Fatalf("%s: %v", script, answer.ExceptionDetails)
	}
	if value == nil {
		return
	}
	if err := json.Unmarshal(answer.Result.Value, value); err != nil {
		p.b.t.Fatalf("%s: %v", script, err)
	}
}

// complaints are everything that a page at rest has no business with: requests beyond its own, messages, errors, violations.
func (p *tab) complaints() (all []string) {
	p.b.t.Helper()
	own := 0
	for _, e := range p.b.events {
		if e.Session != p.session {
			continue
		}
		switch e.Method {
		case "Network.requestWillBeSent":
			var r struct{ Request struct{ URL string } }
			if err := json.Unmarshal(e.Params, &r); err != nil {
				p.b.t.Fatal(err)
			}
			if r.Request.URL == p.url {
				own++
				continue
			}
			all = append(all, "request "+r.Request.URL)
		case "Network.webSocketCreated", "Network.webTransportCreated", "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded", "Audits.issueAdded":
			all = append(all, fmt.Sprintf("%s %s", e.Method, e.Params))
		}
	}
	if own != 1 {
		all = append(all, fmt.Sprintf("the page itself was requested %d times", own))
	}
	return all
}

// overflow is by how many pixels a page is wider than the screen.
func (p *tab) overflow() (pixels int) {
	p.b.t.Helper()
	p.eval("document.documentElement.scrollWidth - document.documentElement.clientWidth", &pixels)
	return pixels
}

// picture is all of the page as PNG.
func (p *tab) picture() []byte {
	p.b.t.Helper()
	var size struct{ Width, Height float64 }
	p.eval("({width: document.documentElement.scrollWidth, height: document.documentElement.scrollHeight})", &size)
	var shot struct{ Data []byte }
	p.call("Page.captureScreenshot", values{
		"format": "png", "captureBeyondViewport": true,
		"clip": values{"x": 0, "y": 0, "width": size.Width, "height": size.Height, "scale": 1},
	}, &shot)
	return shot.Data
}

// print is the page on paper, as its own style sheet wants it.
func (p *tab) print() []byte {
	p.b.t.Helper()
	var printed struct{ Data []byte }
	p.call("Page.printToPDF", values{"preferCSSPageSize": true}, &printed)
	return printed.Data
}
