package check

import (
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/columns"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/table"
)

// checkColumns stand in less room as those of ls do. What is to be changed, and why,
// go below the row: they are what check is asked for.
var checkColumns = []table.Column{
	ranked("LOCAL", 2),
	ranked("PEER", 0),
	ranked("PROCESS", 1),
	{Title: "VERDICT"},
	{Title: "CHANGE", Rank: 4, Early: true, Below: true},
	{Title: "WHY", Rank: 5, Early: true, Below: true},
}

// ranked is a column of ls with another rank.
func ranked(title string, rank int) table.Column {
	c, ok := columns.Named(title, false)
	if !ok {
		panic("no column " + title)
	}
	c.Rank = rank
	return c.Column
}

func (f finding) cells() []string {
	change := f.change
	if change == "" {
		change = table.Nothing
	}
	return []string{columns.LocalCell(f.Row), columns.PeerCell(f.Row), columns.ProcessCell(f.Row), f.verdict, change, f.reason}
}
