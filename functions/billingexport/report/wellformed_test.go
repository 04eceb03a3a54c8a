package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
)

// element is one of a page, with its attributes and all text in it.
type element struct {
	name string
	attr map[string]string
	text string
	path []string // names of the elements around it
}

// parse reads a page as XML, strictly: HTML's own leniency would hide what is broken.
func parse(page []byte) (all []*element, err error) {
	d := xml.NewDecoder(bytes.NewReader(page))
	var open []*element
	for {
		token, err := d.Token()
		switch t := token.(type) {
		case xml.StartElement:
			e := &element{name: t.Name.Local, attr: map[string]string{}}
			for _, a := range t.Attr {
				e.attr[a.Name.Local] = a.Value
			}
			for _, o := range open {
				e.path = append(e.path, o.name)
			}
			all, open = append(all, e), append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			for _, o := range open {
				o.text += string(t)
			}
		}
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
}

// faults are what is wrong with a page for a machine, and for who does not see it.
func faults(page []byte) (found []string) {
	all, err := parse(page)
	if err != nil {
		return []string{"not well-formed: " + err.Error()}
	}
	ids, level := map[string]bool{}, 0
	for _, e := range all {
		if id := e.attr["id"]; id != "" && ids[id] {
			found = append(found, "id "+id+" twice")
		} else {
			ids[id] = true
		}
		found = append(found, e.faults()...)
		if len(e.name) == 2 && e.name[0] == 'h' && e.name != "hr" {
			if next := int(e.name[1] - '0'); next > level+1 {
				found = append(found, "heading "+e.text+" skips a level")
			} else {
				level = next
			}
		}
	}
	for _, e := range all {
		for _, id := range strings.Fields(e.attr["aria-labelledby"]) {
			if !ids[id] {
				found = append(found, "no "+id+" to be labelled by")
			}
		}
		if e.name == "svg" && !titled(all, e) {
			found = append(found, "a drawing without a title")
		}
	}
	return found
}

// allowed are the elements that a page may have.
var allowed = strings.Fields(`html head meta title style link body main header footer section aside h1 h2 h3 p dl div dt dd ul ol li table thead tbody tr th td
	small span strong bdi data br code a figure svg rect line desc`)

func (e *element) faults() (found []string) {
	if !slices.Contains(allowed, e.name) {
		found = append(found, "element "+e.name)
	}
	if e.name == "th" && e.attr["scope"] == "" {
		found = append(found, "a head without scope: "+e.text)
	}
	for name, value := range e.attr {
		switch {
		case strings.HasPrefix(name, "on"), name == "src", name == "style", name == "action", name == "srcset":
			found = append(found, "attribute "+name)
		case name == "href" && value != "data:," && !strings.HasPrefix(value, "./"):
			found = append(found, "link to "+value)
		}
	}
	if e.name == "style" && (strings.Contains(e.text, "url(") || strings.Contains(e.text, "@import")) {
		found = append(found, "a style from elsewhere")
	}
	return found
}

// titled reports whether the first element in a drawing is a title that says something.
func titled(all []*element, svg *element) bool {
	i := slices.Index(all, svg)
	return i+1 < len(all) && all[i+1].name == "title" && strings.TrimSpace(all[i+1].text) != ""
}

func TestPagesAreWellFormed(t *testing.T) {
	for name, page := range outputs(t) {
		if !strings.HasSuffix(name, ".html") {
			continue
		}
		for _, f := range faults(page) {
			t.Errorf("%s: %s", name, f)
		}
	}
}

// The test above would notice.
func TestFaultsAreFound(t *testing.T) {
	for _, c := range []struct{ page, want string }{
		{`<p>`, "not well-formed"},
		{"<p>\x01</p>", "not well-formed"},
		{`<p a=1/>`, "not well-formed"},
		{`<script/>`, "element script"},
		{`<img src="x"/>`, "attribute src"},
		{`<p onclick="x"/>`, "attribute onclick"},
		{`<p style="x"/>`, "attribute style"},
		{`<a href="http://x"/>`, "link to"},
		{`<a href="javascript:x"/>`, "link to"},
		{`<th>x</th>`, "without scope"},
		{`<svg><rect/></svg>`, "without a title"},
		{`<p id="x"><p id="x"/></p>`, "id x twice"},
		{`<p aria-labelledby="x"/>`, "no x to be"},
		{`<main><h1>a</h1><h3>b</h3></main>`, "skips a level"},
		{`<style>@import "x"</style>`, "from elsewhere"},
	} {
		if got := strings.Join(faults([]byte(c.page)), "; "); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q in it", c.page, got, c.want)
		}
	}
}

// Whatever comes from outside, a page is well-formed, of its own elements only, and turns no writing direction.
func FuzzPage(f *testing.F) {
	for _, s := range []string{script, turned, controls, "", "=1+1", "{{.}}", "]]>", "-->", "&amp;", "\\", strings.Repeat("x", 300)} {
		f.Add(s, "EUR", "1.5", "2")
	}
	f.Add("a", script, "-0.000000001", "99999999999999999999")
	f.Fuzz(func(t *testing.T, text, currency, price, quantity string) {
		p, q := bounded(price), bounded(quantity)
		l := bill.Line{
			Org: text, OrgName: text, ServiceID: text, Service: text, Subscription: text, Sku: text, SkuDescription: text, Datacenter: text,
			Currency: currency, Price: p, Usage: q, Billable: q, Cost: p.Mul(q),
		}
		page := Page{
			Month: october, Org: text, OrgName: text, Issuer: text, Lens: revision.Lens(text), State: revision.State(text), SinceRevision: 1, Lines: []bill.Line{l},
			Before: months(map[int][]bill.Line{-1: {l, euros(text, "1", "1")}}), Since: []bill.Line{euros(text, "2", "2")},
			Notes: []bill.Note{{Code: bill.NoteCode(text), Of: text, Text: text}}, Verdicts: []bill.Verdict{{Code: bill.Code(text), Of: text, Text: text}},
			Files: []revision.File{{Name: text, Billed: []revision.Money{{Currency: currency, Amount: p}}}},
		}
		s := statement()
		s.Tenants = append(s.Tenants, Tenant{Org: text, OrgName: text, Costs: Costs(page.Lines, page.Since), Verdicts: page.Verdicts, Compared: true})
		var one, all bytes.Buffer
		if err := errors.Join(Write(&one, page), Overview(&all, s)); err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]byte{one.Bytes(), all.Bytes()} {
			if found := faults(b); len(found) > 0 {
				t.Error(found)
			}
			if bytes.ContainsAny(b, "\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069") {
				t.Error("the page turns its writing direction")
			}
		}
	})
}
