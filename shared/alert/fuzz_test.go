package alert

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/shared/fault"
)

func FuzzAlertmanager(f *testing.F)  { fuzzDecoder(f, SourceAlertmanager) }
func FuzzGrafana(f *testing.F)       { fuzzDecoder(f, SourceGrafana) }
func FuzzMonitoring(f *testing.F)    { fuzzDecoder(f, SourceMonitoring) }
func FuzzServiceHealth(f *testing.F) { fuzzDecoder(f, SourceServiceHealth) }
func FuzzBudget(f *testing.F)        { fuzzDecoder(f, SourceBudget) }
func FuzzSecurity(f *testing.F)      { fuzzDecoder(f, SourceSecurityCommandCenter) }
func FuzzPlain(f *testing.F)         { fuzzDecoder(f, SourcePlain) }
func FuzzAny(f *testing.F)           { fuzzDecoder(f, SourceAny) }

// FuzzCloudEvents also chooses the header and the attributes of a budget, which only binary mode and Pub/Sub have.
func FuzzCloudEvents(f *testing.F) {
	seed(f, func(body []byte) {
		f.Add(body, "", "", "")
		f.Add(body, "application/json", "providerdesk.plain", "/s")
	})
	f.Fuzz(func(t *testing.T, body []byte, contentType, kind, source string) {
		m := Message{Body: body, Header: http.Header{}}
		for name, v := range map[string]string{"Content-Type": contentType, "Ce-Type": kind, "Ce-Source": source, "Ce-Id": source, "Ce-Specversion": "1.0"} {
			if v != "" && (kind != "" || name == "Content-Type") {
				m.Header.Set(name, v)
			}
		}
		for _, decode := range []Decoder{CloudEvents, Any} {
			list, err := decode(m)
			checkDecoded(t, body, list, err)
		}
		budget, err := Budget(Message{Body: body, Attributes: map[string]string{"budgetId": source}})
		checkDecoded(t, body, budget, err)
	})
}

func fuzzDecoder(f *testing.F, source string) {
	decode, _ := byName(source)
	var room Room // for one body after the other
	seed(f, func(body []byte) { f.Add(body) })
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := decode(body)
		checkDecoded(t, body, list, err)
		checkNotices(t, &room, source, body)
		if err == nil && grouped(source) {
			checkOrder(t, decode, body, list)
		}
	})
}

// seed adds the test data of all sources and what is refused.
func seed(f *testing.F, add func([]byte)) {
	files, _ := filepath.Glob(filepath.Join("testdata", "*", "*.json"))
	for _, file := range files {
		add(readFile(f, file))
	}
	for _, c := range refusals {
		if len(c.body) < MaxBody { // minimizing that one takes the fuzzer all its time
			add([]byte(c.body))
		}
	}
}

// checkDecoded holds what every decoder promises.
func checkDecoded(t *testing.T, body []byte, list []Incident, err error) {
	t.Helper()
	if err != nil {
		checkRefusal(t, err)
		if len(list) > 0 {
			t.Error("incidents and an error")
		}
		checkNoEcho(t, body, err)
		return
	}
	for _, in := range list {
		checkIncident(t, in)
		for _, one := range Split(in) {
			checkIncident(t, one)
		}
	}
}

// strange are characters that none of our sentences has.
var strange = regexp.MustCompile(`[^ -~]|[#$%&*+@^{}~]`)

// examples are what our sentences say to write.
var examples = strings.NewReplacer(`{"name": ..., "url": ...}`, "", "'%'", "", "'%25'", "", "+json", "")

// checkNoEcho: no sentence repeats what came in. A sentence of ours has no strange characters, so one that has some repeats the body.
func checkNoEcho(t *testing.T, body []byte, err error) {
	t.Helper()
	if at := strange.FindString(examples.Replace(err.Error())); at != "" && bytes.Contains(body, []byte(at)) {
		t.Errorf("the sentence %q has %q of the body", err, at)
	}
}

// checkRefusal: whatever is refused is the sender's to change, in a sentence that the sender may read.
func checkRefusal(t *testing.T, err error) {
	t.Helper()
	if !fault.Is(err, fault.Invalid) || fault.Public(err) == "" {
		t.Errorf("error %v is no sentence for the sender", err)
	}
}

