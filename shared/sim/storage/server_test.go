package storage

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a time that only the test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// cloud is a server under test, called in process.
type cloud struct {
	*testing.T
	*Server
	*clock
}

const (
	bucket  = "acme-usage"
	objects = "/storage/v1/b/" + bucket + "/o"
	uploads = "/upload/storage/v1/b/" + bucket + "/o"
)

func open(t *testing.T, o Options) cloud {
	t.Helper()
	c := &clock{time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	if o.Now == nil {
		o.Now = c.now
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return cloud{t, s, c}
}

// answered is what came back, or the error of the connection.
type answered struct {
	status int
	header http.Header
	body   string
	err    error
}

// send calls in process.
func (c cloud) send(method, path, body string, headers ...string) answered {
	c.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, "http://storage.test"+path, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := recorder{c.T, c.Transport()}.RoundTrip(r)
	if err != nil {
		return answered{err: err}
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return answered{res.StatusCode, res.Header, string(data), err}
}

// expect is send for a call that has to be answered with a code, and say a thing.
func (c cloud) expect(status int, has, method, path, body string, headers ...string) answered {
	c.Helper()
	a := c.send(method, path, body, headers...)
	if a.err != nil || a.status != status || !strings.Contains(a.body, has) {
		c.Errorf("%s %s: %d %v %.300s, want %d with %q", method, path, a.status, a.err, a.body, status, has)
	}
	return a
}

func (a answered) field(name string) string {
	var v map[string]any
	_ = json.Unmarshal([]byte(a.body), &v) // an answer that is no JSON has no fields
	if s, ok := v[name].(string); ok {
		return s
	}
	return ""
}

// put inserts an object and returns its generation.
func (c cloud) put(name, content string) string {
	c.Helper()
	return c.expect(200, "", "POST", uploads+"?uploadType=media&name="+url.QueryEscape(name), content, "Content-Type", "text/csv").field("generation")
}

func object(name string) string { return objects + "/" + url.PathEscape(name) }

// recorder holds every answer against the schema that the contract has for it, and every refusal against the shape of Cloud Storage's.
type recorder struct {
	t    *testing.T
	next http.RoundTripper
}

func (rec recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := rec.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(res.Body)
	res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(data))
	route, _ := find(r.Method, r.URL)
	if route == nil || err != nil || r.URL.Query().Get("alt") == "media" || !json.Valid(data) {
		return res, err
	}
	if res.StatusCode == 200 {
		rec.fits(route.method.Response, data)
	} else {
		rec.refusal(res.StatusCode, data)
	}
	return res, err
}

func (rec recorder) fits(schema string, data json.RawMessage) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		rec.t.Errorf("no object of %s: %s", schema, data)
	}
	for name, v := range fields {
		known := false
		for _, f := range schemas[schema] {
			if known = known || f.Name == name; f.Name != name {
				continue
			}
			if f.Format == "int64" || f.Format == "uint64" {
				known = v[0] == '"'
			}
			if f.Ref != "" && !f.Array {
				rec.fits(f.Ref, v)
			}
		}
		if !known {
			rec.t.Errorf("%s has no %s of this kind: %s", schema, name, v)
		}
	}
}

func (rec recorder) refusal(code int, data []byte) {
	var v struct {
		Error struct {
			Code    int
			Message string
			Errors  []struct{ Domain, Reason, Message string }
		}
	}
	if json.Unmarshal(data, &v) != nil || v.Error.Code != code || v.Error.Message == "" || len(v.Error.Errors) != 1 || v.Error.Errors[0].Reason == "" {
		rec.t.Errorf("not Cloud Storage's shape: %s", data)
	}
}

func related(meta, kind, content string) (body, contentType string) {
	return "--b\r\nContent-Type: application/json\r\n\r\n" + meta + "\r\n--b\r\nContent-Type: " + kind + "\r\n\r\n" + content + "\r\n--b--\r\n", "multipart/related; boundary=b"
}

