package event

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

const (
	traceA = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	traceB = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

// request builds a POST from "Name: value" lines and a body.
func request(headers, body string) *http.Request {
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	for line := range strings.Lines(headers) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			r.Header.Add(name, value)
		}
	}
	return r
}

func TestPush(t *testing.T) {
	for _, c := range []struct {
		name, headers, body string
		want                Envelope
	}{
		{
			name: "everything",
			body: `{"message":{"attributes":{"k":"v"},"data":"eyJhIjoxfQ==","messageId":"17","message_id":"17","orderingKey":"o",
				"publishTime":"2026-02-26T19:13:55.749Z","publish_time":"2026-02-26T19:13:55.749Z"},
				"subscription":"projects/p/subscriptions/s","deliveryAttempt":3}`,
			want: Envelope{ID: "17", Source: "//pubsub.googleapis.com/projects/p/subscriptions/s", Type: Published,
				Subscription: "projects/p/subscriptions/s", Attributes: map[string]string{"k": "v"}, Data: []byte(`{"a":1}`),
				Published: at("2026-02-26T19:13:55.749Z"), Attempt: 3, OrderingKey: "o"},
		},
		{
			name: "snake case only",
			body: `{"message":{"message_id":"17","ordering_key":"o","publish_time":"2026-02-26T20:13:55+01:00"},"delivery_attempt":2}`,
			want: Envelope{ID: "17", Source: "//pubsub.googleapis.com/", Type: Published, Published: at("2026-02-26T19:13:55Z"),
				Attempt: 2, OrderingKey: "o"},
		},
		{
			name: "attributes only, null for the rest",
			body: `{"message":{"attributes":{"billingAccountId":"x"},"data":null,"messageId":null,"orderingKey":null,"publishTime":null},
				"subscription":null,"deliveryAttempt":null}`,
			want: Envelope{Source: "//pubsub.googleapis.com/", Type: Published, Attributes: map[string]string{"billingAccountId": "x"}},
		},
		{
			name:    "the publisher's trace comes before the delivery's",
			headers: "traceparent: " + traceB,
			body:    `{"message":{"data":"YQ==","attributes":{"googclient_traceparent":"` + traceA + `"}}}`,
			want: Envelope{Source: "//pubsub.googleapis.com/", Type: Published, Data: []byte("a"), Traceparent: traceA,
				Attributes: map[string]string{"googclient_traceparent": traceA}},
		},
		{
			name:    "a broken trace is dropped",
			headers: "traceparent: " + traceB,
			body:    `{"message":{"data":"YQ==","attributes":{"googclient_traceparent":"00-zz"}}}`,
			want: Envelope{Source: "//pubsub.googleapis.com/", Type: Published, Data: []byte("a"), Traceparent: traceB,
				Attributes: map[string]string{"googclient_traceparent": "00-zz"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) { wantEnvelope(t, request(c.headers, c.body), c.want) })
	}
}

func TestUnwrappedPush(t *testing.T) {
	wantEnvelope(t, request(`
		Content-Type: application/json
		User-Agent: APIs-Google
		Authorization: Bearer token
		X-Forwarded-For: 192.0.2.1
		X-Serverless-Authorization: Bearer token
		x-goog-pubsub-message-id: 17
		x-goog-pubsub-subscription-name: projects/p/subscriptions/s
		x-goog-pubsub-publish-time: 2026-02-26T19:13:55Z
		x-goog-pubsub-ordering-key: o
		x-goog-pubsub-delivery-attempt: 4
		googclient_traceparent: `+traceA+`
		buildId: 12`, "raw \xff bytes"),
		Envelope{ID: "17", Source: "//pubsub.googleapis.com/projects/p/subscriptions/s", Type: Published,
			Subscription: "projects/p/subscriptions/s", Data: []byte("raw \xff bytes"), Published: at("2026-02-26T19:13:55Z"),
			Attempt: 4, OrderingKey: "o", Traceparent: traceA,
			Attributes: map[string]string{"buildid": "12", "googclient_traceparent": traceA}})
}

const binaryHeaders = `
	ce-specversion: 1.0
	ce-type: com.example.someevent
	ce-id: 1234
	ce-source: /ctx`

func TestBinary(t *testing.T) {
	base := Envelope{ID: "1234", Source: "/ctx", Type: "com.example.someevent", Attributes: map[string]string{}, Data: []byte("{}")}
	for _, c := range []struct {
		name, headers string
		want          func(*Envelope)
	}{
		{"required attributes only", "Content-Type: application/json; charset=utf-8", func(*Envelope) {}},
		{"a malformed Content-Type does not hide the event", "Content-Type: a/b; ;;=", func(*Envelope) {}},
		{"time, subject, extension", "ce-time: 2018-04-05T03:56:24Z\nce-subject: s\nce-comexample: 5", func(e *Envelope) {
			e.Published, e.Subject, e.Attributes["comexample"] = at("2018-04-05T03:56:24Z"), "s", "5"
		}},
		{"percent-encoding is undone once", "ce-subject: Euro %E2%82%AC %2525 a+b", func(e *Envelope) { e.Subject = "Euro € %25 a+b" }},
		{"quotes are undone before it", `ce-subject: "a\"b\\%20c"`, func(e *Envelope) { e.Subject = `a"b\ c` }},
		{"the extension's trace comes first", "ce-traceparent: " + traceA + "\ntraceparent: " + traceB, func(e *Envelope) {
			e.Traceparent, e.Attributes["traceparent"] = traceA, traceA
		}},
		{"through an unwrapped push", "x-goog-pubsub-message-id: 9\nx-goog-pubsub-subscription-name: sub\nx-goog-pubsub-delivery-attempt: 2",
			func(e *Envelope) { e.Subscription, e.Attempt = "sub", 2 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := base
			want.Attributes = map[string]string{}
			c.want(&want)
			wantEnvelope(t, request(binaryHeaders+"\n"+c.headers, "{}"), want)
		})
	}
}

func TestStructured(t *testing.T) {
	const base = `"specversion":"1.0","type":"com.example.someevent","id":"1234","source":"/ctx"`
	for _, c := range []struct{ name, more, data string }{
		{"no data", ``, ""},
		{"null data and null base64", `,"data":null,"data_base64":null`, ""},
		{"an object stays as written", `,"data":{"b":1, "a":1.50}`, `{"b":1, "a":1.50}`},
		{"a number", `,"data":1.5`, "1.5"},
		{"a string is JSON without a content type", `,"data":"I'm a string"`, `"I'm a string"`},
		{"a string is text when the content type is not JSON", `,"datacontenttype":"application/xml","data":"<a b=\"c\"/>"`, `<a b="c"/>`},
		{"an object is JSON whatever the content type", `,"datacontenttype":"application/xml","data":{"a":1}`, `{"a":1}`},
		{"base64", `,"data":null,"data_base64":"AQIDBA=="`, "\x01\x02\x03\x04"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, ct := range []string{"application/cloudevents+json", "Application/CloudEvents+JSON; charset=utf-8"} {
				e, err := Decode(request("Content-Type: "+ct, "{"+base+c.more+"}"))
				if err != nil || string(e.Data) != c.data || e.ID != "1234" || e.Source != "/ctx" || e.Type != "com.example.someevent" {
					t.Errorf("%s: got %+v, %v; want data %q", ct, e, err, c.data)
				}
			}
		})
	}
	wantEnvelope(t, request("Content-Type: application/cloudevents+json", "{"+base+`,"subject":null,"time":"2018-04-05T17:31:00Z",
		"ext":"value","other":5,"yes":true,"unset":null}`),
		Envelope{ID: "1234", Source: "/ctx", Type: "com.example.someevent", Published: at("2018-04-05T17:31:00Z"),
			Attributes: map[string]string{"ext": "value", "other": "5", "yes": "true"}})
}

