package chat

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

//go:embed page.html
var pageText string

// policy lets the page show itself, and send forms home.
const policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

type channelView struct {
	Platform, ID, Name string
	People             []person
	Threads            [][]View
}

// page is a page of all channels, for people.
func (s *Server) page(_ *http.Request) (any, error) {
	t, err := template.New("page").Parse(pageText)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	made, waiting := s.Deliveries()
	slices.Reverse(made)
	err = t.Execute(&b, map[string]any{"Channels": s.channels(), "Deliveries": made[:min(len(made), 20)], "Waiting": waiting})
	if err != nil {
		return nil, err
	}
	a := server.Typed(http.StatusOK, "text/html; charset=utf-8", b.Bytes())
	a.Header.Set("Content-Security-Policy", policy)
	a.Header.Set("X-Content-Type-Options", "nosniff")
	a.Header.Set("Referrer-Policy", "same-origin")
	return a, nil
}

func (s *Server) channels() []channelView {
	s.mu.Lock()
	head := s.state.Changes()[0]
	s.mu.Unlock()
	var all []channelView
	for _, sp := range head.Spaces {
		c := channelView{Platform: sp.Platform, ID: sp.ID, Name: sp.Name}
		for _, p := range head.People {
			if p.Platform == sp.Platform && !p.Bot && (sp.Direct == "" || sp.Direct == p.ID) {
				c.People = append(c.People, p)
			}
		}
		c.Threads = threads(s.Messages(sp.Platform, sp.ID, ""))
		all = append(all, c)
	}
	return all
}

// threads puts messages together that are of one thread, in the order in which the threads began.
func threads(all []View) (out [][]View) {
	at := map[string]int{}
	for _, v := range all {
		i, ok := at[v.Thread]
		if !ok {
			i = len(out)
			at[v.Thread] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], v)
	}
	return out
}

// typed is what a person typed into the page: a form, and back to the page.
func (s *Server) typed(r *http.Request) (any, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		return nil, rest.Fail("INVALID_ARGUMENT", "The form cannot be read.")
	}
	if err := s.act(r, r.PostForm); err != nil {
		return nil, err
	}
	a := server.Typed(http.StatusSeeOther, "text/plain; charset=utf-8", nil)
	a.Header.Set("Location", "../")
	return a, nil
}

// act does what the form says: a button if one was pressed, a command if the text looks like one.
func (s *Server) act(r *http.Request, f url.Values) error {
	var err error
	text := f.Get("text")
	switch {
	case f.Get("button") != "":
		_, err = s.Click(r.Context(), Clicking{
			Platform: f.Get("platform"), Space: f.Get("space"), Message: f.Get("message"), Person: f.Get("person"), Button: f.Get("button"),
		})
	case len(text) > 0 && text[0] == '/':
		in := Commanding{Platform: f.Get("platform"), Space: f.Get("space"), Person: f.Get("person")}
		if in.Name, in.Text, _ = strings.Cut(text, " "); in.Platform == Google { // Slack has no commands in threads
			in.Thread = f.Get("thread")
		}
		_, err = s.Command(r.Context(), in)
	default:
		_, err = s.Say(r.Context(), Saying{
			Platform: f.Get("platform"), Space: f.Get("space"), Thread: f.Get("thread"), Person: f.Get("person"), Text: text, Mention: f.Get("mention") != "",
		})
	}
	return err
}
