package evidence

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// gone stands where something was taken out.
const gone = config.Redacted

const (
	maxRounds = 8  // over one text, until nothing changes any more
	maxGrowth = 12 // times its size, at which a text is all taken out
	maxNested = 4  // JSON in strings of JSON
)

// pattern is one form that secrets have.
type pattern struct {
	hints []string // one of them, in lower case, is in every text that has the form; none: look at every text
	form  *regexp.Regexp
	with  string // what stands there then
}

func secret(form, with string, hints ...string) pattern {
	return pattern{hints, regexp.MustCompile(form), with}
}

// builtIn are the forms that are always taken out. What names a secret stays, so that a reader sees what was there. They are compiled for who
// wants them: a start without evidence does not pay for that.
func builtIn() []pattern {
	return []pattern{
		secret(`-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----(?s:.*?)(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----|\z)`, gone, "private key"),
		secret(`(?i)((?:authorization|cookie)\\{0,7}["']?\s{0,4}[:=]\s{0,4}\\{0,7}["']?)[^\r\n"'<>\\]+`, "${1}"+gone, "authorization", "cookie"),
		secret(`(?i)\b(bearer\s{1,4})[A-Za-z0-9._~+/-]{8,}=*`, "${1}"+gone, "bearer"),
		secret(`(?i)\b(basic\s{1,4})[A-Za-z0-9+/]{12,}={0,2}`, "${1}"+gone, "basic"),
		secret(`eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)*`, gone, "eyj"),
		secret(`\b(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z0-9]{16,}`, gone, "akia", "asia", "abia", "acca", "aroa", "aida"),
		secret(`AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_.-]{10,}|GOCSPX-[A-Za-z0-9_-]{10,}|\b1//[A-Za-z0-9_-]{20,}`, gone, "aiza", "ya29.", "gocspx-", "1//"),
		secret(`(hooks\.slack\.com/[a-z]{1,20}/)[A-Za-z0-9/_-]+`, "${1}"+gone, "hooks.slack.com/"),
		secret(`xox[a-z]-[A-Za-z0-9.-]{8,}|xapp-[A-Za-z0-9-]{8,}`, gone, "xox", "xapp-"),
		secret(`gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}`, gone, "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"),
		secret(`\b[rs]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{10,}`, gone, "k_live_", "k_test_", "whsec_"),
		secret(`(?i)([a-z][a-z0-9+.-]{1,20}://)[^\s/?#"'<>]{1,256}@`, "${1}"+gone+"@", "://"),
		secret(`(?i)((?:[?&;]|\\u0026)[\w.-]{0,30}(?:token|key|secret|sig|auth|passw|pwd|code|credential|session)[\w.-]{0,20}=)[^&\s"'<>#;\\]+`, "${1}"+gone,
			"token", "key", "secret", "sig", "auth", "passw", "pwd", "code", "credential", "session"),
		secret(`(?i)((?:passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)[\w-]{0,20}\\{0,7}["']?\s{0,4}(?:=>|[:=])\s{0,4})`+
			`(?:\\{1,7}"[^"]*"?|"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s"'&,;<>\\]+)`, "${1}"+gone,
			"passw", "passphrase", "pwd", "secret", "token", "key", "credential"),
	}
}

var (
	address = secret(`[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,253}\.[A-Za-z]{2,24}`, gone, "@")
	hotKey  = regexp.MustCompile(`(?i)passw(or)?d|passphrase|^pwd$|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|cookie|authorization`)
)

// redactor takes secrets out of texts. Taken out twice is taken out once.
type redactor struct{ patterns []pattern }

// newRedactor compiles the expressions of a configuration.
func newRedactor(c config.Evidence) (*redactor, error) {
	r := &redactor{patterns: builtIn()}
	if c.Personal {
		r.patterns = append(r.patterns[:len(r.patterns):len(r.patterns)], address)
	}
	for _, expr := range c.Redact {
		form, err := regexp.Compile(expr)
		if err != nil {
			return nil, fault.New(fault.Invalid, "an expression of evidence.redact is no regular expression")
		}
		r.patterns = append(r.patterns[:len(r.patterns):len(r.patterns)], pattern{form: form, with: gone})
	}
	return r, nil
}

