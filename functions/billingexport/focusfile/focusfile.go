// Package focusfile is files of FOCUS rows: Parquet, CSV and JSON lines, each with a writer and a reader.
//
// The columns are those of package focus, in its order. In all formats null is null: it is absent in Parquet and in JSON, and the empty cell in
// CSV; an empty text does not exist. A column that may not be null is required in Parquet and refused by the writers when it is.
//
//	            Parquet                            CSV, JSON lines (gzip)
//	costs       DECIMAL(38,18) in 16 bytes         all digits, no exponent, no plus; in JSON a number
//	others      DECIMAL(38,9) in 16 bytes          likewise
//	times       TIMESTAMP(MICROS), UTC             2006-01-02T15:04:05Z
//	texts       STRING                             CSV: RFC 4180, quoted where needed, lines end in LF; JSON: not escaped for HTML
//
// The same rows make the same bytes: nothing in a file is of the time, the machine or chance. Memory is bounded whatever the number of rows.
//
// Rows of usage have most of their columns in common with many others, so the fast way in is not a row but a Charge: what is its own, and a
// pointer to the rest, of which each writer keeps the encoded form.
package focusfile

import (
	"io"
	"time"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/focus"
	"github.com/providerdesk/providerdesk/functions/billingexport/focusfile/fixed"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// Charge is a row of which most columns are those of another row, which many charges share.
type Charge struct {
	Of *focus.Row // all columns that are not below, where its own are not looked at. It must never change

	Start, End                          int64        // of the charge period, in seconds since 1970
	Billed, Contracted, Effective, List fixed.Number // at focus.CostScale
	Consumed, Pricing, Commit           Quantity
	SourceRow                           int64 // 0: null
	Timestamp, Extra                    string
}

// Quantity is a number at focus.QuantityScale, or null.
type Quantity struct {
	fixed.Number
	Valid bool
}

// ChargeOf returns a row as a charge that shares nothing. Decimals that do not fit, and times between seconds, are fault.Invalid.
func ChargeOf(r *focus.Row) (Charge, error) {
	e := exact{}
	c := Charge{
		Of: r, Start: e.second(r.ChargePeriodStart), End: e.second(r.ChargePeriodEnd),
		Billed: e.cost(r.BilledCost), Contracted: e.cost(r.ContractedCost), Effective: e.cost(r.EffectiveCost), List: e.cost(r.ListCost),
		Consumed: e.quantity(r.ConsumedQuantity), Pricing: e.quantity(r.PricingQuantity), Commit: e.quantity(r.XCommitQuantity),
		SourceRow: r.XSourceRow, Timestamp: r.XBillableUsageTimestamp, Extra: r.XExtra,
	}
	return c, fault.Wrap(fault.Invalid, e.err, "write a FOCUS row")
}

// exact converts, and keeps the first error.
type exact struct{ err error }

func (e *exact) number(d decimal.Decimal, scale int) fixed.Number {
	n, err := fixed.From(d, scale)
	if err != nil {
		e.err = err
	}
	return n
}

func (e *exact) cost(d decimal.Decimal) fixed.Number { return e.number(d, focus.CostScale) }

func (e *exact) quantity(d decimal.NullDecimal) Quantity {
	if !d.Valid {
		return Quantity{}
	}
	return Quantity{e.number(d.Decimal, focus.QuantityScale), true}
}

func (e *exact) second(t time.Time) int64 {
	if t.Nanosecond() != 0 || t.IsZero() || t.Year() > 9999 {
		e.err = errMoment
	}
	return t.Unix()
}

var errMoment = fault.New(fault.Invalid, "a time that is null, or between two seconds")

// Writer writes one file. It belongs to one goroutine, and is of no use after an error.
type Writer struct {
	to   encoder
	rows int64
}

type encoder interface {
	write(batch []Charge) error
	close() error
}

// NewWriter begins a file.
func NewWriter(w io.Writer, f revision.Format) (*Writer, error) {
	switch f {
	case revision.Parquet:
		return &Writer{to: newParquetWriter(w)}, nil
	case revision.CSV:
		return &Writer{to: newLines(w, csvForm())}, nil
	case revision.JSONL:
		return &Writer{to: newLines(w, jsonForm())}, nil
	}
	return nil, fault.New(fault.Bug, "no FOCUS file has this format")
}

// Write writes rows. The batch may be used again afterwards, what its charges share not.
func (w *Writer) Write(batch []Charge) error {
	w.rows += int64(len(batch))
	return w.to.write(batch)
}

// WriteRow writes a row that shares nothing.
func (w *Writer) WriteRow(r focus.Row) error {
	c, err := ChargeOf(&r)
	if err != nil {
		return err
	}
	return w.Write([]Charge{c})
}

// Rows is how many were written.
func (w *Writer) Rows() int64 { return w.rows }

// Close ends the file. It does not close what it is written to.
func (w *Writer) Close() error { return w.to.close() }

// ContentType is what a file of a format is.
func ContentType(f revision.Format) string {
	if f == revision.Parquet {
		return "application/vnd.apache.parquet"
	}
	return "application/gzip"
}
