package charge_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/snappy"
	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/charge"
	"github.com/providerdesk/providerdesk/shared/blob"
)

const (
	benchRows   = 500_000
	benchLines  = 2_000
	benchRounds = 7
)

// BenchmarkExport measures rows a second of processor time from a usage file to Parquet, lens provider, of 500,000 rows and 2,000 lines, one
// after the other in several rounds, and reports the medians, and those of ours over the better of each of the others in the same round:
//
//   - ours: Charge, with everything that it does: currency, quarantine, duplicates, odd rows, periods, sums, the bill, sha256 and crc32c.
//   - bare: what cannot be left out: encoding/csv with ReuseRecord, four decimals and one product by package decimal a row, and parquet-go's
//     GenericWriter with snappy, batches of 1,024 rows, row groups as large as ours. It writes the file's own columns, 14 texts and four
//     decimals of 16 bytes, and the product: 19 columns of 50 that we write. Texts have dictionaries or not, whichever is faster.
//   - bare, FOCUS: the same, but it writes the 50 columns of FOCUS, of which it fills from each row what needs no thought.
func BenchmarkExport(b *testing.B) {
	text, err := io.ReadAll(newGenerator(benchRows, benchLines))
	if err != nil {
		b.Fatal(err)
	}
	contestants := []struct {
		name string
		run  func(*testing.B, []byte)
	}{
		{"ours", ours}, {"bare-plain", bare[csvPlain]}, {"bare-dict", bare[csvDict]}, {"bare-focus-plain", bare[focusPlain]}, {"bare-focus-dict", bare[focusDict]},
	}
	rates := make([][]float64, len(contestants))
	var ratio, focus []float64
	for b.Loop() {
		for range benchRounds {
			var rate [5]float64
			for i, c := range contestants {
				runtime.GC()
				start := cpu()
				c.run(b, text)
				rate[i] = benchRows / (cpu() - start).Seconds()
				rates[i] = append(rates[i], rate[i])
			}
			ratio = append(ratio, rate[0]/max(rate[1], rate[2]))
			focus = append(focus, rate[0]/max(rate[3], rate[4]))
		}
	}
	for i, c := range contestants {
		b.ReportMetric(median(rates[i]), c.name+"-rows/s")
	}
	b.ReportMetric(median(ratio), "ratio")
	b.ReportMetric(median(focus), "ratio-focus")
	b.ReportMetric(0, "ns/op")
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// cpu is what this process has used of the processors, which does not depend on what else runs on the machine.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func ours(b *testing.B, text []byte) {
	o := options()
	o.Lenses, o.Formats = o.Lenses[:1], o.Formats[:1]
	c, err := charge.Charge(b.Context(), &spout{source: bytes.NewReader(text)}, fetched, charge.Stated{}, folder, o)
	if err != nil || c.Rows != benchRows || len(c.Verdicts) > 0 {
		b.Fatalf("%d rows, %+v: %v", c.Rows, c.Verdicts, err)
	}
}

type amount16 = [16]byte

// csvPlain is the file's own columns and the product.
type csvPlain struct {
	Org, OrgName, OrgStatus, Tag, Service, ServiceName, Subscription, Sku, SkuText, Datacenter, Time string
	Price                                                                                            amount16 `parquet:",decimal(9:38)"`
	Usage                                                                                            amount16 `parquet:",decimal(9:38)"`
	Commit                                                                                           amount16 `parquet:",decimal(9:38)"`
	Billable                                                                                         amount16 `parquet:",decimal(9:38)"`
	Family, Segment, Cross                                                                           string
	Cost                                                                                             amount16 `parquet:",decimal(18:38)"`
}

func (r *csvPlain) fill(c []string, n *[5]amount16) {
	r.Org, r.OrgName, r.OrgStatus, r.Tag, r.Service, r.ServiceName, r.Subscription, r.Sku = c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]
	r.SkuText, r.Datacenter, r.Time, r.Family, r.Segment, r.Cross = c[8], c[9], c[10], c[15], c[16], c[17]
	r.Price, r.Usage, r.Commit, r.Billable, r.Cost = n[0], n[1], n[2], n[3], n[4]
}

