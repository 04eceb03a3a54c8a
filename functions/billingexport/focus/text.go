package focus

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/shopspring/decimal"
)

// TimeLayout is how a time stands in a text file.
const TimeLayout = "2006-01-02T15:04:05Z"

// numeral is FOCUS's: no plus, neither before the number nor in the exponent, no commas, nothing around it. (The official model's allows both
// signs.) An exponent of more than three digits leaves every decimal of ours.
var (
	numeral = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?(E-?[0-9]{1,3})?$`)
	integer = regexp.MustCompile(`^[0-9]{1,18}$`)
	instant = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$`)
)

// maxNumeral is longer than every DECIMAL(38, s): sign, digits, point, zeros before and behind, exponent.
const maxNumeral = 128

// CheckText looks at a value as it stands in a text file, where the empty text is null, and returns the name of the rule that it breaks, ""
// if none. It finds what a typed value does not show any more: "+5", "1E+5", "1,000", "$10,000.00 ", "NULL", a time without Z.
func CheckText(c Column, value string) (rule string) {
	switch {
	case value == "" && c.Nullable:
		return ""
	case value == "":
		return notNull
	case c.Level != Own && !c.Named && isPlaceholder(value):
		return nullHandling
	}
	switch c.Kind {
	case Decimal:
		return unless(isNumeral(value, c.Scale), numericFormat)
	case Integer:
		return unless(integer.MatchString(value), numericFormat)
	case Time:
		return unless(isInstant(value), timeFormat)
	case Pairs:
		return unless(isObject(value, anyKey), pairsFormat)
	}
	for _, f := range c.textForms() {
		if !f.holds(value) {
			return f.name
		}
	}
	return ""
}

func unless(holds bool, rule string) string {
	if holds {
		return ""
	}
	return rule
}

func isNumeral(s string, scale int32) bool {
	if len(s) > maxNumeral || !numeral.MatchString(s) {
		return false
	}
	d, err := decimal.NewFromString(s)
	return err == nil && fits(d, scale)
}

// isInstant also asks the calendar: there is no 30th of February.
func isInstant(s string) bool {
	if !instant.MatchString(s) {
		return false
	}
	t, err := time.Parse(TimeLayout, s)
	return err == nil && isMoment(t)
}

// maxColumnName is what FOCUS allows a column's name.
const maxColumnName = 50

// CheckHeader looks at the names of a file's columns and returns what is wrong with them, in sentences.
func CheckHeader(names []string) (wrong []string) {
	for _, c := range columns {
		if c.Level == Mandatory && !slices.Contains(names, c.Name) {
			wrong = append(wrong, fmt.Sprintf("%s is missing", c.Name))
		}
	}
	own := false
	for i, name := range names {
		_, known := ColumnNamed(name)
		custom := strings.HasPrefix(name, "x_")
		switch {
		case slices.Contains(names[:i], name):
			wrong = append(wrong, fmt.Sprintf("column %d has the name of another", i+1))
		case custom && !isColumnName(name[len("x_"):]), len(name) > maxColumnName:
			wrong = append(wrong, fmt.Sprintf("column %d has a name of no allowed form", i+1))
		case !custom && !known:
			wrong = append(wrong, fmt.Sprintf("column %d is neither one of FOCUS that is known here nor named x_", i+1))
		case !custom && own:
			wrong = append(wrong, fmt.Sprintf("%s stands behind a column of our own", name))
		}
		own = own || custom
	}
	return wrong
}

// isColumnName asks for Pascal case: a capital, then letters and digits.
func isColumnName(s string) bool {
	return s != "" && unicode.IsUpper(rune(s[0])) && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9')
	})
}
