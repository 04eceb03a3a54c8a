package alert

import (
	"encoding/json"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/shared/fault"
)

func FuzzAlertmanager(f *testing.F) { fuzzDecoder(f, SourceAlertmanager) }
func FuzzMonitoring(f *testing.F)   { fuzzDecoder(f, SourceMonitoring) }

func fuzzDecoder(f *testing.F, source string) {
	decode, _ := ByName(source)
	for _, other := range []string{SourceAlertmanager, SourceMonitoring} {
		files, _ := filepath.Glob(filepath.Join("testdata", other, "*.json"))
		for _, file := range files {
			f.Add(readFile(f, file))
		}
	}
	for _, c := range refusals {
		if len(c.body) < MaxBody { // minimizing that one takes the fuzzer all its time
			f.Add([]byte(c.body))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := decode(body)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		if len(list) == 0 {
			t.Error("neither an incident nor an error")
		}
		for _, in := range list {
			checkIncident(t, in)
			for _, one := range Split(in) {
				checkIncident(t, one)
			}
		}
		checkOrder(t, decode, body, list)
	})
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
	if in.Status != status(in.Alerts) || in.Severity != worst(in.Alerts) {
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
	checkAppend(t, in)
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
func checkOrder(t *testing.T, decode Decoder, body []byte, want []Incident) {
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
