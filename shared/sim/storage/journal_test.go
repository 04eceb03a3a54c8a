package storage

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// What was answered survives, with the sessions that are under way; a torn last line was never answered; damage is not repaired; bytes that
// nobody names any more are removed.
func TestJournal(t *testing.T) {
	o := Options{Dir: t.TempDir(), Seed: 7}
	c := open(t, o)
	c.put("a", "first")
	c.put("a", "second")
	c.put("gone", "x")
	c.expect(204, "", "DELETE", object("gone"), "")
	c.expect(200, "", "POST", object("a")+"/rewriteTo/b/"+bucket+"/o/copy", "")
	at := c.begin("")
	chunk := strings.Repeat("x", granule)
	c.expect(308, "", "PUT", at, chunk, "Content-Range", "bytes 0-262143/*")
	done := c.begin("")
	answer := c.expect(200, "", "PUT", done, "whole").body
	before := fmt.Sprint(c.Objects(bucket))
	c.Close()

	path := filepath.Join(o.Dir, journalFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(whole, []byte(`{"objects":[{"bu`)...), 0o600); err != nil {
		t.Fatal(err)
	}
	again := open(t, o)
	if got := fmt.Sprint(again.Objects(bucket)); got != before {
		t.Errorf("after:  %s\nbefore: %s", got, before)
	}
	for name, want := range map[string]string{"a": "second", "copy": "second"} {
		if data, err := again.Content(bucket, name); string(data) != want || err != nil {
			t.Errorf("%s holds %q %v", name, data, err)
		}
	}
	if files, err := os.ReadDir(filepath.Join(o.Dir, blobFolder)); len(files) != 3 || err != nil { // second, the chunk, whole
		t.Errorf("%d pieces, %v", len(files), err)
	}
	again.expect(200, answer, "PUT", done, "", "Content-Range", "bytes */*")
	again.expect(308, "", "PUT", at, "", "Content-Range", "bytes */*")
	a := again.expect(200, `"size":"262147"`, "PUT", at, "end", "Content-Range", "bytes 262144-262146/262147")
	c = open(t, Options{})
	if want := c.expect(200, "", "POST", uploads+"?uploadType=media&name=big", chunk+"end"); want.field("md5Hash") != a.field("md5Hash") || want.field("crc32c") != a.field("crc32c") {
		t.Errorf("checksums over a restart: %s, want %s", a.body, want.body)
	}
	again.Close()

	for what, damaged := range map[string]string{
		"no JSON": "{{{\n" + string(whole), "another order": `{"serial":999,"generation":1}` + "\n" + string(whole),
	} {
		if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(o); err == nil {
			t.Errorf("%s: opened", what)
		}
	}
}

// Many at once: every insert under one name is told another generation, and exactly one of those that want none to be there wins. Run it with
// -race.
func TestParallel(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(http.StripPrefix("/sim/storage", s))
	defer web.Close()
	wire := &http.Transport{}
	defer wire.CloseIdleConnections()
	var all sync.WaitGroup
	won := make(chan int, 32)
	for range 32 {
		all.Go(func() {
			resp, err := (&http.Client{Transport: wire}).Post(web.URL+"/sim/storage"+uploads+"?uploadType=media&name=a&ifGenerationMatch=0", "text/plain", strings.NewReader("x"))
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
			won <- resp.StatusCode
		})
	}
	all.Wait()
	close(won)
	counts := map[int]int{}
	for code := range won {
		counts[code]++
	}
	if counts[200] != 1 || counts[412] != 31 {
		t.Errorf("%v", counts)
	}
}

// Whatever comes, there is an answer, and what a refused request did is nothing.
func FuzzRequests(f *testing.F) {
	body, kind := related(`{"name":"b"}`, "text/csv", "x")
	f.Add("POST", uploads+"?uploadType=multipart", body, kind, "")
	f.Add("POST", uploads+"?uploadType=resumable&name=b", `{"metadata":{}}`, "application/json", "")
	f.Add("PUT", uploads+"?upload_id=x", "x", "", "bytes 0-0/*")
	f.Add("GET", object("a")+"?alt=media", "", "", "bytes=0-")
	f.Add("GET", objects+"?prefix=a&delimiter=/&startOffset=a", "", "", "")
	f.Add("POST", object("a")+"/rewriteTo/b/"+bucket+"/o/b?rewriteToken=x", "{}", "application/json", "")
	f.Add("DELETE", object("a")+"?ifGenerationMatch=1", "", "", "")
	f.Add("POST", "/corruptions", `{"bucket":"acme-usage","name":"a","at":9}`, "", "")
	f.Fuzz(func(t *testing.T, method, path, body, contentType, span string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://storage.test", strings.NewReader(body))
		if err != nil {
			return
		}
		if r.URL, err = r.URL.Parse(path); err != nil || r.URL.Host != "storage.test" {
			return
		}
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Content-Range", span)
		r.Header.Set("Range", span)
		c := open(t, Options{})
		c.put("a", "x")
		before := fmt.Sprint(c.Objects(bucket), c.Uploads())
		res, err := c.Transport().RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode >= 400 && before != fmt.Sprint(c.Objects(bucket), c.Uploads()) {
			t.Errorf("%s %s: %d, and changed something", method, path, res.StatusCode)
		}
	})
}
