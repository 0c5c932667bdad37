package discover

import (
	"bytes"
	"errors"
	"fmt"
)

// A Check makes a connection show that it works: at its beginning, and after it was
// idle.
type Check struct {
	name string
	// request is what to write; nil sends a keepalive probe, at the end only.
	request []byte
	// wants is the answer in words.
	wants string
	// answered tells whether what came is the whole answer; the error says why it
	// will never be, or why it is the last one.
	answered func(got []byte) (bool, error)
}

// String returns "plain", "echo" or "http".
func (c *Check) String() string { return c.name }

// Probe asks the peer's kernel with a TCP keepalive probe: no byte reaches the
// program there. It takes Linux.
var Probe = &Check{name: "plain"}

// Echo writes a byte to a server that sends it back (RFC 862).
var Echo = &Check{name: "echo", request: []byte{'k'}, wants: "the byte that was sent", answered: echoed}

// HTTP asks an HTTP/1.1 server for the header of / on this host; any answer will
// do, but for 408, with which a server gives an idle connection up (RFC 9110, 15.5.9),
// and at first one after which the server closes: there is no idle timeout then.
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

// errTimedOut: the server gave the connection up before the request came.
var errTimedOut = errors.New("the answer is 408 Request Timeout")

const maxHeader = 64 << 10

// httpAnswered wants the whole header: what follows later than that would be taken for
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

// closesAfter tells why the server closes the connection after a response with this
// header, if it does (RFC 9112, 9.3).
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
