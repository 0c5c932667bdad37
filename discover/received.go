package discover

import (
	"time"
)

// tick is how coarse the kernel's times are, at most: it counts in jiffies.
const tick = 10 * time.Millisecond

// received is what a kernel counts of what came.
type received struct {
	when         time.Time // it was asked
	closed       bool      // FIN or RST came
	segments     uint32    // all, keepalive probes and bare acknowledgements too
	dataSegments uint32    // those with data
	data         time.Time // when the last data came
	// ack is when the last segment came that continued the connection: data, FIN, an
	// acknowledgement. A keepalive probe does not, and RST neither (tcp_ack of
	// net/ipv4/tcp_input.c is not reached).
	ack time.Time
}

// last is when the last segment came of those of which the kernel knows the time.
func (r received) last() time.Time {
	if r.data.After(r.ack) {
		return r.data
	}
	return r.ack
}
