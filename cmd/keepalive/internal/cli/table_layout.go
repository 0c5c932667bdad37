package cli

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// A layout is which columns there is room for, and how wide they are.
type layout struct {
	columns   []column
	shown     []int // of columns, by index
	widths    []int // of those shown
	limited   bool  // by a terminal, for which cells are shortened
	hidden    []string
	below     []int  // of columns, on lines of their own
	shortened []bool // of columns: a cell was
}

const (
	gap         = "  "
	belowIndent = "    "
)

// fit lays out rows of cells, one for each column, for a terminal of that
// width; 0 is no limit. The whole form is taken if there is room for it as it
// is. In the compact one columns get narrower first; if all of them at their
// narrowest are still too wide, the one with the highest rank goes, and the rest
// has its room.
func fit(columns []column, rows [][]string, width int) layout {
	natural := make([]int, len(columns))
	for i := range columns {
		natural[i] = len(columns[i].title)
		for _, cells := range rows {
			natural[i] = max(natural[i], ansi.StringWidth(cells[i]))
		}
	}
	l := layout{columns: columns, limited: width > 0, shortened: make([]bool, len(columns))}
	l.show(wholeForm, natural)
	if width == 0 || l.total() <= width {
		return l
	}
	l.show(compactForm, natural)
	for l.dropOne(width) {
	}
	l.squeeze(width)
	return l
}

// show lays out the columns of a form as wide as they would like to be.
func (l *layout) show(f form, natural []int) {
	l.shown, l.widths = nil, nil
	for i := range l.columns {
		if own := l.columns[i].form; own == bothForms || own == f {
			l.shown = append(l.shown, i)
			l.widths = append(l.widths, natural[i])
		}
	}
}

// total is how wide a line is.
func (l *layout) total() int {
	total := -len(gap)
	for _, w := range l.widths {
		total += w + len(gap)
	}
	return total
}

// least is how narrow a line can get in a step.
func (l *layout) least(step int) int {
	least := -len(gap)
	for at := range l.shown {
		least += l.floor(at, step) + len(gap)
	}
	return least
}

// floor is how narrow a column may get in a step.
func (l *layout) floor(at, step int) int {
	c := &l.columns[l.shown[at]]
	if c.narrow == [squeezes]int{} {
		return l.widths[at]
	}
	title := len(c.title)
	if c.short != "" {
		title = len(c.short)
	}
	return min(l.widths[at], max(c.narrow[step], title))
}

// squeeze makes columns narrower until the line fits or none can get narrower.
func (l *layout) squeeze(width int) {
	for step := range squeezes {
		for at := range l.shown {
			if over := l.total() - width; over > 0 {
				l.widths[at] = max(l.floor(at, step), l.widths[at]-over)
			}
		}
	}
}

// dropOne drops a column if there is no room for all, and returns false if
// there is, or all that is left is needed.
func (l *layout) dropOne(width int) bool {
	last, most := -1, 0
	for at, i := range l.shown {
		if rank := l.columns[i].rank; rank > 0 && rank >= most {
			last, most = at, rank
		}
	}
	if last < 0 {
		return false
	}
	c := &l.columns[l.shown[last]]
	step := squeezes - 1
	if c.early {
		step--
	}
	if l.least(step) <= width {
		return false
	}
	if c.below {
		l.below = append(l.below, l.shown[last])
		slices.Sort(l.below)
	} else {
		l.hidden = append(l.hidden, c.title)
	}
	l.shown = slices.Delete(l.shown, last, last+1)
	l.widths = slices.Delete(l.widths, last, last+1)
	return true
}

// append appends the line of these cells.
func (l *layout) append(b []byte, cells []string) []byte {
	for at, i := range l.shown {
		c := &l.columns[i]
		cell := cells[i]
		if l.limited && c.shorten != nil && ansi.StringWidth(cell) > l.widths[at] {
			cell = c.shorten(cell, l.widths[at])
			l.shortened[i] = true
		}
		b = l.appendCell(b, at, cell)
	}
	return b
}

// appendBelow appends lines of what stands below the row of these cells.
func (l *layout) appendBelow(b []byte, cells []string, width int) []byte {
	title := 0
	for _, i := range l.below {
		title = max(title, len(l.columns[i].title))
	}
	for _, i := range l.below {
		if cells[i] == nothingCell {
			continue
		}
		b = append(b, belowIndent...)
		b = append(b, l.columns[i].title...)
		b = appendPad(b, title-len(l.columns[i].title))
		at := len(belowIndent) + title
		used, begin := at, len(gap) // of this line, and what is between it and a word
		for word := range strings.FieldsSeq(cells[i]) {
			w := ansi.StringWidth(word)
			if used > at && used+begin+w > width {
				b = append(b, '\n')
				b = appendPad(b, at)
				used, begin = at, len(gap)
			}
			b = append(appendPad(b, begin), word...)
			used, begin = used+begin+w, len(" ")
		}
		b = append(b, '\n')
	}
	return b
}

func (l *layout) appendTitles(b []byte) []byte {
	for at, i := range l.shown {
		title := l.columns[i].title
		if len(title) > l.widths[at] {
			title = l.columns[i].short
		}
		b = l.appendCell(b, at, title)
	}
	return b
}

func (l *layout) appendCell(b []byte, at int, cell string) []byte {
	if at > 0 {
		b = append(b, gap...)
	}
	pad := l.widths[at] - ansi.StringWidth(cell)
	right := l.columns[l.shown[at]].right
	if right {
		b = appendPad(b, pad)
	}
	b = append(b, cell...)
	if !right && at < len(l.shown)-1 {
		b = appendPad(b, pad)
	}
	return b
}

// missing says in words what the lines do not have for want of room, or nothing.
func (l *layout) missing() string {
	var shortened []string
	for i, is := range l.shortened {
		if is {
			shortened = append(shortened, l.columns[i].title)
		}
	}
	var parts []string
	if len(l.hidden) > 0 {
		parts = append(parts, "no room for "+words(l.hidden))
	}
	if len(shortened) > 0 {
		parts = append(parts, "shortened: "+strings.Join(shortened, ", "))
	}
	return strings.Join(parts, "; ")
}

const spaces = "                                                                "

func appendPad(b []byte, n int) []byte {
	for ; n > len(spaces); n -= len(spaces) {
		b = append(b, spaces...)
	}
	return append(b, spaces[:max(0, n)]...)
}
