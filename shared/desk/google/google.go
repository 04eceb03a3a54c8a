// Package google is the desk of Google Cloud Customer Care: desk.Desk on the Cloud Support API v2, through the transport of gapi.
//
// The API has no request id and no etag, so what the contract of desk promises rests on three things:
//   - Every act is one request, sent once; the generated client and gapi retry reads only. (Open may send a second create after the
//     first was refused for its classification, which proves that nothing was created.)
//   - The description of a case cannot be changed, so a marker in it stays findable: cases.search asks the text index, which lags by an
//     unpublished time, cases.list asks the listing.
//   - Names come back with the project's number whatever the request said; they are used as they come, and the number of our own parent
//     is learnt from them.
//
// An answer of success that holds no case, comment or attachment counts as no answer: fault.Transient, "maybe". Errors have the kinds of
// gapi.Fault. The package keeps nothing but two caches in memory: ids of classifications, for an hour, and the number of the parent.
//
// Not promised: that an empty Find means anything; quotas, which Google does not publish; access, which depends on the support plan.
package google

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"google.golang.org/api/cloudsupport/v2"
	"google.golang.org/api/option"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
)

const (
	commentLimit = 12800            // characters, published
	pageSize     = 100              // the most that attachments.list returns; no other limit is published
	mediaTimeout = 10 * time.Minute // of an upload or a download
	console      = "https://console.cloud.google.com"
)

// Options of a Desk. HTTP and Parent are required.
type Options struct {
	HTTP           *http.Client // of gapi.Client
	Endpoint       string       // base URL that replaces Google's, as given to gapi.Client
	Parent         string       // organizations/NUMBER, projects/ID or projects/NUMBER
	Classification string       // display name for drafts that have none
	Account        string       // e-mail of our own service account; empty: Find does not look at who created a case, Filter.Mine is refused
	Console        string       // base URL of the pages for people; default Google Cloud console
	Now            func() time.Time
}

// Desk implements desk.Desk.
type Desk struct {
	o     Options
	api   *cloudsupport.Service
	media *cloudsupport.Service // for uploads and downloads: more time

	mu     sync.Mutex
	parent string // with its number; empty: not learnt yet
	ids    map[string]classID
}

var _ desk.Desk = (*Desk)(nil)

var (
	parentForm     = regexp.MustCompile(`^(organizations/[0-9]+|projects/([a-z][a-z0-9.:-]*|[0-9]+))$`)
	numberForm     = regexp.MustCompile(`^(organizations|projects)/[0-9]+$`)
	caseForm       = regexp.MustCompile(`^(organizations|projects)/[A-Za-z0-9.:_-]+/cases/[A-Za-z0-9_-]+$`)
	attachmentForm = regexp.MustCompile(`^(organizations|projects)/[A-Za-z0-9.:_-]+/cases/[A-Za-z0-9_-]+/attachments/[A-Za-z0-9_=-]+$`)
)

// New returns a desk. It does no I/O.
func New(o Options) (*Desk, error) {
	if o.HTTP == nil {
		return nil, fault.New(fault.Invalid, "the Google support desk needs an HTTP client")
	}
	if !parentForm.MatchString(o.Parent) {
		return nil, fault.New(fault.Invalid, "the parent of a Google support desk is organizations/NUMBER, projects/ID or projects/NUMBER")
	}
	if o.Console == "" {
		o.Console = console
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	api, err := service(o.HTTP, o.Endpoint)
	if err != nil {
		return nil, err
	}
	patient := *o.HTTP
	patient.Timeout = mediaTimeout
	media, err := service(&patient, o.Endpoint)
	if err != nil {
		return nil, err
	}
	d := &Desk{o: o, api: api, media: media, ids: map[string]classID{}}
	d.learn(o.Parent)
	return d, nil
}

func service(c *http.Client, endpoint string) (*cloudsupport.Service, error) {
	opts := []option.ClientOption{option.WithHTTPClient(c)}
	if endpoint != "" {
		opts = append(opts, option.WithEndpoint(strings.TrimSuffix(endpoint, "/")+"/"))
	}
	s, err := cloudsupport.NewService(context.Background(), opts...) // reads the options, connects to nothing
	return s, fault.Wrap(fault.Bug, err, "make the client of the support API")
}

// learn keeps the parent once it is known by its number.
func (d *Desk) learn(parent string) {
	if !numberForm.MatchString(parent) || kindOf(parent) != kindOf(d.o.Parent) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.parent == "" {
		d.parent = parent
	}
}

// ours reports whether a case is directly under our parent, or may be as long as the parent's number is unknown.
func (d *Desk) ours(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	parent := parentOf(name)
	return parent == d.o.Parent || parent == d.parent || d.parent == "" && kindOf(parent) == kindOf(d.o.Parent)
}

func parentOf(name string) string {
	parent, _, _ := strings.Cut(name, "/cases/")
	return parent
}

func kindOf(parent string) string {
	kind, _, _ := strings.Cut(parent, "/")
	return kind
}

// check refuses a name that is not of the form, before it becomes part of a URL.
func check(form *regexp.Regexp, name, what string) error {
	if form.MatchString(name) {
		return nil
	}
	return fault.New(fault.Invalid, "not the name of %s", what)
}

// unreadable is the error of a success that does not say what was done.
func unreadable(what, doing string) error {
	return fault.Wrap(fault.Transient, fmt.Errorf("the answer holds no %s", what), doing)
}
