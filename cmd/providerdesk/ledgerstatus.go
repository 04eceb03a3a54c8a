package main

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/records"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

func (p program) ledgerStatus() *cobra.Command {
	c := &cobra.Command{
		Use: "status", Short: "Count the records, and say what waits for a person", Args: cobra.NoArgs,
		Long: `Count the records by kind and state, and say how old the oldest unfinished one is, what waits for a person, and what was done twice.

Exit codes: 0 nothing needs a person, 1 something does: a record is parked or wants approval, or something was found in the last 24 hours to have
been done twice.

It reads every record. With --unfinished it reads only those that have not ended, which are few, and knows nothing of what was done twice.`,
		Example: `  providerdesk ledger status
  providerdesk ledger status --unfinished --json | jq .oldestSeconds`,
	}
	var in installation
	in.flags(c)
	few := c.Flags().Bool("unfinished", false, "read only records that have not ended")
	jsonOut := asJSON(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		return p.withBook(cmd, in, func(b records.Book) error {
			s, err := records.ReadStatus(cmd.Context(), b, p.now(), *few)
			if err != nil {
				return err
			}
			if *jsonOut {
				err = p.stdout().JSON(s)
			} else {
				printStatus(p.stdout(), s)
			}
			if s.NeedsPerson() {
				err = errors.Join(err, verdict{errors.New(waits(s)), exitFailed})
			}
			return err
		})
	}
	return c
}

// waits says in few words what needs a person.
func waits(s records.Status) string {
	var all []string
	for _, w := range []struct {
		n    int
		what string
	}{{len(s.Parked), "parked"}, {len(s.Approvals), "to be approved"}, {len(s.Twins), "done twice"}} {
		if w.n > 0 {
			all = append(all, strconv.Itoa(w.n)+" "+w.what)
		}
	}
	return "a person is needed: " + strings.Join(all, ", ")
}

func printStatus(s screen.Screen, st records.Status) {
	rows := [][]screen.Cell{}
	for _, kind := range slices.Sorted(maps.Keys(st.Kinds)) {
		for _, state := range ledger.States {
			if n := st.Kinds[kind][state]; n > 0 {
				rows = append(rows, []screen.Cell{screen.Plain(kind), recordState(s, state), screen.Plain(strconv.Itoa(n))})
			}
		}
	}
	if len(rows) > 0 {
		s.Table([]string{"KIND", "STATE", "RECORDS"}, rows)
		s.Line("")
	}
	oldest := "none"
	if st.Oldest != nil {
		oldest = (time.Duration(st.OldestSeconds) * time.Second).String() + " (" + st.Oldest.Kind + " " + st.Oldest.ID[:min(shortID, len(st.Oldest.ID))] + ")"
	}
	s.Facts([][2]string{
		{"records", strconv.Itoa(st.Records)}, {"oldest unfinished", oldest}, {"parked", strconv.Itoa(len(st.Parked))},
		{"to be approved", strconv.Itoa(len(st.Approvals))}, {"done twice", strconv.Itoa(st.Duplicates)},
	}...)
	if waiting := slices.Concat(st.Parked, st.Approvals, st.Twins); len(waiting) > 0 {
		s.Line("")
		briefsTable(s, waiting)
	}
}

func briefsTable(s screen.Screen, list []records.Brief) {
	rows := make([][]screen.Cell, len(list))
	for i, b := range list {
		rows[i] = []screen.Cell{screen.Plain(b.ID[:min(shortID, len(b.ID))]), screen.Plain(b.Kind), recordState(s, b.State), screen.Plain(s.Time(b.Created)),
			screen.Plain(b.Reason)}
	}
	s.Table([]string{"ID", "KIND", "STATE", "CREATED", "REASON"}, rows)
}
