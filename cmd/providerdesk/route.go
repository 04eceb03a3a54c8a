package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
)

func (p program) route() *cobra.Command {
	c := &cobra.Command{
		Use: "route FILE", Short: "Show which route an alert takes, and the case that it would become", Args: cobra.ExactArgs(1),
		Long: `Read the notification in FILE ("-" is standard input) as its sender's decoder does, and show for each incident in it which
route takes it and why those before it do not, the priority and its reason, and the case that would be filed. Nothing is written
and nothing is sent; what is known of the incident, budgets and caps are not asked.`,
		Example: `  providerdesk route notification.json
  providerdesk route notification.json --sender prod-alertmanager --at 2026-03-29T01:30:00Z
  providerdesk route - --json < incident.json | jq -r '.[].case.priority'`,
	}
	var in installation
	in.flags(c)
	name := c.Flags().String("sender", "", "the sender's name in the configuration (default: the only one that can have sent it)")
	at := c.Flags().String("at", "", "the time at which it arrives, such as 2026-03-29T01:30:00Z (default: now)")
	jsonOut := asJSON(c)
	c.RunE = func(_ *cobra.Command, args []string) error {
		all, err := p.explained(in, args[0], *name, *at)
		if err != nil {
			return err
		}
		if *jsonOut {
			return p.stdout().JSON(all)
		}
		for i, e := range all {
			if i > 0 {
				p.stdout().Line("")
			}
			showExplained(p.stdout(), e)
		}
		if len(all) == 0 {
			p.stdout().Line("It is understood and tells of no alert.")
		}
		return nil
	}
	return c
}

func (p program) explained(in installation, file, name, at string) ([]casewebhook.Explained, error) {
	now := p.now()
	if at != "" {
		var err error
		if now, err = time.Parse(time.RFC3339, at); err != nil {
			return nil, usage{fmt.Errorf("--at must be a time such as 2026-03-29T01:30:00Z, not %q", at)}
		}
	}
	c, err := p.load(in)
	if err != nil {
		return nil, err
	}
	body, err := p.read(file)
	if err != nil {
		return nil, err
	}
	m := alert.Message{Body: body}
	s, err := senderOf(c, name, m)
	if err != nil {
		return nil, usage{err}
	}
	return casewebhook.Explain(c, s, m, now)
}

// senderOf is the sender of that name, or without a name the only one that can have sent the message.
func senderOf(c *config.Config, name string, m alert.Message) (config.Sender, error) {
	if name == "" {
		s, err := casewebhook.Recognise(c.Senders, m)
		return s, fault.Wrap(fault.Invalid, err, "recognise the sender; --sender names one")
	}
	for _, s := range c.Senders {
		if s.Name == name {
			return s, nil
		}
	}
	return config.Sender{}, fault.New(fault.Missing, "the configuration has no sender %q", name)
}

func showExplained(s screen.Screen, e casewebhook.Explained) {
	s.Line("%s", s.Bold(e.Title))
	facts := [][2]string{
		{"incident", e.Key}, {"from", fmt.Sprintf("%s (%s), tenant %s", e.Sender, e.Source, e.Tenant)},
		{"severity", string(e.Severity) + ", " + string(e.Status)},
	}
	for _, t := range e.Passed {
		facts = append(facts, [2]string{"passed", tried(t)})
	}
	facts = append(facts, [2]string{"route", tried(e.Route)}, [2]string{"decided", e.Reason})
	if e.Case == nil {
		s.Facts(append(facts, [2]string{"case", "none"})...)
		return
	}
	d := e.Case
	facts = append(facts, [2]string{"priority", reasoned(e.Priority, e.Why)})
	for _, t := range e.Later {
		facts = append(facts, [2]string{"later", s.Time(t.At) + "  " + reasoned(t.To, t.Why)})
	}
	s.Facts(append(facts, [2]string{"desk", e.Desk}, [2]string{"classification", d.Classification}, [2]string{"subscribers", strings.Join(d.Subscribers, ", ")},
		[2]string{"language", d.Language}, [2]string{"time zone", d.TimeZone}, [2]string{"test case", word(d.Test)}, [2]string{"problem", e.Problem},
		[2]string{"title", d.Title})...)
	s.Line("")
	s.Text(d.Description, "  ")
}

func tried(t casewebhook.Tried) string {
	return strings.TrimSuffix(fmt.Sprintf("line %d: %s: %s", t.Line, t.When, t.Saw), ": ")
}

func reasoned(priority, why string) string {
	if why == "" {
		return priority + ", the route's own"
	}
	return priority + ": " + why
}
