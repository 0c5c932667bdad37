package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/platform"
)

const tcpRTOMaxMS = 44 // TCP_RTO_MAX_MS of linux/tcp.h, since 6.15

func systemRetries() (Retries, error) {
	if Current().ShowsActivity != platform.Yes {
		return Retries{}, errNoRetries()
	}
	r := DefaultRetries()
	var rtoMax, multipath int
	var errs []error
	for _, s := range []struct {
		name    string
		value   *int
		missing int // the value if the file is missing; -1 if it must exist
	}{
		{"ipv4/tcp_retries2", &r.Data, -1},
		{"ipv4/tcp_orphan_retries", &r.Orphan, -1},
		{"ipv4/tcp_syn_retries", &r.SYN, -1},
		{"ipv4/tcp_syn_linear_timeouts", &r.LinearSYN, 0},                   // before 6.5
		{"ipv4/tcp_rto_max_ms", &rtoMax, int(r.LongestRTO.Milliseconds())},  // before 6.15
		{"mptcp/close_timeout", &multipath, int(r.Multipath / time.Second)}, // before 6.13, or no Multipath TCP
	} {
		n, err := readSysctl(s.name)
		if errors.Is(err, fs.ErrNotExist) && s.missing >= 0 {
			n, err = s.missing, nil
		}
		if err != nil {
			errs = append(errs, err)
		}
		*s.value = n
	}
	if len(errs) > 0 {
		return Retries{}, join(errs)
	}
	r.LongestRTO = time.Duration(rtoMax) * time.Millisecond
	r.Multipath = time.Duration(multipath) * time.Second
	if err := r.Validate(); err != nil { // /proc is not the kernel's
		return Retries{}, err
	}
	return r, nil
}

// readSysctl reads a sysctl of the calling thread's network namespace.
func readSysctl(name string) (int, error) {
	text, err := os.ReadFile("/proc/sys/net/" + name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("/proc/sys/net/%s: %w", name, err)
	}
	return n, nil
}

func systemRetriesOf(fd uintptr) (Retries, error) {
	same, err := inOurNamespace(int(fd))
	var r Retries
	switch {
	case err != nil:
		return Retries{}, err
	case same:
		r, err = systemRetries()
	default:
		r, err = inNamespaceOf(int(fd), systemRetries)
	}
	if err != nil {
		return Retries{}, err
	}
	// A socket gets the value of the sysctl when it is created; later changes do
	// not affect it.
	if ms, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, tcpRTOMaxMS); err == nil {
		r.LongestRTO = time.Duration(ms) * time.Millisecond
	}
	if n, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_SYNCNT); err == nil {
		r.SYN = n
	}
	return r, r.Validate()
}
