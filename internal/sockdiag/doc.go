// Package sockdiag implements NETLINK_SOCK_DIAG, which provides what no socket
// option does: the timer of a TCP socket, and the list of sockets
// (linux/sock_diag.h, linux/inet_diag.h).
package sockdiag
