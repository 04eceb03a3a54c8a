package main

import (
	"context"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/records"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

func (p program) ledger() *cobra.Command {
	return group("ledger", "Show what the functions have done, and decide what they leave to a person", `  providerdesk ledger list --state parked
  providerdesk ledger status
  providerdesk ledger show 3f9a
  providerdesk ledger decide 3f9a veto --who anna@example.com --note "opened by hand"`, p.ledgerList(), p.ledgerStatus(), p.ledgerShow(), p.ledgerDecide())
}

func (p program) ledgerList() *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "List the records, oldest first", Args: cobra.NoArgs,
		Example: `  providerdesk ledger list
  providerdesk ledger list --state parked
  providerdesk ledger list --kind case.open --json`,
	}
	var in installation
	in.flags(c)
	state := c.Flags().String("state", "", "only records in this state: pending, calling, unknown, succeeded, failed, parked, compensated")
	c.RegisterFlagCompletionFunc("state", fixed(stateWords()...))
	w := records.Want{}
	c.Flags().StringVar(&w.Kind, "kind", "", "only effects of this kind, such as case.open")
	c.Flags().IntVar(&w.Limit, "limit", 100, "at most so many")
	jsonOut := asJSON(c)
	c.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if w.State, err = records.ParseState(*state); err != nil {
			return usage{err}
		}
		return p.withBook(cmd, in, func(b records.Book) error {
			list, more, err := records.Select(cmd.Context(), b, w)
			if err != nil {
				return err
			}
			if *jsonOut {
				return p.stdout().JSON(append([]ledger.Record{}, list...))
			}
			recordsTable(p.stdout(), list)
			if more {
				p.stderr().Line("There are more: ask with a larger --limit.")
			}
			return nil
		})
	}
	return c
}

func (p program) ledgerShow() *cobra.Command {
	c := &cobra.Command{
		Use: "show ID", Short: "Show one record with its calls and decisions", Args: cobra.ExactArgs(1),
		Long: "Show one record. The first digits of the id will do, as long as no other record begins with them.",
		Example: `  providerdesk ledger show 3f9a
  providerdesk ledger show 3f9a --json | jq .payload`,
	}
	var in installation
	in.flags(c)
	jsonOut := asJSON(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return p.withBook(cmd, in, func(b records.Book) error {
			r, err := records.Find(cmd.Context(), b, args[0])
			if err != nil {
				return err
			}
			return p.printRecord(r, *jsonOut)
		})
	}
	return c
}

func (p program) ledgerDecide() *cobra.Command {
	c := &cobra.Command{
		Use: "decide ID approve|veto|adopt", Short: "Decide what becomes of a record", Args: cobra.ExactArgs(2),
		Long: `Decide what becomes of a record that waits for a person.

  approve  do it (again); if it may have been done already it is searched for first
  veto     give it up
  adopt    it was done: --object names what the support desk has, such as the name of a case

The decision is kept with the record, with who took it and why.`,
		Example: `  providerdesk ledger decide 3f9a approve --who anna@example.com --note "the desk is back"
  providerdesk ledger decide 3f9a veto --who anna@example.com --note "opened by hand"
  providerdesk ledger decide 3f9a adopt --who anna@example.com --object projects/415104041262/cases/31415926`,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return verdictWords(), cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
	}
	var in installation
	in.flags(c)
	who := c.Flags().String("who", "", "who decides (required)")
	note := c.Flags().String("note", "", "why")
	object := c.Flags().String("object", "", "with adopt: the name of what the desk has")
	jsonOut := asJSON(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		d, err := records.Words{Verdict: ledger.Verdict(args[1]), Who: *who, Note: *note, Object: *object}.Decision()
		if err != nil {
			return usage{err}
		}
		return p.withBook(cmd, in, func(b records.Book) error {
			r, err := records.Find(cmd.Context(), b, args[0])
			if err != nil {
				return err
			}
			if r, err = b.Decide(cmd.Context(), r.ID, d); err != nil {
				return err
			}
			return p.printRecord(r, *jsonOut)
		})
	}
	return c
}

// withBook finds the ledger that a command is about: of the "up" that runs on the folder, of the Firestore that the environment names, or of
// the folder. A folder that is named on the command line comes before the environment.
func (p program) withBook(cmd *cobra.Command, in installation, use func(records.Book) error) error {
	ctx := cmd.Context()
	base, err := in.folder().Running()
	switch {
	case err != nil:
		return err
	case base != "":
		return p.withRemote(base, in, use)
	case site.Cloud(p.env) && !cmd.Flags().Changed("data"):
		db, err := site.OpenCloud(ctx, p.env)
		return p.withStored(ctx, in, db, err, use)
	case !in.folder().Exists():
		return usage{noInstallation(in.data)}
	}
	db, err := in.folder().OpenStore()
	return p.withStored(ctx, in, db, err, use)
}

func (p program) withRemote(base string, in installation, use func(records.Book) error) error {
	token, err := in.folder().Admin()
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	return use(records.Remote{Base: base, Token: token, Client: client})
}

// withStored opens the ledger in a store that nothing else serves. With a configuration it knows every kind of effect, without one it can
// still be read.
func (p program) withStored(ctx context.Context, in installation, db site.Stored, err error, use func(records.Book) error) error {
	if err != nil {
		return err
	}
	defer db.Close()
	b, letGo, err := p.book(ctx, in, db)
	if err != nil {
		return err
	}
	defer letGo()
	return use(b)
}

func (p program) book(ctx context.Context, in installation, db site.Stored) (records.Book, func(), error) {
	c, err := p.load(in)
	if err != nil {
		return ledger.New(db, ledger.Options{Now: p.now}), func() {}, nil
	}
	fn, letGo, err := site.OpenFunctions(ctx, site.Parts{Config: c, DB: db, Publisher: nobody{}, Log: p.logger(), Now: p.now})
	if err != nil {
		return nil, nil, err
	}
	return fn.Book(), letGo, nil
}
