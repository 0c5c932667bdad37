package cli

import (
	"fmt"
	"os"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// A view is what a terminal shows of a model.
type view struct {
	model   *model
	options *watchOptions
	colors  bool

	top    int   // first row shown
	page   int   // rows that fit
	paused bool  // no new looks
	typing bool  // keys are text to find
	err    error // of the last look
}

// newView has no colors where NO_COLOR asks for none (no-color.org).
func newView(o *watchOptions) *view {
	return &view{model: newModel(&o.lsOptions, o.sort, o.reverse), options: o, colors: os.Getenv("NO_COLOR") == "", page: 1}
}

// take shows a look; if it failed, the one before stays.
func (v *view) take(r lookResult) {
	if v.err = r.err; r.err == nil {
		v.model.update(r.snapshot)
	}
}

// handle does what a key says, and reports whether that is to quit.
func (v *view) handle(k keypress) (quit bool) {
	if v.typing && k != keyInterrupt {
		v.edit(k)
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
	case ' ':
		v.paused = !v.paused
	}
	return false
}

// edit changes the text to find.
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

// Lines around the rows, and what stands before each.
const (
	linesAround = 3 // status, titles, keys
	markSize    = len("! ")
)

// frame returns the lines of the terminal.
func (v *view) frame(now time.Time, width, height int) []string {
	v.page = max(1, height-linesAround)
	v.top = max(0, min(v.top, len(v.model.visible)-v.page))
	shown := v.model.visible[v.top:min(len(v.model.visible), v.top+v.page)]
	rows := make([][]string, len(shown))
	for i, r := range shown {
		rows[i] = v.cells(r, now)
	}
	l := fit(v.model.columns, rows, max(1, width-markSize))
	lines := []string{
		ansi.Style{}.Bold().Styled(v.status(now, &l)),
		"  " + ansi.Style{}.Reverse(true).Styled(string(l.append(nil, l.titles()))),
	}
	for i, cells := range rows {
		mark := string([]byte{byte(shown[i].change), ' '})
		lines = append(lines, v.style(shown[i]).Styled(mark+string(l.append(nil, cells))))
	}
	for len(lines) < v.page+linesAround-1 {
		lines = append(lines, "")
	}
	return append(lines, ansi.Style{}.Faint().Styled(v.footer()))
}

// cells are of the row as it should be by now.
func (v *view) cells(r *watchedRow, now time.Time) []string {
	if r.change == isGone {
		return cellsOf(v.model.columns, &r.row)
	}
	aged := r.aged(now.Sub(v.model.at))
	return cellsOf(v.model.columns, &aged)
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

func (v *view) status(now time.Time, l *layout) string {
	m := v.model
	s := fmt.Sprintf("keepalive  %s  %s", now.Format(time.TimeOnly), sockets(len(m.visible)))
	if len(m.visible) != len(m.rows) {
		s += fmt.Sprintf(" of %d", len(m.rows))
	}
	s += "  sort: " + sorts[m.sort].name
	if m.reverse {
		s += " reversed"
	}
	if m.find != "" || v.typing {
		s += "  find: " + m.find
	}
	if v.typing {
		s += "_"
	}
	if v.paused {
		s += "  paused"
	}
	if len(l.hidden) > 0 {
		s += "  no room for " + words(l.hidden)
	}
	return s
}

func (v *view) footer() string {
	switch {
	case v.err != nil:
		return v.err.Error()
	case v.typing:
		return "Enter: back to the table  Esc: show all"
	}
	return "q quit  s sort  r reverse  / find  space pause  arrows scroll    " + marksMean
}
