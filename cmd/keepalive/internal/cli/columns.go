package cli

import (
	"slices"

	"github.com/tcpkeepalive/keepalive/platform"
)

// A socketColumn is a column of a table of sockets.
type socketColumn struct {
	column
	cell    func(*row) string
	plain   bool // the kernel's table of sockets has it, so that no process need be asked
	compact bool // its cells want explaining: all of keepalive is in them
}

// columns are those of ls and watch. KEEPALIVE stands there twice: the compact
// form has the settings in it, which have columns of their own in the whole one.
var columns = []socketColumn{
	{column: column{title: "STATE", rank: 4, shorten: shortState, narrow: [...]int{5, 5, 5}}, cell: stateCell, plain: true},
	{column: column{title: "LOCAL", rank: 3, shorten: shortEndpoint, narrow: [...]int{28, 15, 7}}, cell: localCell, plain: true},
	{column: column{title: "PEER", shorten: shortEndpoint, narrow: [...]int{28, 21, 15}}, cell: peerCell, plain: true},
	{column: column{title: keepaliveTitle, form: wholeForm}, cell: keepaliveCell},
	{column: column{title: "IDLE", form: wholeForm, right: true}, cell: func(r *row) string { return settingCell(r, platform.Idle) }},
	{column: column{title: "INTERVAL", form: wholeForm, right: true}, cell: func(r *row) string { return settingCell(r, platform.Interval) }},
	{column: column{title: "COUNT", form: wholeForm, right: true}, cell: func(r *row) string { return settingCell(r, platform.Count) }},
	{column: column{title: "USER-TIMEOUT", form: wholeForm, right: true}, cell: func(r *row) string { return settingCell(r, platform.UserTimeout) }},
	{column: column{title: keepaliveTitle, form: compactForm}, cell: compactCell, compact: true},
	{column: column{title: "TIMER", rank: 6, early: true, shorten: shortTimer, narrow: [...]int{7, 7, 7}}, cell: timerCell, plain: true},
	{column: column{title: "NEXT", rank: 1, right: true}, cell: nextCell},
	{column: column{title: "PROBES", short: "PRB", rank: 5, right: true, narrow: [...]int{1, 1, 1}}, cell: probesCell, plain: true},
	{column: column{title: "PROCESS", rank: 2, shorten: shortProcess, narrow: [...]int{20, 14, 10}}, cell: processCell},
}

// netnsColumn is shown where several are looked into.
var netnsColumn = socketColumn{
	column: column{title: "NETNS", rank: 3, shorten: elide, narrow: [...]int{20, 12, 8}},
	cell:   func(r *row) string { return printable(r.netns.String()) }, plain: true,
}

const keepaliveTitle = "KEEPALIVE"

// What cannot be guessed from the cells.
const (
	marksMean        = "* is the system's default; on:go is 15 s, 15 s and 9, as Go sets them on its own"
	compactMean      = keepaliveTitle + " is idle/interval/count, then u and the user timeout, in seconds"
	compactMarksMean = "* is the system's default; go: is 15/15/9, as Go sets it on its own"
)

// legends explain what is there.
func legends(columns []socketColumn, l *layout, marks bool) []string {
	compact := slices.ContainsFunc(l.shown, func(i int) bool { return columns[i].compact })
	switch {
	case compact && marks:
		return []string{compactMean, compactMarksMean}
	case compact:
		return []string{compactMean}
	case marks:
		return []string{marksMean}
	}
	return nil
}

// layoutsOf are the columns without what fills them.
func layoutsOf(columns []socketColumn) []column {
	layouts := make([]column, len(columns))
	for i := range columns {
		layouts[i] = columns[i].column
	}
	return layouts
}

// cellsOf fills in a row.
func cellsOf(columns []socketColumn, r *row) []string {
	cells := make([]string, len(columns))
	for i := range columns {
		cells[i] = columns[i].cell(r)
	}
	return cells
}

// hasMark tells whether a cell of the row has a mark that legends explains.
func hasMark(r *row) bool { return r.likeGo || r.isDefault != 0 }
