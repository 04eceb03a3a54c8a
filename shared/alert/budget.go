package alert

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Budget decodes a Cloud Billing budget's notification. Which budget it is stands in the attributes of the Pub/Sub message and nowhere else.
//
// A budget reports several times a day and repeats the highest threshold crossed for the rest of its period. So a report without a
// threshold is no alert, and a threshold of one period is one incident, which never ends: the next period has its own. The crossing of actual
// and of forecast cost are two incidents. Severity is error for actual cost at or above the whole budget and warning below it; warning for
// a forecast at or above the whole budget and info below it.
func Budget(m Message) ([]Incident, error) {
	o, err := read(m.Body)
	if err != nil {
		return nil, err
	}
	b, err := budgetOf(o, m.Attributes)
	if err != nil {
		return nil, err
	}
	var all []Incident
	for _, c := range crossings {
		in, crossed, err := b.crossing(c)
		if err != nil {
			return nil, err
		}
		if crossed {
			all = append(all, in)
		}
	}
	return all, nil
}

// crossing is a kind of threshold.
type crossing struct {
	field, kind, words string
	whole, part        Severity // at or above the whole budget, and below it
}

var crossings = []crossing{
	{"alertThresholdExceeded", "actual", "cost", Error, Warning},
	{"forecastThresholdExceeded", "forecast", "forecast cost", Warning, Info},
}

type budget struct {
	object
	id, account string
	period      time.Time
}

func budgetOf(o object, attributes map[string]string) (budget, error) {
	b := budget{object: o, id: valid(attributes["budgetId"]), account: valid(attributes["billingAccountId"])}
	if !isBudget(o) {
		return b, fault.New(fault.Invalid, "this is no notification of a budget; let a budget of Cloud Billing publish to the topic, in schema 1.0")
	}
	if b.id == "" {
		return b, fault.New(fault.Invalid, "attribute budgetId is missing; deliver the message with its attributes: by a subscription, or by a push with its wrapper")
	}
	var ok bool
	if b.period, ok = instant(o.text("costIntervalStart")); !ok {
		return b, fault.New(fault.Invalid, "costIntervalStart must be a time such as 2026-01-31T15:04:05Z")
	}
	return b, nil
}

func isBudget(o object) bool {
	return o.has("costIntervalStart") && (o.has("budgetDisplayName") || o.has("budgetAmount") || o.has("costAmount"))
}

// crossing returns the incident of a threshold, if one is crossed.
func (b budget) crossing(c crossing) (in Incident, crossed bool, err error) {
	field := b.get(c.field)
	if field.isNull() {
		return in, false, nil
	}
	share, err := strconv.ParseFloat(field.text(), 64)
	if err != nil || !field.isNumber() || share < 0 || math.IsInf(share, 0) {
		return in, false, fault.New(fault.Invalid, "%s must be a number such as 0.9", c.field)
	}
	key := b.id + "/" + b.period.Format(time.RFC3339Nano) + "/" + c.kind + "=" + strconv.FormatFloat(share, 'f', -1, 64)
	a := b.alert(c, share)
	a.Fingerprint = identity(key, maxName)
	return own(SourceBudget, key, a), true, nil
}

func (b budget) alert(c crossing, share float64) Alert {
	percent := strconv.FormatFloat(share*100, 'g', 10, 64) + " %"
	a := Alert{
		Status:    Firing,
		Severity:  c.part,
		Name:      line("Budget "+firstOf(b.text("budgetDisplayName"), b.id), maxName),
		Summary:   clip(c.words+" is above "+percent+" of the budget", maxText),
		Resource:  line(c.words+" above "+percent, maxName),
		Condition: clip(c.words+" above "+percent+" of "+b.money("budgetAmount"), maxText),
		Threshold: percent,
		Starts:    b.period,
		Labels: filled(map[string]string{"budget_id": b.id, "billing_account_id": b.account, "kind": c.kind, "currency": b.text("currencyCode"),
			"amount_type": b.text("budgetAmountType")}, maxLabel),
	}
	if share >= 1 {
		a.Severity = c.whole
	}
	if c.kind == "actual" { // what the forecast is the message does not say
		a.Observed = clip(b.money("costAmount"), maxText)
	}
	return a
}

// money writes an amount as the budget did: no digit is rounded.
func (b budget) money(field string) string {
	return strings.TrimSpace(b.text(field) + " " + b.text("currencyCode"))
}

// valid mends a text that did not come as JSON: what is no UTF-8 becomes U+FFFD here, as it would on its way to the next function.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
