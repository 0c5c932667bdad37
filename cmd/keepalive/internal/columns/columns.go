// Package columns has the columns of a table of sockets: what stands in them, which are
// shown, and how they get shorter.
package columns

import (
	"slices"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/table"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A Column is a column of a table of sockets.
type Column struct {
	table.Column
	Cell    func(*sockets.Row) string
	Plain   bool // the kernel's table of sockets has it, so that no process need be asked
	compact bool // its cells want explaining: all of keepalive is in them
}

// columns are those of ls and watch. KEEPALIVE stands there twice: the compact
// form has the settings in it, which have columns of their own in the whole one.
var columns = []Column{
	{Column: table.Column{Title: "STATE", Rank: 4, Shorten: shortState, Narrow: [...]int{5, 5, 5}}, Cell: stateCell, Plain: true},
	{Column: table.Column{Title: "LOCAL", Rank: 3, Shorten: table.ShortEndpoint, Narrow: [...]int{28, 15, 7}}, Cell: LocalCell, Plain: true},
	{Column: table.Column{Title: "PEER", Shorten: table.ShortEndpoint, Narrow: [...]int{28, 21, 15}}, Cell: PeerCell, Plain: true},
	{Column: table.Column{Title: keepaliveTitle, Form: table.Whole}, Cell: keepaliveCell},
	{Column: table.Column{Title: "IDLE", Form: table.Whole, Right: true}, Cell: func(r *sockets.Row) string { return settingCell(r, platform.Idle) }},
	{Column: table.Column{Title: "INTERVAL", Form: table.Whole, Right: true}, Cell: func(r *sockets.Row) string { return settingCell(r, platform.Interval) }},
	{Column: table.Column{Title: "COUNT", Form: table.Whole, Right: true}, Cell: func(r *sockets.Row) string { return settingCell(r, platform.Count) }},
	{Column: table.Column{Title: "USER-TIMEOUT", Form: table.Whole, Right: true}, Cell: func(r *sockets.Row) string { return settingCell(r, platform.UserTimeout) }},
	{Column: table.Column{Title: keepaliveTitle, Form: table.Compact}, Cell: compactCell, compact: true},
	{Column: table.Column{Title: "TIMER", Rank: 6, Early: true, Shorten: shortTimer, Narrow: [...]int{7, 7, 7}}, Cell: timerCell, Plain: true},
	{Column: table.Column{Title: "NEXT", Rank: 1, Right: true}, Cell: nextCell},
	{Column: table.Column{Title: "PROBES", Short: "PRB", Rank: 5, Right: true, Narrow: [...]int{1, 1, 1}}, Cell: probesCell, Plain: true},
	{Column: table.Column{Title: "PROCESS", Rank: 2, Shorten: shortProcess, Narrow: [...]int{20, 14, 10}}, Cell: ProcessCell},
}

// NetNS is shown where several are looked into.
var NetNS = Column{
	Column: table.Column{Title: "NETNS", Rank: 3, Shorten: table.Elide, Narrow: [...]int{20, 12, 8}},
	Cell:   func(r *sockets.Row) string { return terminal.Printable(r.NetNS.String()) }, Plain: true,
}

const keepaliveTitle = "KEEPALIVE"

// What cannot be guessed from the cells.
const (
	marksMean        = "* is the system's default; on:go is 15 s, 15 s and 9, as Go sets them on its own"
	compactMean      = keepaliveTitle + " is idle/interval/count, then u and the user timeout, in seconds"
	compactMarksMean = "* is the system's default; go: is 15/15/9, as Go sets it on its own"
)

// Legends explain what is there.
func Legends(columns []Column, l *table.Layout, marks bool) []string {
	compact := slices.ContainsFunc(l.Shown, func(i int) bool { return columns[i].compact })
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

// Layouts are the columns without what fills them.
func Layouts(columns []Column) []table.Column {
	layouts := make([]table.Column, len(columns))
	for i := range columns {
		layouts[i] = columns[i].Column
	}
	return layouts
}

// Cells fills in a row.
func Cells(columns []Column, r *sockets.Row) []string {
	cells := make([]string, len(columns))
	for i := range columns {
		cells[i] = columns[i].Cell(r)
	}
	return cells
}

// HasMark tells whether a cell of the row has a mark that legends explains.
func HasMark(r *sockets.Row) bool { return r.LikeGo || r.IsDefault != 0 }
