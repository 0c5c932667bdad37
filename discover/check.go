package discover

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A Check finds out whether a connection works. Echo and HTTP do so at its beginning and
// after the silence, Probe only after the silence.
type Check struct {
	name string
	// request is written; if it is nil, a keepalive probe is sent after the silence.
	request []byte
	// wants describes the answer in words.
	wants string
	// answered reports whether got is the whole answer. The error says why it never
	// will be, or why this answer is the last one.
	answered func(got []byte) (bool, error)
}

// String returns "plain", "echo" or "http".
func (c *Check) String() string { return c.name }

// possible returns why the check cannot be made on a system, nil if it can.
func (c *Check) possible(t *kernel.Rules) error {
	if c != Probe || t.ShowsActivity == platform.Yes {
		return nil
	}
	return fmt.Errorf("discover: asking with keepalive probes needs a kernel that shows what a connection has received, as Linux does, and %s is not known to; use Echo or HTTP: %w", t.Title, errors.ErrUnsupported)
}

// Probe sends a TCP keepalive probe, which the kernel of the peer answers: no byte
// reaches the program there. It needs a system that shows what a connection has received
// (ShowsActivity in [platform.Table]): Linux, but not in gVisor.
var Probe = &Check{name: "plain"}

// Echo writes a byte to a server that sends it back (RFC 862).
var Echo = &Check{name: "echo", request: []byte{'k'}, wants: "the byte that was sent", answered: echoed}

// HTTP sends HEAD / for this host to an HTTP/1.1 server. Any answer shows that the
// connection works, except 408, with which a server gives an idle connection up
// (RFC 9110, 15.5.9). If the server closes after its first answer, there is no idle
// timeout to measure, and Run returns an error.
func HTTP(host string) *Check {
	request := "HEAD / HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: keepalive-discover\r\n\r\n"
	return &Check{name: "http", request: []byte(request), wants: "the header of an answer", answered: httpAnswered}
}

func echoed(got []byte) (bool, error) {
	switch {
	case len(got) == 0:
		return false, nil
	case got[0] != 'k':
		return false, fmt.Errorf("the answer %.20q is not that of an echo server", got)
	}
	return true, nil
}

// errTimedOut means that the server gave the connection up before the request came.
var errTimedOut = errors.New("the answer is 408 Request Timeout")

const maxHeader = 64 << 10

// httpAnswered waits for the whole header: a part that comes later would be taken for
// something that the server sends by itself.
func httpAnswered(got []byte) (bool, error) {
	start := []byte("HTTP/1.")
	for {
		if n := min(len(got), len(start)); !bytes.Equal(got[:n], start[:n]) {
			return false, fmt.Errorf("the answer %.20q is not that of an HTTP/1.1 server", got)
		}
		header, rest, whole := bytes.Cut(got, []byte("\r\n\r\n"))
		_, status, _ := bytes.Cut(header, []byte(" "))
		switch {
		case !whole && len(got) > maxHeader:
			return false, fmt.Errorf("the header of the answer is longer than %d bytes", maxHeader)
		case !whole:
			return false, nil
		case bytes.HasPrefix(status, []byte("408")):
			return false, errTimedOut
		case bytes.HasPrefix(status, []byte("1")) && !bytes.HasPrefix(status, []byte("101")):
			got = rest // an interim answer
		default:
			return true, closesAfter(header)
		}
	}
}

// closesAfter returns why the server closes the connection after a response with this
// header, nil if the server keeps it (RFC 9112, 9.3).
func closesAfter(header []byte) error {
	first, fields, _ := bytes.Cut(header, []byte("\r\n"))
	says := func(option string) bool {
		for line := range bytes.Lines(fields) {
			name, value, _ := bytes.Cut(line, []byte(":"))
			if !bytes.EqualFold(bytes.TrimSpace(name), []byte("connection")) {
				continue
			}
			for one := range bytes.SplitSeq(value, []byte(",")) {
				if bytes.EqualFold(bytes.TrimSpace(one), []byte(option)) {
					return true
				}
			}
		}
		return false
	}
	why := ""
	switch {
	case says("close"):
		why = "Connection: close"
	case bytes.HasPrefix(first, []byte("HTTP/1.0")) && !says("keep-alive"):
		why = "without Connection: keep-alive"
	default:
		return nil
	}
	return unknown{fmt.Sprintf("the server closes after each response (%.60s, %s), so no idle timeout can be measured in http mode", first, why)}
}