// text takes the secrets out of a text. What is JSON is looked at string by string, and stays JSON. A text that does not come to rest, or
// grows beyond measure, is taken out as a whole: only an expression that matches what stands where something was makes one.
func (r *redactor) text(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	most := maxGrowth*len(s) + 64
	for range maxRounds {
		next := r.pass(s, 0)
		if next == s {
			return s
		}
		if s = next; len(s) > most {
			break
		}
	}
	return gone
}

func (r *redactor) pass(s string, depth int) string {
	if t := strings.TrimSpace(s); depth < maxNested && strings.HasPrefix(t, "{") {
		if s = r.object(s, depth); json.Valid([]byte(t)) {
			return s
		} // else it was cut, or only looks like JSON
	}
	lower := strings.ToLower(s)
	for _, p := range r.patterns {
		if p.worth(lower) {
			s = p.form.ReplaceAllString(s, p.with)
		}
	}
	return s
}

// worth reports whether a text can have the form. What earlier patterns put in gives nobody a hint.
func (p pattern) worth(lower string) bool {
	for _, h := range p.hints {
		if strings.Contains(lower, h) {
			return true
		}
	}
	return len(p.hints) == 0
}

// object rewrites JSON, also without its end: every string is passed on, and what a telling name belongs to is taken out, with all that is
// inside it.
func (r *redactor) object(s string, depth int) string {
	w := rewriter{r: r, rest: s, depth: depth}
	for w.rest != "" {
		w.next()
	}
	return w.out.String()
}

// rewriter copies JSON token by token.
type rewriter struct {
	r     *redactor
	rest  string
	out   strings.Builder
	depth int
	hot   bool   // the value that comes next has a telling name
	in    []bool // the objects and arrays around it, and whether they have
}

func (w *rewriter) next() {
	switch c := w.rest[0]; c {
	case '"':
		w.literal()
		return
	case '{', '[':
		w.in, w.hot = append(w.in, w.secret()), false
	case '}', ']':
		w.in = w.in[:max(0, len(w.in)-1)]
	case ',':
		w.hot = false
	default:
		if n := numberLen(w.rest); n > 0 && w.secret() {
			w.out.WriteString(`"` + gone + `"`)
			w.rest = w.rest[n:]
			return
		}
	}
	w.out.WriteByte(w.rest[0])
	w.rest = w.rest[1:]
}

// secret reports whether the next value is one.
func (w *rewriter) secret() bool { return w.hot || len(w.in) > 0 && w.in[len(w.in)-1] }

func (w *rewriter) literal() {
	n := literalLen(w.rest)
	written := w.rest[:n]
	w.rest = w.rest[n:]
	s, closed, ok := unquoted(written)
	if !ok {
		w.out.WriteString(written)
		return
	}
	name := strings.HasPrefix(strings.TrimLeft(w.rest, " \t\r\n"), ":")
	clean := w.r.pass(s, w.depth+1)
	if !name && w.secret() && s != "" {
		clean = gone
	}
	if name {
		w.hot = hotKey.MatchString(s)
	}
	if clean != s {
		if written = quoteJSON(clean); !closed {
			written = strings.TrimSuffix(written, `"`)
		}
	}
	w.out.WriteString(written)
}

// unquoted reads a string, also one that was cut, less an escape that was cut.
func unquoted(written string) (s string, closed, ok bool) {
	if json.Unmarshal([]byte(written), &s) == nil {
		return s, true, true
	}
	if json.Unmarshal([]byte(written+`"`), &s) == nil {
		return s, false, true
	}
	if n := strings.LastIndexByte(written, '\\'); n > 0 && len(written)-n < len(`\u0000`) {
		return s, false, json.Unmarshal([]byte(written[:n]+`"`), &s) == nil
	}
	return s, false, false
}

// literalLen is how long the string is that s begins with. None goes beyond its line.
func literalLen(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i++; i < len(s) && s[i] == '\n' {
				return i
			}
		case '"':
			return i + 1
		case '\n':
			return i
		}
	}
	return len(s)
}

// numberLen is how long the number is that s begins with, 0 if it begins with something else.
func numberLen(s string) int {
	if s[0] != '-' && (s[0] < '0' || s[0] > '9') {
		return 0
	}
	return len(s) - len(strings.TrimLeft(s, "0123456789+-.eE"))
}

// quoteJSON writes a string without the escapes for HTML.
func quoteJSON(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string can be encoded
	return strings.TrimSuffix(b.String(), "\n")
}
