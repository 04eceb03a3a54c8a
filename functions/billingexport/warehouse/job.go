package warehouse

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// MaxFiles is how many files one job of BigQuery reads at most.
const MaxFiles = 10_000

// Job is one lens of a published revision to be loaded.
type Job struct {
	Month          hub.Period
	Lens           revision.Lens
	ManifestSHA256 string   // hex, of the revision: names the jobs
	Current        []string // gs:// URIs of the month's Parquet files, at least one; one without rows if there is no usage
	Ledger         []string // those to be appended to the ledger table: the corrections; none if nothing changed
	First          bool     // the month's first revision: without a Ledger its own files, Current, are appended
}

// one is one load job: some files into one table.
type one struct {
	kind kind
	job  Job
	uris []string
}

var shaForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// ones are the load jobs of a Job, or why it is none.
func (j Job) ones() ([]one, error) {
	switch {
	case j.Month == (hub.Period{}) || j.Lens != revision.Provider && j.Lens != revision.Tenant || !shaForm.MatchString(j.ManifestSHA256):
		return nil, fault.New(fault.Invalid, "a load is of one month, one lens and the sha256 of a manifest")
	case len(j.Current) == 0:
		return nil, fault.New(fault.Invalid, "a load has no files: a month without usage is loaded from a Parquet file without rows")
	}
	all := []one{{ofMonth, j, j.Current}}
	appended := j.Ledger
	if j.First && len(appended) == 0 {
		appended = j.Current
	}
	if len(appended) > 0 {
		all = append(all, one{ofAll, j, appended})
	}
	for _, o := range all {
		if err := checkURIs(o.uris); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// checkURIs refuses what BigQuery would, and a star, which it would take for any name.
func checkURIs(uris []string) error {
	if len(uris) > MaxFiles {
		return fault.New(fault.Invalid, "a load has %d files, and BigQuery reads at most %d with one job", len(uris), MaxFiles)
	}
	for _, uri := range uris {
		if !strings.HasPrefix(uri, "gs://") || strings.ContainsAny(uri, "*\n\r") {
			return fault.New(fault.Invalid, "BigQuery reads files of Cloud Storage, gs://BUCKET/NAME, without a star in the name")
		}
	}
	return nil
}

// id of an attempt, from 1.
func (o one) id(attempt int) string {
	return fmt.Sprintf("be_%s_%s_%s_%s_%d", o.job.Lens, o.kind, o.job.Month, o.job.ManifestSHA256[:24], attempt)
}

// table is where it loads into: a partition, or the table.
func (o one) table() string {
	name := tableName(o.job.Lens, o.kind)
	if o.kind == ofMonth {
		name += "$" + o.job.Month.Start().Format("200601")
	}
	return name
}
