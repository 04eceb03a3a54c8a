package report

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/functions/billingexport/report"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var views = []view{{"screen", 1280, 900, false}, {"dark", 1280, 900, true}, {"phone", 360, 740, false}}

// Colours of the style sheet: the bars of the current month, and the ground.
var (
	accent = map[bool]color.RGBA{false: {0x1d, 0x5f, 0xb4, 0xff}, true: {0x6f, 0xa8, 0xf0, 0xff}}
	paper  = map[bool]color.RGBA{false: {0xff, 0xff, 0xff, 0xff}, true: {0x14, 0x18, 0x1c, 0xff}}
)

// A page that is rendered asks for nothing, says nothing, has its charts, fits a phone, and prints on as many sheets as it should.
func TestPagesInABrowser(t *testing.T) {
	b := open(t)
	for _, c := range []struct {
		name        string
		write       func(io.Writer) error
		views       []view
		least, most int // sheets: fonts differ from machine to machine
	}{
		{"report", func(w io.Writer) error { return report.Write(w, page()) }, views, 3, 4},
		{"odd", func(w io.Writer) error { return report.Write(w, odd()) }, views[2:], 10, 13},
		{"overview", func(w io.Writer) error { return report.Overview(w, crowd(t, 24)) }, views, 2, 3},
	} {
		site := serve(t, c.write)
		for _, v := range c.views {
			p := b.visit(site.URL+"/page.html", v)
			for _, complaint := range p.complaints() {
				t.Errorf("%s, %s: %s", c.name, v.name, complaint)
			}
			if n := p.overflow(); n > 0 {
				t.Errorf("%s, %s: %d pixels wider than the screen", c.name, v.name, n)
			}
			file := p.picture()
			keep(t, c.name+"-"+v.name+".png", file)
			checkPicture(t, c.name+", "+v.name, file, v)
			if v == c.views[0] {
				printed := p.print()
				keep(t, c.name+".pdf", printed)
				if n := sheets(printed); n < c.least || n > c.most {
					t.Errorf("%s: %d printed sheets of A4, want %d to %d", c.name, n, c.least, c.most)
				}
			}
		}
		if want := slices.Repeat([]string{"GET /page.html"}, len(c.views)); !slices.Equal(site.seen(), want) {
			t.Errorf("%s: the server was asked for %q", c.name, site.seen())
		}
	}
}

// What the test above relies on: a page that does ask and does talk is noticed, by the browser's word and by the server's.
func TestBrowserNotices(t *testing.T) {
	b := open(t)
	site := serve(t, func(w io.Writer) error {
		_, err := io.WriteString(w, `<!DOCTYPE html><title>x</title><p style="width:2000px">wide</p><img src="/pixel.png" alt=""><script>console.error("loud")</script>`)
		return err
	})
	p := b.visit(site.URL+"/page.html", views[2])
	all := strings.Join(p.complaints(), "\n")
	for _, want := range []string{"request " + site.URL + "/pixel.png", "Runtime.consoleAPICalled", "loud"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in the complaints:\n%s", want, all)
		}
	}
	if !slices.Contains(site.seen(), "GET /pixel.png") {
		t.Errorf("the server was only asked for %q", site.seen())
	}
	if p.overflow() <= 0 {
		t.Error("a page wider than the screen was not noticed")
	}
	if n := count(decode(t, p.picture()), accent[false]); n != 0 {
		t.Errorf("%d pixels of a chart that is not there", n)
	}
}

// The policy that a page carries keeps out what a mistake would let in.
func TestPolicyHolds(t *testing.T) {
	b := open(t)
	site := serve(t, func(w io.Writer) error {
		var page bytes.Buffer
		if err := report.Write(&page, report.Page{Month: october}); err != nil {
			return err
		}
		_, err := io.WriteString(w, strings.Replace(page.String(), "</main>", `<img src="/pixel.png" alt=""/><script>document.title = "run"</script></main>`, 1))
		return err
	})
	p := b.visit(site.URL+"/page.html", views[0])
	var title string
	if p.eval("document.title", &title); title == "run" {
		t.Error("a script ran")
	}
	if len(p.complaints()) == 0 || slices.Contains(site.seen(), "GET /pixel.png") {
		t.Errorf("the page got around its policy: %q", site.seen())
	}
}

// site serves one page and remembers what it was asked for.
type site struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func serve(t *testing.T, write func(io.Writer) error) *site {
	t.Helper()
	var page bytes.Buffer
	if err := write(&page); err != nil {
		t.Fatal(err)
	}
	s := &site{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.Method+" "+r.URL.Path)
		s.mu.Unlock()
		if r.URL.Path != "/page.html" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page.Bytes())
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *site) seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// keep puts a file where people can look at it.
func keep(t *testing.T, name string, content []byte) {
	t.Helper()
	dir := os.Getenv("REPORT_PICTURES")
	if dir == "" {
		dir = t.TempDir()
	}
	if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// checkPicture fails for a picture that is blank: the ground is there, ink is there, and the colour of the charts.
func checkPicture(t *testing.T, what string, file []byte, v view) {
	t.Helper()
	m := decode(t, file)
	if m.Bounds().Dx() != v.width {
		t.Errorf("%s: the picture is %d pixels wide", what, m.Bounds().Dx())
	}
	all := m.Bounds().Dx() * m.Bounds().Dy()
	ground, bars := count(m, paper[v.dark]), count(m, accent[v.dark])
	if ground < all/2 || ground > all*99/100 {
		t.Errorf("%s: %d of %d pixels are ground", what, ground, all)
	}
	if bars < 1000 && !(what == "overview, phone") { // no room for bars there
		t.Errorf("%s: %d pixels have the colour of the charts", what, bars)
	}
}

func decode(t *testing.T, file []byte) *image.NRGBA {
	t.Helper()
	m, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	all := image.NewNRGBA(m.Bounds())
	draw.Draw(all, all.Bounds(), m, m.Bounds().Min, draw.Src)
	return all
}

// count looks at the bytes: the pages are long.
func count(m *image.NRGBA, want color.RGBA) (n int) {
	for p := m.Pix; len(p) >= 4; p = p[4:] {
		if p[0] == want.R && p[1] == want.G && p[2] == want.B {
			n++
		}
	}
	return n
}

var (
	sheet = regexp.MustCompile(`/Type /Page\s`)
	a4    = regexp.MustCompile(`/MediaBox \[0 0 59[45](\.\d+)? 84[12](\.\d+)?\]`)
)

// sheets counts the pages of a printed file, 0 if they are not all of A4.
func sheets(pdf []byte) int {
	n := len(sheet.FindAll(pdf, -1))
	if n != len(a4.FindAll(pdf, -1)) {
		return 0
	}
	return n
}