func TestObjects(t *testing.T) {
	c := open(t, Options{})
	body, kind := related(`{"name":"a/b c=d.csv","metadata":{"k":"v"},"crc32c":"4waSgw==","md5Hash":"JfnnlDI7RTiF9RgfG2JNCw==","contentDisposition":"inline"}`, "text/csv", "123456789")
	a := c.expect(200, `"crc32c":"4waSgw=="`, "POST", uploads+"?uploadType=multipart&ifGenerationMatch=0", body, "Content-Type", kind)
	if a.field("contentType") != "text/csv" || a.field("size") != "9" || a.field("name") != "a/b c=d.csv" || a.field("generation") != "1795334400000000" {
		t.Errorf("%s", a.body)
	}
	c.expect(200, `"metadata":{"k":"v"}`, "GET", object("a/b c=d.csv"), "")
	c.expect(200, "123456789", "GET", object("a/b c=d.csv")+"?alt=media", "")
	c.expect(200, `"generation":"`+a.field("generation"), "GET", strings.TrimPrefix(a.field("selfLink"), "http://storage.test"), "")
	c.expect(200, "123456789", "GET", strings.TrimPrefix(a.field("mediaLink"), "http://storage.test"), "")
	second := c.put("a/b c=d.csv", "new")
	if second != "1795334400000001" { // the clock stood still
		t.Errorf("generation %s", second)
	}
	c.expect(404, "No such object", "GET", object("a/b c=d.csv")+"?generation="+a.field("generation"), "")
	c.expect(404, "No such object", "GET", object("a/b c=d.csv")+"?alt=media&generation="+a.field("generation"), "")
	c.expect(204, "", "DELETE", object("a/b c=d.csv"), "")
	c.expect(404, "No such object", "GET", object("a/b c=d.csv"), "")
	c.expect(404, "No such object", "DELETE", object("a/b c=d.csv"), "")
	if again := c.put("a/b c=d.csv", "new"); again != "1795334400000002" {
		t.Errorf("generation %s after the deletion", again)
	}
	c.expect(200, `"location":"EUROPE-WEST3"`, "GET", "/storage/v1/b/"+bucket, "")
	if h := c.History(bucket); len(h) != 3 || h[0].CRC32C != "4waSgw==" {
		t.Errorf("%+v", h)
	}
	if data, err := c.Content(bucket, "a/b c=d.csv"); string(data) != "new" || err != nil {
		t.Errorf("%q %v", data, err)
	}
}

// Each precondition, met and not, on each method that has it.
func TestPreconditions(t *testing.T) {
	for _, tt := range []struct {
		method, condition string
		exists            bool
		status            int
	}{
		{"insert", "ifGenerationMatch=0", false, 200}, {"insert", "ifGenerationMatch=0", true, 412}, {"insert", "ifGenerationMatch=G", true, 200},
		{"insert", "ifGenerationMatch=7", true, 412}, {"insert", "ifGenerationMatch=7", false, 412}, {"insert", "ifGenerationNotMatch=0", false, 412},
		{"insert", "ifGenerationNotMatch=0", true, 200}, {"insert", "ifGenerationNotMatch=G", true, 412}, {"insert", "ifMetagenerationMatch=1", true, 200},
		{"insert", "ifMetagenerationMatch=2", true, 412}, {"insert", "ifMetagenerationNotMatch=1", true, 412},
		{"get", "ifGenerationMatch=G", true, 200}, {"get", "ifGenerationMatch=7", true, 412}, {"get", "ifGenerationNotMatch=G", true, 304},
		{"get", "ifGenerationNotMatch=7", true, 200}, {"get", "ifMetagenerationNotMatch=1", true, 304}, {"get", "ifGenerationMatch=0", false, 404},
		{"media", "ifGenerationNotMatch=G", true, 304}, {"media", "ifGenerationMatch=7", true, 412},
		{"delete", "ifGenerationMatch=G", true, 204}, {"delete", "ifGenerationMatch=7", true, 412}, {"delete", "generation=7", true, 404},
		{"rewrite", "ifGenerationMatch=0", false, 200}, {"rewrite", "ifGenerationMatch=0", true, 412}, {"rewrite", "ifGenerationMatch=G", true, 200},
		{"rewrite", "ifSourceGenerationMatch=7", true, 412}, {"rewrite", "ifSourceMetagenerationNotMatch=1", true, 412}, {"rewrite", "sourceGeneration=7", true, 404},
	} {
		c := open(t, Options{})
		c.put("source", "s")
		g := "0"
		if tt.exists {
			g = c.put("a", "old")
		}
		query := strings.Replace(tt.condition, "=G", "="+g, 1)
		before := fmt.Sprint(c.Objects(bucket))
		var a answered
		switch tt.method {
		case "insert":
			a = c.send("POST", uploads+"?uploadType=media&name=a&"+query, "new")
		case "get":
			a = c.send("GET", object("a")+"?"+query, "")
		case "media":
			a = c.send("GET", object("a")+"?alt=media&"+query, "")
		case "delete":
			a = c.send("DELETE", object("a")+"?"+query, "")
		case "rewrite":
			a = c.send("POST", object("source")+"/rewriteTo/b/"+bucket+"/o/a?"+query, "")
		}
		if a.status != tt.status || a.status == 412 && tt.method != "media" && !strings.Contains(a.body, "conditionNotMet") {
			t.Errorf("%s %s, there %v: %d %s, want %d", tt.method, tt.condition, tt.exists, a.status, a.body, tt.status)
		}
		if changed := before != fmt.Sprint(c.Objects(bucket)); changed != (tt.status < 300 && tt.method != "get") {
			t.Errorf("%s %s, there %v: changed %v", tt.method, tt.condition, tt.exists, changed)
		}
	}
}