// TestPublishedIsUnwrapped: one message gives one Envelope, whichever of the three ways it came.
func TestPublishedIsUnwrapped(t *testing.T) {
	const body = `{"subscription":"projects/p/subscriptions/s","deliveryAttempt":2,"message":{"@type":"x","messageId":"17",
		"publishTime":"2020-09-29T11:32:00.123Z","attributes":{"a":"b"},"data":"AQIDBA=="}}`
	want, err := Decode(request("Content-Type: application/json", body))
	if err != nil {
		t.Fatal(err)
	}
	const attrs = `"specversion":"1.0","type":"` + Published + `","source":"//pubsub.googleapis.com/projects/p/topics/t","id":"17"`
	wantEnvelope(t, request("Content-Type: application/cloudevents+json", "{"+attrs+`,"data":`+body+"}"), want)
	wantEnvelope(t, request("Content-Type: application/cloudevents+json",
		"{"+attrs+`,"data_base64":"`+base64.StdEncoding.EncodeToString([]byte(body))+`"}`), want)
	wantEnvelope(t, request("Content-Type: application/json\nce-specversion: 1.0\nce-id: 17\nce-source: //pubsub.googleapis.com/t\nce-type: "+
		Published, body), want)

	const bare = `{"message":{"data":"YQ=="}}`
	wantEnvelope(t, request("Content-Type: application/cloudevents+json\ntraceparent: "+traceB,
		"{"+attrs+`,"time":"2020-09-29T11:32:00Z","traceparent":"`+traceA+`","data":`+bare+"}"),
		Envelope{ID: "17", Source: "//pubsub.googleapis.com/", Type: Published, Data: []byte("a"), Published: at("2020-09-29T11:32:00Z"),
			Traceparent: traceA})
}

