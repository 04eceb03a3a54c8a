package evidence

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/config"
)

func redactorOf(t testing.TB, c config.Evidence) *redactor {
	t.Helper()
	r, err := newRedactor(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRedact(t *testing.T) {
	r := redactorOf(t, config.Evidence{Redact: []string{"ACME-[0-9]+"}})
	for in, want := range map[string]string{
		"":                                              "",
		"nothing here; the token ring passes":           "nothing here; the token ring passes",
		"Authorization: Bearer abcdefgh":                "Authorization: [redacted]",
		"sent bearer abc.def-ghi/jkl= to":               "sent bearer [redacted] to",
		"the bearer of news":                            "the bearer of news",
		"basic dXNlcjpwYXNzd29yZA==":                    "basic [redacted]",
		"password=hunter2&user=anna":                    "password=[redacted]&user=anna",
		"PASSWORD: 'a b c' user":                        "PASSWORD: [redacted] user",
		`db_password => "x\"y" z`:                       `db_password => [redacted] z`,
		`client-secret-v2=p(s[s{}`:                      `client-secret-v2=[redacted]`,
		`said {\"token\":\"abc def\"} again`:            `said {\"token\":[redacted] again`,
		"https://u:p@h.example/x?a=1&api_key=abc&b=2#f": "https://[redacted]@h.example/x?a=1&api_key=[redacted]&b=2#f",
		"https://h.example/?X-Goog-Signature=abc&amp;X-Amz-Credential=de":  "https://h.example/?X-Goog-Signature=[redacted]&amp;X-Amz-Credential=[redacted]",
		"key AKIAIOSFODNN7EXAMPLE.":                                        "key [redacted].",
		"mail anna@example.com":                                            "mail anna@example.com",
		"ticket ACME-12 and ACME-13":                                       "ticket [redacted] and [redacted]",
		"-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabcd":                      "[redacted]",
		"a -----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY----- b": "a [redacted] b",
		"Set-Cookie: sid=abc; path=/; x\nnext":                             "Set-Cookie: [redacted]\nnext",
		`{"a":"b","n":1.50,"u":"\u003c"}`:                                  `{"a":"b","n":1.50,"u":"\u003c"}`,
		`{"dbPassword":"x","count":3}`:                                     `{"dbPassword":"[redacted]","count":3}`,
		`{"secret":{"a":["x",12,null,""],"b":true},"c":"d"}`:               `{"secret":{"a":["[redacted]","[redacted]",null,""],"b":true},"c":"d"}`,
		`{"token" : -1.5e3, "x":[1,{"y":"?token=abc"}]}`:                   `{"token" : "[redacted]", "x":[1,{"y":"?token=[redacted]"}]}`,
		`{"message":"{\"password\":\"x<y\",\"n\":1}"}`:                     `{"message":"{\"password\":\"[redacted]\",\"n\":1}"}`,
		`{"a":"b?x=1\u0026token=abc"}`:                                     `{"a":"b?x=1&token=[redacted]"}`,
		`{"a":"b?x=1\u0026token=abc`:                                       `{"a":"b?x=1&token=[redacted]`,
	} {
		if got := r.text(in); got != want {
			t.Errorf("%s\nbecomes %s\nwant    %s", in, got, want)
		}
	}
	personal := redactorOf(t, config.Evidence{Personal: true})
	if got := personal.text("mail anna.b+c@mail.example.com, or a@b"); got != "mail [redacted], or a@b" {
		t.Error(got)
	}
	if got := redactorOf(t, config.Evidence{Redact: []string{`\]`}}).text("a] b"); got != gone {
		t.Errorf("an expression that finds its own work leaves %q", got)
	}
}

// secrets are what the generated files hold: what each must be recognised by is the part that random makes.
func secrets(rnd *rand.Rand) (planted, secret string) {
	text := func(n int, from string) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = from[rnd.IntN(len(from))]
		}
		return string(b)
	}
	const upper, mixed = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	s := text(20, mixed)
	forms := []string{"Authorization: Bearer %s", "authorization=Basic %s==", "bearer %s", "password=%s", "password: %s", "pwd='%s'", `"secret": "%s"`, "api_key=%s",
		"client_secret = %s", "AWS_SECRET_ACCESS_KEY=%s", "https://user:%s@db.example.com/x", "postgres://%s@10.0.0.1:5432/db", "https://h.example/p?a=1&token=%s&b=2",
		"https://h.example/p?sig=%s", "https://s.example/o?X-Goog-Signature=%s", "Cookie: session=%s", "https://hooks.slack.com/services/T0/B0/%s", "xoxb-1234-%s",
		"ghp_%s", "github_pat_%s", "glpat-%s", "sk_live_%s", "ya29.%s", "AIzaSyA0123456789012%s", "eyJhbGciOiJI.%s.sig", "eyJhbGciOiJI.eyJzdWIi.%s",
		"-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----", "-----BEGIN OPENSSH PRIVATE KEY-----\n%s", "GOCSPX-%s", "credential: %s", "passphrase=>%s"}
	if rnd.IntN(12) == 0 {
		s = "AKIA" + text(16, upper)
		return s, s
	}
	return fmt.Sprintf(forms[rnd.IntN(len(forms))], s), s
}

