package align

import (
	"fmt"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// withoutUserTimeout says how long data in flight to a dead peer goes unnoticed if there is
// no user timeout, and what else shortens that.
func (r Request) withoutUserTimeout(cfg sockopt.Config) []string {
	if cfg.UserTimeout > 0 && !r.Multipath {
		return nil
	}
	limits := platform.Retries(kernel.DefaultRetries())
	whose := "the default of Linux"
	if r.Retries != nil {
		limits, whose = *r.Retries, "as it is set"
	}
	var list []string
	add := func(setting, note string, change func(*platform.Retries)) {
		with := r
		with.Retries = new(limits)
		change(with.Retries)
		s := settingsOf(cfg)
		s.UserTimeout = 0
		d, err := timing.DetectionBounds(s, with.conditions())
		if err != nil {
			return
		}
		list = append(list, fmt.Sprintf("%s%s up to %s", setting, note, duration.Format(duration.Up(d[timing.PhaseInFlight].Latest, second))))
	}
	add(fmt.Sprintf("net.ipv4.tcp_retries2=%d", limits.Data), " ("+whose+")", func(*platform.Retries) {})
	for _, n := range []int{8, 5} {
		if n < limits.Data {
			add(fmt.Sprintf("net.ipv4.tcp_retries2=%d", n), "", func(l *platform.Retries) { l.Data = n })
		}
	}
	const ten = 10 * time.Second
	if limits.LongestRTO > ten {
		add("net.ipv4.tcp_rto_max_ms=10000", " (Linux 6.15 and later)", func(l *platform.Retries) { l.LongestRTO = ten })
	}
	return []string{"without a user timeout a sysctl decides how long data in flight to a dead peer goes unnoticed, for all connections of the network namespace: " + strings.Join(list, ", ")}
}
