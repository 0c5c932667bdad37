package discover

import "bytes"

// A Check makes a connection show that it works: at its beginning, and after it was
// idle.
type Check struct {
	name string
	// request is what to write; nil sends a keepalive probe, at the end only.
	request []byte
	// answer is what has to come; nil is anything.
	answer []byte
}

// String returns "plain", "echo" or "http".
func (c *Check) String() string { return c.name }

// Probe asks the peer's kernel with a TCP keepalive probe: no byte reaches the
// program there. It takes Linux.
var Probe = &Check{name: "plain"}

// Echo writes a byte to a server that sends it back (RFC 862).
var Echo = &Check{name: "echo", request: []byte{'k'}, answer: []byte{'k'}}

// HTTP asks an HTTP/1.1 server for the header of / on this host; any answer will
// do.
func HTTP(host string) *Check {
	return &Check{name: "http", request: []byte("HEAD / HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: keepalive-discover\r\n\r\n"), answer: []byte("HTTP/1.")}
}

// answered tells whether this is the answer.
func (c *Check) answered(got []byte) bool { return bytes.HasPrefix(got, c.answer) }
