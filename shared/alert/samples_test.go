package alert

import (
	"os"
	"path/filepath"
	"testing"
)

// samples are real senders' payloads and what is made of them.
var samples = []sampleCase{
	{file: "alertmanager-v4-captured-firing-two.json", source: SourceAlertmanager, severity: Critical, status: Firing, alerts: 2, omitted: 0},
	{file: "alertmanager-v4-captured-mixed.json", source: SourceAlertmanager, severity: Critical, status: Firing, alerts: 2, omitted: 0},
	{file: "alertmanager-v4-captured-repeat.json", source: SourceAlertmanager, severity: Critical, status: Firing, alerts: 1, omitted: 0},
	{file: "alertmanager-v4-captured-all-resolved.json", source: SourceAlertmanager, severity: Critical, status: Resolved, alerts: 1, omitted: 0},
	{file: "alertmanager-v4-captured-truncated.json", source: SourceAlertmanager, severity: Critical, status: Firing, alerts: 2, omitted: 3},
	{file: "alertmanager-v4-firing-victoriametrics.json", source: SourceAlertmanager, severity: Info, status: Firing, alerts: 1, omitted: 0},
	{file: "alertmanager-v4-two-alerts-no-truncated.json", source: SourceAlertmanager, severity: Critical, status: Firing, alerts: 2, omitted: 0},
	{file: "alertmanager-v4-captured-custom-payload.json", source: SourceAlertmanager, refused: true},
	{file: "grafana-legacy-v7-rule.json", source: SourceAlertmanager, refused: true},
	{file: "grafana-v11-values-image.json", source: SourceAlertmanager, refused: true},
	{file: "grafana-v9-mixed-firing-resolved.json", source: SourceAlertmanager, refused: true},
	{file: "gcp_monitoring-mock-v1.0-5xx.json", source: SourceMonitoring, severity: SeverityNone, status: Firing, alerts: 1, omitted: 0},
	{file: "gcp_monitoring-v1.2-closed-no-threshold.json", source: SourceMonitoring, severity: SeverityNone, status: Resolved, alerts: 1, omitted: 0},
	{file: "gcp_monitoring-v1.2-docs-style-links-subject.json", source: SourceMonitoring, severity: SeverityNone, status: Firing, alerts: 1, omitted: 0},
	{file: "gcp_monitoring-v1.2-open-nulls.json", source: SourceMonitoring, severity: SeverityNone, status: Firing, alerts: 1, omitted: 0},
	{file: "gcp_monitoring-v1.2-pubsub-open.json", source: SourceMonitoring, severity: Error, status: Firing, alerts: 1, omitted: 0},
	{file: "gcp_monitoring-v1.2-uptime-minimal-open.json", source: SourceMonitoring, severity: SeverityNone, status: Firing, alerts: 1, omitted: 0},
	{file: "gcp_monitoring-v1.2-uptime-minimal-closed.json", source: SourceMonitoring, severity: SeverityNone, status: Resolved, alerts: 1, omitted: 0},
	{file: "alertmanager-v4-captured-firing-two.json", source: SourceMonitoring, refused: true},
	{file: "gcp_monitoring-v1.2-open-nulls.json", source: SourceAlertmanager, refused: true},
}

type sampleCase struct {
	file, source string
	refused      bool
	severity     Severity
	status       Status
	alerts       int
	omitted      int
}

// TestSamples reads the samples of real senders, where they are at hand.
func TestSamples(t *testing.T) {
	for _, c := range samples {
		t.Run(c.source+" reads "+c.file, func(t *testing.T) { sample(t, c) })
	}
}

func sample(t *testing.T, c sampleCase) {
	body := samplePayload(t, c.file)
	decode, _ := byName(c.source)
	list, err := decode(body)
	if c.refused {
		if err == nil {
			t.Fatal("accepted")
		}
		checkRefusal(t, err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	in := list[0]
	checkIncident(t, in)
	checkOrder(t, decode, body, list)
	if got := (sampleCase{c.file, c.source, false, in.Severity, in.Status, len(in.Alerts), in.Omitted}); got != c {
		t.Errorf("\n got %+v\nwant %+v", got, c)
	}
}

func samplePayload(t *testing.T, file string) []byte {
	t.Helper()
	dir, ok := os.LookupEnv("PROVIDERDESK_PAYLOADS")
	if !ok {
		dir = "../../../shared/payloads"
	}
	body, err := os.ReadFile(filepath.Join(dir, file))
	if os.IsNotExist(err) {
		t.Skip("the sample payloads are not here; set PROVIDERDESK_PAYLOADS to their folder")
	}
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// TestSampleLives: the notifications of one incident, from its opening to its end, have one key.
func TestSampleLives(t *testing.T) {
	for source, files := range map[string][]string{
		SourceAlertmanager: {"firing-two", "mixed", "repeat", "all-resolved"},
		SourceMonitoring:   {"open", "closed"},
	} {
		prefix := map[string]string{SourceAlertmanager: "alertmanager-v4-captured-", SourceMonitoring: "gcp_monitoring-v1.2-uptime-minimal-"}[source]
		t.Run(source, func(t *testing.T) {
			decode, _ := byName(source)
			keys := map[string]bool{}
			for _, f := range files {
				list, err := decode(samplePayload(t, prefix+f+".json"))
				if err != nil {
					t.Fatal(err)
				}
				keys[list[0].Key] = true
			}
			if len(keys) != 1 {
				t.Errorf("%d keys for one incident", len(keys))
			}
		})
	}
}
