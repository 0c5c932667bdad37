package discover

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A subject is a connection under test.
type subject struct {
	conn  net.Conn // the connection that is read and written, which may be one of TLS
	tcp   net.Conn // the connection below it
	reads chan arrival
	check *Check
	wait  time.Duration

	// quiet is the time of the last segment, and talk that of the last data: a keepalive
	// probe of the peer changes only quiet.
	quiet, talk time.Time
	// seen is what had come at the time of the last look, looked.
	seen   received
	looked time.Time
	counts bool // whether the kernel counts what comes
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
	// restless is how long a peer may go on sending until it counts as one that is never
	// silent.
	restless = 5 * time.Second
	// probeIdle is the shortest idle time there is.
	probeIdle = time.Second
	// probeWait is the time for three probes and their answers.
	probeWait = 4 * time.Second
	// secureWait is how long a handshake, such as that of TLS, may take.
	secureWait = 10 * time.Second
	// writeWait is how long a write may take. It only fills a buffer.
	writeWait = 30 * time.Second
)

// connect makes a connection, and checks that it works.
func (o *Options) connect(ctx context.Context) (*subject, error) {
	c, err := o.Dial(ctx)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, errors.New("Options.Dial returned (nil, nil)")
	}
	s := &subject{conn: c, tcp: c, reads: make(chan arrival, 16), check: o.Check, wait: o.Wait}
	if err := s.begin(ctx, o.Secure); err != nil {
		c.Close()
		return nil, err
	}
	return s, nil
}

// begin prepares a new connection for the silence, and checks that it works.
func (s *subject) begin(ctx context.Context, secure func(context.Context, net.Conn) (net.Conn, error)) error {
	if err := switchOff(s.tcp); err != nil {
		return err
	}
	if secure != nil {
		limited, cancel := context.WithTimeout(ctx, secureWait)
		defer cancel()
		c, err := secure(limited, s.tcp)
		if err != nil && ctx.Err() == nil && limited.Err() != nil {
			return fmt.Errorf("the handshake of a new connection was not answered within %s: %w", secureWait, err)
		} else if err != nil {
			return err
		}
		if c == nil {
			return errors.New("Options.Secure returned (nil, nil)")
		}
		s.conn = c
	}
	go s.read()
	if s.check.request == nil {
		return nil
	}
	a := s.ask(ctx)
	switch {
	case a.end == endSurvived:
		return a.err
	case a.end == endFailed:
		return fmt.Errorf("a new connection (%s): %w", s.check, a.err)
	case a.end == endClosedOnUse, a.end == endResetOnUse:
		return fmt.Errorf("the server ended a new connection, without %s (%s): %w", s.check.wants, s.check, a.err)
	}
	return fmt.Errorf("a new connection was not answered within %s: wanted %s (%s)", s.wait, s.check.wants, s.check)
}

// switchOff switches keepalive off, which would keep the path alive from this side.
func switchOff(c net.Conn) error {
	err := sockopt.Set(c, sockopt.Config{Disabled: true})
	for _, none := range []error{errors.ErrUnsupported, sockopt.ErrNoSocket, sockopt.ErrNotTCP} {
		if errors.Is(err, none) {
			return nil
		}
	}
	return err
}

// read passes on everything that comes, until the connection ends.
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

// quieten waits until the silence begins. If the peer does not stop sending, it returns
// the mean time between two arrivals.
func (s *subject) quieten(ctx context.Context) (every time.Duration, err error) {
	acknowledge(s.tcp) // for what TLS has read by itself
	began := time.Now()
	quiet := time.NewTimer(settle)
	defer quiet.Stop()
	for n := time.Duration(1); ; n++ {
		s.quiet = time.Now()
		select {
		case a := <-s.reads:
			switch {
			case a.err != nil && s.check.request == nil:
				return 0, fmt.Errorf("the server ended a new connection at once: %w", a.err)
			case a.err != nil:
				return 0, unknown{fmt.Sprintf("the server answered a new connection and ended it at once, so no idle timeout can be measured in %s mode: %v", s.check, a.err)}
			}
			s.quiet = a.at
		case <-quiet.C:
			s.quiet = time.Now().Add(-settle)
			s.looked = time.Now()
			s.seen, s.counts = receivedBy(s.tcp)
			if s.counts { // segments that a read does not show count, too
				s.quiet = s.seen.last()
			}
			if s.counts && s.seen.closed { // a read will show how it ended
				quiet.Reset(settle)
				continue
			}
			if time.Since(s.quiet) >= settle*9/10 { // the kernel counts in ticks
				s.talk = s.quiet
				return 0, nil
			}
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		if took := time.Since(began); took > restless {
			return max(took/n, 1), nil
		}
		quiet.Reset(time.Until(s.quiet.Add(settle)))
	}
}

// endOf returns how a connection ended that failed with err. An end on this side says
// nothing about the path, so the test has failed: a firewall may forbid to send, or Dial
// may close the connection that it has made.
func endOf(err error, closed, reset string) string {
	var op *net.OpError
	switch cause := sockopt.CauseOf(err); {
	case cause == sockopt.EndOfStream:
		return closed
	case cause == sockopt.Reset:
		return reset
	case cause == sockopt.PeerTimeout, cause == sockopt.Deadline:
		return endNoAnswer
	case errors.As(err, &op) && op.Op == "remote error": // an alert of TLS, with which the peer ends it
		return closed
	}
	return endFailed
}
