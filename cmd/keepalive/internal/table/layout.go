package table

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// A Layout says which columns are shown, and how wide each is.
type Layout struct {
	columns   []Column
	Shown     []int // of columns, by index
	widths    []int // of those shown
	limited   bool  // by a terminal, for which cells are shortened
	hidden    []string
	below     []int  // of columns, on lines of their own
	shortened []bool // of columns: a cell was
}

// Gap is the space between two columns.
const Gap = "  "

const belowIndent = "    "

// Fit returns the layout for a terminal of this width; 0 means no limit. Each row has one cell
// for each column. Fit chooses the whole form if it fits without shortening. In the compact
// form columns get narrower first; if their smallest widths together are still too wide,
// Fit drops the column with the highest rank and gives its room to the others.
func Fit(columns []Column, rows [][]string, width int) Layout {
	natural := make([]int, len(columns))
	for i := range columns {
		natural[i] = len(columns[i].Title)
		for _, cells := range rows {
			natural[i] = max(natural[i], ansi.StringWidth(cells[i]))
		}
	}
	l := Layout{columns: columns, limited: width > 0, shortened: make([]bool, len(columns))}
	l.show(Whole, natural)
	if width == 0 || l.Total() <= width {
		return l
	}
	l.show(Compact, natural)
	for l.dropOne(width) {
	}
	l.squeeze(width)
	return l
}

// show gives the columns of a form the widths that their cells need.
func (l *Layout) show(f Form, natural []int) {
	l.Shown, l.widths = nil, nil
	for i := range l.columns {
		if own := l.columns[i].Form; own == Both || own == f {
			l.Shown = append(l.Shown, i)
			l.widths = append(l.widths, natural[i])
		}
	}
}

// Total returns the width of a line.
func (l *Layout) Total() int {
	total := -len(Gap)
	for _, w := range l.widths {
		total += w + len(Gap)
	}
	return total
}

// least returns the smallest width of a line in a step.
func (l *Layout) least(step int) int {
	least := -len(Gap)
	for at := range l.Shown {
		least += l.floor(at, step) + len(Gap)
	}
	return least
}

// floor returns the smallest width of a column in a step.
func (l *Layout) floor(at, step int) int {
	c := &l.columns[l.Shown[at]]
	if c.Narrow == [squeezes]int{} {
		return l.widths[at]
	}
	title := len(c.Title)
	if c.Short != "" {
		title = len(c.Short)
	}
	return min(l.widths[at], max(c.Narrow[step], title))
}

// squeeze makes columns narrower until the line fits, or until no column can get narrower.
func (l *Layout) squeeze(width int) {
	for step := range squeezes {
		for at := range l.Shown {
			if over := l.Total() - width; over > 0 {
				l.widths[at] = max(l.floor(at, step), l.widths[at]-over)
			}
		}
	}
}

// dropOne drops a column if there is no room for all. It returns false if there is room, or
// if no remaining column may be dropped.
func (l *Layout) dropOne(width int) bool {
	last, most := -1, 0
	for at, i := range l.Shown {
		if rank := l.columns[i].Rank; rank > 0 && rank >= most {
			last, most = at, rank
		}
	}
	if last < 0 {
		return false
	}
	c := &l.columns[l.Shown[last]]
	step := squeezes - 1
	if c.Early {
		step--
	}
	if l.least(step) <= width {
		return false
	}
	if c.Below {
		l.below = append(l.below, l.Shown[last])
		slices.Sort(l.below)
	} else {
		l.hidden = append(l.hidden, c.Title)
	}
	l.Shown = slices.Delete(l.Shown, last, last+1)
	l.widths = slices.Delete(l.widths, last, last+1)
	return true
}

// Append appends the line of these cells.
func (l *Layout) Append(b []byte, cells []string) []byte {
	for at, i := range l.Shown {
		c := &l.columns[i]
		cell := cells[i]
		if l.limited && c.Shorten != nil && ansi.StringWidth(cell) > l.widths[at] {
			cell = c.Shorten(cell, l.widths[at])
			l.shortened[i] = true
		}
		b = l.appendCell(b, at, cell)
	}
	return b
}

// appendBelow appends the lines with the cells that are printed below their row.
func (l *Layout) appendBelow(b []byte, cells []string, width int) []byte {
	title := 0
	for _, i := range l.below {
		title = max(title, len(l.columns[i].Title))
	}
	for _, i := range l.below {
		if cells[i] == Nothing {
			continue
		}
		b = append(b, belowIndent...)
		b = append(b, l.columns[i].Title...)
		b = AppendPad(b, title-len(l.columns[i].Title))
		at := len(belowIndent) + title
		used, begin := at, len(Gap) // of this line, and what is between it and a word
		for word := range strings.FieldsSeq(cells[i]) {
			w := ansi.StringWidth(word)
			if used > at && used+begin+w > width {
				b = append(b, '\n')
				b = AppendPad(b, at)
				used, begin = at, len(Gap)
			}
			b = append(AppendPad(b, begin), word...)
			used, begin = used+begin+w, len(" ")
		}
		b = append(b, '\n')
	}
	return b
}

// AppendTitles appends the line of titles.
func (l *Layout) AppendTitles(b []byte) []byte {
	for at, i := range l.Shown {
		title := l.columns[i].Title
		if len(title) > l.widths[at] {
			title = l.columns[i].Short
		}
		b = l.appendCell(b, at, title)
	}
	return b
}

func (l *Layout) appendCell(b []byte, at int, cell string) []byte {
	if at > 0 {
		b = append(b, Gap...)
	}
	pad := l.widths[at] - ansi.StringWidth(cell)
	right := l.columns[l.Shown[at]].Right
	if right {
		b = AppendPad(b, pad)
	}
	b = append(b, cell...)
	if !right && at < len(l.Shown)-1 {
		b = AppendPad(b, pad)
	}
	return b
}

// Missing says which columns are dropped or shortened for lack of room, "" if none is.
func (l *Layout) Missing() string {
	var shortened []string
	for i, is := range l.shortened {
		if is {
			shortened = append(shortened, l.columns[i].Title)
		}
	}
	var parts []string
	if len(l.hidden) > 0 {
		parts = append(parts, "no room for "+Words(l.hidden))
	}
	if len(shortened) > 0 {
		parts = append(parts, "shortened: "+strings.Join(shortened, ", "))
	}
	return strings.Join(parts, "; ")
}

const spaces = "                                                                "

// AppendPad appends n spaces, or none if n is negative.
func AppendPad(b []byte, n int) []byte {
	for ; n > len(spaces); n -= len(spaces) {
		b = append(b, spaces...)
	}
	return append(b, spaces[:max(0, n)]...)
}
