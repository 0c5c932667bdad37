// Package freeport finds ports for programs that want to know them beforehand.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// Find returns a port of 127.0.0.1 for a program that wants to know beforehand
// where it is to listen. It is one below those that kernels give to whoever asks for any
// (Linux from 32768 on, others from 49152), so that nobody gets it before the program
// does but by a chance of one in twenty thousand.
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
