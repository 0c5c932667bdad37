package kernel

import (
	"fmt"

	"golang.org/x/sys/unix"
)

const (
	tcpConnectionInfo = 0x106 // struct tcp_connection_info, whose first byte is the state
	tcpsListen        = 1     // bsd/netinet/tcp_fsm.h
)

// The option that kindOf reads. It cannot be TCP_NODELAY, whose number is that of
// LOCAL_PEERCRED: a connected Unix socket answers that at every level, because
// uipc_ctloutput of xnu (bsd/kern/uipc_usrreq.c) does not compare the level.
const (
	tcpOnly       = 0x10
	tcpOnlySymbol = "TCP_KEEPALIVE"
)

// listens reads the state of the socket, because sogetoptlock of xnu does not
// support SO_ACCEPTCONN. The kernel truncates the struct to the four bytes asked
// for (sooptcopyout). The lowest byte is the state, as every Mac is
// little-endian.
func listens(k Kernel, fd uintptr) (bool, error) {
	n, err := k.Get(fd, protocolTCP, tcpConnectionInfo)
	if err != nil {
		return false, fmt.Errorf("getsockopt TCP_CONNECTION_INFO: %w", err)
	}
	return n&0xff == tcpsListen, nil
}

var (
	_ = [1]int{}[tcpConnectionInfo-unix.TCP_CONNECTION_INFO]
	_ = [1]int{}[tcpOnly-unix.TCP_KEEPALIVE]
)
