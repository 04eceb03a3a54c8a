package focus

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

// mandatory are the 21 columns that every FOCUS file has, of any version so far.
var mandatory = []string{
	"BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory",
	"ChargeClass", "ChargeDescription", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost", "EffectiveCost", "InvoiceIssuerName",
	"ListCost", "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName", "ServiceCategory", "ServiceName",
}

func TestMandatoryColumns(t *testing.T) {
	var got []string
	for _, c := range Columns() {
		if c.Level == Mandatory {
			got = append(got, c.Name)
		}
	}
	if !slices.Equal(got, mandatory) {
		t.Errorf("mandatory columns are\n%v, want\n%v", got, mandatory)
	}
}

// The table is Row: the same columns in the same order, each pointing to its own field, of the kind that the field's type can hold.
func TestColumnsAreThoseOfRow(t *testing.T) {
	row := reflect.TypeFor[Row]()
	if row.NumField() != len(Columns()) {
		t.Fatalf("Row has %d fields, the table %d columns", row.NumField(), len(Columns()))
	}
	said := namesInComments(t)
	var r Row
	v := reflect.ValueOf(&r).Elem()
	for i, c := range Columns() {
		f := row.Field(i)
		if want := columnName(f.Name, said); c.Name != want {
			t.Errorf("column %d is %q, want %q", i, c.Name, want)
		}
		if got := reflect.ValueOf(c.Field(&r)).Pointer(); got != v.Field(i).Addr().Pointer() {
			t.Errorf("%s does not point to field %s", c.Name, f.Name)
		}
		if want := kindOf(f.Type); !holds(c, want) {
			t.Errorf("%s is %+v, which a %s does not hold", c.Name, c, f.Type)
		}
		if (c.Level == Own) != strings.HasPrefix(c.Name, "x_") {
			t.Errorf("%s has level %s", c.Name, c.Level)
		}
	}
}

func columnName(field string, said map[string]string) string {
	if name, ok := said[field]; ok {
		return name
	}
	return field
}

// namesInComments returns what the comments of row.go say a field's column is called.
func namesInComments(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "row.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok && len(f.Names) == 1 && f.Comment != nil && strings.HasPrefix(f.Comment.Text(), "x_") {
			names[f.Names[0].Name] = strings.TrimRight(strings.Fields(f.Comment.Text())[0], ":")
		}
		return true
	})
	if len(names) != 10 {
		t.Fatalf("row.go's comments name %d columns of our own, want 10", len(names))
	}
	return names
}

func kindOf(t reflect.Type) Column {
	switch t {
	case reflect.TypeFor[decimal.Decimal]():
		return Column{Kind: Decimal, Scale: CostScale}
	case reflect.TypeFor[decimal.NullDecimal]():
		return Column{Kind: Decimal, Scale: QuantityScale, Nullable: true}
	case reflect.TypeFor[time.Time]():
		return Column{Kind: Time}
	case reflect.TypeFor[int64]():
		return Column{Kind: Integer, Nullable: true}
	}
	return Column{Kind: Text}
}

func holds(c, want Column) bool {
	if want.Kind == Text {
		return c.Scale == 0 && (c.Kind == Text || c.Kind == Pairs)
	}
	return c.Kind == want.Kind && c.Scale == want.Scale && c.Nullable == want.Nullable
}

func TestColumnNamed(t *testing.T) {
	for _, want := range Columns() {
		if got, ok := ColumnNamed(want.Name); !ok || got.Name != want.Name {
			t.Errorf("%s is not found", want.Name)
		}
	}
	if _, ok := ColumnNamed("billedcost"); ok {
		t.Error("a name in other letters is found")
	}
}

func TestNull(t *testing.T) {
	var empty Row
	for _, c := range Columns() {
		if got, want := c.Null(&empty), c.Kind != Decimal || c.Nullable; got != want {
			t.Errorf("%s of an empty row: null is %v", c.Name, got)
		}
		full := full()
		if c.Null(&full) {
			t.Errorf("%s of a full row is null", c.Name)
		}
	}
}

func TestNumber(t *testing.T) {
	r := full()
	for _, c := range Columns() {
		if _, ok := c.Number(&r); ok != (c.Kind == Decimal) {
			t.Errorf("%s, a %s: is a number: %v", c.Name, c.Kind, ok)
		}
	}
	r.PricingQuantity.Valid = false
	if _, ok := columns[pricingQuantity].Number(&r); ok {
		t.Error("a null is a number")
	}
}

// full is a row without a null, whatever it means.
func full() Row {
	r := good()
	r.ChargeClass, r.InvoiceId, r.XExtra, r.Tags = correction, "INV-1", `{"x_More":"1"}`, `{"OrganizationTag":"a"}`
	return r
}

func TestCategories(t *testing.T) {
	if n := len(serviceCategories()); n != 19 {
		t.Errorf("%d categories, want 19", n)
	}
	for _, c := range categories {
		if !slices.Contains(c.subcategories, "Other ("+c.name+")") {
			t.Errorf("%s has no subcategory for the rest", c.name)
		}
	}
	if len(parents()) != len(serviceSubcategories()) {
		t.Error("a subcategory has two categories")
	}
}

func TestIsCurrency(t *testing.T) {
	for code, want := range map[string]bool{
		"USD": true, "EUR": true, "JPY": true, "CNY": true, "XOF": true, "ZWG": true, "XCG": true, "ANG": true,
		"": false, "usd": false, "US": false, "USDT": false, " USD": false, "XAU": false, "XXX": false, "XTS": false, "XDR": false, "BTC": false,
	} {
		if IsCurrency(code) != want {
			t.Errorf("IsCurrency(%q) is %v", code, !want)
		}
	}
}
