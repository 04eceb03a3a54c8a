package bigquery

import (
	"encoding/base64"
	"errors"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
	"github.com/shopspring/decimal"
)

type texter = func(parquet.Value) (string, error)

// natural is the type that BigQuery makes of a column, and how its values are written.
func natural(c *parquet.Column, targets []string) (string, texter) {
	logical := c.Type().LogicalType()
	if logical == nil {
		return plain(c.Type().Kind())
	}
	switch l := logical.Value.(type) {
	case *format.StringType:
		return "STRING", utf8Text
	case *format.DecimalType:
		if l.Scale < 0 || l.Scale > l.Precision || l.Precision > maxPrecision {
			return "", nil
		}
		kind := target(targets, int(l.Precision), int(l.Scale))
		return kind, decimalText(kind, int(l.Scale))
	case *format.TimestampType:
		return timestamps(l)
	case *format.DateType:
		return "DATE", func(v parquet.Value) (string, error) { return strconv.Itoa(int(v.Int32())), nil }
	case *format.IntType:
		if l.IsSigned {
			return plain(c.Type().Kind())
		}
	}
	return "", nil
}

// plain is what becomes of a column without a logical type.
func plain(kind parquet.Kind) (string, texter) {
	switch kind {
	case parquet.Boolean:
		return "BOOLEAN", func(v parquet.Value) (string, error) { return strconv.FormatBool(v.Boolean()), nil }
	case parquet.Int32:
		return "INTEGER", func(v parquet.Value) (string, error) { return strconv.Itoa(int(v.Int32())), nil }
	case parquet.Int64:
		return "INTEGER", func(v parquet.Value) (string, error) { return number(v.Int64()), nil }
	case parquet.Float:
		return "FLOAT", func(v parquet.Value) (string, error) {
			return strconv.FormatFloat(float64(v.Float()), 'g', -1, 32), nil
		}
	case parquet.Double:
		return "FLOAT", func(v parquet.Value) (string, error) { return strconv.FormatFloat(v.Double(), 'g', -1, 64), nil }
	case parquet.ByteArray, parquet.FixedLenByteArray:
		return "BYTES", func(v parquet.Value) (string, error) { return base64.StdEncoding.EncodeToString(v.ByteArray()), nil }
	}
	return "", nil
}

func utf8Text(v parquet.Value) (string, error) {
	if !utf8.Valid(v.ByteArray()) {
		return "", errors.New("a value is not UTF-8")
	}
	return string(v.ByteArray()), nil
}

// timestamps takes the units that a timestamp of BigQuery holds without loss. Times that are not in UTC are another type.
func timestamps(l *format.TimestampType) (string, texter) {
	if !l.IsAdjustedToUTC {
		return "", nil
	}
	switch l.Unit.Value.(type) {
	case *format.MilliSeconds:
		return "TIMESTAMP", func(v parquet.Value) (string, error) { return number(1000 * v.Int64()), nil }
	case *format.MicroSeconds:
		return "TIMESTAMP", func(v parquet.Value) (string, error) { return number(v.Int64()), nil }
	}
	return "", nil
}

// maxPrecision is more digits than a type holds, and few enough to be read.
const maxPrecision = 100

// digits are how many the exact types hold before and behind the point.
var digits = map[string]struct{ whole, scale int }{"NUMERIC": {29, 9}, "BIGNUMERIC": {38, 38}}

// target picks the type of a decimal as documented: the first of NUMERIC, BIGNUMERIC and STRING that is among the targets and holds precision and
// scale, else the widest of the targets.
func target(targets []string, precision, scale int) string {
	widest := ""
	for _, kind := range []string{"NUMERIC", "BIGNUMERIC", "STRING"} {
		if !slices.Contains(targets, kind) {
			continue
		}
		d, limited := digits[kind]
		if widest = kind; !limited || scale <= d.scale && precision-scale <= d.whole {
			return kind
		}
	}
	return widest
}

// decimalText writes the exact value, and refuses one that the type does not hold.
func decimalText(kind string, scale int) texter {
	d, limited := digits[kind]
	return func(v parquet.Value) (string, error) {
		if len(v.Bytes()) > maxPrecision {
			return "", errors.New("a decimal value has too many digits")
		}
		text := decimal.NewFromBigInt(unscaled(v), int32(-scale)).String()
		whole, fraction, _ := strings.Cut(strings.TrimPrefix(text, "-"), ".")
		if limited && (len(fraction) > d.scale || len(whole) > d.whole) {
			return "", errors.New("a decimal value is outside the range of " + kind)
		}
		return text, nil
	}
}

// unscaled is the integer of a decimal: big-endian in two's complement, whatever its length.
func unscaled(v parquet.Value) *big.Int {
	switch v.Kind() {
	case parquet.Int32:
		return big.NewInt(int64(v.Int32()))
	case parquet.Int64:
		return big.NewInt(v.Int64())
	}
	raw := v.ByteArray()
	n := new(big.Int).SetBytes(raw)
	if len(raw) > 0 && raw[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(raw))))
	}
	return n
}
