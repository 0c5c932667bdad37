package discover

import (
	"net"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/sockopt"
)

// segments returns how many segments a connection has received; false where the
// kernel does not tell.
func segments(c net.Conn) (uint32, bool) {
	info := tcpInfo(c)
	if info == nil || info.Segs_in == 0 { // a handshake has one
		return 0, false
	}
	return info.Segs_in, true
}

// sinceLast is how long ago the last segment came, as the kernel saw it.
func sinceLast(c net.Conn) (d time.Duration, ok bool) {
	info := tcpInfo(c)
	if info == nil || info.Segs_in == 0 {
		return 0, false
	}
	return time.Duration(min(info.Last_data_recv, info.Last_ack_recv)) * time.Millisecond, true
}

// answered tells whether the peer acknowledged something in this time.
func answered(c net.Conn, within time.Duration) bool {
	info := tcpInfo(c)
	return info != nil && time.Duration(info.Last_ack_recv)*time.Millisecond < within
}

// acknowledge what came now, rather than up to 0.2 s later.
func acknowledge(c net.Conn) {
	if raw, err := sockopt.RawConn(c); err == nil {
		raw.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) })
	}
}

func tcpInfo(c net.Conn) (info *unix.TCPInfo) {
	raw, err := sockopt.RawConn(c)
	if err != nil {
		return nil
	}
	raw.Control(func(fd uintptr) {
		info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	})
	if err != nil {
		return nil
	}
	return info
}
