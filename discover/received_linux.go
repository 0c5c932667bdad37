package discover

import (
	"net"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/tcpinfo"
)

var visits socket.Visits[tcpinfo.Info]

// receivedBy returns what a connection has received until now, false if the kernel does
// not say it.
func receivedBy(c net.Conn) (received, bool) {
	raw, err := socket.RawConn(c)
	if err != nil {
		return received{}, false
	}
	v := visits.Get()
	defer visits.Put(v)
	now := time.Now()
	inner, outer := v.On(raw, (*tcpinfo.Info).Read)
	info := &v.Data
	if inner != nil || outer != nil || info.SegmentsReceived == 0 { // even a handshake has a segment
		return received{}, false
	}
	ago := func(ms uint32) time.Time { return now.Add(-time.Duration(ms) * time.Millisecond) }
	const established = 1 // TCP_ESTABLISHED
	return received{
		when: now, closed: info.State != established,
		segments: info.SegmentsReceived, dataSegments: info.DataSegmentsReceived,
		data: ago(info.LastDataReceived), ack: ago(info.LastAckReceived),
	}, true
}

// acknowledge makes the kernel acknowledge at once what came, and not up to 0.2 s later.
func acknowledge(c net.Conn) {
	if raw, err := socket.RawConn(c); err == nil {
		raw.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) })
	}
}
