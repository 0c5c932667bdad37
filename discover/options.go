package discover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// Options say what to measure, and how. Only Address or Dial is needed.
type Options struct {
	// Address is host:port.
	Address string
	// Dial makes a connection, for instance through a proxy or a tunnel. nil dials
	// Address. If the connection has a TCP socket, its keepalive is switched off.
	Dial func(context.Context) (net.Conn, error)

	// Secure, if it is not nil, is called with each new connection, and returns the
	// connection that is read and written:
	//
	//	func(ctx context.Context, c net.Conn) (net.Conn, error) {
	//		s := tls.Client(c, config)
	//		return s, s.HandshakeContext(ctx)
	//	}
	Secure func(context.Context, net.Conn) (net.Conn, error)
	// Check finds out whether a connection still works: [Probe], [Echo] or [HTTP]. nil
	// stands for Probe.
	Check *Check

	// Guess is a timeout to test first, between Min and Max; 0 tests none. The first
	// round tries silences around it, and is the only one if the guess is right.
	// Otherwise the search goes on.
	Guess time.Duration
	// Min and Max are the shortest and the longest silence to try; Max is at most 30
	// days. 0 stands for 1 s in Min, and for 2 h in Max. Probe needs a Min of 1 s or
	// more, and raises a smaller one to that, as a kernel sends no probe earlier.
	Min, Max time.Duration
	// Connections is how many connections are open at the same time, 4 to 1000; 0
	// stands for 64.
	Connections int
	// Wait is how long an answer may take until the connection counts as dead, at most
	// 1 minute. 0 stands for 1 s, which is enough for two retransmissions on a short
	// path. Probe waits for at least 4 s.
	Wait time.Duration

	// Progress, if it is not nil, is called once a second and whenever a test ends, by
	// one goroutine at a time.
	Progress func(Progress)
}

const (
	defaultMin         = time.Second
	defaultMax         = 2 * time.Hour
	defaultConnections = 64
	defaultWait        = time.Second
)

const (
	precision   = 0.05 // of the bounds, at which the search ends
	maxRounds   = 5
	longestTime = 30 * 24 * time.Hour

	dialsAtATime = 16 // so that a server is not overrun
)

// complete checks the options and fills in what is not given.
func (o Options) complete() (Options, error) {
	o.Min, o.Max = cmp.Or(o.Min, defaultMin), cmp.Or(o.Max, defaultMax)
	if o.Check == nil {
		o.Check = Probe
	}
	if o.Check == Probe && o.Min > 0 {
		o.Min = max(o.Min, probeIdle)
	}
	o.Connections, o.Wait = cmp.Or(o.Connections, defaultConnections), cmp.Or(o.Wait, defaultWait)
	switch {
	case o.Address == "" && o.Dial == nil:
		return o, errors.New("discover: Address is missing")
	case o.Min <= 0 || o.Max > longestTime || o.Max < o.Min:
		return o, fmt.Errorf("discover: times from %s to %s: want 0 < Min <= Max <= %s", o.Min, o.Max, longestTime)
	case o.Guess != 0 && (o.Guess < o.Min || o.Guess > o.Max):
		return o, fmt.Errorf("discover: Guess %s: want it between Min and Max, %s to %s", o.Guess, o.Min, o.Max)
	case o.Connections < 4 || o.Connections > 1000:
		return o, fmt.Errorf("discover: Connections %d: want 4 to 1000", o.Connections)
	case o.Wait < 0 || o.Wait > time.Minute:
		return o, fmt.Errorf("discover: Wait %s: want at most 1m", o.Wait)
	}
	if o.Dial == nil {
		d, address := net.Dialer{Timeout: 30 * time.Second, KeepAlive: -1}, o.Address
		o.Dial = func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", address) }
	}
	return o, nil
}
