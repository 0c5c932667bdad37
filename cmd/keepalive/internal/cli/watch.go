package cli

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
)

// watchOptions are the flags of watch.
type watchOptions struct {
	lsOptions
	every   time.Duration
	sort    string
	reverse bool
	rounds  int
}

// shortestRound bounds what watch may cost.
const shortestRound = 100 * time.Millisecond

func newWatch() *cobra.Command {
	o := watchOptions{}
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Show the table of ls live, with timers that count down",
		Long: `watch shows the table of ls (see keepalive ls --help) and looks again every
second. Timers count down in between. A mark in front of a row says what changed
with the last look: + new, ! its state, settings, timer or probes, - gone.

  up down (k j) PgUp PgDn Home End   scroll
  s  next sort key             r  reverse the order
  /  show only rows with a text, Enter to go back to the table, Esc to end it
  space  stop and go on        q, Esc, Ctrl-C  quit

Where standard output is not a terminal, it prints the table again and again,
each under a line with the time.`,
		Example: `  keepalive watch
  keepalive watch --peer :5432 --sort next
  keepalive watch --interval 5s --rounds 12 >log.txt`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			return o.run(cmd)
		},
	}
	o.selection.addFlags(cmd)
	o.columnChoice.addFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.noProcess, "no-process", false, "do not look for processes, nor for the settings of their sockets")
	o.every = time.Second
	f.Var((*seconds)(&o.every), "interval", "time between two looks")
	f.StringVar(&o.sort, "sort", "none", "order of the rows: "+words(sortNames()))
	f.BoolVar(&o.reverse, "reverse", false, "reverse the order")
	f.IntVar(&o.rounds, "rounds", 0, "quit after so many looks; 0: never")
	if err := cmd.RegisterFlagCompletionFunc("sort", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return sortNames(), cobra.ShellCompDirectiveNoFileComp
	}); err != nil {
		panic(err) // the flag does not exist
	}
	return cmd
}

func (o *watchOptions) check(cmd *cobra.Command) error {
	if o.every < shortestRound {
		return usageError{fmt.Errorf("--interval %v: the shortest is %v", o.every, shortestRound)}
	}
	if o.rounds < 0 {
		return usageError{fmt.Errorf("--rounds %d: want 0 or more", o.rounds)}
	}
	if _, ok := sortIndex(o.sort); !ok {
		return usageError{fmt.Errorf("--sort %q: want %s", o.sort, words(sortNames()))}
	}
	return errors.Join(o.selection.parse(cmd), o.columnChoice.parse(cmd))
}

func (o *watchOptions) run(cmd *cobra.Command) error {
	out := cmd.OutOrStdout()
	keys, screen, err := terminals(out)
	if err != nil {
		return o.plain(cmd, out, cmd.ErrOrStderr())
	}
	return o.onScreen(cmd.Context(), keys, screen)
}

// plain prints table after table.
func (o *watchOptions) plain(cmd *cobra.Command, out, stderr io.Writer) error {
	tick := time.NewTicker(o.every)
	defer tick.Stop()
	for round := 1; ; round++ {
		if round > 1 {
			fmt.Fprintln(out)
		}
		if _, err := fmt.Fprintln(out, time.Now().Format(time.RFC3339)); err != nil {
			return err
		}
		if err := o.plainRound(out, stderr, round == 1); err != nil {
			return err
		}
		if round == o.rounds {
			return nil
		}
		select {
		case <-tick.C:
		case <-cmd.Context().Done():
			return nil
		}
	}
}

// plainRound repeats no notes.
func (o *watchOptions) plainRound(out, stderr io.Writer, withNotes bool) error {
	m := newModel(&o.lsOptions, o.sort, o.reverse)
	s, err := o.look()
	if err != nil {
		return err
	}
	m.update(s)
	rows := make([][]string, 0, len(m.visible))
	for _, r := range m.visible {
		rows = append(rows, cellsOf(m.columns, &r.row))
	}
	l := fit(m.columns, rows, 0) // a pipe, or a file
	line := append(l.appendTitles(nil), '\n')
	for _, cells := range rows {
		line = append(l.append(line, cells), '\n')
	}
	if _, err := out.Write(line); err != nil {
		return err
	}
	if withNotes {
		s.notes.print(stderr)
	}
	return nil
}
