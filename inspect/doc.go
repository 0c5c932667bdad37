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
// And [List] goes through all TCP sockets of a machine, like ss, with
// [FindOwners] for their processes and a [Peeker] for the settings that ss
// cannot show.
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