func TestRanges(t *testing.T) {
	c := open(t, Options{})
	c.put("a", "0123456789")
	c.put("empty", "")
	for _, tt := range []struct{ asked, want, says string }{
		{"bytes=0-3", "0123", "bytes 0-3/10"}, {"bytes=8-", "89", "bytes 8-9/10"}, {"bytes=-3", "789", "bytes 7-9/10"}, {"bytes=5-99", "56789", "bytes 5-9/10"},
		{"bytes=-99", "0123456789", "bytes 0-9/10"}, {"bytes=3-1", "0123456789", ""}, {"lines=1-2", "0123456789", ""}, {"bytes=0-1,3-4", "0123456789", ""},
		{"bytes=-", "0123456789", ""}, {"", "0123456789", ""},
	} {
		a := c.send("GET", object("a")+"?alt=media", "", "Range", tt.asked)
		if a.body != tt.want || a.header.Get("Content-Range") != tt.says || (a.status == 206) != (tt.says != "") || a.header.Get("Content-Length") != fmt.Sprint(len(tt.want)) {
			t.Errorf("%q: %d %q %v", tt.asked, a.status, a.body, a.header)
		}
		if a.header.Get("X-Goog-Hash") == "" || a.header.Get("X-Goog-Generation") == "" || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%v", a.header)
		}
	}
	for _, asked := range []string{"bytes=10-", "bytes=10-11", "bytes=-0"} {
		c.expect(416, "not satisfiable", "GET", object("a")+"?alt=media", "", "Range", asked)
	}
	c.expect(416, "not satisfiable", "GET", object("empty")+"?alt=media", "", "Range", "bytes=0-0")
	c.expect(200, "", "GET", object("empty")+"?alt=media", "")
}

// begin starts a session and returns where its chunks go.
func (c cloud) begin(query string) string {
	c.Helper()
	a := c.expect(200, "", "POST", uploads+"?uploadType=resumable&name=big&"+query, `{"metadata":{"k":"v"}}`, "Content-Type", "application/json", "X-Upload-Content-Type", "text/csv")
	where, ok := strings.CutPrefix(a.header.Get("Location"), "http://storage.test")
	if !ok {
		c.Fatalf("session at %q", a.header.Get("Location"))
	}
	return where
}

