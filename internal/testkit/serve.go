package testkit

import (
	"io"
	"net"
	"testing"
	"time"
)

// Serve hands each connection that l accepts to f, and closes it when f returns. l is
// closed when the test ends.
func Serve(t testing.TB, l net.Listener, f func(net.Conn)) {
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				f(c)
			}()
		}
	}()
}

// Echo sends back what it receives.
func Echo(c net.Conn) { io.Copy(c, c) }

// EchoUntilIdle is Echo until nothing was received for timeout.
func EchoUntilIdle(timeout time.Duration) func(net.Conn) {
	return func(c net.Conn) {
		b := make([]byte, 1)
		for {
			c.SetReadDeadline(time.Now().Add(timeout))
			if _, err := c.Read(b); err != nil {
				return
			}
			c.Write(b)
		}
	}
}

// Exchange sends a byte to an echo server and waits for it to come back.
func Exchange(c net.Conn, within time.Duration) error {
	if err := c.SetDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	if _, err := c.Write([]byte{1}); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, 1))
	return err
}
