package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/pcapng"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/capture"
	"github.com/tcpkeepalive/keepalive/internal/segment"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A tracer prints what it sees.
type tracer struct {
	*traceOptions
	out      *bufio.Writer
	file     *pcapng.Writer
	segments segment.Tracker
	sockets  map[netip.AddrPort]map[netip.AddrPort]*local // by their own address, then the peer's
	lines    int
	width    int // of an end
	picture  picture

	// held are packets that begin what is seen of a connection, and of which it is
	// not known yet what they are.
	held map[[2]netip.AddrPort]capture.Packet
}

// A local is a socket of this machine.
type local struct {
	settings sockopt.Settings
	owner    string // "" if it is not known
	pid      map[int]bool
}

func (o *traceOptions) run(stdout, stderr io.Writer) (failure error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if o.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(o.limit))
		defer cancel()
	}
	ports := make([]uint16, len(o.ports))
	for i, p := range o.ports {
		ports[i] = uint16(p)
	}
	c, err := capture.Open(ports...)
	if errors.Is(err, fs.ErrPermission) {
		return deniedError{fmt.Errorf("looking at packets takes CAP_NET_RAW: %w", err)}
	} else if err != nil {
		return err
	}
	defer c.Close()
	t := &tracer{
		traceOptions: o, out: bufio.NewWriter(stdout), width: len("*127.0.0.1:12345 name[12345]"),
		sockets: map[netip.AddrPort]map[netip.AddrPort]*local{}, held: map[[2]netip.AddrPort]capture.Packet{},
	}
	if o.write != "" {
		f, err := os.Create(o.write)
		if err != nil {
			return err
		}
		defer func() { failure = errors.Join(failure, f.Close()) }()
		if t.file, err = pcapng.NewWriter(f, capture.Snap); err != nil {
			return err
		}
	}
	t.picture.index = map[[2]netip.AddrPort]int{}
	began := time.Now()
	t.line("TIME", "FROM", "TO", "WHAT", "AFTER", "EXPECTED")
	if err := t.loop(ctx, c); err != nil {
		return err
	}
	if o.svg != "" {
		if err := writeFile(o.svg, func(w io.Writer) error { return t.picture.svg(w, began, time.Now()) }); err != nil {
			return err
		}
	}
	if dropped, err := c.Dropped(); err == nil && dropped > 0 {
		fmt.Fprintf(stderr, "note: the kernel had no room for %d packets: what is shown has gaps\n", dropped)
	}
	return nil
}

// loop shows packets until ctx, or the count, ends.
func (t *tracer) loop(ctx context.Context, c *capture.Capture) error {
	var flushed time.Time
	for ctx.Err() == nil && (t.count == 0 || t.lines < t.count) {
		if now := time.Now(); now.Sub(flushed) >= patience {
			if err := t.out.Flush(); err != nil {
				return err
			}
			flushed = now
		}
		p, ok, err := c.Next()
		if err == nil && ok {
			err = t.add(p)
		}
		if err != nil {
			return err
		}
	}
	return t.out.Flush()
}

// patience is how long a line may wait for more to be written with it; as long as Next
// waits at most.
const patience = 100 * time.Millisecond

func (t *tracer) add(p capture.Packet) error {
	s, ok := segment.Parse(p.Data)
	if !ok {
		return nil
	}
	s.Time, s.Out = p.Time, p.Out
	events := t.segments.Add(s)
	if len(events) == 0 {
		t.hold(s, p)
	}
	for _, e := range events {
		packet := p
		if len(events) == 2 && e.Time.Equal(events[0].Time) {
			packet = t.released(e)
		}
		if !t.wanted(&e) || t.count > 0 && t.lines >= t.count {
			continue
		}
		t.show(&e)
		if t.file == nil || packet.Data == nil {
			continue
		}
		if err := t.file.Write(packet.Time, packet.Data, packet.Length); err != nil {
			return err
		}
	}
	return nil
}

// hold keeps a packet for the file until it is known what it is.
func (t *tracer) hold(s segment.Segment, p capture.Packet) {
	if t.file == nil {
		return
	}
	if len(t.held) > 10_000 {
		clear(t.held)
	}
	p.Data = bytes.Clone(p.Data)
	t.held[[2]netip.AddrPort{s.Src, s.Dst}] = p
}

func (t *tracer) released(e segment.Event) capture.Packet {
	key := [2]netip.AddrPort{e.Src, e.Dst}
	p := t.held[key]
	delete(t.held, key)
	return p
}

