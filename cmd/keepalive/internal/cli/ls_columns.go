package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcpkeepalive/keepalive/internal/alike"
)

// A columnChoice is which columns of the table are wanted.
type columnChoice struct {
	wide   bool
	names  []string
	chosen []socketColumn // of names
}

func (c *columnChoice) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&c.wide, "wide", false, "all columns in full, also where the terminal is narrower")
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
	for _, c := range append(slices.Clone(columns), netnsColumn) {
		if name := strings.ToLower(c.title); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// parse finds the columns that --columns names.
func (c *columnChoice) parse(cmd *cobra.Command) error {
	for _, other := range []string{"columns", "json", "ss", "netstat"} {
		if err := exclusive(cmd, "wide", other); err != nil {
			return err
		}
	}
	for _, other := range []string{"json", "ss", "netstat"} {
		if err := exclusive(cmd, "columns", other); err != nil {
			return err
		}
	}
	if !cmd.Flags().Changed("columns") {
		return nil
	}
	if cmd.Flags().Changed("no-process") && slices.ContainsFunc(c.names, func(name string) bool { return strings.EqualFold(name, "process") }) {
		return usageError(errors.New("--columns process and --no-process exclude each other"))
	}
	return c.choose()
}

func (c *columnChoice) choose() error {
	apart := slices.ContainsFunc(c.names, isSetting)
	for _, name := range c.names {
		chosen, ok := columnNamed(name, apart)
		if !ok {
			return usageError(fmt.Errorf("--columns %q: want some of %s%s", name, strings.Join(columnNames(), ", "), alike.Question(alike.Nearest(name, columnNames()))))
		}
		chosen.rank, chosen.form = 0, bothForms // it was asked for
		c.chosen = append(c.chosen, chosen)
	}
	return nil
}

// isSetting tells whether that is a column that KEEPALIVE has in it otherwise.
func isSetting(name string) bool {
	c, ok := columnNamed(name, true)
	return ok && c.form == wholeForm && c.title != keepaliveTitle
}

// columnNamed finds a column by its title. KEEPALIVE is on or off alone where
// the settings have columns apart.
func columnNamed(name string, apart bool) (socketColumn, bool) {
	for _, c := range append(slices.Clone(columns), netnsColumn) {
		if strings.EqualFold(c.title, name) && (c.title != keepaliveTitle || apart == (c.form == wholeForm)) {
			return c, true
		}
	}
	return socketColumn{}, false
}

// columns are those that can be filled.
func (c *columnChoice) columns(q *query) []socketColumn {
	if c.chosen != nil {
		return c.chosen
	}
	shown := columns
	if q.noProcess {
		shown = slices.DeleteFunc(slices.Clone(shown), func(c socketColumn) bool { return c.title == "PROCESS" })
	}
	if q.severalNetns() {
		shown = append([]socketColumn{netnsColumn}, shown...)
	}
	return shown
}

// inForm leaves out what a table without a limit does not show.
func inForm(columns []socketColumn, limited bool) []socketColumn {
	if limited {
		return columns
	}
	return slices.DeleteFunc(slices.Clone(columns), func(c socketColumn) bool { return c.form == compactForm })
}
