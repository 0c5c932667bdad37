package trace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/gopacket/gopacket/pcapgo"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/interrupt"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/output"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
	"github.com/tcpkeepalive/keepalive/internal/capture"
	"github.com/tcpkeepalive/keepalive/internal/segment"
)

// run has two halves. One receives packets from the kernel and keeps the selected ones; it
// waits for nothing else. The other finds the processes of these packets, which may take a
// walk through /proc, and prints the packets.
func (o *options) run(stdout, stderr io.Writer) (failure error) {
	process, err := o.hold()
	if err != nil {
		return err
	}
	if process != nil {
		defer process.Close()
	}
	if o.svg != "" && o.svg != "-" {
		if err := output.CheckFile(o.svg); err != nil {
			return fmt.Errorf("--svg: %w", err)
		}
	}
	scenes, incomplete, err := o.scenes(stderr)
	if err != nil {
		return err
	}
	defer closeScenes(scenes)
	local := newLocalSockets()
	defer local.peeker.Close()
	lines, file, closeFile, err := o.outputs(stdout, stderr)
	if err != nil {
		return err
	}
	defer func() { failure = exit.Join(failure, closeFile()) }()

	// The file is opened only now, because opening a FIFO waits for its reader, and that
	// wait must be interruptible.
	ctx, stop := interrupt.Context()
	defer stop()
	if o.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(o.limit))
		defer cancel()
	}
	ctx, letGo := whileRuns(ctx, process)
	defer letGo()
	began := time.Now()
	s := newPrinter(o, lines, scenes, local, file)
	if missing := s.form.missing(); missing != "" && !o.json {
		terminal.Say(stderr, "note: %s", missing)
	}
	if err := s.begin(); err != nil {
		return err
	}
	pumped := o.pump(ctx, scenes, s)
	if err := exit.Join(pumped, o.draw(&s.picture, stdout, stderr, began)); err != nil {
		return err
	}
	var ended error
	if errors.Is(context.Cause(ctx), errEnded) && !s.enough() {
		ended = exit.NothingError(fmt.Errorf("--pid %d: %w", o.PID, errEnded))
	}
	return exit.Join(incomplete, o.verdict(scenes, s), ended)
}

func (o *options) open() (*capture.Capture, error) {
	ports := make([]uint16, len(o.ports))
	for i, p := range o.ports {
		ports[i] = uint16(p)
	}
	c, err := capture.Open(ports...)
	if errors.Is(err, fs.ErrPermission) {
		err = exit.DeniedError(fmt.Errorf("looking at packets takes CAP_NET_RAW: %w", err))
	}
	return c, err
}

// outputs are the destinations of lines and, if the user asks for them, of packets.
func (o *options) outputs(stdout, stderr io.Writer) (lines io.Writer, file *pcapgo.NgWriter, close func() error, err error) {
	lines, close = stdout, func() error { return nil }
	if o.svg == "-" {
		lines = stderr
	}
	packets := stdout
	switch o.write {
	case "":
		return lines, nil, close, nil
	case "-":
		lines = stderr
	default:
		f, err := output.OpenFile(o.write)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("--write: %w", err)
		}
		packets, close = f, f.Close
	}
	file, err = newPacketFile(packets)
	if err != nil {
		return nil, nil, nil, exit.Join(err, close())
	}
	return lines, file, close, nil
}

// pump runs the two halves until ctx ends or --count lines have been printed.
func (o *options) pump(ctx context.Context, scenes []*scene, s *printer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	to := make(chan sighting, maxWaiting)
	taking := make([]error, len(scenes))
	var takers sync.WaitGroup
	for i, at := range scenes {
		t := &taker{options: o, at: at, held: map[connection]capture.Packet{}, to: to}
		takers.Go(func() {
			if taking[i] = t.take(ctx, at.capture); taking[i] != nil {
				cancel()
			}
		})
	}
	go func() {
		takers.Wait()
		close(to)
	}()
	showing := s.show(to)
	cancel()
	for range to { // one may wait for room
	}
	return exit.Join(showing, exit.Join(taking...))
}

// draw draws the picture, if the user asks for it.
func (o *options) draw(p *picture, stdout, stderr io.Writer, began time.Time) error {
	draw := func(w io.Writer) error { return p.svg(w, began, time.Now()) }
	switch o.svg {
	case "":
		return nil
	case "-":
		return draw(stdout)
	}
	return output.WriteFile(o.svg, stderr, draw)
}

// verdict returns an error if packets were lost, if settings could not be read, or if no
// segment matched the flags.
func (o *options) verdict(scenes []*scene, s *printer) error {
	dropped := 0
	for _, at := range scenes {
		n, err := at.capture.Dropped()
		if err != nil {
			return err
		}
		dropped += int(n)
	}
	err := s.unread()
	if dropped > 0 {
		err = exit.Join(err, exit.UnknownError(fmt.Errorf("the kernel had no room for %d packets: what is shown has gaps", dropped)))
	}
	if s.count == 0 && (len(o.ports) > 0 || len(o.peers) > 0 || o.PID != 0 || o.NetNS != "" || len(o.only) > 0) {
		err = exit.Join(err, exit.NothingError(errors.New("nothing was seen that matches")))
	}
	return err
}

// maxWaiting is the number of segments that may wait to be printed. While that many wait,
// packets stay in the kernel.
const maxWaiting = 10_000

// A sighting is a captured segment: one that is to be printed, or a SYN.
type sighting struct {
	segment.Event
	packet capture.Packet // if it is to be written
	device int            // the interface
	at     *scene
	wanted bool

	// The sockets at the two ends, nil for an end that is not a socket of this machine.
	// They are found later.
	from, to *local
}

func (s *sighting) connection() connection { return connection{s.Src, s.Dst, s.at} }

// begins reports whether the segment is the first of a connection.
func (s *sighting) begins() bool { return s.Kind == segment.Open && s.Flags&segment.ACK == 0 }
