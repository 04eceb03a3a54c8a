package cloudsupport

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	api "google.golang.org/api/cloudsupport/v2"
	"google.golang.org/api/googleapi"
)

// Every method of the API, through Google's own client.
func TestGeneratedClient(t *testing.T) {
	d := open(t, Options{Seed: 7})
	c := realClient(t, d.Server)

	classes, err := c.CaseClassifications.Search().Query(`displayName:"*Compute Engine"`).Do()
	check(t, err)
	if len(classes.CaseClassifications) != 1 || classes.CaseClassifications[0].DisplayName != computeEngine {
		t.Fatalf("classifications %+v", classes.CaseClassifications)
	}
	created, err := c.Cases.Create("projects/acme-prod", &api.Case{
		DisplayName: "VM down", Description: "It does not answer.", Priority: "P2", TimeZone: "Europe/Paris", LanguageCode: "xx",
		Classification: &api.CaseClassification{Id: classes.CaseClassifications[0].Id}, SubscriberEmailAddresses: []string{"a@example.com"},
	}).Do()
	check(t, err)
	if !strings.HasPrefix(created.Name, "projects/415104041262/cases/") || len(created.Name) != len("projects/415104041262/cases/12345678") {
		t.Errorf("name %q", created.Name)
	}
	if created.State != stateNew || created.Creator.Email != DefaultCaller || created.LanguageCode != "en" || created.CreateTime == "" || created.Escalated {
		t.Errorf("created %+v, creator %+v", created, created.Creator)
	}
	name := created.Name
	byID := strings.Replace(name, "415104041262", "acme-prod", 1)
	got, err := c.Cases.Get(byID).Do()
	check(t, err)
	if got.Name != name || got.Description != "It does not answer." || got.Classification.DisplayName != computeEngine {
		t.Errorf("got %+v", got)
	}
	list, err := c.Cases.List("projects/acme-prod").Filter("state=OPEN AND (priority=P1 OR priority=P2)").Do()
	check(t, err)
	found, err := c.Cases.Search("organizations/123456789012").Query(`"does not answer"`).Do()
	check(t, err)
	if len(list.Cases) != 1 || len(found.Cases) != 1 {
		t.Errorf("listed %d, found %d", len(list.Cases), len(found.Cases))
	}
	patched, err := c.Cases.Patch(name, &api.Case{Priority: "P1"}).UpdateMask("priority").Do()
	check(t, err)
	if patched.Priority != "P1" || patched.DisplayName != "VM down" || len(patched.SubscriberEmailAddresses) != 1 {
		t.Errorf("patched %+v", patched)
	}
	escalated, err := c.Cases.Escalate(name, &api.EscalateCaseRequest{Escalation: &api.Escalation{Reason: "BUSINESS_IMPACT", Justification: "It hurts."}}).Do()
	check(t, err)
	if !escalated.Escalated {
		t.Error("not escalated")
	}
	comment, err := c.Cases.Comments.Create(name, &api.Comment{Body: "Any news?"}).Do()
	check(t, err)
	one, err := c.Cases.Comments.Get(comment.Name).Do()
	check(t, err)
	comments, err := c.Cases.Comments.List(name).PageSize(5).Do()
	check(t, err)
	if one.Body != "Any news?" || len(comments.Comments) != 1 || comments.Comments[0].Creator.GoogleSupport {
		t.Errorf("comment %+v of %d", one, len(comments.Comments))
	}
	testMedia(t, c, name)
	closed, err := c.Cases.Close(name, &api.CloseCaseRequest{}).Do()
	check(t, err)
	if closed.State != stateClosed {
		t.Errorf("closed %q", closed.State)
	}
	_, err = c.Cases.Close(name, &api.CloseCaseRequest{}).Do()
	refused(t, err, 400)
	testSubscriptions(t, c)

	_, counts := d.Calls()
	if got := slices.Sorted(maps.Keys(counts)); len(got) != len(methods) {
		t.Errorf("%d of %d methods called: %v", len(got), len(methods), got)
	}
}

// testMedia uploads as the client does: in one request when it is small, in chunks when it is not.
func testMedia(t *testing.T, c *api.Service, name string) {
	t.Helper()
	for _, size := range []int{0, 5, 256 << 10, 512 << 10, 600_001} {
		content := bytes.Repeat([]byte("x\x00y"), size/3+1)[:size]
		up := c.Media.Upload(name, &api.CreateAttachmentRequest{Attachment: &api.Attachment{Filename: "log.bin"}})
		a, err := up.Media(bytes.NewReader(content), googleapi.ContentType("application/x-log"), googleapi.ChunkSize(256<<10)).Do()
		check(t, err)
		if a.SizeBytes != int64(size) || a.MimeType != "application/x-log" || a.Filename != "log.bin" {
			t.Errorf("uploaded %d bytes: %+v", size, a)
		}
		again, err := c.Cases.Attachments.Get(a.Name).Do()
		check(t, err)
		res, err := c.Media.Download(a.Name).Download()
		check(t, err)
		data, err := io.ReadAll(res.Body)
		res.Body.Close()
		check(t, err)
		if again.CreateTime != a.CreateTime || !bytes.Equal(data, content) || res.Header.Get("Content-Type") != "application/x-log" {
			t.Errorf("%d bytes came back as %d of %s", size, len(data), res.Header.Get("Content-Type"))
		}
	}
	list, err := c.Cases.Attachments.List(name).Do()
	check(t, err)
	if len(list.Attachments) != 5 || list.Attachments[0].SizeBytes != 600_001 {
		t.Errorf("%d attachments, newest %+v", len(list.Attachments), list.Attachments[0])
	}
	_, err = c.Media.Upload(name, &api.CreateAttachmentRequest{Attachment: &api.Attachment{Filename: "none"}}).Do()
	refused(t, err, 400)
	_, err = c.Media.Download(list.Attachments[0].Name).Do() // alt=json
	refused(t, err, 400)
}

