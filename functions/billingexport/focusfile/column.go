package focusfile

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/focus"
	"github.com/providerdesk/providerdesk/functions/billingexport/focusfile/fixed"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// column is a column of focus, and if it is a charge's own the one of these that gets it out of the charge.
type column struct {
	focus.Column
	own    bool
	number func(*Charge) (n fixed.Number, ok bool)
	second func(*Charge) int64
	text   func(*Charge) string
	count  func(*Charge) int64
}

func columns() []column {
	var all []column
	for _, c := range focus.Columns() {
		all = append(all, ownColumn(c))
	}
	return all
}

func ownColumn(f focus.Column) column {
	c := column{Column: f, own: true}
	switch f.Name {
	case "BilledCost":
		c.number = func(c *Charge) (fixed.Number, bool) { return c.Billed, true }
	case "ContractedCost":
		c.number = func(c *Charge) (fixed.Number, bool) { return c.Contracted, true }
	case "EffectiveCost":
		c.number = func(c *Charge) (fixed.Number, bool) { return c.Effective, true }
	case "ListCost":
		c.number = func(c *Charge) (fixed.Number, bool) { return c.List, true }
	case "ConsumedQuantity":
		c.number = func(c *Charge) (fixed.Number, bool) { return c.Consumed.Number, c.Consumed.Valid }
	case "PricingQuantity":
		c.number = func(c *Charge) (fixed.Number, bool) { return c.Pricing.Number, c.Pricing.Valid }
	case "x_CommitQuantity":
		c.number = func(c *Charge) (fixed.Number, bool) { return c.Commit.Number, c.Commit.Valid }
	case "ChargePeriodStart":
		c.second = func(c *Charge) int64 { return c.Start }
	case "ChargePeriodEnd":
		c.second = func(c *Charge) int64 { return c.End }
	case "x_BillableUsageTimestamp":
		c.text = func(c *Charge) string { return c.Timestamp }
	case "x_Extra":
		c.text = func(c *Charge) string { return c.Extra }
	case "x_SourceRow":
		c.count = func(c *Charge) int64 { return c.SourceRow }
	default:
		c.own = false
	}
	return c
}

// shared is the value of a column that charges share, as one of a text, a time in seconds, or a number at the column's scale.
type shared struct {
	null   bool
	text   string
	second int64
	number fixed.Number
}

// sharedIn reads a column of a row. What cannot be written, as a null where none may be, is an error.
func (c *column) sharedIn(r *focus.Row) (v shared, err error) {
	if c.Null(r) {
		if !c.Nullable {
			return v, fault.New(fault.Invalid, "a FOCUS row has no %s", c.Name)
		}
		return shared{null: true}, nil
	}
	e := exact{}
	switch f := c.Field(r).(type) {
	case *string:
		v.text = *f
	case *time.Time:
		v.second = e.second(*f)
	case *decimal.NullDecimal:
		v.number = e.number(f.Decimal, int(c.Scale))
	default:
		return v, fault.New(fault.Bug, "no charges share their %s", c.Name)
	}
	return v, fault.Wrap(fault.Invalid, e.err, "write "+c.Name+" of a FOCUS row")
}