func TestResumable(t *testing.T) {
	c := open(t, Options{Persist: granule})
	at := c.begin("ifGenerationMatch=0")
	chunk := strings.Repeat("x", 2*granule)
	arrived := func(a answered, n int) {
		t.Helper()
		want := ""
		if n > 0 {
			want = fmt.Sprintf("bytes=0-%d", n-1)
		}
		if a.status != 308 || a.header.Get("Range") != want {
			t.Fatalf("%d %q %s, want %q", a.status, a.header.Get("Range"), a.body, want)
		}
	}
	arrived(c.send("PUT", at, "", "Content-Range", "bytes */*"), 0)
	arrived(c.send("PUT", at, chunk, "Content-Range", "bytes 0-524287/*"), granule) // half of it is kept
	c.expect(503, "does not begin", "PUT", at, chunk, "Content-Range", "bytes 524288-1048575/*")
	arrived(c.send("PUT", at, "", "Content-Range", "bytes */*"), granule)
	c.expect(400, "multiple", "PUT", at, "xyz", "Content-Range", "bytes 262144-262146/*")
	c.expect(400, "not that of the body", "PUT", at, "xyz", "Content-Range", "bytes 262144-262147/*")
	c.expect(400, "not that of the body", "PUT", at, "xyz", "Content-Range", "bytes 262144-262146/262146")
	c.expect(400, "cannot be read", "PUT", at, "xyz", "Content-Range", "bites 0-2/3")
	c.expect(400, "more content", "PUT", at, "", "Content-Range", "bytes */5")
	if len(c.Objects(bucket)) != 0 || c.Uploads() != 1 {
		t.Error("it is there before it is complete")
	}
	c.expect(400, "checksum", "PUT", at, "end", "Content-Range", "bytes 262144-262146/262147", "X-Goog-Hash", "crc32c=AAAAAA==")
	a := c.expect(200, `"size":"262147"`, "PUT", at, "end", "Content-Range", "bytes 262144-262146/262147")
	for range 2 { // for whoever lost the answer
		if again := c.expect(200, "", "PUT", at, "", "Content-Range", "bytes */262147"); again.body != a.body {
			t.Errorf("%s, was %s", again.body, a.body)
		}
	}
	if o := c.Objects(bucket); len(o) != 1 || o[0].Type != "text/csv" || o[0].Metadata["k"] != "v" || c.Uploads() != 0 {
		t.Errorf("%+v", o)
	}
	if data, err := c.Content(bucket, "big"); err != nil || string(data) != chunk[:granule]+"end" {
		t.Errorf("%d bytes %v", len(data), err)
	}
}

func TestSessionsEnd(t *testing.T) {
	c := open(t, Options{})
	late := c.begin("ifGenerationMatch=0")
	c.put("big", "somebody else's")
	c.expect(412, "conditionNotMet", "PUT", late, "x")
	cancelled := c.begin("")
	c.expect(499, "", "DELETE", cancelled, "")
	c.expect(410, "session is over", "PUT", cancelled, "x")
	c.expect(410, "session is over", "DELETE", cancelled, "")
	c.expect(410, "session is over", "PUT", uploads+"?upload_id=nobody", "x")
	c.expect(400, "Only the chunks", "PUT", uploads, "x")
	expired := c.begin("")
	c.at = c.at.Add(lifetime + time.Second)
	c.expect(410, "session is over", "PUT", expired, "x")
	c.begin("")
	if n := c.Uploads(); n != 1 {
		t.Errorf("%d sessions", n)
	}
	whole := c.begin("")
	c.expect(200, `"size":"5"`, "PUT", whole, "whole")
	empty := c.begin("")
	c.expect(200, `"size":"0"`, "PUT", empty, "", "Content-Range", "bytes */0")
	c.expect(200, `"crc32c":"AAAAAA=="`, "GET", object("big"), "")
}

