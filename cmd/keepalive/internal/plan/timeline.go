package plan

import (
	"fmt"
	"io"
	"strings"
	"time"

	svg "github.com/ajstarks/svgo"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/output"
	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/internal/timing"
)

// A timeline is one silence of a planned connection, from the last segment on.
type timeline struct {
	title   string
	probes  []window
	forgets time.Duration // when the middlebox does; 0: there is none
	who     string
}

// A window is when a probe leaves, provided that those before it were lost:
// punctual, and with every timer late.
type window struct{ from, to time.Duration }

func newTimeline(r align.Request, p *align.Plan) timeline {
	t := timeline{title: p.Config.String(), forgets: p.Tightest.Timeout, who: p.Tightest.ID}
	rtt := p.Period - timing.LatestProbe(p.Settings, 0, r.HZ)
	for n := range min(p.Config.Count, 10) {
		t.probes = append(t.probes, window{
			from: p.Settings.Idle + time.Duration(n)*p.Config.Interval,
			to:   timing.LatestProbe(p.Settings, n, r.HZ) + rtt,
		})
	}
	return t
}

// end is the right edge of a drawing.
func (t timeline) end() time.Duration {
	return max(t.forgets, t.probes[len(t.probes)-1].to)
}

func (t timeline) label(n int) string {
	return fmt.Sprintf("probe %d, %s to %s", n+1, duration.Format(t.probes[n].from), duration.Bound(t.probes[n].to))
}

// text draws with characters, for a terminal of that width (0: 80). It draws nothing where
// no bar has room beside its label: broken lines would show no picture.
func (t timeline) text(w io.Writer, width int) {
	if width == 0 {
		width = 80
	}
	labels := 0
	for n := range t.probes {
		labels = max(labels, len(t.label(n)))
	}
	const narrowest = 20
	bar := width - labels - 4
	if bar < narrowest {
		return
	}
	fmt.Fprintln(w)
	column := func(d time.Duration) int { return int(float64(d) / float64(t.end()) * float64(bar-1)) }
	forgets := column(t.forgets)
	fmt.Fprintf(w, "%-*s  0s%*s\n", labels, "last segment", max(forgets-1, 0), duration.Format(t.forgets))
	for n, p := range t.probes {
		line := []byte(strings.Repeat(" ", bar))
		line[0] = '|'
		for i := 1; i < column(p.from); i++ {
			line[i] = '.'
		}
		for i := column(p.from); i <= column(p.to); i++ {
			line[i] = '='
		}
		line[forgets] = 'X'
		fmt.Fprintf(w, "%-*s  %s\n", labels, t.label(n), strings.TrimRight(string(line), " "))
	}
	fmt.Fprintf(w, "%-*s  . silence   = probe leaves (late timers)   X %s forgets\n", labels, "", t.who)
}

// svg draws a picture.
func (t timeline) svg(w io.Writer) error {
	const (
		left, right, top, row = 20, 780, 70, 34
		style                 = "font-family:sans-serif;font-size:13px"
	)
	x := func(d time.Duration) int { return left + int(float64(d)/float64(t.end())*0.97*(right-left)) }
	height := top + row*len(t.probes) + 60
	out := output.NewWriter(w)
	s := svg.New(out)
	s.Startview(800, height, 0, 0, 800, height)
	s.Title("TCP keepalive: " + t.title)
	s.Rect(0, 0, 800, height, "fill:white")
	s.Text(left, 26, t.title, style+";font-weight:bold")
	s.Text(left, 52, "last segment received", style+";fill:#555")
	for n, p := range t.probes {
		y := top + row*n
		s.Line(left, y+10, x(p.from), y+10, "stroke:#999;stroke-dasharray:3 3")
		s.Rect(x(p.from), y, max(x(p.to)-x(p.from), 3), 20, "fill:#2a7ab8")
		at, anchor := x(p.from)-6, ";text-anchor:end"
		if at < (left+right)/2 {
			at, anchor = x(p.to)+6, ""
		}
		s.Text(at, y+15, t.label(n), style+anchor+";paint-order:stroke;stroke:white;stroke-width:4px;fill:#222")
	}
	bottom := top + row*len(t.probes)
	s.Line(left, top-10, left, bottom, "stroke:#222;stroke-width:2")
	if t.forgets > 0 {
		s.Line(x(t.forgets), top-24, x(t.forgets), bottom, "stroke:#c0392b;stroke-width:2")
		s.Text(x(t.forgets), top-30, fmt.Sprintf("%s forgets after %s", t.who, duration.Format(t.forgets)), style+";text-anchor:end;fill:#c0392b")
	}
	s.Line(left, bottom, right, bottom, "stroke:#222")
	for i := range 5 {
		at := (t.end() * time.Duration(i) / 4).Truncate(time.Second / 10)
		s.Line(x(at), bottom, x(at), bottom+5, "stroke:#222")
		s.Text(x(at), bottom+20, duration.Seconds(at), style+";text-anchor:middle")
	}
	s.Text(left, bottom+44, "bars: a probe leaves, punctual to as late as kernel timers and the round trip make it, if those before are lost", "font-family:sans-serif;font-size:11px;fill:#555")
	s.End()
	return out.Err
}
