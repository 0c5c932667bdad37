package discover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A subject is a connection under test.
type subject struct {
	conn   net.Conn // what is read and written: with TLS, if there is any
	tcp    net.Conn // below it
	reads  chan arrival
	check  *Check
	wait   time.Duration
	began  time.Time // of the silence: when the last segment came
	before uint32    // segments that had come by then
	counts bool      // whether segments can be counted
}

// An arrival is what a read brought.
type arrival struct {
	data []byte
	err  error
	at   time.Time
}

const (
	// settle is how long a new connection has to be silent before the test begins:
	// a greeting of the server and delayed acknowledgements come in this time.
	settle = 250 * time.Millisecond
	// probeWait is the time for three probes and their answers.
	probeWait = 4 * time.Second
	// look is how often arrived segments are counted.
	look = 50 * time.Millisecond
)

// connect makes a connection that has shown that it works.
func (o *Options) connect(ctx context.Context) (*subject, error) {
	c, err := o.Dial(ctx)
	if err != nil {
		return nil, err
	}
	s := &subject{conn: c, tcp: c, reads: make(chan arrival, 16), check: o.Check, wait: o.Wait}
	if err := s.begin(ctx, o.Secure); err != nil {
		c.Close()
		return nil, err
	}
	return s, nil
}

// begin does what comes before the silence.
func (s *subject) begin(ctx context.Context, secure func(context.Context, net.Conn) (net.Conn, error)) (err error) {
	if err := switchOff(s.tcp); err != nil {
		return err
	}
	if secure != nil {
		if s.conn, err = secure(ctx, s.tcp); err != nil {
			return err
		}
	}
	s.began = time.Now()
	go s.read()
	if s.check.request != nil {
		if end, err := s.ask(ctx); end != Survived {
			return fmt.Errorf("a new connection did not answer (%s): %w", s.check, errors.Join(err, errors.New(end.String())))
		}
	}
	return nil
}

// switchOff keeps us from keeping the path alive ourselves.
func switchOff(c net.Conn) error {
	err := sockopt.Set(c, sockopt.Config{Disabled: true})
	for _, none := range []error{errors.ErrUnsupported, sockopt.ErrNoSocket, sockopt.ErrNotTCP} {
		if errors.Is(err, none) {
			return nil
		}
	}
	return err
}

// quieten waits until the silence begins.
func (s *subject) quieten(ctx context.Context) error {
	acknowledge(s.tcp) // what TLS has read by itself
	for quiet := false; !quiet; {
		select {
		case a := <-s.reads:
			if a.err != nil {
				s.conn.Close()
				return fmt.Errorf("a new connection ended: %w", a.err)
			}
			s.began = a.at
		case <-time.After(settle):
			quiet = true
		case <-ctx.Done():
			s.conn.Close()
			return ctx.Err()
		}
	}
	if d, ok := sinceLast(s.tcp); ok { // also what is not handed to us
		s.began = time.Now().Add(-d)
	}
	s.before, s.counts = segments(s.tcp)
	return nil
}

// read passes on all that comes, until the connection ends.
func (s *subject) read() {
	for {
		buffer := make([]byte, 4096)
		n, err := s.conn.Read(buffer)
		acknowledge(s.tcp) // a late acknowledgement would cut the silence short
		select {
		case s.reads <- arrival{buffer[:n], err, time.Now()}:
		case <-time.After(time.Minute): // nobody listens any more
			return
		}
		if err != nil {
			return
		}
	}
}

// run is silent for that long, and looks whether the connection still works. It
// ends as soon as the peer sends something by itself.
func (s *subject) run(ctx context.Context, idle time.Duration) Test {
	defer s.conn.Close()
	over := time.NewTimer(time.Until(s.began.Add(idle)))
	defer over.Stop()
	ticks := time.NewTicker(look)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return Test{End: Failed, Err: ctx.Err()}
		case a := <-s.reads:
			return s.interrupted(a)
		case <-ticks.C:
			if s.disturbed() {
				return s.disturbance()
			}
		case <-over.C:
			if s.disturbed() {
				return s.disturbance()
			}
			silent := time.Since(s.began) // a busy machine is late
			end, err := s.ask(ctx)
			return Test{Idle: silent, End: end, Err: err}
		}
	}
}

// interrupted is the test that a read ended.
func (s *subject) interrupted(a arrival) Test {
	if a.err != nil {
		return Test{Idle: a.at.Sub(s.began), End: endOf(a.err, Closed, Reset)}
	}
	return Test{Idle: a.at.Sub(s.began), End: Masked}
}

// disturbance tells a segment that only keeps the path alive from one that is about
// to be read: data, FIN or RST.
func (s *subject) disturbance() Test {
	at := time.Since(s.began)
	select {
	case a := <-s.reads:
		return s.interrupted(a)
	case <-time.After(look):
		return Test{Idle: at, End: Masked}
	}
}

// disturbed tells whether a segment came since the silence began.
func (s *subject) disturbed() bool {
	n, ok := segments(s.tcp)
	return ok && s.counts && n != s.before
}

// ask makes the connection show that it works.
func (s *subject) ask(ctx context.Context) (End, error) {
	if s.check.request == nil {
		return s.probe(ctx)
	}
	if err := s.conn.SetWriteDeadline(time.Now().Add(s.wait)); err != nil {
		return Failed, err
	}
	if _, err := s.conn.Write(s.check.request); err != nil {
		return endOf(err, ClosedOnUse, ResetOnUse), nil
	}
	var got []byte
	late := time.After(s.wait)
	for {
		select {
		case a := <-s.reads:
			got, s.began = append(got, a.data...), a.at
			switch {
			case len(got) >= len(s.check.answer) && s.check.answered(got):
				return Survived, nil
			case a.err != nil:
				return endOf(a.err, ClosedOnUse, ResetOnUse), nil
			case len(got) >= len(s.check.answer):
				return Failed, fmt.Errorf("the answer %.20q is not that of %s", got, s.check)
			}
		case <-late:
			return NoAnswer, nil
		case <-ctx.Done():
			return Failed, ctx.Err()
		}
	}
}

// probe lets the kernel send keepalive probes at once: the connection has been idle
// for longer than the idle time that it gets.
func (s *subject) probe(ctx context.Context) (End, error) {
	asked := time.Now()
	if err := sockopt.Set(s.tcp, sockopt.Config{Idle: time.Second, Interval: time.Second, Count: 3}); err != nil {
		return Failed, err
	}
	ticks := time.NewTicker(10 * time.Millisecond)
	defer ticks.Stop()
	late := time.After(max(s.wait, probeWait))
	for {
		select {
		case a := <-s.reads:
			if a.err != nil {
				return endOf(a.err, ClosedOnUse, ResetOnUse), nil
			}
			return Survived, nil
		case <-ticks.C:
			if answered(s.tcp, time.Since(asked)) {
				return Survived, nil
			}
		case <-late:
			return NoAnswer, nil
		case <-ctx.Done():
			return Failed, ctx.Err()
		}
	}
}

// endOf tells how a connection ended that failed with err.
func endOf(err error, closed, reset End) End {
	switch {
	case errors.Is(err, io.EOF):
		return closed
	case sockopt.IsPeerTimeout(err), errors.Is(err, context.DeadlineExceeded):
		return NoAnswer
	}
	var deadline interface{ Timeout() bool }
	if errors.As(err, &deadline) && deadline.Timeout() {
		return NoAnswer
	}
	return reset
}
