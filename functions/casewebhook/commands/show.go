package commands

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/desk"
)

const (
	casesPerPage = 25
	lastComments = 5
	maxShown     = 500 // characters of a text that is shown of a case
)

// row is a case of a list.
type row struct {
	desk string
	desk.Case
}

// rows are the cases of all desks, the most urgent first, the oldest of those first.
func rows(lists []listed) (all []row) {
	for _, l := range lists {
		for _, k := range l.cases {
			all = append(all, row{l.desk, k})
		}
	}
	slices.SortStableFunc(all, func(a, b row) int {
		return cmp.Or(cmp.Compare(cmp.Or(a.Priority, "P9"), cmp.Or(b.Priority, "P9")), a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// unheard says which desks did not answer: their cases are missing.
func unheard(in input, lists []listed) (lines []string) {
	for _, l := range lists {
		if l.failed {
			lines = append(lines, "Desk "+l.desk+" does not answer now; its cases are missing here.")
		}
	}
	if len(lists) == 0 {
		lines = append(lines, "You may not list cases at desk "+in.cmd.Desk+", or there is none of this name.")
	}
	return lines
}

// listPost is a page of the cases.
func listPost(in input, lists []listed, now time.Time) *chat.Post {
	all, page := rows(lists), max(in.cmd.Page, 1)
	from := min((page-1)*casesPerPage, len(all))
	to := min(from+casesPerPage, len(all))
	lines := unheard(in, lists)
	for _, k := range all[from:to] {
		lines = append(lines, line(k, len(lists) > 1, now))
	}
	if to < len(all) {
		next := in.cmd
		next.Page = page + 1
		lines = append(lines, fmt.Sprintf("%d more: %s", len(all)-to, next))
	}
	title := cases(len(all), !in.cmd.All)
	if page > 1 {
		title += fmt.Sprintf(", from the %d. on", (page-1)*casesPerPage+1)
	}
	return &chat.Post{Title: title, Body: strings.Join(lines, "\n")}
}

func cases(n int, open bool) string {
	what := "case"
	if open {
		what = "open case"
	}
	if n != 1 {
		what += "s"
	}
	return itoa(n) + " " + what
}

func line(k row, withDesk bool, now time.Time) string {
	words := []string{"#" + path.Base(k.Name), cmp.Or(string(k.Priority), "P?"), string(k.State), age(now.Sub(k.Created))}
	if withDesk {
		words = append(words, k.desk)
	}
	if k.Escalated {
		words = append(words, "escalated")
	}
	return strings.Join(words, " · ") + " · " + chat.Line(k.Title, 100)
}

func age(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%dm", max(int(d.Minutes()), 0))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// reportPost counts the open cases of each desk.
func reportPost(in input, lists []listed, now time.Time) *chat.Post {
	lines := unheard(in, lists)
	total := 0
	for _, l := range lists {
		if l.failed {
			continue
		}
		total += len(l.cases)
		lines = append(lines, fmt.Sprintf("%s: %d open", l.desk, len(l.cases)))
		if len(l.cases) == 0 {
			continue
		}
		lines = append(lines,
			"    by state: "+count(l.cases, states, func(k desk.Case) string { return string(k.State) }),
			"    by priority: "+count(l.cases, priorities, func(k desk.Case) string { return cmp.Or(string(k.Priority), "none") }),
			"    by age: "+count(l.cases, ages, func(k desk.Case) string { return ageGroup(now.Sub(k.Created)) }))
	}
	return &chat.Post{Title: cases(total, true), Body: strings.Join(lines, "\n")}
}

var (
	states     = []string{string(desk.New), string(desk.InProgress), string(desk.ActionRequired), string(desk.Solved)}
	priorities = []string{"P0", "P1", "P2", "P3", "P4", "none"}
	ages       = []string{"up to a day", "up to a week", "up to a month", "older"}
)

func ageGroup(d time.Duration) string {
	const day = 24 * time.Hour
	for i, most := range []time.Duration{day, 7 * day, 30 * day} {
		if d <= most {
			return ages[i]
		}
	}
	return ages[3]
}

// count counts cases by a word, in the order of the words; a desk's word that is none of them comes last.
func count(all []desk.Case, words []string, of func(desk.Case) string) string {
	n, left := map[string]int{}, len(all)
	for _, k := range all {
		n[of(k)]++
	}
	var said []string
	for _, w := range words {
		if left -= n[w]; n[w] > 0 {
			said = append(said, fmt.Sprintf("%s %d", w, n[w]))
		}
	}
	if left > 0 {
		said = append(said, fmt.Sprintf("other %d", left))
	}
	return strings.Join(said, ", ")
}

// showPost is a case with the last that was said on it.
func showPost(s shown, now time.Time) *chat.Post {
	p := &chat.Post{Title: chat.Line(s.Title, 200), Link: chat.Link{Text: "Open the case", URL: s.URL}}
	if s.URL == "" {
		p.Link = chat.Link{}
	}
	p.Fields = []chat.Field{{Name: "Case", Value: s.Name}, {Name: "Desk", Value: s.desk}, {Name: "State", Value: string(s.State)},
		{Name: "Priority", Value: cmp.Or(string(s.Priority), "not said")}, {Name: "Age", Value: age(now.Sub(s.Created))},
		{Name: "Comments", Value: itoa(len(s.comments))}, {Name: "Files", Value: itoa(s.files)}}
	if s.Escalated {
		p.Fields = append(p.Fields, chat.Field{Name: "Escalated", Value: "yes"})
	}
	if len(s.Subscribers) > 0 {
		p.Fields = append(p.Fields, chat.Field{Name: "Subscribers", Value: itoa(len(s.Subscribers))})
	}
	body := []string{clip(s.Description)}
	for _, k := range s.comments[max(len(s.comments)-lastComments, 0):] {
		body = append(body, author(k.Author)+": "+clip(k.Body))
	}
	p.Body = strings.Join(body, "\n\n")
	return p
}

func author(a desk.Actor) string {
	who := cmp.Or(a.Name, a.Email, "Somebody")
	if a.Desk {
		who += " (support desk)"
	}
	return who
}

var signedForm = regexp.MustCompile(`\[REF[A-Z2-7]{26} attempt=[0-9]+\]`)

// clip is the beginning of a text, without what we sign with.
func clip(s string) string {
	return chat.Clip(strings.TrimSpace(signedForm.ReplaceAllString(chat.Plain(s), "")), maxShown, func(rune) int { return 1 })
}
