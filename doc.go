// Package keepalive is the overview of a module for TCP keepalive that is
// exactly what was asked for, and provably so. It has no code; import
//
//   - [github.com/tcpkeepalive/keepalive/dialer] for outgoing connections: gRPC,
//     databases, Redis;
//   - [github.com/tcpkeepalive/keepalive/listener] for incoming connections, and for
//     existing listeners;
//   - [github.com/tcpkeepalive/keepalive/transport] for net/http;
//   - [github.com/tcpkeepalive/keepalive/inspect] to see what a connection really
//     has: its timer, its next probe, whether its peer answers; and to list all
//     sockets of a machine;
//   - [github.com/tcpkeepalive/keepalive/align] to find settings that survive the load
//     balancers, NATs and firewalls on the path;
//   - [github.com/tcpkeepalive/keepalive/discover] to measure after what silence a path
//     forgets a connection;
//   - [github.com/tcpkeepalive/keepalive/sockopt] for the Config itself, and to set
//     it on, or read it back from, an existing connection;
//   - [github.com/tcpkeepalive/keepalive/platform] for the options of each operating
//     system, with their limits and pitfalls.
//
// TCP keepalive works below the application: the kernel sends a probe after a
// time of silence (idle), repeats it (interval) and gives up the peer after a
// number of unanswered probes (count). HTTP's Keep-Alive, the reuse of a
// connection for several requests, is unrelated.
//
// # Why a module for three socket options
//
// Package net sets 15 s, 15 s and 9 on every connection, after every hook, and
// drops the errors: the common ten-line Control hook has no effect on idle,
// interval and count, and if the kernel refuses a value, the values after it are
// not set. Servers cannot change what Listen set. This module keeps package net
// from setting options, checks every value before the first system call, reports
// every option that was not set, and reads back what the kernel holds.
package keepalive
