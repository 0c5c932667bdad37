// Package inspect shows what keepalive a connection really has, live: the
// settings that the kernel holds, the timer that runs, when the next probe
// leaves, and whether the peer still answers.
//
//	r, err := inspect.Of(conn)
//	fmt.Println(r.Verdict()) // next probe in 41s; the peer is given up 1m11s after its last answer
//	fmt.Println(r)           // timer:(keepalive,41sec,0), as ss -tno prints it
//
// Pools ask whether a connection is still worth handing out:
//
//	if err := inspect.Alive(conn); err != nil { conn.Close() }
//
// And [List] goes through all TCP sockets of a machine, like ss, with their processes and
// the settings that ss cannot show:
//
//	owners, err := inspect.FindOwners()
//	for r, err := range inspect.List(inspect.Filter{Owners: owners, Settings: true}) {
//		fmt.Println(r.Peer, r.Settings, r.Owners)
//	}
//
// # Where it comes from
//
// Settings come from getsockopt and work on every system that package sockopt
// knows. The rest is Linux's: the timer comes from NETLINK_SOCK_DIAG, asked by
// the socket's cookie, and what traffic there was from TCP_INFO. Where sock_diag
// is refused or lies (a seccomp filter, a sandbox, a kernel without the tcp_diag
// module), the timer comes from /proc/thread-self/net/tcp; where that has
// nothing either, it is unknown. [Report.Source] says which. Nothing of this
// needs a privilege. On other systems the timer is unknown, with an error that
// wraps [errors.ErrUnsupported], and so are lists and Alive.
//
// Of Multipath TCP the state is that of the connection as a whole, which TCP_INFO
// does not show: it comes from MPTCP_INFO and sock_diag, or from poll. The timer is
// that of the first subflow.
//
// The settings of a socket that another process has open are read through
// pidfd_getfd: the socket is borrowed, for the few microseconds that the getsockopt
// calls take. For as long a close of the other process takes no effect: its FIN waits.
// So that this is bounded whatever happens to the calling program, a child process does
// the borrowing, a copy of this one that runs nothing else: the kernel kills it after
// 50 ms, also while it is stopped. What then remains is the time until a killed process
// gets a processor, which a low priority or a CPU quota of its control group makes long.
//
// Nothing here changes the socket: no SO_ERROR, which would swallow the error
// that the next Read is to return; no byte is read; no descriptor is duplicated
// through File. Nor does it change the system: for no question is a socket bound,
// or does one listen.
//
// # The timer and the next probe
//
// The time that ss -o shows is when the kernel looks next, not when a probe
// leaves: traffic does not push the timer. When it fires, and a segment arrived
// less than the idle time ago, it is set anew and nothing is sent. So the next
// probe leaves after
//
//	max(timer, idle - time since the last segment received)
//
// which is what [Report.NextProbe] returns. A kernel timer is never early, and
// late by up to 1/8 of what it was set to.
//
// Source: tcp_keepalive_timer in net/ipv4/tcp_timer.c.
package inspect
