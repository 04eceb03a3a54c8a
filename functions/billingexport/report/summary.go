package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/chat"
)

// What a message has room for.
const (
	mostMovers = 3
	mostNamed  = 5  // tenants that need a person
	shortName  = 60 // characters of a name in a message
)

// Summary is a month's message for a chat room: its state, the totals, what moved most, and who must look at what. It is short.
func Summary(s Statement) chat.Post {
	p := chat.Post{
		Title: fmt.Sprintf("Usage of %s: revision %d, %s", inWords(s.Month), s.Revision, stateName(s.State)),
		Body:  strings.Join(s.body(), "\n"),
	}
	for _, c := range s.currencies() {
		p.Fields = append(p.Fields, chat.Field{Name: "Total " + currencyName(c), Value: s.totalText(c)})
	}
	return p
}

func (s Statement) body() []string {
	lines := []string{s.stateText()}
	if moved := s.movers(); len(moved) > 0 {
		lines = append(lines, fmt.Sprintf("Moved most since %s:", inWords(s.Month.Add(-1))))
		lines = append(lines, moved...)
	}
	if who := s.attention(); len(who) > 0 {
		lines = append(lines, "Needs a person:")
		lines = append(lines, who...)
	}
	return append(lines, "This is not VMware's invoice.")
}

// stateText says what to do with the figures.
func (s Statement) stateText() string {
	of := fmt.Sprintf("%s as of %s", tenants(len(s.Tenants)), asOf(s.AsOf))
	switch {
	case s.State == revision.Preliminary:
		return of + ". The month is not closed: do not bill or book it yet."
	case s.State == revision.Unreconciled:
		return of + ". The sources contradict each other or are incomplete: do not bill or book it before somebody has looked."
	case s.grave() > 0:
		return of + ". It was published although findings are grave: read them before you bill or book."
	case s.Since > 0:
		return fmt.Sprintf("%s. It restates revision %d: if that is booked, book the difference only.", of, s.Since)
	}
	return of + ". The sources agree."
}

func tenants(n int) string { return cmp.Or(counted(n, "tenant"), "No tenant") }

func (s Statement) totalText(currency string) string {
	text := moneyText(currency, s.sum(currency))
	c := s.change(currency)
	if c == nil {
		return text
	}
	if text += ", " + c.Text; c.Percent != "" {
		text += " (" + strings.ReplaceAll(c.Percent, "\u00a0", " ") + ")"
	}
	return text
}

// mover is a service of a tenant whose cost differs from the month before.
type mover struct {
	text string
	by   decimal.Decimal
}

// movers are the largest of every currency in turn: amounts of different currencies are not compared.
func (s Statement) movers() (texts []string) {
	var ranked [][]mover
	for _, c := range s.currencies() {
		ranked = append(ranked, s.moversIn(c))
	}
	for place := range mostMovers {
		for _, of := range ranked {
			if place < len(of) && len(texts) < mostMovers {
				texts = append(texts, of[place].text)
			}
		}
	}
	return texts
}

func (s Statement) moversIn(currency string) (all []mover) {
	for _, t := range s.Tenants {
		for _, c := range t.Costs {
			if by := c.Now.Sub(c.Before); t.Compared && c.Currency == currency && !by.IsZero() {
				text := fmt.Sprintf("• %s, %s: %s %s", clean(t.name(), shortName), clean(c.Service, shortName), currencyName(currency), bill.Change(by))
				all = append(all, mover{text, by})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b mover) int { return cmp.Or(b.by.Abs().Cmp(a.by.Abs()), cmp.Compare(a.text, b.text)) })
	return all
}

// attention names the tenants with grave verdicts, and of each what the first one means.
func (s Statement) attention() (lines []string) {
	n := 0
	for _, t := range s.sorted() {
		if !bill.Grave(t.Verdicts) {
			continue
		}
		if n++; n <= mostNamed {
			lines = append(lines, fmt.Sprintf("• %s: %s", clean(t.name(), shortName), meaning(findings(t.Verdicts)[0].Code)))
		}
	}
	if n > mostNamed {
		lines = append(lines, "• and "+counted(n-mostNamed, "more tenant"))
	}
	return lines
}
