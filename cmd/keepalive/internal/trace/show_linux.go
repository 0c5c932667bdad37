package trace

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/gopacket/gopacket/pcapgo"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/record"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
	"github.com/tcpkeepalive/keepalive/internal/segment"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A printer prints captured segments.
type printer struct {
	*options
	out     *bufio.Writer
	file    *pcapgo.NgWriter // nil: packets are not written
	sockets *localSockets
	picture picture
	count   int // the number of lines
	unknown int // the number of those with a setting that could not be read
	form    lineForm
}

func newPrinter(o *options, w io.Writer, scenes []*scene, sockets *localSockets, file *pcapgo.NgWriter) *printer {
	s := &printer{options: o, out: bufio.NewWriter(w), sockets: sockets, file: file, form: wideLine}
	if o.SeveralNetNS() {
		s.form.netns = len("NETNS")
		for _, at := range scenes {
			s.form.netns = min(max(s.form.netns, len(at.netns)), len("4026531840"))
		}
	}
	if columns := terminal.Width(w); columns > 0 {
		s.form.limitTo(columns)
	}
	s.picture.index = map[[2]netip.AddrPort]int{}
	return s
}

// begin writes the titles, which show the user that the capture has started.
func (s *printer) begin() error {
	if !s.json {
		s.line(lineCells{"NETNS", "TIME", "FROM", "TO", "WHAT", "AFTER", "EXPECTED"})
	}
	return s.out.Flush()
}

// enough reports whether --count lines have been printed.
func (s *printer) enough() bool { return s.options.count > 0 && s.count >= s.options.count }

// show prints segments until the capture ends or --count lines have been printed.
func (s *printer) show(from <-chan sighting) error {
	var batch []sighting
	for !s.enough() {
		first, ok := <-from
		if !ok {
			return nil
		}
		batch = takeWaiting(append(batch[:0], first), from)
		s.look(batch)
		if s.sockets.wantsScan() { // for those that come meanwhile as well
			n := len(batch)
			batch = takeFor(batch, from, s.sockets.rest(time.Now()))
			s.look(batch[n:])
		}
		s.sockets.learn()
		for i := range batch {
			if err := s.showOne(&batch[i]); err != nil {
				return err
			}
		}
		if err := s.flush(); err != nil {
			return err
		}
	}
	return nil
}

// flush writes the packets, then the lines.
func (s *printer) flush() error {
	if s.file != nil {
		if err := s.file.Flush(); err != nil {
			return err
		}
	}
	return s.out.Flush()
}

// look finds the sockets at both ends of the segments that are to be printed.
func (s *printer) look(batch []sighting) {
	begins := map[connection]int{} // where a connection begins last
	for i := range batch {
		if c := batch[i].connection(); batch[i].begins() {
			begins[c], begins[c.reversed()] = i, i
		}
	}
	now := time.Now()
	for i := range batch {
		seen := &batch[i]
		c := seen.connection()
		if seen.begins() {
			s.sockets.forget(c)
		}
		if !seen.wanted {
			continue
		}
		for _, end := range []struct {
			connection
			to **local
		}{{c, &seen.from}, {c.reversed(), &seen.to}} {
			if begins[c] <= i { // otherwise the kernel knows the next one only
				s.sockets.look(end.connection, seen.device, now)
			}
			*end.to = s.sockets.of(end.connection)
		}
	}
}

// takeWaiting adds the segments that are already waiting.
func takeWaiting(batch []sighting, from <-chan sighting) []sighting {
	for len(batch) < maxWaiting {
		select {
		case seen, ok := <-from:
			if !ok {
				return batch
			}
			batch = append(batch, seen)
		default:
			return batch
		}
	}
	return batch
}

// takeFor adds the segments that arrive within d.
func takeFor(batch []sighting, from <-chan sighting, d time.Duration) []sighting {
	if d <= 0 {
		return batch
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	for len(batch) < maxWaiting {
		select {
		case seen, ok := <-from:
			if !ok {
				return batch
			}
			batch = append(batch, seen)
		case <-timer.C:
			return batch
		}
	}
	return batch
}

// showOne prints the line of a segment, and writes its packet.
func (s *printer) showOne(e *sighting) error {
	if !e.wanted || s.enough() || s.process != 0 && !e.from.has(s.process) && !e.to.has(s.process) {
		return nil
	}
	s.count++
	if option, _, known := e.expected(); option != noOption && !known {
		s.unknown++
	}
	if s.svg != "" {
		s.picture.add(&e.Event)
	}
	if s.json {
		if err := e.writeJSON(s.out); err != nil {
			return err
		}
	} else {
		s.showLine(e)
	}
	if s.file == nil || e.packet.Data == nil {
		return nil
	}
	return writePacket(s.file, &e.packet)
}

// unread returns an error with the exit code for settings that could not be read.
func (s *printer) unread() error {
	switch {
	case s.unknown == 0:
		return nil
	case sockets.Denies(s.sockets.owners):
		return exit.DeniedError(fmt.Errorf("%d segments could not be compared with the settings of their sockets: some processes may not be looked at", s.unknown))
	}
	return exit.UnknownError(fmt.Errorf("%d segments could not be compared with the settings of their sockets, which are not known", s.unknown))
}

// noOption means that no setting decides when a segment is sent.
const noOption = platform.Option(255)

// expected returns the setting of the socket that decides when a probe is sent, or the reset
// after the last probe; known reports whether its value could be read.
func (e *sighting) expected() (option platform.Option, value int64, known bool) {
	switch {
	case e.from == nil:
		return noOption, 0, false
	case e.Kind == segment.Probe && e.Unanswered == 1:
		option = platform.Idle
	case e.Kind == segment.Probe, e.Kind == segment.Reset && e.Unanswered > 0:
		option = platform.Interval
	default:
		return noOption, 0, false
	}
	value, known = e.from.settings.Lookup(option)
	return option, value, known
}

func (e *sighting) writeJSON(w io.Writer) error {
	r := traceRecord{
		Schema: record.Version, NetNS: e.at.netns, Time: e.Time.Format(time.RFC3339Nano), From: e.Src.String(), To: e.Dst.String(),
		FromLocal: e.from != nil, ToLocal: e.to != nil,
		FromProcesses: e.from.processes(), ToProcesses: e.to.processes(),
		Kind: kindWord(e.Kind), Unanswered: e.Unanswered, After: record.Seconds(e.Since),
	}
	if option, value, isKnown := e.expected(); option != noOption {
		r.ExpectedSetting = new(option.String())
		if isKnown {
			r.Expected = new(time.Duration(value).Seconds())
		}
	}
	return record.NewEncoder(w).Encode(r)
}

// processes returns nil if the processes are not known.
func (l *local) processes() []record.Process {
	if l == nil {
		return nil
	}
	var list []record.Process
	for _, o := range l.owners {
		list = append(list, record.Process{PID: o.PID, FD: o.FD, Name: o.Process})
	}
	return list
}
