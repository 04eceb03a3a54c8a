package logs

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

type hiding struct{ Key string }

func (hiding) LogValue() slog.Value { return slog.StringValue("shown") }

type grouping struct{}

func (grouping) LogValue() slog.Value {
	return slog.GroupValue(slog.String("Token", "CANARY"), slog.Int("n", 1))
}

// cases are logged by every format.
var cases = []struct {
	name       string
	log        func(*slog.Logger)
	json, text string
}{
	{"info", func(l *slog.Logger) { l.Info("hello", "n", 1) },
		`{"severity":"INFO","message":"hello","n":1}`, `INFO  hello n=1`},
	{"below the level", func(l *slog.Logger) { l.Log(context.Background(), slog.LevelDebug-1, "quiet") }, ``, ``},
	{"debug", func(l *slog.Logger) { l.Debug("d") }, `{"severity":"DEBUG","message":"d"}`, `DEBUG d`},
	{"warning", func(l *slog.Logger) { l.Warn("w", "took", 1500*time.Millisecond) },
		`{"severity":"WARNING","message":"w","took":1500000000}`, `WARN  w took=1.5s`},
	{"trace", func(l *slog.Logger) { l.With(Traceparent, trace).Info("t", "a", "b") },
		`{"severity":"INFO","message":"t","logging.googleapis.com/trace":"projects/acme/traces/0af7651916cd43dd8448eb211c80319c",` +
			`"logging.googleapis.com/spanId":"b7ad6b7169203331","logging.googleapis.com/trace_sampled":true,"a":"b"}`, `INFO  t a=b`},
	{"trace, not sampled", func(l *slog.Logger) { l.Info("t", Traceparent, trace[:53]+"02") },
		`{"severity":"INFO","message":"t","logging.googleapis.com/trace":"projects/acme/traces/0af7651916cd43dd8448eb211c80319c",` +
			`"logging.googleapis.com/spanId":"b7ad6b7169203331","logging.googleapis.com/trace_sampled":false}`, `INFO  t`},
	{"no trace", func(l *slog.Logger) { l.Info("t", Traceparent, "", "a", 1) }, `{"severity":"INFO","message":"t","a":1}`, `INFO  t a=1`},
	{"LogValuer", func(l *slog.Logger) { l.Info("v", "key", hiding{"CANARY"}, "g", grouping{}) },
		`{"severity":"INFO","message":"v","key":"shown","g":{"Token":"***","n":1}}`, `INFO  v key=shown g.Token=*** g.n=1`},
	{"secrets", func(l *slog.Logger) {
		l.With("token", "CANARY").Info("s", "Authorization", "CANARY", "secret", 7, "password", []byte("CANARY"), "body", hiding{}, "payload", nil)
	},
		`{"severity":"INFO","message":"s","token":"***","Authorization":"***","secret":"***","password":"***","body":"***","payload":"***"}`,
		`INFO  s token=*** Authorization=*** secret=*** password=*** body=*** payload=***`},
	{"secrets in groups", func(l *slog.Logger) {
		l.WithGroup("body").Info("s", "a", "CANARY", slog.Group("g", "b", "CANARY"))
	}, `{"severity":"INFO","message":"s","body":{"a":"***","g":{"b":"***"}}}`, `INFO  s body.a=*** body.g.b=***`},
	{"groups", func(l *slog.Logger) { l.With("a", 1).WithGroup("g").With("b", 2).Info("m", "level", "x", "c", 3) },
		`{"severity":"INFO","message":"m","a":1,"g":{"b":2,"level":"x","c":3}}`, `INFO  m a=1 g.b=2 g.level=x g.c=3`},
	{"an attribute named as one of slog's", func(l *slog.Logger) { l.Info("m", "level", "x", "source", "y") },
		`{"severity":"INFO","message":"m","level":"x","source":"y"}`, `INFO  m level=x source=y`},
	{"an error value", func(l *slog.Logger) { l.Warn("m", "error", errors.New(`it "broke" 100%`)) },
		`{"severity":"WARNING","message":"m","error":"it \"broke\" 100%"}`, `WARN  m error="it \"broke\" 100%"`},
	{"line breaks and escapes", func(l *slog.Logger) { l.Info("a\nb\x1b[2J", "k", "x\r\ny", "e", "") },
		`{"severity":"INFO","message":"a\nb\u001b[2J","k":"x\r\ny","e":""}`, `INFO  a\nb\x1b[2J k="x\r\ny" e=""`},
	{"error", func(l *slog.Logger) { l.WithGroup("g").Error("e", "n", 1) },
		`{"severity":"ERROR","logging.googleapis.com/sourceLocation":{"function":"F","file":"logs_test.go","line":0},"message":"e",` +
			`"@type":"type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent",` +
			`"serviceContext":{"service":"casewebhook","version":"v1"},"g":{"n":1}}`, `ERROR e g.n=1`},
	{"critical", func(l *slog.Logger) { l.Log(context.Background(), slog.LevelError+4, "c") },
		`{"severity":"CRITICAL","logging.googleapis.com/sourceLocation":{"function":"F","file":"logs_test.go","line":0},"message":"c",` +
			`"@type":"type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent",` +
			`"serviceContext":{"service":"casewebhook","version":"v1"}}`, `ERROR c`},
}

