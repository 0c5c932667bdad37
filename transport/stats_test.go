package transport_test

import (
	"fmt"

	"github.com/tcpkeepalive/keepalive/transport"
)

func ExampleStats() {
	fmt.Println(transport.Stats{Responses: 120, Opened: 4, Reused: 116, Drained: 512, Dropped: 2, PeerClosed: 1})
	// Output: 120 responses on 4 connections, which were reused 116 times; 512 bytes drained; idle connections closed: 2 here, 1 by the server; 0 lost races
}