func TestRewrite(t *testing.T) {
	c := open(t, Options{Rewrite: mebibyte})
	body, kind := related(`{"name":"from","metadata":{"k":"v"}}`, "text/csv", strings.Repeat("x", 5<<19))
	c.expect(200, "", "POST", uploads+"?uploadType=multipart", body, "Content-Type", kind)
	to := object("from") + "/rewriteTo/b/" + bucket + "/o/to%2Fhere"
	query, calls := "?ifGenerationMatch=0", 0
	for {
		calls++
		a := c.expect(200, "rewriteResponse", "POST", to+query, "{}", "Content-Type", "application/json")
		token := a.field("rewriteToken")
		if token == "" {
			break
		}
		if len(c.Objects(bucket)) != 1 {
			t.Fatal("it is there before it is done")
		}
		c.expect(400, "not valid", "POST", object("from")+"/rewriteTo/b/"+bucket+"/o/other?rewriteToken="+token, "")
		query = "?ifGenerationMatch=0&rewriteToken=" + token
	}
	if calls != 3 {
		t.Errorf("%d calls", calls)
	}
	if o := c.Objects(bucket); len(o) != 2 || o[1].Name != "to/here" || o[1].Type != "text/csv" || o[1].Metadata["k"] != "v" || o[0].CRC32C != o[1].CRC32C {
		t.Errorf("%+v", o)
	}
	c.expect(204, "", "DELETE", object("from"), "")
	if data, err := c.Content(bucket, "to/here"); len(data) != 5<<19 || err != nil {
		t.Errorf("%d bytes of the copy, %v", len(data), err)
	}
	c.expect(404, "No such object", "POST", to, "")
	c.put("small", "x")
	small := object("small") + "/rewriteTo/b/" + bucket + "/o/copy"
	c.expect(400, "multiple of 1 MiB", "POST", small+"?maxBytesRewrittenPerCall=5", "")
	c.expect(200, `"contentType":"text/plain"`, "POST", small+"?maxBytesRewrittenPerCall=1048576", `{"contentType":"text/plain"}`, "Content-Type", "application/json")
}

func TestList(t *testing.T) {
	c := open(t, Options{Page: 2})
	for _, name := range []string{"b", "a/1", "a/2", "a/3/x", "a/3/y", "a-", "c/1"} {
		c.put(name, name)
	}
	for _, tt := range []struct{ query, want string }{
		{"", "a- a/1 a/2 a/3/x a/3/y b c/1"}, {"prefix=a/", "a/1 a/2 a/3/x a/3/y"}, {"prefix=a/&delimiter=/", "a/1 a/2 [a/3/]"}, {"delimiter=/", "a- [a/] b [c/]"},
		{"startOffset=a/2&endOffset=b", "a/2 a/3/x a/3/y"}, {"maxResults=1", "a- a/1 a/2 a/3/x a/3/y b c/1"}, {"prefix=z", ""}, {"maxResults=1&delimiter=3", "a- a/1 a/2 [a/3] b c/1"},
	} {
		var got []string
		for token := ""; ; {
			var page struct {
				Items         []struct{ Name string }
				Prefixes      []string
				NextPageToken string
			}
			a := c.expect(200, "storage#objects", "GET", objects+"?"+tt.query+"&pageToken="+token, "")
			if err := json.Unmarshal([]byte(a.body), &page); err != nil || len(page.Items)+len(page.Prefixes) > 2 {
				t.Fatal(a.body, err)
			}
			for _, o := range page.Items {
				got = append(got, o.Name)
			}
			for _, p := range page.Prefixes {
				got = append(got, "["+p+"]")
			}
			if token = page.NextPageToken; token == "" {
				break
			}
			c.expect(400, "pageToken", "GET", objects+"?prefix=q&pageToken="+token, "")
		}
		if order(got) != order(strings.Fields(tt.want)) {
			t.Errorf("%s: %q", tt.query, got)
		}
	}
}

// order leaves out how prefixes and items of one page stand to each other.
func order(names []string) string {
	seen := map[string]int{}
	for _, n := range names {
		seen[n]++
	}
	return fmt.Sprint(seen)
}