// csvDict is csvPlain with dictionaries.
type csvDict struct {
	Org          string   `parquet:",dict"`
	OrgName      string   `parquet:",dict"`
	OrgStatus    string   `parquet:",dict"`
	Tag          string   `parquet:",dict"`
	Service      string   `parquet:",dict"`
	ServiceName  string   `parquet:",dict"`
	Subscription string   `parquet:",dict"`
	Sku          string   `parquet:",dict"`
	SkuText      string   `parquet:",dict"`
	Datacenter   string   `parquet:",dict"`
	Time         string   `parquet:",dict"`
	Price        amount16 `parquet:",decimal(9:38)"`
	Usage        amount16 `parquet:",decimal(9:38)"`
	Commit       amount16 `parquet:",decimal(9:38)"`
	Billable     amount16 `parquet:",decimal(9:38)"`
	Family       string   `parquet:",dict"`
	Segment      string   `parquet:",dict"`
	Cross        string   `parquet:",dict"`
	Cost         amount16 `parquet:",decimal(18:38)"`
}

func (r *csvDict) fill(c []string, n *[5]amount16) {
	r.Org, r.OrgName, r.OrgStatus, r.Tag, r.Service, r.ServiceName, r.Subscription, r.Sku = c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]
	r.SkuText, r.Datacenter, r.Time, r.Family, r.Segment, r.Cross = c[8], c[9], c[10], c[15], c[16], c[17]
	r.Price, r.Usage, r.Commit, r.Billable, r.Cost = n[0], n[1], n[2], n[3], n[4]
}

// focusPlain is the columns of FOCUS.
type focusPlain struct {
	BilledCost              amount16 `parquet:",decimal(18:38)"`
	BillingAccountId        string   `parquet:""`
	BillingAccountName      string   `parquet:",optional"`
	BillingAccountType      string   `parquet:""`
	BillingCurrency         string   `parquet:""`
	BillingPeriodEnd        int64    `parquet:",timestamp(microsecond)"`
	BillingPeriodStart      int64    `parquet:",timestamp(microsecond)"`
	ChargeCategory          string   `parquet:""`
	ChargeClass             string   `parquet:",optional"`
	ChargeDescription       string   `parquet:",optional"`
	ChargeFrequency         string   `parquet:""`
	ChargePeriodEnd         int64    `parquet:",timestamp(microsecond)"`
	ChargePeriodStart       int64    `parquet:",timestamp(microsecond)"`
	ConsumedQuantity        amount16 `parquet:",decimal(9:38)"`
	ConsumedUnit            string   `parquet:",optional"`
	ContractedCost          amount16 `parquet:",decimal(18:38)"`
	ContractedUnitPrice     amount16 `parquet:",decimal(9:38)"`
	EffectiveCost           amount16 `parquet:",decimal(18:38)"`
	InvoiceId               string   `parquet:",optional"`
	InvoiceIssuerName       string   `parquet:""`
	ListCost                amount16 `parquet:",decimal(18:38)"`
	ListUnitPrice           amount16 `parquet:",decimal(9:38)"`
	PricingCategory         string   `parquet:",optional"`
	PricingQuantity         amount16 `parquet:",decimal(9:38)"`
	PricingUnit             string   `parquet:",optional"`
	ProviderName            string   `parquet:""`
	PublisherName           string   `parquet:""`
	RegionId                string   `parquet:",optional"`
	RegionName              string   `parquet:",optional"`
	ServiceCategory         string   `parquet:""`
	ServiceName             string   `parquet:""`
	ServiceSubcategory      string   `parquet:""`
	SkuId                   string   `parquet:",optional"`
	SkuMeter                string   `parquet:",optional"`
	SkuPriceDetails         string   `parquet:",optional"`
	SkuPriceId              string   `parquet:",optional"`
	SubAccountId            string   `parquet:",optional"`
	SubAccountName          string   `parquet:",optional"`
	SubAccountType          string   `parquet:",optional"`
	Tags                    string   `parquet:",optional"`
	XBillableUsageTimestamp string   `parquet:",optional"`
	XCommitQuantity         amount16 `parquet:",decimal(9:38)"`
	XCustomerSegment        string   `parquet:",optional"`
	XExtra                  string   `parquet:",optional"`
	XOrganizationStatus     string   `parquet:",optional"`
	XProductFamily          string   `parquet:",optional"`
	XServiceId              string   `parquet:",optional"`
	XSourceObject           string   `parquet:",optional"`
	XSourceRow              int64
	XSubscriptionId         string `parquet:",optional"`
}

