package watch

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/columns"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/table"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
	"github.com/tcpkeepalive/keepalive/inspect"
)

// A view is the part of a model that a terminal shows.
type view struct {
	model   *model
	options *options
	colors  bool

	top    int   // first row shown
	page   int   // rows that fit
	left   int   // how much of the lines is off to the left
	paused bool  // no new looks
	typing bool  // keys are text to find
	help   bool  // what the columns mean is shown, until the next key
	err    error // of the last look
}

// newView returns a view, without colors if the variable NO_COLOR is set (no-color.org).
func newView(o *options) *view {
	return &view{model: newModel(o), options: o, colors: os.Getenv("NO_COLOR") == "", page: 1}
}

// take shows a new snapshot. If taking it failed, the previous snapshot stays.
func (v *view) take(r lookResult) {
	if v.err = r.err; r.err == nil {
		v.model.update(r.snapshot)
	}
}

// handle carries out the command of a key, and reports whether it is to quit.
func (v *view) handle(k keypress) (quit bool) {
	if v.typing && k != keyInterrupt {
		v.edit(k)
		return false
	}
	if v.help && k != keyInterrupt {
		v.help = false
		return false
	}
	switch k {
	case keyEscape, keyInterrupt, 'q':
		return true
	case keyUp, 'k':
		v.top--
	case keyDown, 'j':
		v.top++
	case keyPageUp:
		v.top -= v.page
	case keyPageDown:
		v.top += v.page
	case keyHome:
		v.top = 0
	case keyEnd:
		v.top = len(v.model.visible)
	case 's':
		v.model.sort = (v.model.sort + 1) % len(sorts)
		v.model.arrange()
	case 'r':
		v.model.reverse = !v.model.reverse
		v.model.arrange()
	case '/':
		v.typing = true
	case 'w':
		v.options.Wide, v.left = !v.options.Wide, 0
	case keyLeft, 'h':
		v.left -= sideways
	case keyRight, 'l':
		v.left += sideways
	case '?':
		v.help = true
	case ' ':
		v.paused = !v.paused
	}
	return false
}

// sideways is the number of columns that a key scrolls.
const sideways = 8

// edit changes the search text.
func (v *view) edit(k keypress) {
	find := []rune(v.model.find)
	switch {
	case k == keyEnter:
		v.typing = false
	case k == keyEscape:
		v.typing, find = false, nil
	case k == keyBackspace:
		find = find[:max(0, len(find)-1)]
	case k >= ' ':
		find = append(find, rune(k))
	}
	v.model.find = string(find)
	v.model.arrange()
}

// The number of lines around the rows, and the text before each row.
const (
	linesAround = 4 // status, titles, what is missing, keys
	markSize    = len("! ")
)

// frame returns the lines of the terminal.
func (v *view) frame(now time.Time, width, height int) []string {
	v.page = max(1, height-linesAround)
	v.top = max(0, min(v.top, len(v.model.visible)-v.page))
	if v.help {
		return helpLines[:min(len(helpLines), max(1, height))]
	}
	shown := v.model.visible[v.top:min(len(v.model.visible), v.top+v.page)]
	rows := make([][]string, len(shown))
	for i, r := range shown {
		rows[i] = v.cells(r, now)
	}
	limit := 0
	if !v.options.Wide {
		limit = max(1, width-markSize)
	}
	l := table.Fit(columns.Layouts(v.model.columns), rows, limit)
	v.left = max(0, min(v.left, l.Total()+markSize-width))
	scrolled := func(line []byte) string { return ansi.TruncateLeft(string(line), v.left, "") }
	lines := []string{"", "  " + ansi.Style{}.Reverse(true).Styled(scrolled(l.AppendTitles(nil)))}
	for i, cells := range rows {
		mark := string([]byte{byte(shown[i].change), ' '})
		lines = append(lines, v.style(shown[i]).Styled(mark+scrolled(l.Append(nil, cells))))
	}
	for len(lines) < v.page+linesAround-2 {
		lines = append(lines, "")
	}
	lines[0] = ansi.Style{}.Bold().Styled(v.status(now))
	lines = append(lines, ansi.Style{}.Faint().Styled(v.missing(&l, width)), ansi.Style{}.Faint().Styled(v.footer()))
	return lines[:min(len(lines), max(1, height))]
}

// missing says which columns of these rows the terminal does not show.
func (v *view) missing(l *table.Layout, width int) string {
	switch total := l.Total() + markSize; {
	case v.model.holes:
		return exit.Text(inspect.ErrTableChanged)
	case total > width:
		return fmt.Sprintf("columns of text %d-%d of %d; left and right scroll", v.left+1, min(total, v.left+width), total)
	}
	if missing := l.Missing(); missing != "" {
		return missing + "; w: all"
	}
	return ""
}

// cells returns the cells of a row, with its times advanced to now.
func (v *view) cells(r *watchedRow, now time.Time) []string {
	if r.change == isGone {
		return columns.Cells(v.model.columns, &r.Row)
	}
	later := aged(&r.Row, now.Sub(v.model.at))
	return columns.Cells(v.model.columns, &later)
}

func (v *view) style(r *watchedRow) ansi.Style {
	style := ansi.Style{}
	switch {
	case r.change == isGone:
		return style.Faint()
	case r.change != noChange:
		style = style.Bold()
	}
	switch {
	case !v.colors:
	case r.Timer.Unanswered > 0:
		style = style.ForegroundColor(ansi.Red)
	case r.change == isNew:
		style = style.ForegroundColor(ansi.Green)
	}
	return style
}

// status returns the status line, which begins with the position in the table.
func (v *view) status(now time.Time) string {
	m := v.model
	last := min(v.top+v.page, len(m.visible))
	s := fmt.Sprintf("%s  rows %d-%d of %d", now.Format(time.TimeOnly), min(v.top+1, last), last, len(m.visible))
	if len(m.visible) != len(m.rows) {
		s += fmt.Sprintf(" found in %d", len(m.rows))
	}
	if m.find != "" || v.typing {
		s += "  find: " + terminal.Printable(m.find)
	}
	if v.typing {
		s += "_"
	}
	s += "  sort: " + sorts[m.sort].name
	if m.reverse {
		s += " reversed"
	}
	if v.paused {
		s += "  paused"
	}
	return s
}

func (v *view) footer() string {
	switch {
	case v.err != nil:
		return terminal.Printable(exit.Text(v.err))
	case v.typing:
		return "Enter: back to the table  Esc: show all"
	}
	return "q quit  s sort  r reverse  / find  space pause  arrows scroll  w wide  ? help"
}

// helpLines fit into 80 columns and 24 lines.
var helpLines = strings.Split(`keepalive watch: any key goes back

  + new   ! changed: state, settings, timer or probes   - gone
  ? is unknown: keepalive ls says why, and what would tell

  KEEPALIVE  idle/interval/count in seconds, then u and the user timeout
             *    the system's default
             go:  15/15/9, as Go sets it on its own; on:go in the wide form
             off  and on or off alone in the wide form
  TIMER      the kernel's: keepalive, on (retransmission), timewait, persist
             (zero window); k, t and p where there is little room
  NEXT       when the next probe leaves if nothing happens until then
  PROBES     (PRB) probes or retransmissions without an answer
  ~          something was cut out

  up down PgUp PgDn Home End  scroll        left right  scroll sideways
  s  next sort key                          r  reverse the order
  /  show only rows with a text             w  all columns in full
  space  pause, go on                       Ctrl-Z  stop, fg goes on
  q  Esc  Ctrl-C  quit`, "\n")