func wantEnvelope(t *testing.T, r *http.Request, want Envelope) {
	t.Helper()
	got, err := Decode(r)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

const ce = "Content-Type: application/cloudevents+json"

// TestRefused: each is fault.Invalid, says what to change, and repeats nothing. "CANARY" stands for the sender's own words.
func TestRefused(t *testing.T) {
	const ok = `"specversion":"1.0","type":"t","id":"1","source":"/c"`
	for _, c := range []struct{ name, headers, body, want string }{
		{"empty body", "", "", "not a JSON object"},
		{"not JSON", "", "CANARY", "not a JSON object"},
		{"an array", "", `["CANARY"]`, "not a JSON object"},
		{"cut off", "", `{"message":{"data":"CANARY`, "not valid JSON"},
		{"cut off after a member", "", `{"message":{}`, "not valid JSON"},
		{"two values", "", `{"message":{"data":"YQ=="}} "CANARY"`, "after its end"},
		{"a member twice", "", `{"message":{"data":"YQ=="},"message":{"data":"Yg=="}}`, "twice"},
		{"an attribute twice", "", `{"message":{"attributes":{"CANARY":"1","CANARY":"2"}}}`, "twice"},
		{"broken UTF-8", "", "{\"message\":{\"data\":\"YQ==\",\"messageId\":\"\xff\"}}", "UTF-8"},
		{"no message", "", `{"CANARY":1}`, `no "message"`},
		{"message in another case", "", `{"Message":{"data":"YQ=="}}`, `no "message"`},
		{"null message", "", `{"message":null}`, `no "message"`},
		{"text for a message", "", `{"message":"CANARY"}`, `"message" is not a JSON object`},
		{"an empty message", "", `{"message":{"CANARY":"x"}}`, "no Pub/Sub push"},
		{"bad base64", "", `{"message":{"data":"CANARY!"}}`, "base64"},
		{"URL-safe base64", "", `{"message":{"data":"_-8="}}`, "base64"},
		{"base64 without padding", "", `{"message":{"data":"YQ"}}`, "base64"},
		{"data is no string", "", `{"message":{"data":{"CANARY":1}}}`, `"data" is not a JSON string`},
		{"attributes is no object", "", `{"message":{"attributes":["CANARY"]}}`, `"attributes" is not a JSON object`},
		{"attribute is no string", "", `{"message":{"attributes":{"CANARY":1}}}`, "not a JSON string"},
		{"attribute is null", "", `{"message":{"attributes":{"CANARY":null}}}`, "not a JSON string"},
		{"twins differ", "", `{"message":{"data":"YQ==","messageId":"1","message_id":"CANARY"}}`, "differ"},
		{"attempts differ", "", `{"message":{"data":"YQ=="},"deliveryAttempt":1,"delivery_attempt":2}`, "differ"},
		{"attempt is text", "", `{"message":{"data":"YQ=="},"deliveryAttempt":"CANARY"}`, "whole number"},
		{"attempt is negative", "", `{"message":{"data":"YQ=="},"deliveryAttempt":-1}`, "whole number"},
		{"attempt is a fraction", "", `{"message":{"data":"YQ=="},"deliveryAttempt":1.5}`, "whole number"},
		{"attempt overflows", "", `{"message":{"data":"YQ=="},"deliveryAttempt":99999999999999999999}`, "whole number"},
		{"publish time", "", `{"message":{"data":"YQ==","publishTime":"CANARY"}}`, "RFC 3339"},
		{"control character in an id", "", `{"message":{"data":"YQ==","messageId":"CANARY\n"}}`, "control character"},
		{"a page for an id", "", `{"message":{"data":"YQ==","messageId":"` + strings.Repeat("CANARY", 400) + `"}}`, "longer than"},
		{"control character in a subscription", "", `{"message":{"data":"YQ=="},"subscription":"CANARY\u001b[2J"}`, "control character"},

		{"unwrapped: id twice", "x-goog-pubsub-message-id: 1\nx-goog-pubsub-message-id: CANARY", "x", "more than once"},
		{"unwrapped: time", "x-goog-pubsub-message-id: 1\nx-goog-pubsub-publish-time: CANARY", "x", "RFC 3339"},
		{"unwrapped: attempt", "x-goog-pubsub-message-id: 1\nx-goog-pubsub-delivery-attempt: CANARY", "x", "whole number"},
		{"unwrapped: UTF-8", "x-goog-pubsub-message-id: \xff", "x", "UTF-8"},

		{"batch", "Content-Type: application/cloudevents-batch+json", `[]`, "of its own"},
		{"batch with events", "Content-Type: application/cloudevents-batch+json; charset=UTF-8", `[{` + ok + `}]`, "of its own"},
		{"another format", "Content-Type: application/cloudevents+xml", `<CANARY/>`, "JSON only"},
		{"no specversion", ce, `{"type":"t","id":"1","source":"/c"}`, "specversion"},
		{"specversion 0.3", ce, `{"specversion":"0.3","type":"t","id":"1","source":"/c"}`, "specversion"},
		{"specversion is a number", ce, `{"specversion":1.0,"type":"t","id":"1","source":"/c"}`, `"specversion" is not a JSON string`},
		{"no id", ce, `{"specversion":"1.0","type":"t","source":"/c"}`, "no id"},
		{"empty id", ce, `{"specversion":"1.0","type":"t","id":"","source":"/c"}`, "no id"},
		{"null source", ce, `{"specversion":"1.0","type":"t","id":"1","source":null}`, "no source"},
		{"no type", ce, `{"specversion":"1.0","id":"1","source":"/c"}`, "no type"},
		{"source is no URI", ce, `{"specversion":"1.0","type":"t","id":"1","source":"http://[CANARY"}`, "URI"},
		{"time", ce, `{` + ok + `,"time":"CANARY"}`, "RFC 3339"},
		{"both kinds of data", ce, `{` + ok + `,"data":"CANARY","data_base64":"YQ=="}`, "one of them"},
		{"data_base64 is not", ce, `{` + ok + `,"data_base64":"... CANARY ..."}`, "base64"},
		{"extension is an object", ce, `{` + ok + `,"canary":{"CANARY":1}}`, "extension"},
		{"extension is a fraction", ce, `{` + ok + `,"canary":1.5}`, "extension"},
		{"extension has a control character", ce, `{` + ok + `,"canary":"\u0000"}`, "control"},
		{"name in capitals", ce, `{` + ok + `,"CANARY":"x"}`, "lower-case"},
		{"not an object", ce, `"CANARY"`, "not a JSON object"},

		{"binary: no specversion", "ce-id: 1\nce-source: /c\nce-type: t", "", "specversion"},
		{"binary: no id", "ce-specversion: 1.0\nce-source: /c\nce-type: t", "", "no id"},
		{"binary: id twice", binaryHeaders + "\nce-id: CANARY", "", "more than once"},
		{"binary: bad percent", binaryHeaders + "\nce-subject: 100% CANARY", "", "'%25'"},
		{"binary: invalid UTF-8", binaryHeaders + "\nce-subject: %FF", "", "UTF-8"},
		{"binary: encoded line break", binaryHeaders + "\nce-subject: CANARY%0D%0A", "", "control"},
		{"binary: a dash in a name", binaryHeaders + "\nce-my-canary: CANARY", "", "lower-case"},
		{"binary: datacontenttype", binaryHeaders + "\nce-datacontenttype: CANARY", "", "Content-Type"},
		{"binary: extension with bad percent", binaryHeaders + "\nce-canary: %", "", "'%25'"},
		{"published without a message", ce, `{"specversion":"1.0","type":"` + Published + `","id":"1","source":"/c","data":{"CANARY":1}}`, `"message"`},
		{"published without data", ce, `{"specversion":"1.0","type":"` + Published + `","id":"1","source":"/c"}`, "JSON object"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Decode(request(c.headers, c.body))
			if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.Public(err), c.want) {
				t.Fatalf("got %+v, %v; want an invalid event and %q", got, err, c.want)
			}
			if strings.Contains(strings.ToUpper(err.Error()), "CANARY") {
				t.Errorf("the sentence repeats the request: %v", err)
			}
		})
	}
}

