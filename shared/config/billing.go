package config

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/shared/strict"
)

// Billing is how usage is exported. The zero value: it is not.
type Billing struct {
	Organization string            // id of the provider's own organization at the hub, the master
	Token        Secret            // its API token: a provider's billing user reads usage
	Tokens       map[string]Secret // API tokens of tenants, by the id of their organization
	Tenants      []string          // ids of organizations, if the token may not list them; empty: those that the hub lists
	Bucket       string            // gs://NAME or gs://NAME/FOLDER, or file:DIR
	Lenses       []string          // "provider", "tenant", or both; default provider
	Issuer       string            // lens tenant: our company's name, on its rows
	Markup       decimal.Decimal   // lens tenant: a tenant's price is the hub's times this; default 1
	Currency     string            // ISO 4217, of what nobody else states one of; empty: that is an error of the month
	Closed       int               // day of the next month on which the hub has closed a month; default 5
	Window       int               // closed months that every run looks at, the last one and those before it; default 3
	InFlight     int               // requests to the hub at a time; default 4
	BigQuery     *BigQuery         // nil: not loaded
	Rooms        []Room            // where a month's summary is told
}

// BigQuery is where tables are.
type BigQuery struct {
	Project  string
	Dataset  string
	Location string // of the dataset: EU, US, europe-west3
}

// DefaultBilling is what a file that says nothing more has.
func DefaultBilling() Billing {
	return Billing{Lenses: []string{"provider"}, Markup: decimal.NewFromInt(1), Closed: 5, Window: 3, InFlight: 4}
}

// Has reports whether a lens is wanted.
func (b Billing) Has(lens string) bool { return slices.Contains(b.Lenses, lens) }

// ClosedAt is when the hub has closed a month that begins at t.
func (b Billing) ClosedAt(t time.Time) time.Time { return t.AddDate(0, 1, b.Closed) }

func (r *reader) billing(v value, c *Config) {
	c.Billing = DefaultBilling()
	c.Billing.Tokens = map[string]Secret{}
	b := &c.Billing
	there := v.Mapping(fields{
		"organization": strict.Text(&b.Organization, organization),
		"token":        r.secret(&b.Token),
		"tokens":       func(v value) { r.tokens(v, b.Tokens) },
		"tenants":      strict.Texts(&b.Tenants, organization),
		"bucket":       strict.Text(&b.Bucket, bucket),
		"lenses":       func(v value) { lenses(v, b) },
		"issuer":       strict.Text(&b.Issuer, oneLine),
		"markup":       func(v value) { markup(v, &b.Markup) },
		"currency":     strict.Text(&b.Currency, currency),
		"closed":       strict.Number(&b.Closed, 1, 28),
		"window":       strict.Number(&b.Window, 1, 5),
		"in_flight":    strict.Number(&b.InFlight, 1, 16),
		"bigquery":     func(v value) { b.BigQuery = bigQuery(v) },
		"rooms":        rooms(&b.Rooms),
	}, "organization", "token", "bucket")
	_, marked := there["markup"]
	switch {
	case b.Has("tenant") && b.Issuer == "":
		v.Add(v.Line(), v.At("issuer"), "is missing; the rows of lens tenant name the company that charges the tenant")
	case !b.Has("tenant") && marked:
		there["markup"].Problem("is for lens tenant; add it to lenses, or remove markup")
	}
	if b.BigQuery != nil && !strings.HasPrefix(b.Bucket, "gs://") {
		there["bigquery"].Problem("loads from Cloud Storage; write a bucket that begins with gs://")
	}
	r.Later(func() { roomsNeedChat(c, b.Rooms, there["rooms"]) })
}

// lenses reads from whose side charges are seen, each once.
func lenses(v value, b *Billing) {
	b.Lenses = nil
	seen := map[string]int{}
	v.List(func(e value) {
		var lens string
		strict.OneOf(&lens, "provider", "tenant")(e)
		e.Unique(lens, "a lens that is there already", seen)
		b.Lenses = append(b.Lenses, lens)
	})
	if len(b.Lenses) == 0 {
		v.Problem("is empty; write provider, tenant or both")
	}
}

// mostMarkup is what a tenant's price is multiplied with at most: more is a mistake.
var mostMarkup = decimal.NewFromInt(10)

// markupDigits after the point leave room in nine for those of a price.
const markupDigits = 4

func markup(v value, dst *decimal.Decimal) {
	var text string
	strict.Text(&text)(v)
	if text == "" {
		return
	}
	d, err := decimal.NewFromString(text)
	if err != nil || !decimalForm.MatchString(text) || !d.IsPositive() || d.GreaterThan(mostMarkup) {
		v.Problem(`must be a number from 0.0001 to 10 with at most %d digits after the point, such as "1.15"`, markupDigits)
		return
	}
	*dst = d
}

func bigQuery(v value) *BigQuery {
	b := &BigQuery{}
	v.Mapping(fields{
		"project":  strict.Text(&b.Project, projectID),
		"dataset":  strict.Text(&b.Dataset, dataset),
		"location": strict.Text(&b.Location, location),
	}, "project", "dataset", "location")
	return b
}

var (
	decimalForm  = regexp.MustCompile(`^[0-9]{1,2}(\.[0-9]{1,4})?$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
	datasetForm  = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
	locationForm = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
	projectForm  = regexp.MustCompile(`^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$`)
	gcsForm      = regexp.MustCompile(`^gs://[a-z0-9][a-z0-9._-]+[a-z0-9](/[A-Za-z0-9._=-]+)*$`)
)

// bucket is a place for objects.
func bucket(s string) string {
	if dir, ok := strings.CutPrefix(s, "file:"); ok && dir != "" || len(s) <= 300 && gcsForm.MatchString(s) {
		return ""
	}
	return "must be gs://NAME, gs://NAME/FOLDER or file:DIR"
}

func currency(s string) string {
	return form(currencyForm, 3, "must be the code of a currency, such as USD")(s)
}

func dataset(s string) string {
	return form(datasetForm, 1024, "must be the id of a dataset: letters, digits and _")(s)
}

func location(s string) string {
	return form(locationForm, 40, "must be a location of BigQuery, such as EU or europe-west3")(s)
}

func projectID(s string) string {
	return form(projectForm, 100, "must be the id of a project, such as acme-prod")(s)
}

// oneLine is a name that people read.
func oneLine(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) || len(s) > 200 {
		return "must be one line of at most 200 bytes"
	}
	return ""
}
