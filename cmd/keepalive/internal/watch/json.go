package watch

import (
	"bufio"
	"io"
	"time"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/record"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
)

const watchSchema = `watch --json prints an object for each socket of each look, with these in front of
those of ls --json:

  look             number   the first is 1
  time             string   of the look (RFC 3339)
  change           string   "", new, changed, gone: against the look before; of what
                            is gone, what was known last

and after each look one object that tells how many there were:

  look, time       as above
  schema           number   version of these objects, see docs/watch.schema.json
  sockets          number   without those gone
  new, changed, gone  number  of them
  complete         bool     false if the kernel's table changed while it was read:
                            sockets may be missing, and none is called gone
`

// A watchRecord is the JSON object of a row of a snapshot; see watchSchema.
type watchRecord struct {
	Look   int       `json:"look"`
	Time   time.Time `json:"time"`
	Change string    `json:"change"`
	sockets.Record
}

// A lookRecord is the JSON object that ends a snapshot.
type lookRecord struct {
	Look     int       `json:"look"`
	Time     time.Time `json:"time"`
	Sockets  int       `json:"sockets"`
	New      int       `json:"new"`
	Changed  int       `json:"changed"`
	Gone     int       `json:"gone"`
	Complete bool      `json:"complete"`
	Schema   int       `json:"schema"`
}

// String returns "" for no change.
func (c change) String() string {
	switch c {
	case isNew:
		return "new"
	case isChanged:
		return "changed"
	case isGone:
		return "gone"
	}
	return ""
}

// writeJSON writes a snapshot.
func (m *model) writeJSON(w io.Writer, look int) error {
	out := bufio.NewWriter(w)
	e := record.NewEncoder(out)
	end := lookRecord{Look: look, Time: m.at, Complete: !m.holes, Schema: record.Version}
	for _, r := range m.visible {
		switch r.change {
		case isGone:
			end.Gone++
		case isNew:
			end.New++
		case isChanged:
			end.Changed++
		}
		if r.change != isGone {
			end.Sockets++
		}
		if err := e.Encode(watchRecord{look, m.at, r.change.String(), r.Record()}); err != nil {
			return err
		}
	}
	if err := e.Encode(end); err != nil {
		return err
	}
	return out.Flush()
}