// generated is a file with secrets in it: a notification, whole or cut, log lines, or text.
func generated(t *testing.T, rnd *rand.Rand) (text string, all []string) {
	var parts []string
	for range 1 + rnd.IntN(6) {
		planted, secret := secrets(rnd)
		all = append(all, secret)
		parts = append(parts, "at 10:00 "+planted+"\n then this")
	}
	_, named := secrets(rnd)
	all = append(all, named)
	doc := map[string]any{"incident": map[string]any{"summary": parts[0], "state": "open", "n": rnd.IntN(100)}, "notes": parts, "dbPassword": named,
		"nested": quoteJSON(strings.Join(parts, " "))}
	if inner, err := json.Marshal(map[string]any{"message": parts[0], "auth": map[string]any{"token": []string{named}}}); err == nil {
		doc["payload"] = string(inner)
	}
	body, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	switch rnd.IntN(4) {
	case 0:
		return string(body), all
	case 1:
		return alert.Excerpt(string(body), 120+rnd.IntN(len(body))), all
	case 2:
		return strings.Join(parts, "\n"), all
	}
	return string(body[:rnd.IntN(len(body))]), all
}

// No planted secret leaves, also when a notification was cut in the middle of one: of a cut one no more than four characters stay.
func TestNoPlantedSecretLeaves(t *testing.T) {
	r := redactorOf(t, config.Evidence{})
	rnd := rand.New(rand.NewPCG(1, 2))
	const files = 2000
	planted, held, out := 0, 0, 0
	for range files {
		text, all := generated(t, rnd)
		clean := r.text(alert.Excerpt(text, alert.MaxRaw))
		for _, s := range all {
			planted++
			if strings.Contains(text, s) {
				held++
			}
			if strings.Contains(clean, s) {
				if out++; out < 5 {
					t.Errorf("%s is in\n%s\nmade of\n%s", s, clean, text)
				}
			}
		}
		if again := r.text(clean); again != clean {
			t.Fatalf("not at rest:\n%s\n%s", clean, again)
		}
		if json.Valid([]byte(text)) != json.Valid([]byte(clean)) && json.Valid([]byte(text)) {
			t.Errorf("JSON no more: %s", clean)
		}
	}
	t.Logf("%d files with %d secrets of %d planted: %d leave", files, held, planted, out)
	if held < files {
		t.Errorf("only %d secrets were there to be found", held)
	}
}

// A pattern finds what its hints say it can find: without the hints the result is the same.
func TestHintsMissNothing(t *testing.T) {
	hinted := redactorOf(t, config.Evidence{})
	blunt := &redactor{}
	for _, p := range builtIn() {
		p.hints = nil
		blunt.patterns = append(blunt.patterns, p)
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		text, _ := generated(t, rnd)
		if a, b := hinted.text(text), blunt.text(text); a != b {
			t.Fatalf("%s\n%s", a, b)
		}
	}
}

func FuzzRedact(f *testing.F) {
	for _, s := range []string{`{"token":{"a":[1,"x"]},"m":"{\"pwd\":\"y\"}"}`, "password=a password=b", "ab://c@d://e@", "Bearer [redacted][redacted]", "\xff", `{"a":"\ud800"}`,
		"-----BEGIN PRIVATE KEY-----", "?key=?key=?key=x", `pwd=\"`, "Cookie:[redacted]", "eyJaaaaa.bbbbb.eyJaaaaa.bbbbb"} {
		f.Add(s, "x+")
		f.Add(s, `\d`)
	}
	f.Fuzz(func(t *testing.T, s, own string) {
		c := config.Evidence{Personal: len(s)%2 == 0}
		if re, err := regexp.Compile(own); err == nil && len(own) < 100 && !re.MatchString("") && !re.MatchString(gone) {
			c.Redact = []string{own}
		}
		r := redactorOf(t, c)
		got := r.text(s)
		if again := r.text(got); again != got {
			t.Errorf("%q becomes %q, then %q", s, got, again)
		}
		if len(got) > 2*maxGrowth*len(s)+200 {
			t.Errorf("%d bytes become %d", len(s), len(got))
		}
		if json.Valid([]byte(s)) && strings.HasPrefix(s, "{") && got != gone && !json.Valid([]byte(got)) {
			t.Errorf("%q is JSON no more: %q", s, got)
		}
	})
}
