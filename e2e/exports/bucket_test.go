//go:build unix && !race

package exports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// objects are the contents of a bucket by name, as far as two stories have them in common: without what was on its way up when a process died,
// and with what differs by nature made the same:
//
//   - raw/.../fetched/RUN.json says when each request was made, in its name, too: only whose they are is compared
//   - manifest.json says when the run began, and so do the pages: "as of"; the manifest names the pages by their checksums
//   - current.json names the manifest by its checksum
//
// Everything else is compared byte for byte.
func (r *remotes) objects(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, o := range r.storage.Objects(bucketName) {
		if strings.Contains(o.Name, "incoming/") {
			continue
		}
		data, err := r.storage.Content(bucketName, o.Name)
		if err != nil {
			t.Fatal(err)
		}
		all[inAnyRun.ReplaceAllString(o.Name, "$1/RUN.json")] = timeless(t, o.Name, data)
	}
	return all
}

var (
	inAnyRun = regexp.MustCompile(`^(.*/fetched)/.*$`)
	asOf     = regexp.MustCompile(`20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2} (-|\+|&#43;)[0-9]{2}:[0-9]{2}`)
)

// timeless is a content without what differs from run to run.
func timeless(t *testing.T, name string, data []byte) string {
	t.Helper()
	switch {
	case inAnyRun.MatchString(name):
		return ""
	case strings.HasSuffix(name, ".html"):
		return asOf.ReplaceAllString(string(data), "NOW")
	case strings.HasSuffix(name, "/manifest.json"), strings.HasSuffix(name, "/current.json"):
		return document(t, data)
	}
	return string(data)
}

// document is a manifest or a pointer to one.
func document(t *testing.T, data []byte) string {
	t.Helper()
	var doc map[string]any
	in := json.NewDecoder(bytes.NewReader(data))
	in.UseNumber()
	if err := in.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"run", "made", "manifestSha256"} {
		delete(doc, key)
	}
	pages, _ := doc["reports"].([]any)
	for _, p := range pages {
		page := p.(map[string]any)
		maps.DeleteFunc(page, func(key string, _ any) bool { return key != "name" && key != "lens" })
	}
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// differences between what two stories have left.
func differences(got, want map[string]string) (all []string) {
	for name, text := range want {
		switch other, ok := got[name]; {
		case !ok:
			all = append(all, name+" is missing")
		case other != text:
			at := parting(other, text)
			all = append(all, fmt.Sprintf("%s differs at byte %d: %q, in the undisturbed story %q", name, at, around(other, at), around(text, at)))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			all = append(all, name+" is too much")
		}
	}
	slices.Sort(all)
	return all
}

// written counts how often objects were made, by the last parts of their names, and fails if one but current.json was made twice.
func (r *remotes) written(t *testing.T) (objects, manifests, moves int) {
	t.Helper()
	times := map[string]int{}
	for _, o := range r.storage.History(bucketName) {
		if !strings.Contains(o.Name, "incoming/") {
			times[o.Name]++
		}
	}
	for name, n := range times {
		switch {
		case strings.HasSuffix(name, "/current.json"):
			moves += n
		case n > 1:
			t.Errorf("%s was written %d times", name, n)
		}
		if strings.HasSuffix(name, "/manifest.json") {
			manifests++
		}
	}
	return len(times), manifests, moves
}

// parting is where two texts begin to differ.
func parting(a, b string) int {
	at := 0
	for at < min(len(a), len(b)) && a[at] == b[at] {
		at++
	}
	return at
}

func around(text string, at int) string { return text[max(0, at-40):min(len(text), at+40)] }
