// Package sockdiag speaks NETLINK_SOCK_DIAG, by which Linux tells what no socket
// option does: a TCP socket's timer, and which sockets there are
// (linux/sock_diag.h, linux/inet_diag.h).
package sockdiag
