// Package procnet reads /proc/thread-self/net/tcp and tcp6, which show TCP
// sockets and their timers on Linux, for use where NETLINK_SOCK_DIAG is refused.
package procnet
