package platform

import "time"

// Retries are the limits of a Linux network namespace, or of one socket in it, on
// retransmission. They decide how long data in flight to a dead peer is tried if there is
// no user timeout. All fields count: the zero value is not a valid set of limits.
type Retries struct {
	Data       int           // net.ipv4.tcp_retries2, 0 to 255: retransmissions of data, and window probes; 15 by default
	Orphan     int           // net.ipv4.tcp_orphan_retries, 0 to 255: the same once no process has the socket open; 0, the default, stands for 8
	SYN        int           // net.ipv4.tcp_syn_retries or TCP_SYNCNT, 1 to 127: of a SYN; 6 by default
	LinearSYN  int           // net.ipv4.tcp_syn_linear_timeouts, 0 to 127: additional ones, sent one second apart; 4 by default, 0 before Linux 6.5
	LongestRTO time.Duration // net.ipv4.tcp_rto_max_ms or TCP_RTO_MAX_MS, 1 s to 120 s: between two retransmissions or window probes; 120 s by default
	Multipath  time.Duration // net.mptcp.close_timeout: from the last subflow's end to that of the connection; 60 s by default
}
