// Package freeport finds ports for programs that must be given one. It is not part of
// package testkit, so that programs which are no tests can use it.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// Find returns a port of 127.0.0.1 for a program that must be told where to listen. The
// port is below the ephemeral ports of all systems (from 32768 on Linux, from 49152 on
// others), so the probability that another program takes it first is one in twenty
// thousand.
func Find() (int, error) {
	var err error
	for range 100 {
		port := 10000 + rand.IntN(32768-10000)
		var l net.Listener
		if l, err = net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, err
}
