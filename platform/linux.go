// The content of this file is compiled on every system.

package platform

import "time"

// Linux: include/uapi/linux/tcp.h, limits in include/net/tcp.h (MAX_TCP_KEEPIDLE,
// MAX_TCP_KEEPINTVL, MAX_TCP_KEEPCNT), behaviour in net/ipv4/tcp.c and
// net/ipv4/tcp_timer.c.
const (
	linuxSolSocket   = 1
	linuxSoKeepAlive = 9

	// arch/mips/include/uapi/asm/socket.h differs from all other ports of Go.
	linuxMIPSSolSocket   = 0xffff
	linuxMIPSSoKeepAlive = 8

	linuxTCP            = 6
	linuxTCPKeepIdle    = 4
	linuxTCPKeepIntvl   = 5
	linuxTCPKeepCnt     = 6
	linuxTCPUserTimeout = 18
)

// linuxSpecs has the interval, the count and the user timeout first, because
// they do not touch the timer. SO_KEEPALIVE arms it with a full idle time from
// now; TCP_KEEPIDLE, set last, arms it again with idle minus the time since the
// last segment received. So idle counts from the last segment, and no timer ever
// runs with a mixture of old and new values.
func linuxSpecs(solSocket, soKeepAlive int) []Spec {
	return []Spec{
		{Option: Interval, Symbol: "TCP_KEEPINTVL", Level: linuxTCP, Number: linuxTCPKeepIntvl,
			Unit: time.Second, Min: 1, Max: 32767, Zero: rejected, Inherited: Yes, Readable: Yes,
			Sysctl: "net.ipv4.tcp_keepalive_intvl", SysctlUnit: time.Second},
		{Option: Count, Symbol: "TCP_KEEPCNT", Level: linuxTCP, Number: linuxTCPKeepCnt,
			Min: 1, Max: 127, Zero: rejected, Inherited: Yes, Readable: Yes,
			Sysctl: "net.ipv4.tcp_keepalive_probes"},
		{Option: UserTimeout, Symbol: "TCP_USER_TIMEOUT", Level: linuxTCP, Number: linuxTCPUserTimeout,
			Unit: time.Millisecond, Min: 1, Max: 1<<31 - 1, Zero: off, Inherited: Yes, Readable: Yes},
		{Option: KeepAlive, Symbol: "SO_KEEPALIVE", Level: solSocket, Number: soKeepAlive,
			Min: 0, Max: 1, Zero: off, Inherited: Yes, Readable: Yes},
		{Option: Idle, Symbol: "TCP_KEEPIDLE", Level: linuxTCP, Number: linuxTCPKeepIdle,
			Unit: time.Second, Min: 1, Max: 32767, Zero: rejected, Inherited: Yes, Readable: Yes,
			Sysctl: "net.ipv4.tcp_keepalive_time", SysctlUnit: time.Second},
	}
}

func linuxNotes(before ...string) []string {
	return append(before,
		"While TCP_USER_TIMEOUT is set, TCP_KEEPCNT is ignored: the connection is dropped at the first probe due after the timeout, provided one probe went unanswered.",
		"TCP_USER_TIMEOUT set before connect also bounds the handshake, and it ends a live connection whose peer does not read for that long (zero window).",
		"No probe is sent while data is in flight; the retransmission timer, bounded by TCP_USER_TIMEOUT or net.ipv4.tcp_retries2, decides then.",
		"Once set, TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT have no way back to the sysctl default.",
		"Kernel timers are never early and up to 1/8 late.",
		"Multipath TCP sockets have no TCP_USER_TIMEOUT, and TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT only since Linux 6.10 and its stable backports; before, SO_KEEPALIVE alone (5.13).",
	)
}

const linuxSource = "kernel source 6.1 and 6.12; run on 6.18"

// Accepted sockets get their timer when they are cloned, in
// tcp_create_openreq_child.
const linuxListenerSource = "net/ipv4/tcp_timer.c (tcp_set_keepalive) and net/ipv4/tcp.c (tcp_sock_set_keepidle_locked) of 6.1 and 6.12 only store values in CLOSE and LISTEN"

func linux() *Table {
	return &Table{
		Name: "linux", GOOS: "linux", Title: "Linux",
		Specs:                    linuxSpecs(linuxSolSocket, linuxSoKeepAlive),
		UserTimeoutReplacesCount: true,
		ArmsListener:             No,
		ListenerSource:           linuxListenerSource,
		ShowsActivity:            Yes,
		Notes:                    linuxNotes(),
		Source:                   linuxSource,
	}
}

func linuxMIPS() *Table {
	return &Table{
		Name: "linux-mips", GOOS: "linux", Title: "Linux on MIPS",
		Specs:                    linuxSpecs(linuxMIPSSolSocket, linuxMIPSSoKeepAlive),
		UserTimeoutReplacesCount: true,
		ArmsListener:             No,
		ListenerSource:           linuxListenerSource,
		ShowsActivity:            Yes,
		Notes:                    linuxNotes("SOL_SOCKET and SO_KEEPALIVE have the numbers of IRIX here (0xffff and 8)."),
		Source:                   "arch/mips/include/uapi/asm/socket.h; the rest as linux; compiled, not run",
	}
}

// gVisor has Linux's options and limits. Which options accepted sockets inherit
// is in pkg/tcpip/transport/tcp/accept.go.
func gvisor() *Table {
	return &Table{
		Name: "linux-gvisor", GOOS: "linux", Title: "gVisor",
		Specs:                    inheritedByNone(linuxSpecs(linuxSolSocket, linuxSoKeepAlive)),
		UserTimeoutReplacesCount: true,
		ArmsListener:             No,
		ListenerSource:           "pkg/tcpip/transport/tcp/connect.go (resetKeepaliveTimer): without a sender, which only a connection has, the timer is off",
		ShowsActivity:            No,
		Notes: linuxNotes(
			"Accepted sockets inherit TCP_USER_TIMEOUT only (all of it where the sandbox uses the host's network): the rest is set again after accept.",
			"setsockopt of an unknown option succeeds, which distinguishes gVisor from Linux.",
			"The sysctls read 0 for interval and count, while a fresh socket has 75 s and 9.",
		),
		Source: "release of September 2026, run",
	}
}

func inheritedByNone(specs []Spec) []Spec {
	for i := range specs {
		if specs[i].Option != UserTimeout {
			specs[i].Inherited = No
		}
	}
	return specs
}

func android() *Table {
	return &Table{
		Name: "android", GOOS: "android", Title: "Android",
		Specs:                    linuxSpecs(linuxSolSocket, linuxSoKeepAlive),
		UserTimeoutReplacesCount: true,
		ArmsListener:             No,
		ListenerSource:           linuxListenerSource,
		ShowsActivity:            Yes,
		Notes:                    linuxNotes(),
		Source:                   "as linux (same kernel); compiled, not run",
	}
}
