package cli

import "bufio"

func (o *lsOptions) listJSON(out *bufio.Writer) (*notes, error) {
	v := o.newSurvey()
	e := newJSON(out)
	for r, err := range v.rows() {
		if err != nil {
			return nil, err
		}
		if err := e.Encode(r.record()); err != nil {
			return nil, err
		}
	}
	return &v.notes, nil
}
