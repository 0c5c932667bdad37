// Package tcpinfo reads TCP_INFO, in which Linux shows the state, the counters and the
// times of a TCP connection, and the same of the subflows of a Multipath TCP connection.
package tcpinfo
