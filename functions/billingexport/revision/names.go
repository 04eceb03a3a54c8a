package revision

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// RawPrefix is what the names of a tenant's raw pieces of a month begin with.
func RawPrefix(m hub.Period, org string) string { return fmt.Sprintf("raw/month=%s/org=%s/", m, org) }

// RawName is the name of a raw piece.
func RawName(m hub.Period, org string, k Kind, sha256 string) string {
	ending := ".json"
	if k == UsageFile {
		ending = ".csv"
	}
	return RawPrefix(m, org) + string(k) + "/" + sha256 + ending
}

// FetchedPrefix is what the names of a tenant's Fetched of a month begin with, in the order of their runs.
func FetchedPrefix(m hub.Period, org string) string { return RawPrefix(m, org) + "fetched/" }

// FetchedName is the name of a Fetched.
func FetchedName(m hub.Period, org, run string) string { return FetchedPrefix(m, org) + run + ".json" }

// PartFolder is where a part is.
func PartFolder(m hub.Period, org, digest string) string {
	return fmt.Sprintf("parts/month=%s/org=%s/%s/", m, org, digest)
}

// Names of the objects in the folder of a part.
const (
	PartFile       = "part.json"
	BillFile       = "bill.json"
	QuarantineFile = "quarantine.csv"
)

// FocusFile is the name of a FOCUS file in the folder of a part.
func FocusFile(l Lens, f Format) string { return "focus." + string(l) + "." + string(f) }

// MonthFolder is where the revisions of a month are.
func MonthFolder(m hub.Period) string { return fmt.Sprintf("focus/month=%s/", m) }

// Folder is where a revision is.
func Folder(m hub.Period, rev int) string { return fmt.Sprintf("%srev=%04d/", MonthFolder(m), rev) }

// Names of the objects in the folder of a revision, and of a month.
const (
	ManifestFile = "manifest.json"
	CurrentFile  = "current.json"
	SummaryFile  = "summary.csv"
)

// DeltaFile is the name of the corrections in the folder of a revision.
func DeltaFile(l Lens, f Format) string { return "delta." + string(l) + "." + string(f) }

// ReportFile is the name of a tenant's report in the folder of a revision.
func ReportFile(l Lens, org string) string { return "reports/" + string(l) + "/" + org + ".html" }

// OverviewFile is the name of the page over all tenants in the folder of a revision, beside their reports.
func OverviewFile(l Lens) string { return "reports/" + string(l) + "/index.html" }

// NumberOf returns the number of the revision in whose folder an object is.
func NumberOf(m hub.Period, name string) (int, error) {
	number, _, _ := strings.Cut(strings.TrimPrefix(name, MonthFolder(m)+"rev="), "/")
	rev, err := strconv.Atoi(number)
	if err != nil || rev < 1 || !strings.HasPrefix(name, Folder(m, rev)) {
		return 0, fault.New(fault.Invalid, "an object lies in no folder of a revision")
	}
	return rev, nil
}
