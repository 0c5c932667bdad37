package ls

import (
	"bufio"
	"io"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/columns"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/table"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
)

// listTable prints the table.
func (o *options) listTable(out *bufio.Writer, stdout, stderr io.Writer) (*sockets.Notes, error) {
	v := o.Survey()
	t := table.Table{Out: out}
	if !o.Wide {
		t.Width = terminal.Width(stdout)
	}
	shown := columns.InForm(o.Columns(&o.Query), t.Width > 0)
	t.Columns = columns.Layouts(shown)
	marks := false
	for r, err := range v.Rows() {
		if err != nil {
			t.FlushRows()
			return nil, err
		}
		t.Add(columns.Cells(shown, r))
		marks = marks || columns.HasMark(r)
	}
	t.Flush()
	if err := out.Flush(); err != nil {
		return nil, err
	}
	for _, legend := range columns.Legends(shown, t.Layout, marks) {
		terminal.Say(stderr, "note: %s", legend)
	}
	t.TellMissing(stderr, "see --wide, --columns")
	return &v.Notes, nil
}
