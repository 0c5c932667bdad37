package columns

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/flags"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/table"
	"github.com/tcpkeepalive/keepalive/internal/alike"
)

// A Choice is which columns of the table are wanted.
type Choice struct {
	Wide   bool
	names  []string
	Chosen []Column // of names
}

// AddFlags adds --columns and --wide.
func (c *Choice) AddFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&c.Wide, "wide", false, "all columns in full, also where the terminal is narrower")
	f.StringSliceVar(&c.names, "columns", nil, "only these columns, in this order: "+strings.Join(columnNames(), ", "))
	if err := cmd.RegisterFlagCompletionFunc("columns", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return columnNames(), cobra.ShellCompDirectiveNoFileComp
	}); err != nil {
		panic(err) // the flag does not exist
	}
}

// columnNames are what --columns takes: the titles.
func columnNames() []string {
	var names []string
	for _, c := range append(slices.Clone(columns), NetNS) {
		if name := strings.ToLower(c.Title); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Parse finds the columns that --columns names.
func (c *Choice) Parse(cmd *cobra.Command) error {
	for _, other := range []string{"columns", "json", "ss", "netstat"} {
		if err := flags.Exclusive(cmd, "wide", other); err != nil {
			return err
		}
	}
	for _, other := range []string{"json", "ss", "netstat"} {
		if err := flags.Exclusive(cmd, "columns", other); err != nil {
			return err
		}
	}
	if !cmd.Flags().Changed("columns") {
		return nil
	}
	if cmd.Flags().Changed("no-process") && slices.ContainsFunc(c.names, func(name string) bool { return strings.EqualFold(name, "process") }) {
		return exit.UsageError(errors.New("--columns process and --no-process exclude each other"))
	}
	return c.choose()
}

func (c *Choice) choose() error {
	apart := slices.ContainsFunc(c.names, isSetting)
	for _, name := range c.names {
		chosen, ok := Named(name, apart)
		if !ok {
			return exit.UsageError(fmt.Errorf("--columns %q: want some of %s%s", name, strings.Join(columnNames(), ", "), alike.Question(alike.Nearest(name, columnNames()))))
		}
		chosen.Rank, chosen.Form = 0, table.Both // it was asked for
		c.Chosen = append(c.Chosen, chosen)
	}
	return nil
}

// isSetting tells whether that is a column that KEEPALIVE has in it otherwise.
func isSetting(name string) bool {
	c, ok := Named(name, true)
	return ok && c.Form == table.Whole && c.Title != keepaliveTitle
}

// Named finds a column by its title. KEEPALIVE is on or off alone where
// the settings have columns apart.
func Named(name string, apart bool) (Column, bool) {
	for _, c := range append(slices.Clone(columns), NetNS) {
		if strings.EqualFold(c.Title, name) && (c.Title != keepaliveTitle || apart == (c.Form == table.Whole)) {
			return c, true
		}
	}
	return Column{}, false
}

// Columns are those that can be filled.
func (c *Choice) Columns(q *sockets.Query) []Column {
	if c.Chosen != nil {
		return c.Chosen
	}
	shown := columns
	if q.NoProcess {
		shown = slices.DeleteFunc(slices.Clone(shown), func(c Column) bool { return c.Title == "PROCESS" })
	}
	if q.SeveralNetNS() {
		shown = append([]Column{NetNS}, shown...)
	}
	return shown
}

// InForm leaves out what a table without a limit does not show.
func InForm(columns []Column, limited bool) []Column {
	if limited {
		return columns
	}
	return slices.DeleteFunc(slices.Clone(columns), func(c Column) bool { return c.Form == table.Compact })
}
