package revision

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// Version of every document.
const Version = 1

// Limits of the documents, in bytes.
const (
	MaxFetched  = 1 << 20
	MaxPart     = 1 << 20
	MaxManifest = 64 << 20
	MaxCurrent  = 4 << 10
)

// ContentType of every document.
const ContentType = "application/json"

// document is one of the documents of this package. check finds what cannot be one of ours, "" if nothing; most is how many bytes one may have.
type document interface {
	check() string
	most() int
}

func (Fetched) most() int  { return MaxFetched }
func (Part) most() int     { return MaxPart }
func (Manifest) most() int { return MaxManifest }
func (Current) most() int  { return MaxCurrent }

// Encode returns the canonical form of a Fetched, Part, Manifest or Current. What Decode would refuse is not encoded.
func Encode[D document](d D) ([]byte, error) {
	if wrong := d.check(); wrong != "" {
		return nil, fault.New(fault.Bug, "a document of an export is not as it must be: %s", wrong)
	}
	data, err := json.Marshal(d)
	if err == nil && len(data) > d.most() {
		return nil, fault.New(fault.Bug, "a document of an export would have %d bytes, more than %d", len(data), d.most())
	}
	return data, fault.Wrap(fault.Bug, err, "encode a document of an export")
}

// DecodeFetched reads a Fetched. As with the other documents nothing but the canonical form is one: no member that we do not know, none
// twice, and nothing after it.
func DecodeFetched(data []byte) (Fetched, error) { return decode[Fetched](data) }

// DecodePart reads a Part.
func DecodePart(data []byte) (Part, error) { return decode[Part](data) }

// DecodeManifest reads a Manifest.
func DecodeManifest(data []byte) (Manifest, error) { return decode[Manifest](data) }

// DecodeCurrent reads a Current.
func DecodeCurrent(data []byte) (Current, error) { return decode[Current](data) }

func decode[D document](data []byte) (d D, err error) {
	const doing = "read a document of an export"
	if len(data) > d.most() {
		return d, fault.New(fault.Invalid, "a document of an export has %d bytes, more than %d", len(data), d.most())
	}
	r := json.NewDecoder(bytes.NewReader(data))
	r.DisallowUnknownFields()
	if err := r.Decode(&d); err != nil {
		return d, fault.Wrap(fault.Invalid, err, doing)
	}
	if _, err := r.Token(); err != io.EOF {
		return d, fault.New(fault.Invalid, "a document of an export goes on after its end")
	}
	if wrong := d.check(); wrong != "" {
		return d, fault.New(fault.Invalid, "a document of an export is not as it must be: %s", wrong)
	}
	again, err := json.Marshal(d)
	if err != nil {
		return d, fault.Wrap(fault.Invalid, err, doing)
	}
	if !bytes.Equal(again, data) {
		return d, fault.New(fault.Invalid, "a document of an export is not in the form in which we write them")
	}
	return d, nil
}

// first returns the first that is wrong.
func first(wrong ...string) string {
	i := slices.IndexFunc(wrong, func(s string) bool { return s != "" })
	if i < 0 {
		return ""
	}
	return wrong[i]
}

func that(ok bool, otherwise string) string {
	if ok {
		return ""
	}
	return otherwise
}

func (f Fetched) check() string {
	wrong := []string{head(f.V, f.Month), organization(f.Org), that(isRun(f.Run), "its run"), utc(f.At)}
	seen := map[Kind]bool{}
	for _, r := range f.Raw {
		wrong = append(wrong, r.check(f.Month, f.Org), that(!seen[r.Kind], "two pieces of one kind"))
		seen[r.Kind] = true
	}
	for _, r := range f.Requests {
		wrong = append(wrong, utc(r.At), that(r.Bytes >= 0, "the bytes of a request"))
	}
	return first(wrong...)
}

func (r Raw) check(month, org string) string {
	known := r.Kind == UsageFile || r.Kind == UsageReport || r.Kind == Subscriptions
	return first(that(known, "the kind of a raw piece"), name(r.Name), sum(r.Sum),
		that(strings.HasPrefix(r.Name, "raw/month="+month+"/org="+org+"/"), "the name of a raw piece"))
}

