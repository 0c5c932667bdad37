package trace

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/table"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
	"github.com/tcpkeepalive/keepalive/internal/segment"
)

// A lineForm has the widths of the columns of trace; 0 means that the column is not shown.
// The widths are decided before the first line, because lines are printed one at a time.
type lineForm struct {
	netns, time, end, what, after, expected int

	limit  int      // of end, on a terminal, where nothing else gets wider; 0: none
	hidden []string // columns that it has no room for
}

// wideLine is the form for a pipe. The columns of the two ends get wider as needed.
var wideLine = lineForm{
	time: len("15:04:05.000000"), end: len("*127.0.0.1:12345 name[12345]"), what: len("window probe 2"),
	after: len("999.000s"), expected: len("interval 15s"),
}

// least is the smallest width of an end.
const least = len("*1~1:12345")

// total returns the width of a line.
func (f *lineForm) total() int {
	total := -len(table.Gap)
	for _, width := range []int{f.netns, f.time, f.end, f.end, f.what, f.after, f.expected} {
		if width > 0 {
			total += width + len(table.Gap)
		}
	}
	return total
}

// limitTo fits lines into a terminal: the two ends get the room that the other columns leave.
// If that is too little, the other columns get narrower or are dropped, one after another.
// The clock loses its milliseconds first, because the time between segments has them too.
func (f *lineForm) limitTo(columns int) {
	wanted := f.end
	f.end = least
	f.time, f.what = len("15:04:05.000"), len("window probe")
	for _, step := range []struct {
		title  string
		column *int
		width  int
	}{
		{"", &f.time, len("15:04:05")}, {"", &f.netns, len("NETNS")}, {"EXPECTED", &f.expected, 0},
		{"AFTER", &f.after, 0}, {"NETNS", &f.netns, 0}, {"TIME", &f.time, 0},
	} {
		if f.total() > columns && *step.column > step.width {
			if *step.column = step.width; step.width == 0 {
				f.hidden = append(f.hidden, step.title)
			}
		}
	}
	f.limit = max(least, least+(columns-f.total())/2)
	f.end = min(wanted, f.limit)
}

// missing returns a note about the columns for which there is no room.
func (f *lineForm) missing() string {
	if len(f.hidden) == 0 {
		return ""
	}
	return "no room for " + table.Words(f.hidden) + "; a wider terminal or a pipe shows all"
}

// lineCells are the cells of a line, or the titles.
type lineCells struct{ netns, time, from, to, what, after, expected string }

func (s *printer) showLine(e *sighting) {
	what := e.Kind.String()
	if e.Unanswered > 1 && e.Kind != segment.Reset {
		what = fmt.Sprintf("%s %d", what, e.Unanswered)
	}
	after := "-"
	if e.Since > 0 {
		after = fmt.Sprintf("%.3fs", e.Since.Seconds())
	}
	expected := ""
	if option, value, known := e.expected(); option != noOption {
		expected = option.String() + " ?"
		if known {
			expected = option.String() + " " + option.Format(value)
		}
	}
	s.line(lineCells{e.at.netns, e.Time.Format("15:04:05.000000"), endCell(e.Src, e.from), endCell(e.Dst, e.to), what, after, expected})
}

// shortEnd shortens an end: it leaves out first the process, then the middle of the address.
func shortEnd(cell string, width int) string {
	if len(cell) <= width {
		return cell
	}
	address, _, _ := strings.Cut(cell, " ")
	return table.ShortEndpoint(address, width)
}

// shortAfter shortens a time between segments by leaving out the milliseconds.
func shortAfter(cell string, width int) string {
	if seconds, _, ok := strings.Cut(cell, "."); ok && len(cell) > width {
		return seconds + "s"
	}
	return cell
}

// line prints cells. If an end does not fit into its column, the column gets wider, or, on a
// terminal, the end is shortened.
func (s *printer) line(c lineCells) {
	f := &s.form
	if f.limit > 0 {
		c.netns, c.time = table.Elide(c.netns, f.netns), c.time[:min(len(c.time), f.time)]
		c.from, c.to = shortEnd(c.from, f.limit), shortEnd(c.to, f.limit)
		c.what, c.after, c.expected = table.Elide(c.what, f.what), shortAfter(c.after, f.after), table.Elide(c.expected, f.expected)
	}
	f.end = max(f.end, len(c.from), len(c.to))
	var line []string
	for _, cell := range []struct {
		text  string
		width int // negative: on the right
	}{{c.netns, f.netns}, {c.time, f.time}, {c.from, f.end}, {c.to, f.end}, {c.what, f.what}, {c.after, -f.after}, {c.expected, f.expected}} {
		if cell.width != 0 {
			line = append(line, fmt.Sprintf("%*s", -cell.width, cell.text))
		}
	}
	fmt.Fprintln(s.out, strings.TrimRight(strings.Join(line, table.Gap), " "))
}

func endCell(a netip.AddrPort, l *local) string {
	switch {
	case l == nil:
		return a.String()
	case len(l.owners) == 0:
		return "*" + a.String()
	}
	return fmt.Sprintf("*%s %s[%d]", a, terminal.Printable(l.owners[0].Process), l.owners[0].PID)
}
