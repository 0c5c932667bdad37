package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"
)

// sizedBy is how many rows decide how wide the columns are; a cell of a later
// row that is wider pushes the rest of its line.
const sizedBy = 1000

// A layout is which columns there is room for, and how wide they are.
type layout struct {
	columns []column
	shown   []int // of columns, by index
	widths  []int // of those shown
	hidden  []string
}

const gap = "  "

// fit lays out rows of cells, one for each column, for a terminal of that
// width; 0 is no limit. Of what does not fit, the columns with the highest rank
// go first.
func fit(columns []column, rows [][]string, width int) layout {
	l := layout{columns: columns}
	for i := range columns {
		w := len(columns[i].title)
		for _, cells := range rows {
			w = max(w, ansi.StringWidth(cells[i]))
		}
		l.shown = append(l.shown, i)
		l.widths = append(l.widths, w)
	}
	for width > 0 && l.total() > width {
		at := l.leastWanted()
		if at < 0 {
			break
		}
		l.hidden = append(l.hidden, columns[l.shown[at]].title)
		l.shown = slices.Delete(l.shown, at, at+1)
		l.widths = slices.Delete(l.widths, at, at+1)
	}
	return l
}

func (l *layout) total() int {
	total := -len(gap)
	for _, w := range l.widths {
		total += w + len(gap)
	}
	return total
}

// leastWanted returns -1 if all that is left is needed.
func (l *layout) leastWanted() int {
	least, most := -1, 0
	for at, i := range l.shown {
		if rank := l.columns[i].rank; rank > 0 && rank >= most {
			least, most = at, rank
		}
	}
	return least
}

// append appends the line of these cells.
func (l *layout) append(b []byte, cells []string) []byte {
	for at, i := range l.shown {
		if at > 0 {
			b = append(b, gap...)
		}
		pad := l.widths[at] - ansi.StringWidth(cells[i])
		if l.columns[i].right {
			b = appendSpaces(b, pad)
		}
		b = append(b, cells[i]...)
		if !l.columns[i].right && at < len(l.shown)-1 {
			b = appendSpaces(b, pad)
		}
	}
	return b
}

func (l *layout) titles() []string {
	titles := make([]string, len(l.columns))
	for i := range l.columns {
		titles[i] = l.columns[i].title
	}
	return titles
}

func appendSpaces(b []byte, n int) []byte {
	for ; n > 0; n-- {
		b = append(b, ' ')
	}
	return b
}

// cellsOf fills in a row.
func cellsOf(columns []column, r *row) []string {
	cells := make([]string, len(columns))
	for i := range columns {
		cells[i] = columns[i].cell(r)
	}
	return cells
}

// A table writes rows as they come.
type table struct {
	out     *bufio.Writer
	columns []column
	width   int // of the terminal; 0: no limit
	kept    [][]string
	layout  *layout // nil until it is decided
	line    []byte
	marks   bool // a cell has a mark that wants explaining
}

func (t *table) add(r *row) {
	cells := cellsOf(t.columns, r)
	t.marks = t.marks || r.likeGo || r.isDefault != 0
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
	t.write(l.titles())
	for _, cells := range t.kept {
		t.write(cells)
	}
	t.kept = nil
}

func (t *table) write(cells []string) {
	t.line = append(t.layout.append(t.line[:0], cells), '\n')
	t.out.Write(t.line)
}

// printTable prints rows that are all there, on a terminal those columns that fit.
func printTable(stdout, stderr io.Writer, columns []column, rows [][]string) error {
	out := bufio.NewWriter(stdout)
	t := table{out: out, columns: columns, width: widthOf(stdout), kept: rows}
	t.flush()
	t.tellHidden(stderr)
	return out.Flush()
}

// tellHidden says which columns the terminal has no room for.
func (t *table) tellHidden(w io.Writer) {
	if len(t.layout.hidden) > 0 {
		fmt.Fprintf(w, "note: the terminal is too narrow for %s\n", words(t.layout.hidden))
	}
}

// without returns the columns but the one with this title.
func without(columns []column, title string) []column {
	return slices.DeleteFunc(slices.Clone(columns), func(c column) bool { return c.title == title })
}

// widthOf returns how wide the terminal is that w writes to, or 0 if it is none.
func widthOf(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
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