// Each request breaks the contract in one way, and changes nothing.
func TestContractViolations(t *testing.T) {
	c := open(t, Options{})
	c.put("a", "x")
	multi := func(meta string) [2]string {
		body, kind := related(meta, "text/csv", "123456789")
		return [2]string{body, kind}
	}
	plain := [2]string{"x", "text/csv"}
	for what, tt := range map[string]struct {
		method, path string
		body         [2]string // and its type
		has          string
	}{
		"unknown parameter":              {"GET", objects + "?limit=3", [2]string{}, "Unknown parameter"},
		"parameter of another method":    {"GET", objects + "?ifGenerationMatch=3", [2]string{}, "Unknown parameter"},
		"parameter twice":                {"GET", objects + "?prefix=a&prefix=b", [2]string{}, "not repeated"},
		"number as text":                 {"GET", objects + "?maxResults=ten", [2]string{}, "32-bit"},
		"page of none":                   {"GET", objects + "?maxResults=0", [2]string{}, "maxResults"},
		"generation as text":             {"GET", object("a") + "?ifGenerationMatch=x", [2]string{}, "ifGenerationMatch"},
		"negative generation":            {"POST", uploads + "?uploadType=media&name=b&ifGenerationMatch=-1", plain, "ifGenerationMatch"},
		"projection":                     {"GET", objects + "?projection=half", [2]string{}, "one of"},
		"partial answer":                 {"GET", object("a") + "?fields=name", [2]string{}, "no fields"},
		"soft deleted":                   {"GET", object("a") + "?softDeleted=true", [2]string{}, "no softDeleted"},
		"broken query":                   {"GET", object("a") + "?alt=%zz", [2]string{}, "query"},
		"body on GET":                    {"GET", object("a"), plain, "no request body"},
		"insert without upload":          {"POST", objects + "?name=b", plain, "at /upload"},
		"upload without type":            {"POST", uploads + "?name=b", plain, "uploadType"},
		"no name":                        {"POST", uploads + "?uploadType=media", plain, "name"},
		"name with a line break":         {"POST", uploads + "?uploadType=media&name=a%0ab", plain, "object name"},
		"name too long":                  {"POST", uploads + "?uploadType=media&name=" + strings.Repeat("n", 1025), plain, "object name"},
		"two names":                      {"POST", uploads + "?uploadType=multipart&name=b", multi(`{"name":"c"}`), "another"},
		"not multipart":                  {"POST", uploads + "?uploadType=multipart", plain, "multipart/related"},
		"no parts":                       {"POST", uploads + "?uploadType=multipart", [2]string{"--b--\r\n", "multipart/related; boundary=b"}, "begin with"},
		"one part":                       {"POST", uploads + "?uploadType=multipart", [2]string{"--b\r\nContent-Type: application/json\r\n\r\n{}\r\n--b--\r\n", "multipart/related; boundary=b"}, "second part"},
		"metadata that is no JSON":       {"POST", uploads + "?uploadType=multipart", multi(`{"name":`), "Parse Error"},
		"metadata that is null":          {"POST", uploads + "?uploadType=multipart", multi(`null`), "Parse Error"},
		"unknown field":                  {"POST", uploads + "?uploadType=multipart", multi(`{"name":"b","owners":"me"}`), "Unknown field"},
		"field that is not kept":         {"POST", uploads + "?uploadType=multipart", multi(`{"name":"b","kmsKeyName":"k"}`), "does not keep"},
		"field of the wrong type":        {"POST", uploads + "?uploadType=multipart", multi(`{"name":"b","metadata":{"k":1}}`), "Invalid value"},
		"wrong CRC32C":                   {"POST", uploads + "?uploadType=multipart", multi(`{"name":"b","crc32c":"AAAAAA=="}`), "checksum"},
		"wrong MD5":                      {"POST", uploads + "?uploadType=multipart", multi(`{"name":"b","md5Hash":"AAAA"}`), "checksum"},
		"metadata of a session as text":  {"POST", uploads + "?uploadType=resumable&name=b", plain, "application/json"},
		"rewrite with an unknown field":  {"POST", object("a") + "/rewriteTo/b/" + bucket + "/o/b", [2]string{`{"x":1}`, "application/json"}, "Unknown field"},
		"rewrite with a token of nobody": {"POST", object("a") + "/rewriteTo/b/" + bucket + "/o/b?rewriteToken=AAAA", [2]string{}, "not valid"},
		"page token of nobody":           {"GET", objects + "?pageToken=AAAA", [2]string{}, "pageToken"},
	} {
		t.Run(what, func(t *testing.T) {
			c := c
			c.T = t
			c.expect(400, tt.has, tt.method, tt.path, tt.body[0], "Content-Type", tt.body[1])
		})
	}
	for path, method := range map[string]string{
		"/storage/v1/b/other/o": "GET", "/storage/v1/b/other": "GET", "/storage/v1/b/other/o/a?alt=media": "GET", "/upload/storage/v1/b/other/o?uploadType=media&name=a": "POST",
		"/storage/v1/b": "GET", "/storage/v2/b": "GET", object("a") + "/acl": "GET", "/storage/v1/b/" + bucket + "/o/a/b": "GET",
	} {
		c.expect(404, "", method, path, "")
	}
	if len(c.Objects(bucket)) != 1 || c.Uploads() != 0 {
		t.Error("a violation changed something")
	}
	c = open(t, Options{RequireToken: true})
	c.expect(401, "required", "GET", objects, "")
	c.expect(401, "required", "GET", objects, "", "Authorization", "Basic x")
	c.expect(200, "", "GET", objects, "", "Authorization", "Bearer x")
	if _, err := New(Options{Persist: 5}); err == nil {
		t.Error("chunks of 5 bytes")
	}
}

