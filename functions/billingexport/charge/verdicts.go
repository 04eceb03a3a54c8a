package charge

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
)

// Bounds of what is said: a part is a small document.
const (
	maxNamed = 50  // keys that have a verdict of their own
	maxName  = 200 // bytes of a key
)

// verdicts says what was found out about the file, in the order of bill's codes.
func (r *run) verdicts(lines []*line) []bill.Verdict {
	all := r.periodVerdicts()
	all = append(all, r.quarantineVerdicts()...)
	all = append(all, r.currencyVerdicts(lines)...)
	all = append(all, r.fileVerdicts()...)
	all = append(all, serviceVerdicts(lines)...)
	all = append(all, r.skuVerdicts(lines)...)
	return append(all, r.oddVerdicts()...)
}

func (r *run) periodVerdicts() []bill.Verdict {
	t := &r.tally
	switch {
	case t.outside == 0:
		return nil
	case t.charged+t.quarantined == 0:
		return []bill.Verdict{{Code: bill.PeriodMismatch, Grave: true, Count: t.outside,
			Text: fmt.Sprintf("None of the %s of the usage file is in %s.", rows(t.outside), r.o.Month)}}
	}
	return []bill.Verdict{{Code: bill.OutsidePeriod, Count: t.outside,
		Text: fmt.Sprintf("%s of the usage file are of other months than %s and were left out.", rows(t.outside), r.o.Month)}}
}

func (r *run) quarantineVerdicts() (all []bill.Verdict) {
	t := &r.tally
	if t.quarantined > 0 {
		var why []string
		for _, reason := range slices.Sorted(maps.Keys(t.reasons)) {
			why = append(why, fmt.Sprintf("%s (%d)", reason, t.reasons[reason]))
		}
		all = append(all, bill.Verdict{Code: bill.Quarantined, Grave: true, Count: t.quarantined,
			Text: fmt.Sprintf("%s could not be charged and are in the quarantine file: %s.", rows(t.quarantined), strings.Join(why, ", "))})
	}
	if n := t.reasons[noCurrency]; n > 0 {
		all = append(all, bill.Verdict{Code: bill.NoCurrency, Grave: true, Count: n,
			Text: fmt.Sprintf("Nobody states the currency of %s: not the usage file, nor the usage report, nor the configuration.", rows(n))})
	}
	if n := t.reasons[foreign]; n > 0 {
		all = append(all, bill.Verdict{Code: bill.Foreign, Grave: true, Count: n,
			Text: fmt.Sprintf("%s are about an organization that was not asked for.", rows(n))})
	}
	if n := t.reasons[tooMany]; n > 0 {
		all = append(all, bill.Verdict{Code: bill.TooLarge, Grave: true, Count: n,
			Text: fmt.Sprintf("The bill would have more than %d lines, or more than %d MB of texts; %s are beyond that.", MaxLines, maxTexts>>20, rows(n))})
	}
	return all
}

func (r *run) currencyVerdicts(lines []*line) (all []bill.Verdict) {
	var clashing int64
	used := map[string]bool{}
	for _, l := range lines {
		used[l.Currency] = true
		if l.clash {
			clashing += l.Rows
		}
	}
	names := strings.Join(slices.Sorted(maps.Keys(used)), ", ")
	if clashing > 0 {
		all = append(all, bill.Verdict{Code: bill.CurrencyClash, Grave: true, Count: clashing, Of: names,
			Text: fmt.Sprintf("The usage file and the usage report contradict each other, or themselves, on the currency of %s.", rows(clashing))})
	}
	if len(used) > 1 {
		all = append(all, bill.Verdict{Code: bill.TwoCurrencies, Of: names,
			Text: fmt.Sprintf("The month is in %d currencies; there is a total of each.", len(used))})
	}
	return all
}

func (r *run) fileVerdicts() (all []bill.Verdict) {
	if r.tally.broken != "" {
		read := r.tally.charged + r.tally.quarantined + r.tally.outside
		all = append(all, bill.Verdict{Code: bill.BadFile, Grave: true, Count: read,
			Text: fmt.Sprintf("The usage file is broken: %s. %s before that were read.", r.tally.broken, rows(read))})
	}
	if n := len(r.tally.extra); n > 0 {
		all = append(all, bill.Verdict{Code: bill.ExtraColumns, Of: short(strings.Join(r.tally.extra, ", ")),
			Text: fmt.Sprintf("The usage file has %d columns that the guide does not have. They are kept in x_Extra.", n)})
	}
	return all
}

func serviceVerdicts(lines []*line) []bill.Verdict {
	unknown := map[string]int64{}
	for _, l := range lines {
		if categoryOf(l.Service).unknown {
			unknown[l.Service] += l.Rows
		}
	}
	return named(bill.UnknownService, unknown, "The service has no category that we know: its %s are counted as Other.")
}

func (r *run) skuVerdicts(lines []*line) []bill.Verdict {
	two := map[string]int64{}
	for _, l := range lines {
		if price, _ := skuIDs(l.Sku, l.CrossReference); r.skus.two[price] {
			two[price] += l.Rows
		}
	}
	return named(bill.TwoSkus, two, "The sku has more than one cross reference: its name stands for both in its %s.")
}

func (r *run) oddVerdicts() (all []bill.Verdict) {
	t := &r.tally
	if t.odd > 0 {
		all = append(all, bill.Verdict{Code: bill.OddBillable, Count: t.odd,
			Text: fmt.Sprintf("In %s the billable quantity is not usage less commitment. They are charged by the billable quantity.", rows(t.odd))})
	}
	if t.duplicate > 0 {
		all = append(all, bill.Verdict{Code: bill.Duplicates, Count: t.duplicate,
			Text: fmt.Sprintf("%s equal one that is charged at most %d rows before them, if not more; all are charged. Rows further apart were not compared.", rows(t.duplicate), sightWindow)})
	}
	return all
}

// named makes a verdict per key, of the first that there is room for, and one that counts the others.
func named(code bill.Code, keys map[string]int64, text string) (all []bill.Verdict) {
	var rest int64
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if len(all) == maxNamed {
			rest += keys[key]
			continue
		}
		all = append(all, bill.Verdict{Code: code, Of: short(key), Count: keys[key], Text: fmt.Sprintf(text, rows(keys[key]))})
	}
	if rest > 0 {
		all = append(all, bill.Verdict{Code: code, Of: fmt.Sprintf("%d others", len(keys)-maxNamed), Count: rest, Text: fmt.Sprintf(text, rows(rest))})
	}
	return all
}

func rows(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

// short cuts a key between two characters.
func short(s string) string {
	if s = strings.ToValidUTF8(s, "\uFFFD"); len(s) <= maxName {
		return s
	}
	s = s[:maxName]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}
