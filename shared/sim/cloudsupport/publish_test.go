package cloudsupport

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

const organization = "/v2/organizations/123456789012/supportEventSubscriptions"

// Each change of a case in the organization is told to each subscription, once, after it can be read.
func TestPublish(t *testing.T) {
	var d desk
	var got []string
	d = open(t, Options{AnyParent: true, Publish: func(ctx context.Context, topic string, attributes map[string]string, data []byte) error {
		d.must("GET", "/v2/"+attributes["resourceName"], "") // there already, and no lock is held
		got = append(got, attributes["notificationType"])
		if topic != "projects/acme-prod/topics/events" || string(data) != "{}" || len(attributes) != 2 {
			t.Errorf("%s %v %s", topic, attributes, data)
		}
		return nil
	}})
	sub := d.must("POST", organization, `{"pub_sub_topic":"projects/acme-prod/topics/events"}`)["name"].(string)
	name := d.create("projects/acme-prod", "a", "b", "P3")
	for _, act := range []string{"comment", "patch", "attach", "escalate", "desk comment", "desk " + stateProgress, "close"} {
		if a := d.act(name, act); a.status != 200 {
			t.Fatalf("%s: %s", act, a.body)
		}
	}
	d.act(name, "close") // refused: nothing changed
	d.create("organizations/42", "elsewhere", "b", "P3")
	want := []string{"CASE_CREATED", "COMMENT_CREATED", "CASE_UPDATED", "ATTACHMENT_CREATED", "CASE_UPDATED", "COMMENT_CREATED", "CASE_UPDATED", "CASE_UPDATED"}
	if !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
	got = nil
	check(t, d.ArmFault("cases.create", "commit_then_drop", 1))
	check(t, d.ArmFault("cases.create", "late:1m", 1))
	for range 2 {
		d.send("POST", "/v2/projects/acme-prod/cases", d.draft("a", "b", "P3"))
	}
	if len(got) != 1 {
		t.Errorf("told %v", got)
	}
	if d.advance(time.Minute); len(d.Cases()) != 4 || len(got) != 2 {
		t.Errorf("told %v of %d cases", got, len(d.Cases()))
	}
	d.must("DELETE", "/v2/"+sub, "")
	d.create("projects/acme-prod", "a", "b", "P3")
	if len(got) != 2 {
		t.Errorf("a deleted subscription was told: %v", got)
	}
}

func TestPublishFails(t *testing.T) {
	var failure error
	d := open(t, Options{Publish: func(context.Context, string, map[string]string, []byte) error { return failure }})
	sub := d.must("POST", organization, `{"pubSubTopic":"projects/acme-prod/topics/events"}`)["name"].(string)
	for _, tt := range []struct {
		err           error
		state, reason string
	}{
		{fmt.Errorf("publish: %w", ErrTopicNotFound), failing, "TOPIC_NOT_FOUND"},
		{fmt.Errorf("publish: %w", ErrPermissionDenied), failing, "PERMISSION_DENIED"},
		{errors.New("down"), failing, "OTHER"},
		{nil, working, ""},
	} {
		failure = tt.err
		d.create("projects/acme-prod", "a", "b", "P3")
		got := d.must("GET", "/v2/"+sub, "")
		reason, _ := got["failureReason"].(string)
		if got["state"] != tt.state || reason != tt.reason {
			t.Errorf("%v: %v", tt.err, got)
		}
		list, _ := d.must("GET", organization+"?filter="+escape(`state=`+tt.state+` AND pub_sub_topic="projects/acme-prod/topics/events"`), "")["supportEventSubscriptions"].([]any)
		if len(list) != 1 {
			t.Errorf("%v: listed %d", tt.err, len(list))
		}
	}
	if a := d.send("GET", organization+"?filter=topic=x", ""); a.status != 400 {
		t.Errorf("%d", a.status)
	}
}

func TestSubscriptionsArePurged(t *testing.T) {
	d := open(t, Options{})
	sub := "/v2/" + d.must("POST", organization, `{"pubSubTopic":"projects/acme-prod/topics/events"}`)["name"].(string)
	d.must("DELETE", sub, "")
	for what, a := range map[string]answered{
		"delete again": d.send("DELETE", sub, ""),
		"patch":        d.send("PATCH", sub, `{"pubSubTopic":"projects/acme-prod/topics/other"}`),
		"wrong mask":   d.send("PATCH", sub+"?updateMask=state", `{"pubSubTopic":"projects/acme-prod/topics/other"}`),
	} {
		if a.status != 400 {
			t.Errorf("%s: %d", what, a.status)
		}
	}
	d.advance(purgeAfter - time.Second)
	d.must("GET", sub, "")
	d.advance(time.Second)
	if a := d.send("GET", sub, ""); a.status != 404 {
		t.Errorf("after its purge time: %d", a.status)
	}
	if list := d.must("GET", organization+"?showDeleted=true", "")["supportEventSubscriptions"]; list != nil {
		t.Errorf("listed %v", list)
	}
}

// TestAnnounce: the subscription is made once, also when the server is opened again, and is told of what happens in every project.
func TestAnnounce(t *testing.T) {
	const topic = "projects/acme-prod/topics/support-events"
	dir := t.TempDir()
	var told []string
	for _, title := range []string{"a", "b"} {
		d := open(t, Options{Dir: dir, AnyParent: true, Publish: func(_ context.Context, to string, attributes map[string]string, _ []byte) error {
			told = append(told, to+" "+attributes["notificationType"])
			return nil
		}})
		for range 2 {
			check(t, d.Announce(topic))
		}
		if n := len(d.state.subs); n != 1 {
			t.Fatalf("%d subscriptions, want one", n)
		}
		d.create("projects/acme-prod", title, "b", "P3")
		check(t, d.Close())
	}
	if len(told) != 2 || told[0] != told[1] {
		t.Errorf("told %q, want one event for each of two cases", told)
	}
	if err := open(t, Options{}).Announce("support-events"); err == nil {
		t.Error("a topic's short name is no topic")
	}
}
