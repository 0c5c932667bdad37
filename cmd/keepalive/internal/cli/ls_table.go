package cli

import (
	"bufio"
	"io"
)

// listTable prints the table.
func (o *lsOptions) listTable(out *bufio.Writer, stdout, stderr io.Writer) (*notes, error) {
	v := o.newSurvey()
	t := table{out: out}
	if !o.wide {
		t.width = widthOf(stdout)
	}
	shown := inForm(o.columns(&o.query), t.width > 0)
	t.columns = layoutsOf(shown)
	marks := false
	for r, err := range v.rows() {
		if err != nil {
			t.flushRows()
			return nil, err
		}
		t.add(cellsOf(shown, r))
		marks = marks || hasMark(r)
	}
	t.flush()
	if err := out.Flush(); err != nil {
		return nil, err
	}
	for _, legend := range legends(shown, t.layout, marks) {
		say(stderr, "note: %s", legend)
	}
	t.tellMissing(stderr, "see --wide, --columns")
	return &v.notes, nil
}
