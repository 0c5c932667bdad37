// Package watch implements keepalive watch, which shows the table of ls live.
package watch

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/columns"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/flags"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/table"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/alike"
	"github.com/tcpkeepalive/keepalive/internal/duration"
)

// options are the flags of watch.
type options struct {
	sockets.Query
	columns.Choice
	json    bool
	every   time.Duration
	sort    string
	reverse bool
	rounds  int
}

// shortestRound is the shortest interval between snapshots, to bound the load of watch.
const shortestRound = 100 * time.Millisecond

// New returns the command.
func New() *cobra.Command {
	o := options{}
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Show the table of ls live, with timers that count down",
		Long: `watch shows the table of ls (see keepalive ls --help) and looks again every
second. Timers count down in between. A mark in front of a row says what changed
with the last look: + new, ! its state, settings, timer or probes, - gone.

  up down (k j) PgUp PgDn Home End   scroll
  s  next sort key             r  reverse the order
  /  show only rows with a text, Enter to go back to the table, Esc to end it
  w  all columns in full       left right (h l)  scroll sideways
  space  pause, go on          Ctrl-Z  stop, as any job of a shell
  ?  what the columns mean     q, Esc, Ctrl-C  quit

Where standard output is not a terminal, it prints the table again and again,
each under a line with the time. --json does so with objects, on a terminal too.`,
		Example: `  keepalive watch
  keepalive watch --peer :5432 --sort next
  keepalive watch --interval 5s --rounds 12 >log.txt
  keepalive watch --json | jq -c 'select(.change == "gone") | [.time, .peer]'`,
		Args: flags.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			return o.run(cmd)
		},
	}
	o.Selection.AddFlags(cmd)
	o.Choice.AddFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.NoProcess, "no-process", false, "do not look for processes, nor for the settings of their sockets")
	o.every = time.Second
	f.Var((*flags.Seconds)(&o.every), "interval", "time between two looks")
	f.StringVar(&o.sort, "sort", "none", "order of the rows: "+table.Words(sortNames()))
	f.BoolVar(&o.reverse, "reverse", false, "reverse the order")
	f.IntVar(&o.rounds, "rounds", 0, "quit after so many looks")
	f.BoolVar(&o.json, "json", false, "print one JSON object a line; see keepalive watch --json --help")
	flags.ShowSchema(cmd, watchSchema+"\n"+sockets.Schema)
	flags.CompleteWords(cmd, "sort", sortNames)
	return cmd
}

func (o *options) check(cmd *cobra.Command) error {
	if o.every < shortestRound {
		return exit.UsageError(fmt.Errorf("--interval %s: the shortest is %s", duration.Format(o.every), duration.Format(shortestRound)))
	}
	if o.rounds < 1 && cmd.Flags().Changed("rounds") {
		return exit.UsageError(fmt.Errorf("--rounds %d: want 1 or more; without it watch does not end", o.rounds))
	}
	if _, ok := sortIndex(o.sort); !ok {
		return exit.UsageError(fmt.Errorf("--sort %q: want %s%s", o.sort, table.Words(sortNames()), alike.Question(alike.Nearest(o.sort, sortNames()))))
	}
	return exit.Join(o.Selection.Parse(cmd), o.Choice.Parse(cmd))
}

func (o *options) run(cmd *cobra.Command) error {
	out := cmd.OutOrStdout()
	if o.json {
		return o.again(cmd, o.objects(out))
	}
	t, err := screenOf(out)
	if err != nil {
		return o.again(cmd, o.tables(out))
	}
	return o.onScreen(cmd.Context(), t)
}

// again takes and prints snapshots, one after another.
func (o *options) again(cmd *cobra.Command, print func(*snapshot, int) error) error {
	tick := time.NewTicker(o.every)
	defer tick.Stop()
	listed := 0
	for round := 1; ; round++ {
		s, err := takeSnapshot(&o.Query)
		if err != nil {
			return err
		}
		s.notes.Listed += listed // what was there once was found
		listed = s.notes.Listed
		if err := print(s, round); err != nil {
			return err
		}
		if round == 1 {
			s.notes.Print(cmd.ErrOrStderr()) // once
		}
		if s.holes {
			terminal.Say(cmd.ErrOrStderr(), "note: %v", inspect.ErrTableChanged)
		}
		if round == o.rounds {
			return s.notes.Result(&o.Selection)
		}
		select {
		case <-tick.C:
		case <-cmd.Context().Done():
			return s.notes.Result(&o.Selection)
		}
	}
}

// objects prints snapshots as JSON.
func (o *options) objects(out io.Writer) func(*snapshot, int) error {
	m := newModel(o)
	return func(s *snapshot, round int) error {
		m.update(s)
		return m.writeJSON(out, round)
	}
}

// tables prints snapshots as tables, each below a line with the time.
func (o *options) tables(out io.Writer) func(*snapshot, int) error {
	return func(s *snapshot, round int) error {
		m := newModel(o)
		m.update(s)
		rows := make([][]string, 0, len(m.visible))
		for _, r := range m.visible {
			rows = append(rows, columns.Cells(m.columns, &r.Row))
		}
		var b []byte
		if round > 1 {
			b = append(b, '\n')
		}
		b = append(s.at.AppendFormat(b, time.RFC3339), '\n')
		l := table.Fit(columns.Layouts(m.columns), rows, 0) // it is a pipe, or a file
		b = append(l.AppendTitles(b), '\n')
		for _, cells := range rows {
			b = append(l.Append(b, cells), '\n')
		}
		_, err := out.Write(b)
		return err
	}
}
