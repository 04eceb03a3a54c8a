package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// canary is in everything that is refused, and must come back nowhere.
const canary = "canary-c4b1d2"

func TestRefusals(t *testing.T) {
	enabled(t)
	s := newSite(t)
	good := notification("good")
	const path, media = "/AlertWebhook/prod-alertmanager", "application/json"
	for _, c := range []struct {
		name, method, path, token, media string
		body                             []byte
		status                           int
	}{
		{"not JSON", "POST", path, s.sender, media, []byte(canary), 400},
		{"cut off", "POST", path, s.sender, media, append([]byte(`{"groupKey":"`+canary+`",`), good[1:len(good)/2]...), 400},
		{"another document", "POST", path, s.sender, media, []byte(`{"` + canary + `":1}`), 400},
		{"alerts are a text", "POST", path, s.sender, media, []byte(`{"version":"4","groupKey":"` + canary + `","alerts":"` + canary + `"}`), 400},
		{"another version", "POST", path, s.sender, media, bytes.Replace(good, []byte(`"4"`), []byte(`"`+canary+`"`), 1), 400},
		{"empty", "POST", path, s.sender, media, nil, 400},
		{"a wrong type", "POST", path, s.sender, "text/plain", append(good, canary...), 415},
		{"no type", "POST", path, s.sender, "", good, 415},
		{"two MiB", "POST", path, s.sender, media, bytes.Repeat([]byte(canary), 2<<20/len(canary)), 413},
		{"a wrong credential", "POST", path, canary, media, good, 401},
		{"no credential", "POST", path, "", media, good, 401},
		{"the bus's credential", "POST", path, s.push, media, good, 401},
		{"an unknown sender", "POST", "/AlertWebhook/" + canary, s.sender, media, good, 404},
		{"no sender", "POST", "/AlertWebhook/", s.sender, media, good, 404},
		{"another method", "GET", path, s.sender, media, nil, 405},
		{"a push with a wrong credential", "POST", "/FileCase", canary, media, push(t, "good"), 401},
		{"a push with no credential", "POST", "/FileCase", "", media, push(t, "good"), 401},
		{"a push with the sender's credential", "POST", "/FileCase", s.sender, media, push(t, "good"), 401},
		{"a push that is none", "POST", "/FileCase", s.push, media, []byte(`{"` + canary + `":{}}`), 400},
		{"a tick with no credential", "POST", "/SweepCases", "", media, []byte("{}"), 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := s.send(c.method, c.path, c.token, c.media, c.body)
			if err != nil {
				t.Fatal(err)
			}
			refused(t, a, c.status)
		})
	}

	if a := s.post(path, s.sender, media, good); a.status != http.StatusAccepted {
		t.Fatalf("what is right answers %d: %s", a.status, a.body)
	}
	eventually(t, time.Minute, "what is right becomes a case", func() (bool, any) { n := len(s.cases()); return n > 0, n })
	eventually(t, time.Minute, "nothing is on the way", s.idle)
	if n, m := len(s.cases()), s.handled(); n != 1 || m != 1 {
		t.Errorf("%d cases and %d deliveries: something refused was published", n, m)
	}
	silent(t, s, canary, s.sender, s.push, s.admin)
}

// refused checks the status, that the answer is a problem, and that it says nothing of what was sent.
func refused(t *testing.T, a answer, status int) {
	t.Helper()
	var problem struct {
		Title  string `json:"title"`
		Status int    `json:"status"`
	}
	switch err := json.Unmarshal([]byte(a.body), &problem); {
	case a.status != status:
		t.Errorf("answered %d, must be %d: %s", a.status, status, a.body)
	case a.media != "application/problem+json" || err != nil || problem.Status != status || problem.Title == "":
		t.Errorf("no problem+json: %s %s", a.media, a.body)
	case strings.Contains(a.body, canary):
		t.Errorf("repeats what was sent: %s", a.body)
	}
}