func TestBodyLimit(t *testing.T) {
	fits := `{"message":{"data":"` + strings.Repeat("A", (MaxBody-100)/4*4) + `"}}`
	if e, err := Decode(request("", fits)); err != nil || len(e.Data) != (MaxBody-100)/4*3 {
		t.Errorf("a body below the limit: %d bytes, %v", len(e.Data), err)
	}
	if _, err := Decode(request("", fits+strings.Repeat(" ", 100))); !fault.Is(err, fault.Invalid) {
		t.Errorf("a body above the limit: %v", err)
	}
	r := request("", fits)
	r.Body = http.MaxBytesReader(nil, r.Body, 10)
	if _, err := Decode(r); !fault.Is(err, fault.Invalid) {
		t.Errorf("a body above the server's limit: %v", err)
	}
	r.Body = io.NopCloser(errReader{})
	if _, err := Decode(r); !fault.Is(err, fault.Transient) {
		t.Errorf("a connection that broke: %v", err)
	}
	if _, err := Decode(&http.Request{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("no body: %v", err)
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestTraceparent(t *testing.T) {
	for _, bad := range []string{
		"", "00", traceA + "-00", "ff" + traceA[2:], strings.ToUpper(traceA), traceA[:len(traceA)-1],
		"00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
		"00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
	} {
		if got := Traceparent(http.Header{"Traceparent": {bad}}, bad); got != "" {
			t.Errorf("%q was taken", bad)
		}
		if got := Traceparent(http.Header{"Traceparent": {traceB}}, bad); got != traceB {
			t.Errorf("%q hid the header", bad)
		}
	}
}

// payloads returns the folder of sample payloads, which is not part of the project.
func payloads() string {
	if dir := os.Getenv("PROVIDERDESK_PAYLOADS"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "..", "shared", "payloads")
}

// TestSamples decodes what vendors publish and others captured.
func TestSamples(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(payloads(), "pubsub_*.json"))
	more, _ := filepath.Glob(filepath.Join(payloads(), "cloudevents-json-*.json"))
	files = append(files, more...)
	if len(files) == 0 {
		t.Skip("no sample payloads; set PROVIDERDESK_PAYLOADS to their folder")
	}
	refused := map[string]bool{
		"pubsub_push-oidc-jwt-docs.json":                        true, // no event at all
		"pubsub_unwrapped-headers.json":                         true, // describes a request
		"pubsub_ce-conformance-legacy_pubsub-legacy-input.json": true, // the framework's first format
		"pubsub_ce-conformance-pubsub_text-legacy-input.json":   true,
		"cloudevents-json-batch-empty.json":                     true,
		"cloudevents-json-batch-two.json":                       true,
		"cloudevents-json-data_base64-placeholder.json":         true, // "... base64 encoded string ..."
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			e, err := Decode(request(sampleHeader(name), string(body)))
			if refused[name] != (err != nil) || err != nil && !fault.Is(err, fault.Invalid) {
				t.Fatalf("refused %v, got %+v, %v", refused[name], e, err)
			}
			if err == nil && e.Type == Published && len(e.Data) == 0 {
				t.Errorf("the data is lost: %+v", e)
			}
		})
	}
}

