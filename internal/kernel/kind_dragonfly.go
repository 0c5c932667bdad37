package kernel

import "golang.org/x/sys/unix"

// The option that kindOf reads. It cannot be TCP_NODELAY, whose number is that of
// LOCAL_PEERCRED: a connected Unix socket answers that at every level, as on macOS,
// because uipc_ctloutput (sys/kern/uipc_usrreq.c) does not compare the level.
const (
	tcpOnly       = 0x100
	tcpOnlySymbol = "TCP_KEEPIDLE"
)

var _ = [1]int{}[tcpOnly-unix.TCP_KEEPIDLE]