func testSubscriptions(t *testing.T, c *api.Service) {
	t.Helper()
	subs := c.Organizations.SupportEventSubscriptions
	const parent = "organizations/123456789012"
	made, err := subs.Create(parent, &api.SupportEventSubscription{PubSubTopic: "projects/acme-prod/topics/support-events"}).Do()
	check(t, err)
	got, err := subs.Get(made.Name).Do()
	check(t, err)
	if got.State != working || got.PubSubTopic != "projects/acme-prod/topics/support-events" {
		t.Errorf("subscription %+v", got)
	}
	moved, err := subs.Patch(made.Name, &api.SupportEventSubscription{PubSubTopic: "projects/acme-prod/topics/other"}).UpdateMask("pubSubTopic").Do()
	check(t, err)
	gone, err := subs.Delete(made.Name).Do()
	check(t, err)
	if moved.PubSubTopic != "projects/acme-prod/topics/other" || gone.State != deleted || gone.DeleteTime == "" || gone.PurgeTime == "" {
		t.Errorf("moved %+v, gone %+v", moved, gone)
	}
	count := func(show bool) int {
		list, err := subs.List(parent).ShowDeleted(show).Do()
		check(t, err)
		return len(list.SupportEventSubscriptions)
	}
	if count(false) != 0 || count(true) != 1 {
		t.Errorf("listed %d, with deleted %d", count(false), count(true))
	}
	back, err := subs.Undelete(made.Name, &api.UndeleteSupportEventSubscriptionRequest{}).Do()
	check(t, err)
	if back.State != working || back.PurgeTime != "" {
		t.Errorf("back %+v", back)
	}
	_, err = subs.Undelete(made.Name, &api.UndeleteSupportEventSubscriptionRequest{}).Do()
	refused(t, err, 409)
	_, err = subs.Expunge(made.Name, &api.ExpungeSupportEventSubscriptionRequest{}).Do()
	refused(t, err, 400)
	_, err = subs.Delete(made.Name).Do()
	check(t, err)
	_, err = subs.Expunge(made.Name, &api.ExpungeSupportEventSubscriptionRequest{}).Do()
	check(t, err)
	_, err = subs.Get(made.Name).Do()
	refused(t, err, 404)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, err error, code int) {
	t.Helper()
	var e *googleapi.Error
	if !errors.As(err, &e) || e.Code != code || e.Message == "" {
		t.Errorf("got %v, want a googleapi error %d", err, code)
	}
}

// A URL for chunks carries the place where the server is mounted, and can be asked again after the answer was lost.
func TestResumableUpload(t *testing.T) {
	d := open(t, Options{})
	path := "/upload/v2/" + d.create("projects/acme-prod", "a", "b", "P3") + "/attachments?uploadType=resumable"
	begin := d.send("POST", path, `{"attachment":{"filename":"a.txt"}}`, "X-Upload-Content-Type", "text/plain")
	where := strings.TrimPrefix(begin.header.Get("Location"), "http://desk.test")
	chunk := bytes.Repeat([]byte("c"), 256<<10)
	steps := []struct {
		what, body, contentRange, no308 string
		status                          int
		has                             string
	}{
		{"not a multiple", "abc", "bytes 0-2/*", "", 400, "multiple"},
		{"a gap", "abc", "bytes 5-7/8", "", 400, "does not begin"},
		{"no range of the body", "abc", "bytes 0-9/10", "", 400, "not that of the body"},
		{"not a range", "abc", "lines 0-2", "", 400, "cannot be read"},
		{"first chunk", string(chunk), "bytes 0-262143/*", "", 308, ""},
		{"where was I", "", "bytes */262147", "yes", 200, ""},
		{"too short", "abc", "bytes 262144-262146/262150", "", 400, "does not end"},
		{"last chunk", "done", "bytes 262144-262147/262148", "", 200, `"sizeBytes": "262148"`},
		{"answer lost", "done", "bytes 262144-262147/262148", "", 200, `"sizeBytes": "262148"`},
	}
	for _, s := range steps {
		a := d.send("PUT", where, s.body, "Content-Range", s.contentRange, "X-GUploader-No-308", s.no308)
		if a.err != nil || a.status != s.status || !strings.Contains(a.body, s.has) {
			t.Errorf("%s: %d %v %s", s.what, a.status, a.err, a.body)
		}
		if s.no308 == "yes" && (a.header.Get("X-Http-Status-Code-Override") != "308" || a.header.Get("Range") != "bytes=0-262143") {
			t.Errorf("%s: %v", s.what, a.header)
		}
	}
	if n := len(d.Cases()[0].Attachments); n != 1 {
		t.Errorf("%d attachments, want 1", n)
	}
	if a := d.send("PUT", path+"&upload_id=stranger", ""); a.status != http.StatusNotFound {
		t.Errorf("a stranger's session: %d", a.status)
	}
}

// As the API's own documentation uploads: the file is the body, the name stands in the query.
func TestRawUpload(t *testing.T) {
	d := open(t, Options{})
	name := d.create("projects/acme-prod", "a", "b", "P3")
	a := d.send("POST", "/upload/v2/"+name+"/attachments?attachment.filename=a.txt", "hello", "Content-Type", "text/plain")
	if a.status != 200 || a.json(t)["sizeBytes"] != "5" || a.json(t)["filename"] != "a.txt" {
		t.Errorf("%d %s", a.status, a.body)
	}
}
