package alert

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What an incident may hold at most, in bytes but for the title.
const (
	maxTitle = 200 // characters
	maxKey   = 2048
	maxName  = 256 // of an alert; also the name of a label, a link or a resource
	maxLabel = 2048
	maxText  = 16 << 10 // a summary or an annotation; Cloud Monitoring's documentation has at most 10 KiB
	maxURL   = 2048
	maxLinks = 50   // of an alert or an incident
	maxBatch = 1000 // incidents of an array of them
)

// clip cuts s to at most limit bytes at the end of a character and says so with an ellipsis.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	end := limit - len("…")
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// line makes one line for a title or a name out of s: control characters, and those that reorder text on a screen, become spaces.
func line(s string, limit int) string {
	if isLine(s) {
		return clip(s, limit)
	}
	return clip(strings.Join(strings.FieldsFunc(s, breaks), " "), limit)
}

// isLine reports whether s is surely one line: ASCII words with one space between two. It spares nearly every name a second string.
func isLine(s string) bool {
	last := byte(' ')
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c > '~' || c == ' ' && last == ' ' {
			return false
		}
		last = c
	}
	return last != ' ' || s == ""
}

func breaks(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
}

// title makes a title of at most maxTitle characters.
func title(s string) string {
	s = line(s, len(s))
	if utf8.RuneCountInString(s) <= maxTitle {
		return s
	}
	return string([]rune(s)[:maxTitle-1]) + "…"
}

// identity keeps an identity short without making two of them equal: what is cut off is replaced by a hash of the whole.
func identity(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return clip(s, limit-2*len(sum)) + hex.EncodeToString(sum[:])
}

// links keeps the links a person can safely open, each URL once: absolute, http or https, with no credentials inside.
func links(list ...Link) []Link {
	out := make([]Link, 0, len(list))
	for _, l := range list {
		l.Name, l.URL = cmp.Or(line(l.Name, maxName), "Link"), safeURL(l.URL)
		known := func(o Link) bool { return o.URL == l.URL }
		if l.URL != "" && len(out) < maxLinks && !slices.ContainsFunc(out, known) {
			out = append(out, l)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// safeURL returns "" for a URL that is not to be shown as a link. Characters that chat systems read as markup are escaped.
func safeURL(raw string) string {
	if raw == "" || isPlainURL(raw) {
		return raw
	}
	return parsedURL(raw)
}

func parsedURL(raw string) string {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || markup.Replace(u.Host) != u.Host {
		return ""
	}
	s := markup.Replace(u.String())
	if len(s) > maxURL || !utf8.ValidString(s) {
		return ""
	}
	return s
}

var markup = strings.NewReplacer(" ", "%20", `"`, "%22", "<", "%3C", ">", "%3E", "|", "%7C", "`", "%60", `\`, "%5C")

// isPlainURL reports whether a URL is surely safe as it is: a host of letters, digits, dots and hyphens, perhaps a port, and behind it
// nothing that net/url or a chat system could see in another way. It spares nearly every link the parser.
func isPlainURL(s string) bool {
	host, ok := strings.CutPrefix(s, "https://")
	if !ok {
		host, ok = strings.CutPrefix(s, "http://")
	}
	rest := behind(host, inHost)
	if !ok || len(rest) == len(host) || len(s) > maxURL {
		return false
	}
	if port, ok := strings.CutPrefix(rest, ":"); ok {
		rest = behind(port, inPort)
	}
	if strings.HasPrefix(rest, "/") {
		rest = behind(rest, inPath)
	}
	if strings.HasPrefix(rest, "?") {
		rest = behind(rest, inQuery)
	}
	return rest == ""
}

// Parts of a URL, as bits.
const (
	inPort = 1 << iota
	inHost
	inPath
	inQuery
)

// behind returns what is left of s behind the characters that may stand in a part.
func behind(s string, part byte) string {
	i := 0
	for i < len(s) && partsOf[s[i]]&part != 0 {
		i++
	}
	return s[i:]
}

// partsOf tells in which parts of a plain URL a character may stand.
var partsOf = func() (parts [256]byte) {
	allow := func(in byte, chars string) {
		for i := range len(chars) {
			parts[chars[i]] |= in
		}
	}
	allow(inPort|inHost|inPath|inQuery, "0123456789")
	allow(inHost|inPath|inQuery, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-.")
	allow(inPath|inQuery, "/_~")
	allow(inQuery, "?%=&+:,;()*!@$'")
	return parts
}()
