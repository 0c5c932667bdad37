package trace

import (
	"fmt"
	"io"
	"net/netip"
	"time"

	svg "github.com/ajstarks/svgo"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/output"
	"github.com/tcpkeepalive/keepalive/internal/segment"
)

// A picture collects the segments that trace shows, in a row for each connection.
type picture struct {
	rows  []pictureRow
	index map[[2]netip.AddrPort]int
	more  int // connections that there was no room for
}

type pictureRow struct {
	name  string
	marks []pictureMark
}

type pictureMark struct {
	at   time.Time
	kind segment.Kind
}

// maxPictureRows is the largest number of connections in a picture.
const maxPictureRows = 40

var markColours = map[segment.Kind]string{
	segment.Probe: "#2a7ab8", segment.Answer: "#2e9e5b", segment.WindowProbe: "#d98e04", segment.Reset: "#c0392b",
}

func (p *picture) add(e *segment.Event) {
	key := [2]netip.AddrPort{e.Src, e.Dst}
	if e.Dst.Compare(e.Src) < 0 {
		key = [2]netip.AddrPort{e.Dst, e.Src}
	}
	row, known := p.index[key]
	if !known {
		if len(p.rows) == maxPictureRows {
			p.more++
			return
		}
		row = len(p.rows)
		p.index[key] = row
		p.rows = append(p.rows, pictureRow{name: fmt.Sprintf("%s - %s", e.Src, e.Dst)})
	}
	p.rows[row].marks = append(p.rows[row].marks, pictureMark{e.Time, e.Kind})
}

// svg draws the picture of the segments between these times.
func (p *picture) svg(w io.Writer, from, to time.Time) error {
	const (
		left, right, top, row = 20, 980, 60, 44
		style                 = "font-family:sans-serif;font-size:12px"
	)
	span := max(to.Sub(from), time.Millisecond)
	x := func(t time.Time) int { return left + int(float64(t.Sub(from))/float64(span)*(right-left)) }
	height := top + row*max(len(p.rows), 1) + 40
	out := output.NewWriter(w)
	s := svg.New(out)
	s.Startview(1000, height, 0, 0, 1000, height)
	s.Title("TCP keepalive on the wire")
	s.Rect(0, 0, 1000, height, "fill:white")
	at := left
	for _, kind := range []segment.Kind{segment.Probe, segment.Answer, segment.WindowProbe, segment.Reset} {
		s.Circle(at+5, 20, 5, "fill:"+markColours[kind])
		s.Text(at+14, 24, kind.String(), style)
		at += 110
	}
	for i, r := range p.rows {
		y := top + row*i
		s.Text(left, y, r.name, style+";fill:#555")
		s.Line(left, y+16, right, y+16, "stroke:#ccc")
		for _, m := range r.marks {
			lane := y + 12
			if m.kind == segment.Answer { // which comes right after
				lane = y + 22
			}
			s.Circle(x(m.at), lane, 4, "fill:"+markColour(m.kind))
		}
	}
	bottom := top + row*max(len(p.rows), 1)
	s.Line(left, bottom, right, bottom, "stroke:#222")
	for i := range 5 {
		tick := from.Add(span * time.Duration(i) / 4)
		s.Line(x(tick), bottom, x(tick), bottom+5, "stroke:#222")
		anchor := ";text-anchor:middle"
		if i == 0 {
			anchor = ""
		} else if i == 4 {
			anchor = ";text-anchor:end"
		}
		s.Text(x(tick), bottom+20, tick.Format("15:04:05.0"), style+anchor)
	}
	if p.more > 0 {
		s.Text(left+460, 24, fmt.Sprintf("and %d segments of further connections", p.more), style+";fill:#555")
	}
	s.End()
	return out.Err
}

func markColour(k segment.Kind) string {
	if c := markColours[k]; c != "" {
		return c
	}
	return "#999"
}