func (r *focusPlain) fill(c []string, n *[5]amount16) {
	at, _ := strconv.ParseInt(c[10], 10, 64)
	start := at * 1000 / 86400e6 * 86400e6
	r.BilledCost, r.ContractedCost, r.EffectiveCost, r.ListCost = n[4], n[4], n[4], n[4]
	r.ConsumedQuantity, r.PricingQuantity, r.XCommitQuantity, r.ContractedUnitPrice, r.ListUnitPrice = n[1], n[3], n[2], n[0], n[0]
	r.BillingAccountId, r.BillingAccountType, r.BillingCurrency, r.ChargeCategory, r.ChargeFrequency = master, "Provider", "USD", "Usage", "Usage-Based"
	r.BillingPeriodStart, r.BillingPeriodEnd, r.ChargePeriodStart, r.ChargePeriodEnd = 1790812800e6, 1793491200e6, start, start+86400e6
	r.ChargeDescription, r.ConsumedUnit, r.PricingUnit, r.PricingCategory = c[8], "Units", "Units", "Standard"
	r.InvoiceIssuerName, r.ProviderName, r.PublisherName, r.RegionId, r.RegionName = "VMware", "VMware", "VMware", c[9], c[9]
	r.ServiceCategory, r.ServiceName, r.ServiceSubcategory, r.SkuId, r.SkuMeter, r.SkuPriceId = "Compute", c[5], "Virtual Machines", c[17], c[8], c[7]
	r.SkuPriceDetails, r.SubAccountId, r.SubAccountName, r.SubAccountType, r.Tags = c[15], c[0], c[1], "Tenant", c[3]
	r.XBillableUsageTimestamp, r.XCustomerSegment, r.XOrganizationStatus, r.XProductFamily = c[10], c[16], c[2], c[15]
	r.XServiceId, r.XSourceObject, r.XSubscriptionId = c[4], raw, c[6]
	r.XSourceRow++
}

// focusDict is the columns of FOCUS with dictionaries.
type focusDict struct {
	BilledCost              amount16 `parquet:",decimal(18:38)"`
	BillingAccountId        string   `parquet:",dict"`
	BillingAccountName      string   `parquet:",optional,dict"`
	BillingAccountType      string   `parquet:",dict"`
	BillingCurrency         string   `parquet:",dict"`
	BillingPeriodEnd        int64    `parquet:",timestamp(microsecond),dict"`
	BillingPeriodStart      int64    `parquet:",timestamp(microsecond),dict"`
	ChargeCategory          string   `parquet:",dict"`
	ChargeClass             string   `parquet:",optional,dict"`
	ChargeDescription       string   `parquet:",optional,dict"`
	ChargeFrequency         string   `parquet:",dict"`
	ChargePeriodEnd         int64    `parquet:",timestamp(microsecond),dict"`
	ChargePeriodStart       int64    `parquet:",timestamp(microsecond),dict"`
	ConsumedQuantity        amount16 `parquet:",decimal(9:38)"`
	ConsumedUnit            string   `parquet:",optional,dict"`
	ContractedCost          amount16 `parquet:",decimal(18:38)"`
	ContractedUnitPrice     amount16 `parquet:",decimal(9:38)"`
	EffectiveCost           amount16 `parquet:",decimal(18:38)"`
	InvoiceId               string   `parquet:",optional,dict"`
	InvoiceIssuerName       string   `parquet:",dict"`
	ListCost                amount16 `parquet:",decimal(18:38)"`
	ListUnitPrice           amount16 `parquet:",decimal(9:38)"`
	PricingCategory         string   `parquet:",optional,dict"`
	PricingQuantity         amount16 `parquet:",decimal(9:38)"`
	PricingUnit             string   `parquet:",optional,dict"`
	ProviderName            string   `parquet:",dict"`
	PublisherName           string   `parquet:",dict"`
	RegionId                string   `parquet:",optional,dict"`
	RegionName              string   `parquet:",optional,dict"`
	ServiceCategory         string   `parquet:",dict"`
	ServiceName             string   `parquet:",dict"`
	ServiceSubcategory      string   `parquet:",dict"`
	SkuId                   string   `parquet:",optional,dict"`
	SkuMeter                string   `parquet:",optional,dict"`
	SkuPriceDetails         string   `parquet:",optional,dict"`
	SkuPriceId              string   `parquet:",optional,dict"`
	SubAccountId            string   `parquet:",optional,dict"`
	SubAccountName          string   `parquet:",optional,dict"`
	SubAccountType          string   `parquet:",optional,dict"`
	Tags                    string   `parquet:",optional,dict"`
	XBillableUsageTimestamp string   `parquet:",optional,dict"`
	XCommitQuantity         amount16 `parquet:",decimal(9:38)"`
	XCustomerSegment        string   `parquet:",optional,dict"`
	XExtra                  string   `parquet:",optional,dict"`
	XOrganizationStatus     string   `parquet:",optional,dict"`
	XProductFamily          string   `parquet:",optional,dict"`
	XServiceId              string   `parquet:",optional,dict"`
	XSourceObject           string   `parquet:",optional,dict"`
	XSourceRow              int64
	XSubscriptionId         string `parquet:",optional,dict"`
}