func sampleHeader(name string) string {
	switch {
	case strings.HasPrefix(name, "cloudevents-json-batch"):
		return "Content-Type: application/cloudevents-batch+json"
	case strings.HasPrefix(name, "cloudevents-json"), strings.HasPrefix(name, "pubsub_ce"):
		return ce
	}
	return "Content-Type: application/json"
}

// FuzzParse: no panic; an error is Invalid; what is accepted keeps the rules of an Envelope.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"message":{"data":"YQ==","messageId":"1","attributes":{"a":"b"}},"subscription":"s","deliveryAttempt":2}`,
		`{"specversion":"1.0","type":"t","id":"1","source":"/c","data_base64":"YQ=="}`,
		`{"specversion":"1.0","type":"` + Published + `","id":"1","source":"/c","data":{"message":{"data":"YQ=="}}}`,
	} {
		for _, ct := range []string{"", "application/json", "application/cloudevents+json"} {
			f.Add(ct, "%E2%82%AC", "17", []byte(s))
		}
	}
	files, _ := filepath.Glob(filepath.Join(payloads(), "*.json"))
	for _, file := range files {
		if body, err := os.ReadFile(file); err == nil {
			f.Add(strings.TrimPrefix(sampleHeader(filepath.Base(file)), "Content-Type: "), "", "", body)
		}
	}
	f.Fuzz(func(t *testing.T, contentType, ceID, messageID string, body []byte) {
		h := http.Header{"Content-Type": {contentType}}
		if ceID != "" {
			h["Ce-Id"], h["Ce-Type"], h["Ce-Source"], h["Ce-Specversion"] = []string{ceID}, []string{"t"}, []string{"/c"}, []string{"1.0"}
		}
		if messageID != "" {
			h[metaID] = []string{messageID}
		}
		e, err := Parse(h, body)
		if err != nil {
			if !fault.Is(err, fault.Invalid) || fault.Public(err) == "" {
				t.Fatalf("refused without a sentence: %v", err)
			}
			return
		}
		for _, s := range []string{e.ID, e.Source, e.Type, e.Subject, e.Subscription, e.OrderingKey} {
			if checkText("", strings.TrimPrefix(s, pubsubSource)) != nil {
				t.Fatalf("unfit for a log: %q", s)
			}
		}
		if e.Type == "" || e.Attempt < 0 || e.Traceparent != "" && !isTraceparent(e.Traceparent) {
			t.Fatalf("a broken envelope: %+v", e)
		}
	})
}
