// Package table prints tables that fit a terminal.
package table

import (
	"bufio"
	"io"
	"strings"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
)

// A Column is one of a table that a person reads.
type Column struct {
	Title string
	Right bool // numbers
	Form  Form
	Rank  int  // where there is no room, the column with the highest goes first; 0: never
	Early bool // it goes before others are at their narrowest
	Below bool // it does not go away then, but to a line of its own below the row

	// What a cell and the title become where there is less room than they take:
	// Shorten writes a cell in the width that is left, and Narrow is how little
	// that may be, first where there is some need, at last where there is most.
	Shorten func(cell string, width int) string
	Narrow  [squeezes]int
	Short   string // the title
}

// A Form is the one of a table's two to which a column belongs. The compact one
// is for terminals that have no room for the other.
type Form uint8

// Forms: of both, of the whole one alone, of the compact one alone.
const (
	Both Form = iota
	Whole
	Compact
)

// squeezes is in how many steps columns get narrower.
const squeezes = 3

// sizedBy is how many rows decide how wide the columns are. Of a later row, a
// cell that is wider is shortened, or pushes the rest of its line.
const sizedBy = 1000

// A Table writes rows as they come.
type Table struct {
	Out     *bufio.Writer
	Columns []Column
	Width   int     // of the terminal; 0: no limit
	Layout  *Layout // nil until it is decided

	kept [][]string
	line []byte
}

// Add adds a row. What comes first decides how wide the columns are, and is kept until then.
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

// Flush writes what is kept, below the titles.
func (t *Table) Flush() {
	if t.Layout == nil {
		t.start()
	}
}

// FlushRows writes no titles above nothing.
func (t *Table) FlushRows() {
	if len(t.kept) > 0 {
		t.Flush()
	}
}

// start decides the layout and writes what was kept.
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

// Print prints rows that are all there, on a terminal those columns that fit.
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

// TellMissing says what the terminal had no room for, and how to see it.
func (t *Table) TellMissing(w io.Writer, remedy string) {
	if missing := t.Layout.Missing(); missing != "" {
		terminal.Say(w, "note: %s; %s", missing, remedy)
	}
}

// Words joins names for a sentence.
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