func (r *focusDict) fill(c []string, n *[5]amount16) { (*focusPlain)(r).fill(c, n) }

// filler is a row of the bare pipeline.
type filler[T any] interface {
	*T
	fill(cells []string, numbers *[5]amount16)
}

func bare[T any, F filler[T]](b *testing.B, text []byte) {
	to, err := (&spout{}).Create(b.Context(), "")
	if err != nil {
		b.Fatal(err)
	}
	w := parquet.NewGenericWriter[T](to, parquet.Compression(&snappy.Codec{}), parquet.MaxRowsPerRowGroup(1<<16), parquet.DataPageStatistics(false))
	in := csv.NewReader(bufio.NewReaderSize(bytes.NewReader(text), 64<<10))
	in.ReuseRecord = true
	if _, err := in.Read(); err != nil {
		b.Fatal(err)
	}
	batch := make([]T, 0, 1024)
	var numbers [5]amount16
	for {
		cells, err := in.Read()
		if err != nil && err != io.EOF {
			b.Fatal(err)
		}
		if err == io.EOF || len(batch) == cap(batch) {
			if _, err := w.Write(batch); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
		if err == io.EOF {
			break
		}
		if err := product(cells, &numbers); err != nil {
			b.Fatal(err)
		}
		batch = batch[:len(batch)+1]
		F(&batch[len(batch)-1]).fill(cells, &numbers)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}

// product parses four decimals and multiplies two of them.
func product(cells []string, n *[5]amount16) error {
	var d [5]decimal.Decimal
	for i := range 4 {
		var err error
		if d[i], err = decimal.NewFromString(cells[11+i]); err != nil {
			return err
		}
	}
	d[4] = d[0].Mul(d[3])
	for i := range d {
		put(&n[i], d[i])
	}
	return nil
}

// put writes a coefficient, which has the scale that it needs. All of them are positive.
func put(n *amount16, d decimal.Decimal) { d.Coefficient().FillBytes(n[:]) }

// BenchmarkExportMemory charges 1,000,000 and 10,000,000 rows in both lenses and all formats, each in a process of its own, and reports the
// peaks of their memory as the kernel saw them. With -short it is a fifth of both: it takes minutes otherwise.
func BenchmarkExportMemory(b *testing.B) {
	if rows, err := strconv.Atoi(os.Getenv(peakOf)); err == nil {
		fmt.Printf("%s%d\n", peakIs, peak(b, rows))
		return
	}
	rows := 1_000_000
	if testing.Short() {
		rows /= 5
	}
	var few, many float64
	for b.Loop() {
		few, many = child(b, rows), child(b, 10*rows)
	}
	b.ReportMetric(few, "MB")
	b.ReportMetric(many, "MB-of-ten-times-as-many")
	b.ReportMetric(float64(rows), "rows")
	b.ReportMetric(many/few, "ratio")
	b.ReportMetric(0, "ns/op")
	if many > 300 || many/few > 1.3 && !testing.Short() { // what is there before the first row weighs more beside fewer rows
		b.Errorf("%.0f MB for %d rows, %.0f MB for %d", many, 10*rows, few, rows)
	}
}

const (
	peakOf = "EXPORT_MEMORY_ROWS"
	peakIs = "peak KB "
)

// child runs this benchmark in another process, which measures itself.
func child(b *testing.B, rows int) float64 {
	c := exec.CommandContext(b.Context(), os.Args[0], "-test.run", "^$", "-test.bench", "^BenchmarkExportMemory$", "-test.benchtime", "1x")
	c.Env = append(os.Environ(), peakOf+"="+strconv.Itoa(rows))
	out, err := c.CombinedOutput()
	_, after, _ := strings.Cut(string(out), peakIs)
	kb, wrong := strconv.Atoi(strings.Fields(after + " none")[0])
	if err != nil || wrong != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return float64(kb) / 1000
}

// peak charges rows and returns the largest that this process ever was, in KB.
func peak(b *testing.B, rows int) int {
	c, err := charge.Charge(b.Context(), &spout{source: newGenerator(rows, benchLines)}, fetched, charge.Stated{}, folder, options())
	if err != nil || c.Rows != int64(rows) || len(c.Files) != 6 {
		b.Fatalf("%d rows: %v", c.Rows, err)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kb, err := strconv.Atoi(strings.Fields(after + " none")[0])
	if err != nil {
		b.Fatal(err)
	}
	return kb
}

var _ blob.Bucket = (*spout)(nil)
