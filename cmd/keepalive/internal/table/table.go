// Package table prints tables that fit a terminal.
package table

import (
	"bufio"
	"io"
	"strings"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
)

// A Column describes a column of a table.
type Column struct {
	Title string
	Right bool // numbers
	Form  Form
	Rank  int  // where there is no room, the column with the highest goes first; 0: never
	Early bool // it goes before others are at their narrowest
	Below bool // it does not go away then, but to a line of its own below the row

	// Shorten returns a cell shortened to a width that is smaller than the cell. Narrow has
	// the smallest widths of the column: the first if the terminal is a little too narrow,
	// the last if it is far too narrow.
	Shorten func(cell string, width int) string
	Narrow  [squeezes]int
	Short   string // the title
}

// A Form says to which of the two forms of a table a column belongs. The compact form is for
// terminals that have no room for the whole form.
type Form uint8

// A column belongs to both forms, to the whole form only, or to the compact form only.
const (
	Both Form = iota
	Whole
	Compact
)

// squeezes is the number of steps in which columns get narrower.
const squeezes = 3

// sizedBy is the number of rows that decide the widths of the columns. A wider cell of a later
// row is shortened, or moves the rest of its line to the right.
const sizedBy = 1000

// A Table writes rows as they are added.
type Table struct {
	Out     *bufio.Writer
	Columns []Column
	Width   int     // of the terminal; 0: no limit
	Layout  *Layout // nil until it is decided

	kept [][]string
	line []byte
}

// Add adds a row. The first rows are kept until there are enough to decide the widths of the
// columns.
func (t *Table) Add(cells []string) {
	if t.Layout != nil {
		t.write(cells)
		return
	}
	t.kept = append(t.kept, cells)
	if len(t.kept) == sizedBy {
		t.start()
	}
}

// Flush writes the rows that are kept, below the titles.
func (t *Table) Flush() {
	if t.Layout == nil {
		t.start()
	}
}

// FlushRows is Flush, but writes no titles if there are no rows.
func (t *Table) FlushRows() {
	if len(t.kept) > 0 {
		t.Flush()
	}
}

// start decides the layout and writes the rows that were kept.
func (t *Table) start() {
	l := Fit(t.Columns, t.kept, t.Width)
	t.Layout = &l
	t.line = append(l.AppendTitles(t.line[:0]), '\n')
	t.Out.Write(t.line)
	for _, cells := range t.kept {
		t.write(cells)
	}
	t.kept = nil
}

func (t *Table) write(cells []string) {
	t.line = append(t.Layout.Append(t.line[:0], cells), '\n')
	t.line = t.Layout.appendBelow(t.line, cells, t.Width)
	t.Out.Write(t.line)
}

// Print prints a complete table; on a terminal, only the columns that fit.
func Print(stdout, stderr io.Writer, columns []Column, rows [][]string) error {
	out := bufio.NewWriter(stdout)
	t := Table{Out: out, Columns: columns, Width: terminal.Width(stdout), kept: rows}
	t.Flush()
	if err := out.Flush(); err != nil {
		return err
	}
	t.TellMissing(stderr, "a wider terminal or a pipe shows all")
	return nil
}

// TellMissing prints a note that says which columns the terminal had no room for, and how to
// see them.
func (t *Table) TellMissing(w io.Writer, remedy string) {
	if missing := t.Layout.Missing(); missing != "" {
		terminal.Say(w, "note: %s; %s", missing, remedy)
	}
}

// Words joins names with commas and "and".
func Words(names []string) string {
	switch n := len(names); n {
	case 0:
		return ""
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}