var (
	timeField = regexp.MustCompile(`^\{"time":"([^"]+)",`)
	function  = regexp.MustCompile(`"function":"[^"]+"`)
	file      = regexp.MustCompile(`"file":"[^"]*logs_test.go"`)
	line      = regexp.MustCompile(`"line":[1-9]\d*`)
	clock     = regexp.MustCompile(`^\d\d:\d\d:\d\d `)
)

// steady takes out what differs from run to run, after checking it.
func steady(t *testing.T, s string) string {
	t.Helper()
	if s == "" {
		return ""
	}
	m := timeField.FindStringSubmatch(s)
	if m == nil {
		t.Fatalf("no time first: %s", s)
	}
	if _, err := time.Parse(time.RFC3339Nano, m[1]); err != nil || !json.Valid([]byte(s)) {
		t.Fatalf("%v in %s", err, s)
	}
	s = timeField.ReplaceAllString(strings.TrimSuffix(s, "\n"), "{")
	s = function.ReplaceAllString(s, `"function":"F"`)
	return line.ReplaceAllString(file.ReplaceAllString(s, `"file":"logs_test.go"`), `"line":0`)
}

func TestJSON(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			c.log(New(&b, Options{Service: "casewebhook", Version: "v1", Project: "acme", Level: slog.LevelDebug}))
			if got := steady(t, b.String()); got != c.json {
				t.Errorf("got  %s\nwant %s", got, c.json)
			}
		})
	}
	var b strings.Builder
	New(&b, Options{}).Info("m", Traceparent, trace)
	if !strings.Contains(b.String(), `trace":"0af7651916cd43dd8448eb211c80319c"`) {
		t.Errorf("a trace without a project: %s", &b)
	}
	New(&b, Options{}).Debug("quiet")
	if strings.Contains(b.String(), "quiet") {
		t.Error("the default level is not Info")
	}
}

func TestText(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			c.log(NewText(&b, Options{Level: slog.LevelDebug}, false))
			got := strings.TrimSuffix(b.String(), "\n")
			if c.text != "" && (!clock.MatchString(got) || !strings.HasSuffix(b.String(), "\n")) {
				t.Fatalf("got %q", &b)
			}
			if got = clock.ReplaceAllString(got, ""); got != c.text {
				t.Errorf("got  %s\nwant %s", got, c.text)
			}
		})
	}
	var b strings.Builder
	NewText(&b, Options{}, true).Error("e")
	NewText(&b, Options{}, true).Debug("quiet")
	if got := clock.ReplaceAllString(b.String(), ""); got != "\x1b[31mERROR\x1b[0m e\n" {
		t.Errorf("on a terminal: %q", got)
	}
}

// TestConcurrent: levels and derived loggers share one writer, and no line is torn.
func TestConcurrent(t *testing.T) {
	var b strings.Builder
	l := New(&b, Options{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				l.Error("e")
				l.With("a", 1).Info("i")
			}
		})
	}
	wg.Wait()
	for s := range strings.Lines(b.String()) {
		if !json.Valid([]byte(s)) {
			t.Fatalf("torn: %s", s)
		}
	}
}
