package report

import (
	"bufio"
	"embed"
	"html/template"
	"io"

	"github.com/providerdesk/providerdesk/shared/fault"
)

//go:embed pages
var pages embed.FS

// render sets a view by its template. What is written before an error is no page.
func render(w io.Writer, page string, view any) error {
	style, err := pages.ReadFile("pages/style.css")
	if err != nil {
		return fault.Wrap(fault.Bug, err, "read the style of the pages")
	}
	t, err := template.New(page).Funcs(template.FuncMap{
		"name": name, "prose": prose, "style": func() template.CSS { return template.CSS(style) },
	}).ParseFS(pages, "pages/*.html")
	if err != nil {
		return fault.Wrap(fault.Bug, err, "parse the pages")
	}
	b := bufio.NewWriter(w)
	if err := t.ExecuteTemplate(b, page, view); err != nil {
		return fault.Wrap(fault.Of(err), err, "set the page")
	}
	return fault.Wrap(fault.Transient, b.Flush(), "write the page")
}
