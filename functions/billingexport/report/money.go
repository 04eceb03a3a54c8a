package report

import (
	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
)

// money is an amount in a page: rounded to read, exact behind it. In a table of lines the exact digits stand below, if they say more.
type money struct {
	Text  string // two decimals
	Value string // exact, for programs
	Title string // exact, with its currency
	Below string // exact, where Text is not
}

// longAmount is how many bytes of text may stand on a line even where that is narrow.
const longAmount = 15

// Long reports whether a text may need more than a line.
func (m money) Long() bool { return len(m.Text) > longAmount }

func amount(currency string, d decimal.Decimal) money {
	return money{bill.Amount(d), d.String(), currencyName(currency) + " " + d.String(), ""}
}

// precise is an amount of a table of lines.
func precise(currency string, d decimal.Decimal) money {
	m := amount(currency, d)
	if !d.Equal(d.Round(2)) {
		m.Below = bill.Exact(d)
	}
	return m
}

// total is an amount with its currency before it.
func total(currency string, d decimal.Decimal) money {
	m := amount(currency, d)
	m.Text = moneyText(currency, d)
	return m
}

// change is the difference between two amounts, in money and in percent of the first.
type change struct {
	money
	Percent string // "" where it has no meaning: of nothing, and of a credit
	Sign    int
}

func changed(currency string, before, now decimal.Decimal) change {
	d := now.Sub(before)
	m := amount(currency, d)
	m.Text = bill.Change(d)
	return change{m, percentMore(before, d), d.Sign()}
}

// currencyName is a currency's code, which is from outside.
func currencyName(code string) string { return name(bill.CurrencyName(code)) }

func moneyText(currency string, d decimal.Decimal) string {
	return currencyName(currency) + " " + bill.Amount(d)
}

// dash stands where there is nothing to say.
const dash = "–"

// muchPercent is the most that is written as a number.
const muchPercent = 999

func percentMore(before, d decimal.Decimal) string {
	if !before.IsPositive() {
		return ""
	}
	p := d.Shift(2).DivRound(before, 1)
	switch {
	case p.GreaterThan(decimal.NewFromInt(muchPercent)):
		return "over +999\u00a0%"
	case p.IsPositive():
		return "+" + p.StringFixed(1) + "\u00a0%"
	case p.LessThan(decimal.NewFromInt(-muchPercent)):
		return "under −999\u00a0%"
	case p.IsNegative():
		return "−" + p.Abs().StringFixed(1) + "\u00a0%"
	}
	return "0.0\u00a0%"
}

// share is a part of a whole. Where there are credits, parts have no share.
func share(part, whole decimal.Decimal) string {
	if !whole.IsPositive() || part.IsNegative() || part.GreaterThan(whole) {
		return dash
	}
	return part.Shift(2).DivRound(whole, 1).StringFixed(1) + "\u00a0%"
}
