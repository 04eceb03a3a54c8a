package reconcile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/blob/blobtest"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// kept is a Fetched of pieces that are in a bucket. An empty piece was not fetched.
func kept(t testing.TB, b blob.Bucket, report, list string) revision.Fetched {
	t.Helper()
	f := revision.Fetched{Org: tenant}
	for kind, text := range map[revision.Kind]string{revision.UsageReport: report, revision.Subscriptions: list} {
		if text == "" {
			continue
		}
		raw := revision.Raw{Kind: kind, Name: "raw/" + string(kind), Sum: blob.SumOf([]byte(text))}
		if _, err := blob.PutBytes(context.Background(), b, "application/json", raw.Name, []byte(text), blob.Absent); err != nil {
			t.Fatal(err)
		}
		f.Raw = append(f.Raw, raw)
	}
	return f
}

const (
	report = `[{"orgId":"tenant-1","orgBillableUsageAmount":"4.0","services":[{"serviceDefId":"s","serviceName":"Service","serviceBillableUsageAmount":4,"subscriptions":[
		{"sid":" sid-1 ","subscriptionUuid":"uuid-1","subscriptionType":"ON_DEMAND","skuData":{"pageSize":2,"skus":[
			{"crossReferenceSku":"x","currency":"USD","totalUsageQuantity":3,"totalCommitQuantity":1.0,"totalBillableUsageQuantity":"2"},
			{"crossReferenceSku":"y","currency":" usd ","offerInfo":{"currency":"EUR"}}]}},
		{"sid":"sid-t","subscriptionUuid":"uuid-t","subscriptionType":"TERM"}]}]}]`
	list = `[{"orgId":"tenant-1","services":[{"serviceDefId":"s","subscriptions":[{"sid":"sid-t","subscriptionType":"TERM","skuData":{"pageSize":3,"skus":[{"crossReferenceSku":"t","currency":"GBP"}]}}]}]}]`
)

func TestRead(t *testing.T) {
	b := blobtest.NewMemory()
	s, err := Read(t.Context(), b, kept(t, b, report, list))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"": {"EUR", "GBP", "USD"}, "x": {"USD"}, "y": {"EUR", "USD"}, "t": {"GBP"}}
	if got := s.Currencies(); !reflect.DeepEqual(got, want) {
		t.Errorf("currencies %v", got)
	}
	got := Judge([]bill.Line{line("s", "sid-1", "x", "3", "1", "2")}, s)
	if !slices.Equal(codes(got), []string{"TRUNCATED! 0", "MATCH 3"}) || !strings.Contains(got[0].Text, "3 announced, 1 sent") {
		t.Errorf("%+v", got)
	}
}

func TestReadNothing(t *testing.T) {
	b := blobtest.NewMemory()
	for _, f := range []revision.Fetched{{}, kept(t, b, "", "[]")} {
		if s, err := Read(t.Context(), b, f); err != nil || s.report || Judge(nil, s) != nil {
			t.Errorf("%+v, %v", s, err)
		}
	}
}

// A stored piece that cannot be used is invalid, for reading it again does not help; a bucket that fails may heal. No error holds a piece of it.
func TestReadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"[{\"orgId\":\"tenant-1\"": "cannot be read", "<html>": "cannot be read", `[{"orgId":"tenant-2"}]`: "another organization", "{}": "cannot be read",
	} {
		b := blobtest.NewMemory()
		_, err := Read(t.Context(), b, kept(t, b, text, ""))
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "tenant-") {
			t.Errorf("%s: %v", text, err)
		}
	}
	b := blobtest.NewMemory()
	f := kept(t, b, report, list)
	b.Corrupt(f.Raw[0].Name, 5)
	if _, err := Read(t.Context(), b, f); !fault.Is(err, fault.Invalid) {
		t.Errorf("a byte of a stored piece is another one: %v", err)
	}
	if _, err := Read(t.Context(), broken{b}, f); !fault.Is(err, fault.Transient) || !errors.Is(err, errBroken) {
		t.Errorf("a bucket that breaks: %v", err)
	}
	b.Remove(f.Raw[0].Name)
	if _, err := Read(t.Context(), b, f); !fault.Is(err, fault.Missing) {
		t.Errorf("a piece that is not there: %v", err)
	}
}

var errBroken = fault.New(fault.Transient, "the connection broke")

// broken is a bucket whose readers break after ten bytes.
type broken struct{ blob.Bucket }

type short struct {
	blob.Reader
	from io.Reader
}

func (b broken) Open(ctx context.Context, name string) (blob.Reader, error) {
	r, err := b.Bucket.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	return short{r, io.LimitReader(r, 10)}, nil
}

func (s short) Read(p []byte) (int, error) {
	n, err := s.from.Read(p)
	if err == io.EOF {
		err = errBroken
	}
	return n, err
}

// A report that states more than fits is not read to its end, and says so.
func TestTooLarge(t *testing.T) {
	var skus []skuJSON
	for i := range 100 {
		skus = append(skus, sku(fmt.Sprint(i), "1", "1", "1"))
	}
	o := org("1", sub(skus...), sub(skus...), sub(skus...))
	whole := statement(t, o.text(t), "")
	if whole.size < 300*100 || whole.tooLarge {
		t.Fatalf("%d bytes counted", whole.size)
	}
	s := newStated()
	s.report, s.size = true, maxStated-whole.size/2
	if err := s.each(hub.ReadReport(strings.NewReader(o.text(t)), "", tenant), s.reported); err != nil {
		t.Fatal(err)
	}
	if got := codes(Judge(nil, s)); !slices.Equal(got, []string{"TOO_LARGE! 0"}) || len(s.amounts) > 0 {
		t.Errorf("%q, read to its end: %v", got, len(s.amounts) > 0)
	}
}

// FuzzRead: whatever was stored is read or refused as invalid. What is read can be judged: in few verdicts, fit to print, and the same each time.
func FuzzRead(f *testing.F) {
	f.Add(report, list)
	f.Add(list, report)
	f.Add("[]", "null")
	f.Add(`[{"orgId":"tenant-1","orgBillableUsageAmount":1e99,"services":[{"serviceDefId":"\u0000","subscriptions":[{"skuData":{"skus":[{"totalUsageQuantity":-1e-99}],"pageSize":9}}]}]}]`, "")
	f.Add("", "<html>")
	f.Fuzz(func(t *testing.T, report, list string) {
		b := blobtest.NewMemory()
		fetched := kept(t, b, report, list)
		s, err := Read(t.Context(), b, fetched)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("kind %q: %v", fault.Of(err), err)
			}
			return
		}
		lines := []bill.Line{line("s", "sid-1", "x", "3", "1", "2")}
		got := Judge(lines, s)
		again, err := Read(t.Context(), b, fetched)
		if err != nil || !reflect.DeepEqual(got, Judge(lines, again)) {
			t.Errorf("judged twice: %v", err)
		}
		if len(got) > maxListed+2 {
			t.Errorf("%d verdicts", len(got))
		}
		for _, v := range got {
			if strings.ContainsFunc(v.Of+v.Text, unicode.IsControl) || len(v.Of)+len(v.Text) > 8<<10 {
				t.Errorf("%+q", v.Of+v.Text)
			}
		}
		for sku, all := range s.Currencies() {
			if len(all) == 0 || !slices.IsSorted(all) {
				t.Errorf("%q: %q", sku, all)
			}
		}
	})
}
