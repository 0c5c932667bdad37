// Package procnet reads /proc/thread-self/net/tcp and tcp6: what Linux tells of
// TCP sockets, their timers among it, where NETLINK_SOCK_DIAG is refused.
package procnet