func (p Part) check() string {
	if p.Digest == "" {
		return first(head(p.V, p.Month), organization(p.Org), that(len(p.Files) == 0 && bill.Grave(p.Verdicts), "a part without a digest"))
	}
	wrong := []string{head(p.V, p.Month), organization(p.Org), that(isHash(p.Digest), "the digest of a part"), p.Bill.check()}
	for _, a := range p.Accounts {
		wrong = append(wrong, that(a.Lens == Provider || a.Lens == Tenant, "the lens of an account"), amount(a.Markup))
	}
	for _, r := range p.Raw {
		wrong = append(wrong, r.check(p.Month, p.Org))
	}
	files := p.Files
	if p.Quarantine != nil {
		files = append(slices.Clip(files), *p.Quarantine)
	}
	return first(append(wrong, filesOf(files))...)
}

func (m Manifest) check() string {
	state := m.State == Preliminary || m.State == Unreconciled || m.State == Published
	wrong := []string{head(m.V, m.Month), that(m.Revision >= 1 && m.Since >= 0 && m.Since < m.Revision, "its revision"), that(state, "its state"),
		that(isRun(m.Run), "its run"), utc(m.Made), that(isHash(m.Content), "its content"),
		that(len(m.Delta) == 0 || m.State == Published && m.Since > 0, "a delta of what is not published")}
	for i, p := range m.Parts {
		wrong = append(wrong, p.check(), that(p.Month == m.Month, "a part of another month"),
			that(i == 0 || m.Parts[i-1].Org < p.Org, "the order of its parts"))
	}
	return first(append(wrong, filesOf(m.Delta), filesOf(m.Summary), filesOf(m.Reports))...)
}

func (c Current) check() string {
	return first(head(c.V, c.Month), that(c.Revision >= 1, "its revision"), name(c.Manifest), that(isHash(c.ManifestSHA256), "the sum of its manifest"))
}

func filesOf(all []File) string {
	seen := map[string]bool{}
	for _, f := range all {
		if wrong := first(f.check(), that(!seen[f.Name], "a file twice")); wrong != "" {
			return wrong
		}
		seen[f.Name] = true
	}
	return ""
}

func (f File) check() string {
	wrong := []string{name(f.Name), sum(f.Sum), that(f.Rows >= 0, "the rows of a file"), utc(f.First), utc(f.Last)}
	for i, m := range f.Billed {
		wrong = append(wrong, amount(m.Amount), that(i == 0 || f.Billed[i-1].Currency < m.Currency, "the order of currencies"))
	}
	return first(wrong...)
}

func head(v int, month string) string {
	_, err := hub.ParsePeriod(month)
	return first(that(v == Version, "its version"), that(err == nil, "its month"))
}

func utc(t time.Time) string {
	return that(t.IsZero() || t.Location() == time.UTC, "a time that is not UTC")
}

func sum(s blob.Sum) string {
	return that(isHash(s.SHA256) && crcForm.MatchString(s.CRC32C) && s.Bytes >= 0, "a checksum")
}

func name(s string) string {
	return that(nameForm.MatchString(s) && blob.CheckName(s) == nil, "a name")
}

func organization(s string) string { return that(orgForm.MatchString(s), "its organization") }

// amount keeps a number of hostile size from being written out.
func amount(d decimal.Decimal) string {
	e := d.Exponent()
	return that(e >= -60 && e <= 60 && d.Coefficient().BitLen() <= 400, "an amount")
}

func isHash(s string) bool { return hashForm.MatchString(s) }

func isRun(s string) bool { return runForm.MatchString(s) }

var (
	hashForm = regexp.MustCompile(`^[0-9a-f]{64}$`)
	crcForm  = regexp.MustCompile(`^[A-Za-z0-9+/]{6}==$`)
	nameForm = regexp.MustCompile(`^[A-Za-z0-9._=~-]+(/[A-Za-z0-9._=~-]+)*$`)
	runForm  = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
	orgForm  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`) // as the hub client takes them
)
