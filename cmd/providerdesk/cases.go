package main

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
)

func (p program) cases() *cobra.Command {
	return group("cases", "Show the cases of the support desks, and release those that a storm held back", `  providerdesk cases list --open
  providerdesk cases show projects/415104041262/cases/31415926
  providerdesk cases release --desk google --by anna@example.com`, p.casesList(), p.casesShow(), p.casesRelease())
}

// listed is a case of a listing; its JSON is the case's with the desk's name.
type listed struct {
	Desk string `json:"desk"`
	desk.Case
}

func (p program) casesList() *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "List the cases, newest first", Args: cobra.NoArgs,
		Example: `  providerdesk cases list
  providerdesk cases list --open --desk google
  providerdesk cases list --json | jq -r '.[].name'`,
	}
	var in installation
	in.flags(c)
	open := c.Flags().Bool("open", false, "only cases that are not closed")
	name := c.Flags().String("desk", "", "only the desk of this name in the configuration")
	jsonOut := asJSON(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		all, err := p.listCases(cmd.Context(), in, *name, desk.Filter{Open: *open})
		if err != nil {
			return err
		}
		if *jsonOut {
			return p.stdout().JSON(all)
		}
		casesTable(p.stdout(), all)
		return nil
	}
	return c
}

// listCases asks the desks one after the other.
func (p program) listCases(ctx context.Context, in installation, name string, f desk.Filter) ([]listed, error) {
	all := []listed{}
	err := p.desks(in, name, func(desks map[string]desk.Desk) error {
		for _, n := range slices.Sorted(maps.Keys(desks)) {
			found, err := desks[n].List(ctx, f)
			if err != nil {
				return fault.Wrap(fault.Of(err), err, "desk "+n)
			}
			for _, c := range found {
				all = append(all, listed{n, c})
			}
		}
		return nil
	})
	slices.SortStableFunc(all, func(a, b listed) int { return b.Created.Compare(a.Created) })
	return all, err
}

func casesTable(s screen.Screen, all []listed) {
	if len(all) == 0 {
		s.Line("no cases")
		return
	}
	rows := make([][]screen.Cell, len(all))
	for i, c := range all {
		rows[i] = []screen.Cell{
			screen.Plain(c.Name), screen.Plain(string(c.Priority)), caseState(s, c.State), screen.Plain(s.Time(c.Created)), screen.Plain(c.Title),
		}
	}
	s.Table([]string{"CASE", "PRIORITY", "STATE", "OPENED", "TITLE"}, rows)
}

func caseState(s screen.Screen, state desk.State) screen.Cell {
	cell := screen.Plain(string(state))
	switch state {
	case desk.ActionRequired:
		cell.Paint = s.Bad
	case desk.Solved:
		cell.Paint = s.Good
	case desk.Closed:
		cell.Paint = s.Dim
	}
	return cell
}

// shown is one case with its comments.
type shown struct {
	listed
	Comments []desk.Comment `json:"comments"`
}

func (p program) casesShow() *cobra.Command {
	c := &cobra.Command{
		Use: "show NAME", Short: "Show one case with its comments", Args: cobra.ExactArgs(1),
		Example: `  providerdesk cases show projects/415104041262/cases/31415926
  providerdesk cases show projects/415104041262/cases/31415926 --json`,
	}
	var in installation
	in.flags(c)
	name := c.Flags().String("desk", "", "the desk's name in the configuration; without it every desk is asked")
	jsonOut := asJSON(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		found, err := p.findCase(cmd.Context(), in, *name, args[0])
		if err != nil {
			return err
		}
		if *jsonOut {
			return p.stdout().JSON(found)
		}
		p.showCase(found)
		return nil
	}
	return c
}

// findCase asks the desks in turn. One that does not know the name, or would never give one like it, is no failure while others are left.
func (p program) findCase(ctx context.Context, in installation, deskName, name string) (found shown, err error) {
	err = p.desks(in, deskName, func(desks map[string]desk.Desk) error {
		for _, n := range slices.Sorted(maps.Keys(desks)) {
			found, err = readCase(ctx, n, desks[n], name)
			if k := fault.Of(err); k == fault.Missing || k == fault.Invalid || k == fault.Denied && len(desks) > 1 {
				continue
			}
			return err
		}
		return fault.New(fault.Missing, "no desk has a case %q", name)
	})
	return found, err
}

func readCase(ctx context.Context, deskName string, d desk.Desk, name string) (shown, error) {
	c, err := d.Case(ctx, name)
	if err != nil {
		return shown{}, fault.Wrap(fault.Of(err), err, "desk "+deskName)
	}
	comments, err := d.Comments(ctx, name)
	if comments == nil {
		comments = []desk.Comment{}
	}
	return shown{listed{deskName, c}, comments}, fault.Wrap(fault.Of(err), err, "desk "+deskName)
}

func (p program) showCase(c shown) {
	s := p.stdout()
	s.Facts([][2]string{
		{"case", c.Name}, {"title", c.Title}, {"desk", c.Desk}, {"priority", string(c.Priority)}, {"state", string(c.State)},
		{"classification", c.Classification}, {"escalated", word(c.Escalated)}, {"test", word(c.Test)},
		{"creator", person(c.Creator)}, {"subscribers", strings.Join(c.Subscribers, ", ")},
		{"opened", s.Time(c.Created)}, {"updated", s.Time(c.Updated)}, {"url", c.URL},
	}...)
	s.Line("")
	s.Text(c.Description, "  ")
	for _, comment := range c.Comments {
		s.Line("")
		s.Line("%s  %s", s.Bold(s.Time(comment.Created)), person(comment.Author))
		s.Text(comment.Body, "  ")
	}
}

func word(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func person(a desk.Actor) string {
	who := a.Name
	if a.Email != "" && a.Email != a.Name {
		who = strings.TrimSpace(who + " <" + a.Email + ">")
	}
	if a.Desk {
		who += " (support desk)"
	}
	return strings.TrimSpace(who)
}
