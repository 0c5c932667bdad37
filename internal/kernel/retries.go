package kernel

import (
	"errors"
	"fmt"
	"math/bits"
	"time"

	"github.com/tcpkeepalive/keepalive/platform"
)

// Retries is [platform.Retries] with what follows from it.
type Retries platform.Retries

// DefaultRetries returns the defaults of Linux 6.5 and later.
func DefaultRetries() Retries {
	return Retries{Data: 15, SYN: 6, LinearSYN: 4, LongestRTO: 120 * time.Second, Multipath: time.Minute}
}

// SystemRetries reads the limits of the calling thread's network namespace from
// /proc/sys/net. The error says why a limit is not known; it wraps
// [errors.ErrUnsupported] on systems other than Linux, and in gVisor.
func SystemRetries() (Retries, error) { return systemRetries() }

// SystemRetriesOf reads the limits of the socket fd: those set on the socket,
// otherwise those of its network namespace. If that is not the namespace of the
// calling thread, reading them takes CAP_NET_ADMIN there and CAP_SYS_ADMIN here; without
// these, and in gVisor, the error says so.
func SystemRetriesOf(fd uintptr) (Retries, error) { return systemRetriesOf(fd) }

func errNoRetries() error {
	return fmt.Errorf("how often %s retransmits is not known: %w", Current().Title, errors.ErrUnsupported)
}

// Validate returns an error that names the field, its value and its limits.
func (r Retries) Validate() error {
	switch {
	case r.Data < 0 || r.Data > 255:
		return fmt.Errorf("Retries.Data=%d is out of range: 0 to 255 (net.ipv4.tcp_retries2)", r.Data)
	case r.Orphan < 0 || r.Orphan > 255:
		return fmt.Errorf("Retries.Orphan=%d is out of range: 0 to 255 (net.ipv4.tcp_orphan_retries)", r.Orphan)
	case r.SYN < 1 || r.SYN > 127:
		return fmt.Errorf("Retries.SYN=%d is out of range: 1 to 127 (net.ipv4.tcp_syn_retries)", r.SYN)
	case r.LinearSYN < 0 || r.LinearSYN > 127:
		return fmt.Errorf("Retries.LinearSYN=%d is out of range: 0 to 127 (net.ipv4.tcp_syn_linear_timeouts)", r.LinearSYN)
	case r.LongestRTO < time.Second || r.LongestRTO > 120*time.Second:
		return fmt.Errorf("Retries.LongestRTO=%s is out of range: 1s to 120s (net.ipv4.tcp_rto_max_ms)", r.LongestRTO)
	case r.Multipath < 0:
		return fmt.Errorf("Retries.Multipath=%s is negative (net.mptcp.close_timeout)", r.Multipath)
	}
	return nil
}

const (
	shortestRTO = 200 * time.Millisecond // TCP_RTO_MIN
	firstRTO    = time.Second            // TCP_TIMEOUT_INIT, of a SYN
)

// DataTimeout returns the time after the first retransmission at which data is
// given up, when the next retransmission is due: 924.6 s by default.
func (r Retries) DataTimeout() time.Duration { return modelTimeout(r.Data, shortestRTO, r.LongestRTO) }

// OrphanTimeout is DataTimeout for a socket that no process has open any more: 102.2 s by
// default. It is an upper bound: the kernel gives up at once when the time between
// retransmissions has grown to LongestRTO, or when it lacks memory.
func (r Retries) OrphanTimeout() time.Duration {
	n := r.Orphan
	if n == 0 {
		n = 8
	}
	return modelTimeout(n, shortestRTO, r.LongestRTO)
}

// ConnectTimeout returns the time after the first SYN at which connecting fails: 131 s by
// default.
//
// Source: tcp_write_timeout and tcp_retransmit_timer in net/ipv4/tcp_timer.c.
func (r Retries) ConnectTimeout() time.Duration {
	longest := modelTimeout(r.SYN, firstRTO, r.LongestRTO)
	elapsed, rto := time.Duration(0), firstRTO
	for sent := 0; ; sent++ {
		elapsed += rto
		if sent >= r.SYN+r.LinearSYN || sent > 0 && elapsed >= longest {
			return elapsed
		}
		if sent >= r.LinearSYN {
			rto = min(2*rto, r.LongestRTO)
		}
	}
}

// modelTimeout is tcp_model_timeout in net/ipv4/tcp_timer.c: the time that
// boundary retransmissions take if the first timeout is base.
func modelTimeout(boundary int, base, longest time.Duration) time.Duration {
	doublings := bits.Len64(uint64(longest/base)) - 1
	if boundary <= doublings {
		return (2<<boundary - 1) * base
	}
	return (2<<doublings-1)*base + time.Duration(boundary-doublings)*longest
}
