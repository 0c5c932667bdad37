// Package inspect shows the keepalive state of a live connection: the settings
// that the kernel holds, the timer that is running, when the next probe is sent,
// and whether the peer still answers.
//
//	r, err := inspect.Of(conn)
//	fmt.Println(r.Explain()) // next probe in 41s; the peer is given up 1m11s after its last answer
//	fmt.Println(r.Timer)     // timer:(keepalive,41sec,0), as ss -tno prints it
//
// A pool can check whether a connection is still worth handing out:
//
//	if err := inspect.Alive(conn); err != nil { conn.Close() }
//
// [List] iterates over all TCP sockets of a machine, as ss does, with their processes and
// the settings that ss cannot show:
//
//	owners, err := inspect.FindOwners()
//	for r, err := range inspect.List(inspect.Filter{Owners: owners, Settings: true}) {
//		fmt.Println(r.Peer, r.Settings, r.Owners)
//	}
//
// # Where the data comes from
//
// Settings come from getsockopt and work on every system that package sockopt
// knows. The rest is available only on Linux: the timer comes from
// NETLINK_SOCK_DIAG, queried by the socket's cookie, and the traffic counters
// come from TCP_INFO. Where sock_diag is refused or gives a false answer (a
// seccomp filter, a sandbox, a kernel without the tcp_diag module), the timer
// comes from /proc/thread-self/net/tcp; if that does not have it either, the
// timer is unknown. [Report.Source] says which source was used. None of this
// needs a privilege. On other systems the timer is unknown, with an error that
// wraps [errors.ErrUnsupported], and so are lists and Alive.
//
// For Multipath TCP the state is that of the connection as a whole. TCP_INFO does not show
// it, so it comes from MPTCP_INFO and sock_diag, or from poll. The timer is that of the
// first subflow.
//
// The settings of a socket that another process has open are read through pidfd_getfd: the
// socket is borrowed, for the few microseconds that the getsockopt calls take. During that
// time a close by the other process takes no effect: its FIN waits. To bound this whatever
// happens to the calling program, the borrowing is done by a child process, a copy of this
// program that does nothing else: the kernel kills it after 50 ms, even while it is
// stopped. A killed process still has to be scheduled once before its descriptors are
// closed, which takes longer with a low priority or under a CPU quota of its control
// group.
//
// Nothing here changes the socket: SO_ERROR is not read, because that would
// swallow the error that the next Read should return; no data is read; no
// descriptor is duplicated through File. Nor is the system changed: no socket is
// bound or made to listen.
//
// # The timer and the next probe
//
// The time that ss -o shows is when the kernel checks next, not when a probe is
// sent: traffic does not reset the timer. If a segment arrived less than the
// idle time ago when the timer fires, the kernel restarts it and sends nothing.
// So the next probe is sent after
//
//	max(timer, idle - time since the last segment received)
//
// which is what [Report.NextProbe] returns. A kernel timer is never early, and
// is late by up to 1/8 of the time it was set to.
//
// Source: tcp_keepalive_timer in net/ipv4/tcp_timer.c.
package inspect
