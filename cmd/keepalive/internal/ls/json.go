package ls

import (
	"bufio"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/record"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
)

func (o *options) listJSON(out *bufio.Writer) (*sockets.Notes, error) {
	v := o.Survey()
	e := record.NewEncoder(out)
	for r, err := range v.Rows() {
		if err != nil {
			return nil, err
		}
		if err := e.Encode(r.Record()); err != nil {
			return nil, err
		}
	}
	return &v.Notes, nil
}
