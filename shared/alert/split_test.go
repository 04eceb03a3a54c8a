package alert

import (
	"reflect"
	"slices"
	"testing"
)

func decodeFile(t *testing.T, decode bodyDecoder, name string) Incident {
	t.Helper()
	list, err := decode(readFile(t, "testdata/"+name))
	if err != nil || len(list) != 1 {
		t.Fatalf("%d incidents, %v", len(list), err)
	}
	return list[0]
}

func TestSplitGivesEachAlertItsOwnIncident(t *testing.T) {
	in := decodeFile(t, Alertmanager, "alertmanager/group.json")
	in.Sender, in.Tenant, in.Test = "prod", "acme", true
	list := Split(in)
	if len(list) != 2 {
		t.Fatalf("%d incidents", len(list))
	}
	a, b := list[0], list[1]
	if a.Key != in.Key+"/aaaa00000000000a" || b.Key != in.Key+"/bbbb00000000000b" {
		t.Errorf("keys %q, %q", a.Key, b.Key)
	}
	if a.Status != Resolved || a.Severity != Critical || b.Status != Firing || b.Severity != Warning {
		t.Errorf("%s %s, %s %s", a.Status, a.Severity, b.Status, b.Severity)
	}
	if b.Title != "HighLatency: shop/cart-2" || b.Labels["pod"] != "cart-2" {
		t.Errorf("title %q, labels %v", b.Title, b.Labels)
	}
	if b.Sender != "prod" || b.Tenant != "acme" || !b.Test {
		t.Errorf("the sender is lost: %+v", b)
	}
	for _, one := range list {
		checkIncident(t, one)
	}
}

// TestSplitOfTruncated: what is listed is proven, what is not listed does not appear, so truncation ends nothing.
func TestSplitOfTruncated(t *testing.T) {
	in := decodeFile(t, Alertmanager, "alertmanager/truncated.json")
	if in.Status != Resolved || in.Omitted != 2 {
		t.Fatalf("%s, %d omitted", in.Status, in.Omitted)
	}
	list := Split(in)
	if len(list) != 1 || list[0].Omitted != 0 || list[0].Status != Resolved {
		t.Errorf("%+v", list)
	}
}

func TestSplitOfNothingListed(t *testing.T) {
	in := decodeText(t, Alertmanager, `{"version":"4","groupKey":"x","truncatedAlerts":7,"status":"resolved","groupLabels":{"alertname":"Flood"}}`)
	if in.Status != Firing || in.Omitted != 7 || in.Title != "Flood (7 alerts)" {
		t.Errorf("%+v", in)
	}
	if list := Split(in); len(list) != 1 || !reflect.DeepEqual(list[0], in) {
		t.Errorf("%+v", list)
	}
}

func TestSplitLeavesMonitoringAlone(t *testing.T) {
	in := decodeFile(t, Monitoring, "monitoring/threshold-open.json")
	if list := Split(in); len(list) != 1 || !reflect.DeepEqual(list[0], in) {
		t.Errorf("%+v", list)
	}
}

func TestSplitSharesNothing(t *testing.T) {
	in := decodeFile(t, Alertmanager, "alertmanager/group.json")
	before := decodeFile(t, Alertmanager, "alertmanager/group.json")
	for _, one := range Split(in) {
		one.Labels["x"] = "y"
		one.Annotations["x"] = "y"
		slices.Reverse(one.Links)
	}
	if !reflect.DeepEqual(in, before) {
		t.Error("a change of a part changed the whole")
	}
}