// checkIncident holds what every decoded incident promises.
func checkIncident(t *testing.T, in Incident) {
	t.Helper()
	if in.Key == "" || in.Title == "" || in.Source == "" {
		t.Errorf("incident without key, title or source: %+v", in)
	}
	if len(in.Key) > maxKey || utf8.RuneCountInString(in.Title) > maxTitle {
		t.Errorf("key of %d bytes, title of %d characters", len(in.Key), utf8.RuneCountInString(in.Title))
	}
	if len(in.Alerts) == 0 && in.Omitted == 0 {
		t.Error("incident about nothing")
	}
	if n := in.notice(); in.Status != status(n.alerts) || in.Severity != worst(n.alerts) {
		t.Errorf("status %s, severity %s do not follow from the alerts", in.Status, in.Severity)
	}
	checkEvidence(t, in.Labels, in.Annotations, in.Links)
	for i, a := range in.Alerts {
		checkAlert(t, a)
		if i > 0 && a.Fingerprint <= in.Alerts[i-1].Fingerprint {
			t.Error("alerts are not in the order of their fingerprints, one for each")
		}
	}
	checkRoundTrip(t, in)
	checkPacked(t, in)
}

func checkAlert(t *testing.T, a Alert) {
	t.Helper()
	if a.Fingerprint == "" || a.Name == "" || len(a.Fingerprint) > maxName || len(a.Name) > maxName || len(a.Resource) > maxName {
		t.Errorf("fingerprint %q, name %q, resource %q", a.Fingerprint, a.Name, a.Resource)
	}
	if a.Status == Firing && !a.Ends.IsZero() {
		t.Error("a firing alert has an end")
	}
	if !a.Ends.IsZero() && a.Ends.Before(a.Starts) {
		t.Error("an alert ends before it starts")
	}
	for _, s := range []string{a.Summary, a.Condition, a.Observed, a.Threshold} {
		if len(s) > maxText {
			t.Errorf("text of %d bytes", len(s))
		}
	}
	checkEvidence(t, a.Labels, a.Annotations, a.Links)
}

func checkEvidence(t *testing.T, labels, notes map[string]string, links []Link) {
	t.Helper()
	for k, v := range labels {
		if len(k) > maxName || len(v) > maxLabel {
			t.Errorf("label of %d and %d bytes", len(k), len(v))
		}
	}
	for k, v := range notes {
		if len(k) > maxName || len(v) > maxText {
			t.Errorf("annotation of %d and %d bytes", len(k), len(v))
		}
	}
	for _, l := range links {
		if l.Name == "" || len(l.Name) > maxName || safeURL(l.URL) != l.URL || l.URL == "" {
			t.Errorf("link %+v", l)
		}
	}
}

// checkRoundTrip: what travels on the topic arrives as it was, which also shows that every text is valid UTF-8.
func checkRoundTrip(t *testing.T, in Incident) {
	t.Helper()
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var back Incident
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(in, back) {
		t.Errorf("round trip:\n%+v\n%+v", in, back)
	}
}

// checkOrder: the order in which the alerts stand in the body changes nothing at all.
func checkOrder(t *testing.T, decode bodyDecoder, body []byte, want []Incident) {
	t.Helper()
	var o map[string]json.RawMessage
	var alerts []json.RawMessage
	if json.Unmarshal(body, &o) != nil || json.Unmarshal(o["alerts"], &alerts) != nil {
		return
	}
	r := rand.New(rand.NewPCG(1, uint64(len(body))))
	for range 3 {
		r.Shuffle(len(alerts), func(i, j int) { alerts[i], alerts[j] = alerts[j], alerts[i] })
		o["alerts"], _ = json.Marshal(alerts)
		shuffled, _ := json.Marshal(o)
		if len(shuffled) > MaxBody {
			return
		}
		got, err := decode(shuffled)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("another order of the alerts: %v\n%+v\n%+v", err, got, want)
		}
	}
}

func TestOrderOfAlertsDoesNotMatter(t *testing.T) {
	for _, name := range []string{"group", "bare", "truncated"} {
		body := readFile(t, "testdata/alertmanager/"+name+".json")
		want, err := Alertmanager(body)
		if err != nil {
			t.Fatal(err)
		}
		checkOrder(t, Alertmanager, body, want)
	}
}
