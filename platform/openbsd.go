// The content of this file is compiled on every system.

package platform

// OpenBSD: sys/netinet/tcp_timer.c. SO_KEEPALIVE is the only option.
func openbsd() *Table {
	return &Table{
		Name: "openbsd", GOOS: "openbsd", Title: "OpenBSD",
		Specs: []Spec{bsdKeepAlive()},
		Absent: map[Option]string{
			Idle:        "OpenBSD has it for the whole system only: sysctl net.inet.tcp.keepidle",
			Interval:    "OpenBSD has it for the whole system only: sysctl net.inet.tcp.keepintvl",
			Count:       "OpenBSD always sends 8 probes",
			UserTimeout: "OpenBSD has no limit on unacknowledged data per socket",
		},
		AlwaysProbes:   bsdAlwaysKeepAlive,
		ArmsListener:   No,
		ListenerSource: "sys/kern/uipc_socket.c (sosetopt): SO_KEEPALIVE is a bit in so_options",
		Notes: []string{
			mayAlwaysProbe,
			"Timing is global: the sysctls net.inet.tcp.keepidle and net.inet.tcp.keepintvl, whose unit changed between releases from half-seconds to seconds.",
		},
		Source: "OpenBSD source (tcp_timer.c); compiled, not run",
	}
}
