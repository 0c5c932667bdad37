package discover

import (
	"time"
)

// tick is how coarse the kernel's times are, at most: it counts in jiffies.
const tick = 10 * time.Millisecond

// received is what the kernel has counted of the segments that a connection received.
type received struct {
	when         time.Time // when the kernel was asked
	closed       bool      // whether FIN or RST came
	segments     uint32    // all segments, also keepalive probes and bare acknowledgements
	dataSegments uint32    // segments with data
	data         time.Time // when the last data came
	// ack is when the last segment came that continued the connection: data, FIN or an
	// acknowledgement. Keepalive probes and RST do not change it, as the kernel does not
	// reach tcp_ack of net/ipv4/tcp_input.c for them.
	ack time.Time
}

// last returns when the last segment came, among those of which the kernel keeps the
// time.
func (r received) last() time.Time {
	if r.data.After(r.ack) {
		return r.data
	}
	return r.ack
}
