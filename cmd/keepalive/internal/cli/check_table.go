package cli

// checkColumns stand in less room as those of ls do. What is to be changed, and why,
// go below the row: they are what check is asked for.
var checkColumns = []column{
	ranked("LOCAL", 2),
	ranked("PEER", 0),
	ranked("PROCESS", 1),
	{title: "VERDICT"},
	{title: "CHANGE", rank: 4, early: true, below: true},
	{title: "WHY", rank: 5, early: true, below: true},
}

// ranked is a column of ls with another rank.
func ranked(title string, rank int) column {
	c, ok := columnNamed(title, false)
	if !ok {
		panic("no column " + title)
	}
	c.rank = rank
	return c.column
}

func (f finding) cells() []string {
	change := f.change
	if change == "" {
		change = nothingCell
	}
	return []string{localCell(f.row), peerCell(f.row), processCell(f.row), f.verdict, change, f.reason}
}