// wanted tells whether an event is to be shown.
func (t *tracer) wanted(e *segment.Event) bool {
	switch e.Kind {
	case segment.Probe, segment.Answer, segment.WindowProbe, segment.Reset:
	default:
		if !t.all {
			return false
		}
	}
	if len(t.peer) > 0 && !matches(t.peer, e.Src) && !matches(t.peer, e.Dst) {
		return false
	}
	if t.pid == 0 {
		return true
	}
	from, to := t.local(e.Src, e.Dst), t.local(e.Dst, e.Src)
	return from != nil && from.pid[t.pid] || to != nil && to.pid[t.pid]
}

func matches(endpoints []inspect.Endpoint, a netip.AddrPort) bool {
	for i := range endpoints {
		if endpoints[i].Matches(a) {
			return true
		}
	}
	return false
}

// show prints a line.
func (t *tracer) show(e *segment.Event) {
	t.lines++
	if t.svg != "" {
		t.picture.add(e)
	}
	what := e.Kind.String()
	if e.Unanswered > 1 && e.Kind != segment.Reset {
		what = fmt.Sprintf("%s %d", what, e.Unanswered)
	}
	from, to := t.local(e.Src, e.Dst), t.local(e.Dst, e.Src)
	after := "-"
	if e.Since > 0 {
		after = fmt.Sprintf("%.3fs", e.Since.Seconds())
	}
	t.line(e.Time.Format("15:04:05.000000"), endCell(e.Src, from), endCell(e.Dst, to), what, after, expectedOf(e, from))
	if e.Kind == segment.Reset {
		t.forget(e.Src, e.Dst)
	}
}

// line prints cells. The ends of a connection get wider as they have to.
func (t *tracer) line(time, from, to, what, after, expected string) {
	t.width = max(t.width, len(from), len(to))
	text := fmt.Sprintf("%-15s  %-*s  %-*s  %-14s  %8s  %s", time, t.width, from, t.width, to, what, after, expected)
	fmt.Fprintln(t.out, strings.TrimRight(text, " "))
}

func endCell(a netip.AddrPort, l *local) string {
	if l == nil {
		return a.String()
	}
	if l.owner == "" {
		return "*" + a.String()
	}
	return "*" + a.String() + " " + l.owner
}

// expectedOf is when the settings of the socket say that a probe leaves, or the reset
// after the last of them.
func expectedOf(e *segment.Event, from *local) string {
	var option platform.Option
	switch {
	case from == nil:
		return ""
	case e.Kind == segment.Probe && e.Unanswered == 1:
		option = platform.Idle
	case e.Kind == segment.Probe, e.Kind == segment.Reset && e.Unanswered > 0:
		option = platform.Interval
	default:
		return ""
	}
	value, known := from.settings.Lookup(option)
	if !known {
		return option.String() + " ?"
	}
	return option.String() + " " + option.Format(value)
}

// local finds a socket of this machine, nil if it is none. It is looked for once.
func (t *tracer) local(own, peer netip.AddrPort) *local {
	if found, ok := t.sockets[own][peer]; ok {
		return found
	}
	if len(t.sockets) > 10_000 {
		clear(t.sockets)
	}
	if t.sockets[own] == nil {
		t.sockets[own] = map[netip.AddrPort]*local{}
	}
	found := find(own, peer)
	t.sockets[own][peer] = found
	return found
}

// forget: the addresses may come back as another connection.
func (t *tracer) forget(a, b netip.AddrPort) {
	delete(t.sockets[a], b)
	delete(t.sockets[b], a)
}

// find looks for a socket in this network namespace.
func find(own, peer netip.AddrPort) *local {
	f := inspect.Filter{Local: endpoint(own), Peer: endpoint(peer)}
	for s, err := range inspect.List(f) {
		if err != nil {
			return nil
		}
		l := &local{pid: map[int]bool{}}
		owners, err := inspect.FindOwners()
		if err != nil {
			return l
		}
		var peeker inspect.Peeker
		defer peeker.Close()
		for o := range owners.Of(s.Inode) {
			l.pid[o.PID] = true
			if l.owner == "" {
				l.owner = fmt.Sprintf("%s[%d]", printable(o.Process), o.PID)
			}
			if settings, err := peeker.Settings(o, s.Inode); err == nil {
				l.settings = settings
			}
		}
		return l
	}
	return nil
}

func endpoint(a netip.AddrPort) []inspect.Endpoint {
	e, err := inspect.ParseEndpoint(a.String())
	if err != nil {
		return nil
	}
	return []inspect.Endpoint{e}
}
