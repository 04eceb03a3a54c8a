package focusfile

import (
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/providerdesk/providerdesk/functions/billingexport/focus"
	"github.com/providerdesk/providerdesk/functions/billingexport/focusfile/fixed"
)

// schema is that of a Parquet file. Types are said twice, in the old way and the new.
func schema(chunks []chunk) []format.SchemaElement {
	all := []format.SchemaElement{{Name: "focus", NumChildren: thrift.New(int32(len(chunks)))}}
	for i := range chunks {
		all = append(all, chunks[i].element())
	}
	return all
}

func (c *column) element() format.SchemaElement {
	e := format.SchemaElement{Name: c.Name, Type: thrift.New(c.physical()), RepetitionType: thrift.New(format.Required)}
	if c.Nullable {
		e.RepetitionType = thrift.New(format.Optional)
	}
	switch c.Kind {
	case focus.Decimal:
		e.TypeLength = thrift.New(int32(fixed.Size))
		e.Scale, e.Precision = thrift.New(c.Scale), thrift.New(int32(focus.Precision))
		e.ConvertedType = thrift.New(deprecated.Decimal)
		e.LogicalType.Value = &format.DecimalType{Scale: c.Scale, Precision: focus.Precision}
	case focus.Time:
		e.ConvertedType = thrift.New(deprecated.TimestampMicros)
		e.LogicalType.Value = &format.TimestampType{IsAdjustedToUTC: true, Unit: format.TimeUnit{Value: new(format.MicroSeconds)}}
	case focus.Integer:
	default:
		e.ConvertedType = thrift.New(deprecated.UTF8)
		e.LogicalType.Value = new(format.StringType)
	}
	return e
}

// physical is the type in which a column's values are stored.
func (c *column) physical() format.Type {
	switch c.Kind {
	case focus.Decimal:
		return format.FixedLenByteArray
	case focus.Time, focus.Integer:
		return format.Int64
	}
	return format.ByteArray
}
