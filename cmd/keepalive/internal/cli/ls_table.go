package cli

import (
	"bufio"
	"io"
	"slices"

	"github.com/tcpkeepalive/keepalive/platform"
)

// columns are those of ls and watch. KEEPALIVE stands there twice: the compact
// form has the settings in it, which have columns of their own in the whole one.
var columns = []column{
	{title: "STATE", plain: true, rank: 4, cell: stateCell, shorten: shortState, narrow: [...]int{5, 5, 5}},
	{title: "LOCAL", plain: true, rank: 3, cell: localCell, shorten: shortEndpoint, narrow: [...]int{28, 15, 7}},
	{title: "PEER", plain: true, cell: peerCell, shorten: shortEndpoint, narrow: [...]int{28, 21, 15}},
	{title: keepaliveTitle, form: wholeForm, cell: keepaliveCell},
	{title: "IDLE", form: wholeForm, right: true, cell: func(r *row) string { return r.settingCell(platform.Idle) }},
	{title: "INTERVAL", form: wholeForm, right: true, cell: func(r *row) string { return r.settingCell(platform.Interval) }},
	{title: "COUNT", form: wholeForm, right: true, cell: func(r *row) string { return r.settingCell(platform.Count) }},
	{title: "USER-TIMEOUT", form: wholeForm, right: true, cell: func(r *row) string { return r.settingCell(platform.UserTimeout) }},
	{title: keepaliveTitle, form: compactForm, compact: true, cell: compactCell},
	{title: "TIMER", plain: true, rank: 6, early: true, cell: timerCell, shorten: shortTimer, narrow: [...]int{7, 7, 7}},
	{title: "NEXT", rank: 1, right: true, cell: nextCell},
	{title: "PROBES", plain: true, short: "PRB", rank: 5, right: true, cell: probesCell, narrow: [...]int{1, 1, 1}},
	{title: "PROCESS", rank: 2, cell: processCell, shorten: shortProcess, narrow: [...]int{20, 14, 10}},
}

// netnsColumn is shown where several are looked into.
var netnsColumn = column{
	title: "NETNS", plain: true, rank: 3, cell: func(r *row) string { return printable(r.netns.String()) },
	shorten: elide, narrow: [...]int{20, 12, 8},
}

const keepaliveTitle = "KEEPALIVE"

// What cannot be guessed from the cells.
const (
	marksMean        = "* is the system's default; on:go is 15 s, 15 s and 9, as Go sets them on its own"
	compactMean      = keepaliveTitle + " is idle/interval/count, then u and the user timeout, in seconds"
	compactMarksMean = "* is the system's default; go: is 15/15/9, as Go sets it on its own"
)

// legends explain what is there.
func legends(l *layout, marks bool) []string {
	compact := slices.ContainsFunc(l.shown, func(i int) bool { return l.columns[i].compact })
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

// listTable prints the table.
func (o *lsOptions) listTable(out *bufio.Writer, stdout, stderr io.Writer) (*notes, error) {
	v := o.newSurvey()
	t := table{out: out}
	if !o.wide {
		t.width = widthOf(stdout)
	}
	t.columns = inForm(o.columns(), t.width > 0)
	for r, err := range v.rows() {
		if err != nil {
			t.flushRows()
			return nil, err
		}
		t.add(r)
	}
	t.flush()
	if err := out.Flush(); err != nil {
		return nil, err
	}
	for _, legend := range legends(t.layout, t.marks) {
		say(stderr, "note: %s", legend)
	}
	t.tellMissing(stderr, "see --wide, --columns")
	return &v.notes, nil
}
