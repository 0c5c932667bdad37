// Package keepalive is the overview of a module for TCP keepalive that is
// exactly what was asked for, and provably so. It holds no code; import
//
//   - [github.com/tcpkeepalive/keepalive/dialer] for outgoing connections: gRPC,
//     databases, Redis;
//   - [github.com/tcpkeepalive/keepalive/listener] for incoming ones, and for
//     listeners that somebody else made;
//   - [github.com/tcpkeepalive/keepalive/transport] for net/http;
//   - [github.com/tcpkeepalive/keepalive/inspect] to see what a connection really
//     has: its timer, its next probe, whether its peer answers; and to list all
//     sockets of a machine;
//   - [github.com/tcpkeepalive/keepalive/align] to find settings that survive the load
//     balancers, NATs and firewalls on the way;
//   - [github.com/tcpkeepalive/keepalive/discover] to measure after what silence a path
//     forgets a connection;
//   - [github.com/tcpkeepalive/keepalive/sockopt] for the Config itself, and to set
//     it on, or read it back from, a connection that is already there;
//   - [github.com/tcpkeepalive/keepalive/platform] for what each operating system
//     offers, with its limits and traps.
//
// TCP keepalive works below the application: the kernel sends a probe after a
// time of silence (idle), repeats it (interval) and gives the peer up after a
// number of unanswered ones (count). HTTP's Keep-Alive, reusing a connection
// for several requests, is another matter.
//
// # Why a module for three socket options
//
// Package net sets 15 s, 15 s and 9 on every connection, after every hook, and
// drops the errors: the widespread ten-line Control hook has no effect on idle,
// interval and count, and a value that the kernel refuses loses the ones after
// it. Servers cannot reach what Listen set. This module keeps net's hands off,
// checks every value before the first system call, reports every option that
// does not take, and reads back what the kernel holds.
package keepalive