// Each fault, what comes back, and whether the object is there in the end.
func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		fault  string
		status int // 0: the connection broke
		done   bool
	}{
		{"status:503", 503, false}, {"status:429", 429, false}, {"drop", 0, false}, {"commit_then_drop", 0, true}, {"commit_then_status:500", 500, true},
		{"garbage", 200, true}, {"late_drop:5s", 0, false}, {"late:5s", 504, false},
	} {
		c := open(t, Options{})
		c.expect(200, "", "POST", "/faults", `{"op":"storage.objects.insert","fault":"`+tt.fault+`"}`)
		a := c.send("POST", uploads+"?uploadType=media&name=a", "x")
		if a.status != tt.status || (a.err != nil) != (tt.status == 0) || a.status == 429 && a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %v", tt.fault, a.status, a.err)
		}
		if got := len(c.Objects(bucket)) == 1; got != tt.done {
			t.Errorf("%s: executed %v", tt.fault, got)
		}
		c.at = c.at.Add(5 * time.Second)
		if got := len(c.Objects(bucket)) == 1; got != (tt.done || strings.HasPrefix(tt.fault, "late")) {
			t.Errorf("%s: executed late %v", tt.fault, got)
		}
		if log, _ := c.Calls(); len(log) != 1 || log[0].Fault != tt.fault || log[0].Op != "storage.objects.insert" {
			t.Errorf("%s: noted %+v", tt.fault, log)
		}
	}
	c := open(t, Options{})
	for _, bad := range []string{`"op":"nothing","fault":"drop"`, `"op":"*","fault":"status:200"`, `"op":"*","fault":"search_lag:1m"`} {
		c.expect(400, "invalid", "POST", "/faults", "{"+bad+"}")
	}
	for _, op := range Ops() {
		c.expect(200, op, "POST", "/faults", `{"op":"`+op+`","fault":"drop"}`)
	}
}

// A corrupted object keeps its checksum. The bytes of its copies stay what they are.
func TestCorruptions(t *testing.T) {
	c := open(t, Options{})
	c.put("a", "abc")
	c.expect(200, "", "POST", object("a")+"/rewriteTo/b/"+bucket+"/o/copy", "")
	before := c.Objects(bucket)
	c.expect(200, "", "POST", "/corruptions", `{"bucket":"acme-usage","name":"a","at":2}`)
	if fmt.Sprint(c.Objects(bucket)) != fmt.Sprint(before) {
		t.Errorf("%+v", c.Objects(bucket))
	}
	c.expect(200, "abb", "GET", object("a")+"?alt=media", "")
	c.expect(200, "abc", "GET", object("copy")+"?alt=media", "")
	c.expect(400, "no such byte", "POST", "/corruptions", `{"bucket":"acme-usage","name":"a","at":3}`)
	c.expect(404, "No such object", "POST", "/corruptions", `{"bucket":"acme-usage","name":"b","at":0}`)
	c.expect(400, "known fields", "POST", "/corruptions", `{"file":"a"}`)
	c.expect(404, "No such control", "POST", "/nothing", "")
}
