package cli

import (
	"bufio"
	"io"
	"strings"
)

// A column of a table that a person reads.
type column struct {
	title string
	right bool // numbers
	form  form
	rank  int  // where there is no room, the column with the highest goes first; 0: never
	early bool // it goes before others are at their narrowest
	below bool // it does not go away then, but to a line of its own below the row

	// What a cell and the title become where there is less room than they take:
	// shorten writes a cell in the width that is left, and narrow is how little
	// that may be, first where there is some need, at last where there is most.
	shorten func(cell string, width int) string
	narrow  [squeezes]int
	short   string // the title
}

// A form is the one of a table's two to which a column belongs. The compact one
// is for terminals that have no room for the other.
type form uint8

const (
	bothForms form = iota
	wholeForm
	compactForm
)

// squeezes is in how many steps columns get narrower.
const squeezes = 3

// sizedBy is how many rows decide how wide the columns are. Of a later row, a
// cell that is wider is shortened, or pushes the rest of its line.
const sizedBy = 1000

// A table writes rows as they come.
type table struct {
	out     *bufio.Writer
	columns []column
	width   int // of the terminal; 0: no limit
	kept    [][]string
	layout  *layout // nil until it is decided
	line    []byte
}

func (t *table) add(cells []string) {
	if t.layout != nil {
		t.write(cells)
		return
	}
	t.kept = append(t.kept, cells)
	if len(t.kept) == sizedBy {
		t.start()
	}
}

func (t *table) flush() {
	if t.layout == nil {
		t.start()
	}
}

// flushRows writes no titles above nothing.
func (t *table) flushRows() {
	if len(t.kept) > 0 {
		t.flush()
	}
}

// start decides the layout and writes what was kept.
func (t *table) start() {
	l := fit(t.columns, t.kept, t.width)
	t.layout = &l
	t.line = append(l.appendTitles(t.line[:0]), '\n')
	t.out.Write(t.line)
	for _, cells := range t.kept {
		t.write(cells)
	}
	t.kept = nil
}

func (t *table) write(cells []string) {
	t.line = append(t.layout.append(t.line[:0], cells), '\n')
	t.line = t.layout.appendBelow(t.line, cells, t.width)
	t.out.Write(t.line)
}

// printTable prints rows that are all there, on a terminal those columns that fit.
func printTable(stdout, stderr io.Writer, columns []column, rows [][]string) error {
	out := bufio.NewWriter(stdout)
	t := table{out: out, columns: columns, width: widthOf(stdout), kept: rows}
	t.flush()
	if err := out.Flush(); err != nil {
		return err
	}
	t.tellMissing(stderr, "a wider terminal or a pipe shows all")
	return nil
}

// tellMissing says what the terminal had no room for, and how to see it.
func (t *table) tellMissing(w io.Writer, remedy string) {
	if missing := t.layout.missing(); missing != "" {
		say(w, "note: %s; %s", missing, remedy)
	}
}

// words joins names for a sentence.
func words(names []string) string {
	switch n := len(names); n {
	case 0:
		return ""
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}
