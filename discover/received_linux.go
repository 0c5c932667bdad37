package discover

import (
	"net"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/socket"
)

// receivedBy returns what a connection has received until now, false if the kernel does
// not say it.
func receivedBy(c net.Conn) (received, bool) {
	raw, err := socket.RawConn(c)
	if err != nil {
		return received{}, false
	}
	var info *unix.TCPInfo
	now := time.Now()
	raw.Control(func(fd uintptr) {
		info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	})
	if err != nil || info == nil || info.Segs_in == 0 { // even a handshake has a segment
		return received{}, false
	}
	ago := func(ms uint32) time.Time { return now.Add(-time.Duration(ms) * time.Millisecond) }
	const established = 1 // TCP_ESTABLISHED
	return received{
		when: now, closed: info.State != established,
		segments: info.Segs_in, dataSegments: info.Data_segs_in,
		data: ago(info.Last_data_recv), ack: ago(info.Last_ack_recv),
	}, true
}

// acknowledge makes the kernel acknowledge at once what came, and not up to 0.2 s later.
func acknowledge(c net.Conn) {
	if raw, err := socket.RawConn(c); err == nil {
		raw.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) })
	}
}
