package hub

import (
	"fmt"
	"strings"
	"testing"
)

func TestCreateReply(t *testing.T) {
	for reading, want := range map[string][2]bool{"location": {true, false}, "body": {false, true}, "both": {true, true}, "none": {false, false}} {
		w := newWorld(t, Options{Switches: Switches{CreateReply: reading}})
		a := w.must("POST", tickets+Provider+"/support-requests", ticketJSON(Provider, "t"))
		if a.status != 201 || (a.header.Get("Location") != "") != want[0] || strings.Contains(a.body, `"id"`) != want[1] {
			t.Errorf("%s: %d %v %s", reading, a.status, a.header, a.body)
		}
		id := w.SupportRequests()[0].ID
		if want[0] && a.header.Get("Location") != "http://hub.test"+tickets+Provider+"/support-requests/"+id {
			t.Errorf("%s", a.header.Get("Location"))
		}
	}
}

func TestListTickets(t *testing.T) {
	w := newWorld(t, Options{})
	for i := range 12 {
		w.ticket(fmt.Sprintf("Title %d", i))
	}
	w.fine(w.as(w.access(TenantCoke, TenantAdmin), "POST", tickets+TenantCoke+"/support-requests", strings.Replace(ticketJSON(TenantCoke, "Of a tenant"), `"i1"`, `"i2"`, 1)))
	titles := func(query string) string {
		var all []string
		for _, v := range w.must("GET", tickets+Provider+"/support-requests?"+query, "").object(t)["supportTickets"].([]any) {
			all = append(all, strings.TrimPrefix(v.(map[string]any)["title"].(string), "Title "))
		}
		return strings.Join(all, " ")
	}
	const all = "11 10 9 8 7 6 5 4 3 2 1 0"
	for query, want := range map[string]string{
		"":                                   all,
		"pageLimit=3":                        "11 10 9",
		"pageStart=2&pageLimit=3":            "10 9 8",
		"pageStart=4&pageLimit=3":            "8 7 6",
		"pageStart=12&pageLimit=3":           "0",
		"pageStart=13":                       "",
		"includeTenantOrgs=true&pageLimit=2": "Of a tenant 11",
		"includeTenantOrgs=true&internalTicketId=i2": "Of a tenant",
		"internalTicketId=i2":                        "",
		"internalTicketId=i1&pageLimit=1":            "11",
		"subject=TITLE%201&pageLimit=9":              "11 10 1",
		"status=Closed":                              "",
		"status=Open&severity=3%20-%20Medium&category=nonTechnical&pageLimit=1": "11",
		"category=technical":                  "",
		"orgName=Coke":                        "",
		"orgName=Coke&includeTenantOrgs=true": "Of a tenant",
		"userTicketsOnly=true&includeTenantOrgs=true&pageLimit=1": "11",
	} {
		if got := titles(query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	w.control("POST", "/switches", `{"pageStart":"page"}`)
	for query, want := range map[string]string{"pageLimit=3": "11 10 9", "pageStart=2&pageLimit=3": "8 7 6", "pageStart=4&pageLimit=3": "2 1 0", "pageStart=5&pageLimit=3": "", "pageStart=9223372036854775807": ""} {
		if got := titles(query); got != want {
			t.Errorf("by page, %s: %s, want %s", query, got, want)
		}
	}
	for query, field := range map[string]string{"pageStart=0": "pageStart", "pageLimit=0": "pageLimit", "pageLimit=1001": "pageLimit", "pageStart=x": "pageStart", "userTicketsOnly=yes": "userTicketsOnly", "page=1": "page"} {
		refused(t, query, w.send("GET", tickets+Provider+"/support-requests?"+query, ""), 400, field)
	}
	w.control("POST", "/switches", `{"supportAnswer":"bare"}`)
	if n := len(w.must("GET", tickets+Provider+"/support-requests", "").array(t)); n != 12 {
		t.Errorf("%d bare", n)
	}
}

// Every change of a support request, from every state.
func TestUpdateTicket(t *testing.T) {
	w := newWorld(t, Options{})
	path := tickets + Provider + "/support-requests/" + w.ticket("t")
	steps := []struct {
		body    string
		status  int
		field   string
		is, sub string
	}{
		{`{"additionalDetails":"more"}`, 200, "", "Open", "Inbound message received"},
		{`{"closeReason":"Duplicate"}`, 400, "closeReason", "", ""},
		{`{"supportTicketAction":"REOPEN"}`, 400, "supportTicketAction", "", ""},
		{`{"supportTicketAction":"CLOSE"}`, 400, "closeReason", "", ""},
		{`{"supportTicketAction":"CLOSE","closeReason":"Because"}`, 400, "closeReason", "", ""},
		{`{"supportTicketAction":"DELETE"}`, 400, "supportTicketAction", "", ""},
		{`{"supportTicketAction":"ESCALATE"}`, 200, "", "Open", "Escalated"},
		{`{"caseId":"5","customerNumber":"6"}`, 200, "", "Open", "Escalated"},
		{`{"supportTicketAction":"CLOSE","closeReason":"Duplicate"}`, 200, "", "Closed", "Closed by customer"},
		{`{"supportTicketAction":"CLOSE","closeReason":"Duplicate"}`, 400, "supportTicketAction", "", ""},
		{`{"additionalDetails":"more"}`, 400, "supportTicketAction", "", ""},
		{`{"closeReason":"Other Reason"}`, 200, "", "Closed", "Closed by customer"},
		{`{"supportTicketAction":"REOPEN","closeReason":"Other Reason"}`, 400, "closeReason", "", ""},
		{`{"supportTicketAction":"REOPEN","additionalDetails":"again"}`, 200, "", "Open", "Reopened"},
		{`{"status":"Closed"}`, 400, "status", "", ""},
	}
	for _, s := range steps {
		a := w.send("PATCH", path, s.body)
		if s.status != 200 {
			refused(t, s.body, a, s.status, s.field)
			continue
		}
		if v := a.object(t); a.status != 200 || v["status"] != s.is || v["subStatus"] != s.sub {
			t.Errorf("%s: %d %s", s.body, a.status, a.body)
		}
	}
	r := w.SupportRequests()[0]
	if strings.Join(r.Details, " ") != "more again" || !r.Escalated || r.CloseReason != "" {
		t.Errorf("%+v", r)
	}
	w.control("POST", "/support-requests/"+r.ID+"/reply", `{"subStatus":"Waiting for customer"}`)
	w.control("POST", "/support-requests/"+r.ID+"/reply", `{"status":"Closed"}`)
	if r := w.SupportRequests()[0]; r.Status != "Closed" || r.SubStatus != "Waiting for customer" {
		t.Errorf("%+v", r)
	}
	if a := w.raw("POST", "/support-requests/"+r.ID+"/reply", `{"status":"Lost"}`); a.status != 400 {
		t.Errorf("%d", a.status)
	}
	refused(t, "unknown", w.send("GET", tickets+Provider+"/support-requests/1", ""), 404, "")
	refused(t, "a literal is no id", w.send("PATCH", tickets+Provider+"/support-requests/metadata", `{}`), 404, "")
}

func TestCreateTicketRefused(t *testing.T) {
	w := newWorld(t, Options{})
	good := ticketJSON(Provider, "t")
	for what, c := range map[string][3]string{
		"organization":   {Provider, TenantCoke, "orgId"},
		"severity":       {"3 - Medium", "urgent", "severity"},
		"category":       {"nonTechnical", "other", "category"},
		"issue":          {"VMware Cloud Services - User Management", "My Issue", "issueCategoryId"},
		"issue of other": {"VMware Cloud Services - User Management", "VMware Cloud on AWS - SDDC", "issueCategoryId"},
		"consent":        {`"false"`, `"no"`, "userAgreedToEula"},
		"number":         {`"false"`, `0`, "userAgreedToEula"},
		"no title":       {`"title":"t"`, `"title":" "`, "title"},
		"unknown":        {`"phoneNumber"`, `"phone"`, "phone"},
		"twice":          {`"phoneNumber"`, `"title"`, "title"},
		"files":          {`"phoneNumber":"+91"`, `"fileReferences":[{"fileName":"a","action":"KEEP","fileId":"x"}]`, "fileReferences.action"},
	} {
		refused(t, what, w.send("POST", tickets+Provider+"/support-requests", strings.Replace(good, c[0], c[1], 1)), 400, c[2])
	}
	w.must("POST", tickets+Provider+"/support-requests", strings.Replace(good, `"false"`, `true`, 1))
	if n := len(w.SupportRequests()); n != 1 {
		t.Errorf("%d support requests, want 1", n)
	}
}

// A file goes up, is referred to, and comes off again; its name loses its folders.
func TestFiles(t *testing.T) {
	w := newWorld(t, Options{})
	id := w.ticket("t")
	path := tickets + Provider + "/support-requests/" + id
	access := w.access(Provider, ProviderSupportUser)
	send := func(body, kind string) answered {
		return w.raw("POST", path+"/upload", body, "csp-auth-token", access, "Content-Type", kind)
	}
	file := w.fine(send(formBody, formType)).object(t)["fileId"].(string)
	if got := w.control("GET", "/files/"+file, "").body; got != "bytes\x00\xff" {
		t.Errorf("%q", got)
	}
	refer := func(id, action string) string {
		return `{"fileReferences":[{"fileName":"C:\\tmp\\a.log","action":"` + action + `","fileId":"` + id + `"}]}`
	}
	if n := len(w.SupportRequests()[0].Files); n != 0 {
		t.Errorf("%d files before they are referred to", n)
	}
	w.must("PATCH", path, refer(file, "ADD"))
	w.must("PATCH", path, refer(file, "ADD"))
	if f := w.SupportRequests()[0].Files; len(f) != 1 || f[file] != "a.log" {
		t.Errorf("%v", f)
	}
	refused(t, "never uploaded", w.send("PATCH", path, refer("x", "ADD")), 400, "fileReferences.fileId")
	refused(t, "of another request", w.send("PATCH", tickets+Provider+"/support-requests/"+w.ticket("other"), refer(file, "ADD")), 400, "fileReferences.fileId")
	w.must("PATCH", path, refer(file, "REMOVE"))
	w.control("POST", "/switches", `{"uploadAttach":true}`)
	w.fine(send(formBody, formType))
	if n := len(w.SupportRequests()[0].Files); n != 1 {
		t.Errorf("%d files", n)
	}
	part := func(name, data string) string {
		return "--cut\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"f\"\r\n\r\n" + data + "\r\n"
	}
	w.fine(send(part("uploadedInputStream", strings.Repeat("x", maxUpload))+"--cut--", formType))
	refused(t, "too large", send(part("uploadedInputStream", strings.Repeat("x", maxUpload+1))+"--cut--", formType), 413, "")
	refused(t, "far too large", send(part("uploadedInputStream", strings.Repeat("x", maxUpload+maxBody))+"--cut--", formType), 413, "")
	refused(t, "no file", send(part("fileDetail", "x")+"--cut--", formType), 400, "uploadedInputStream")
	refused(t, "another part", send(part("file", "x")+"--cut--", formType), 400, "file")
	refused(t, "twice", send(part("uploadedInputStream", "x")+part("uploadedInputStream", "x")+"--cut--", formType), 400, "uploadedInputStream")
	refused(t, "cut off", send(part("uploadedInputStream", "x"), formType), 400, "")
	refused(t, "JSON", send(`{}`, "application/json"), 415, "")
	w.must("PATCH", path, `{"supportTicketAction":"CLOSE","closeReason":"Duplicate"}`)
	refused(t, "closed", send(formBody, formType), 400, "supportRequestId")
}
