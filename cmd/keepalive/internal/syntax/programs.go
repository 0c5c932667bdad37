package syntax

import (
	"fmt"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func golang(p Plan) (string, []string) {
	var b strings.Builder
	fmt.Fprintln(&b, "sockopt.Config{")
	fmt.Fprintf(&b, "\tIdle:        %d * time.Second,\n", p.idle())
	fmt.Fprintf(&b, "\tInterval:    %d * time.Second,\n", p.interval())
	fmt.Fprintf(&b, "\tCount:       %d,\n", p.count())
	switch ms := p.userTimeout(); {
	case ms == 0:
		fmt.Fprintln(&b, "\tUserTimeout: sockopt.NoUserTimeout,")
	case ms%1000 == 0:
		fmt.Fprintf(&b, "\tUserTimeout: %d * time.Second,\n", ms/1000)
	default:
		fmt.Fprintf(&b, "\tUserTimeout: %d * time.Millisecond,\n", ms)
	}
	fmt.Fprintln(&b, "}")
	return b.String(), []string{"for dialer.New, listener.ListenConfig and sockopt.Set; a net.Dialer or net.ListenConfig alone overwrites it with 15 s, 15 s and 9"}
}

// nginx: https://nginx.org/en/docs/http/ngx_http_core_module.html#listen
func nginx(p Plan) (string, []string) {
	text := fmt.Sprintf("listen 80 so_keepalive=%ds:%ds:%d;\n", p.idle(), p.interval(), p.count())
	notes := append(p.noUserTimeout("nginx"),
		"this is for clients; towards upstreams proxy_socket_keepalive on; takes the system's defaults, see --as sysctl",
		"nginx itself closes idle connections after keepalive_timeout (75 s by default)")
	return text, notes
}

// haproxy: https://docs.haproxy.org/3.0/configuration.html (since 2.2)
func haproxy(p Plan) (string, []string) {
	var b strings.Builder
	userTimeout := ""
	if ms := p.userTimeout(); ms > 0 {
		userTimeout = fmt.Sprintf(" tcp-ut %dms", ms)
	}
	for _, side := range []struct{ section, prefix, line string }{
		{"frontend clients", "cli", "bind :8080" + userTimeout},
		{"backend servers", "srv", "server server1 192.0.2.1:8080" + userTimeout},
	} {
		fmt.Fprintf(&b, "%s\n", side.section)
		fmt.Fprintf(&b, "    option %stcpka\n", side.prefix)
		fmt.Fprintf(&b, "    %stcpka-idle %ds\n", side.prefix, p.idle())
		fmt.Fprintf(&b, "    %stcpka-intvl %ds\n", side.prefix, p.interval())
		fmt.Fprintf(&b, "    %stcpka-cnt %d\n", side.prefix, p.count())
		fmt.Fprintf(&b, "    %s\n", side.line)
	}
	return b.String(), []string{"haproxy itself closes idle connections after timeout client, timeout server and timeout tunnel, which probes do not put off"}
}

// envoy: https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/address.proto
// (TcpKeepalive) and socket_option.proto; the numbers are those of Linux.
func envoy(p Plan) (string, []string) {
	var b strings.Builder
	option := func(indent, name string, level, number int, value int64) {
		fmt.Fprintf(&b, "%s- {description: %s, level: %d, name: %d, int_value: %d, state: STATE_PREBIND}\n", indent, name, level, number, value)
	}
	fmt.Fprintln(&b, "static_resources:")
	fmt.Fprintln(&b, "  listeners:")
	fmt.Fprintln(&b, "  - name: clients")
	fmt.Fprintln(&b, "    socket_options: # inherited by the connections")
	option("    ", "SO_KEEPALIVE", 1, 9, 1)
	option("    ", "TCP_KEEPIDLE", 6, 4, p.idle())
	option("    ", "TCP_KEEPINTVL", 6, 5, p.interval())
	option("    ", "TCP_KEEPCNT", 6, 6, int64(p.count()))
	if ms := p.userTimeout(); ms > 0 {
		option("    ", "TCP_USER_TIMEOUT", 6, 18, ms)
	}
	fmt.Fprintln(&b, "  clusters:")
	fmt.Fprintln(&b, "  - name: servers")
	fmt.Fprintln(&b, "    upstream_connection_options:")
	fmt.Fprintln(&b, "      tcp_keepalive:")
	fmt.Fprintf(&b, "        keepalive_time: %d\n", p.idle())
	fmt.Fprintf(&b, "        keepalive_interval: %d\n", p.interval())
	fmt.Fprintf(&b, "        keepalive_probes: %d\n", p.count())
	if ms := p.userTimeout(); ms > 0 {
		fmt.Fprintln(&b, "    upstream_bind_config:")
		fmt.Fprintln(&b, "      socket_options:")
		option("      ", "TCP_USER_TIMEOUT", 6, 18, ms)
	}
	return b.String(), []string{
		"merge it into your own listener and cluster; the numbers of socket_options are those of Linux",
		"envoy itself closes idle connections after idle_timeout (1 h by default), which probes do not put off",
	}
}

// systemd: systemd.socket(5)
func systemd(p Plan) (string, []string) {
	text := fmt.Sprintf("[Socket]\nKeepAlive=yes\nKeepAliveTimeSec=%d\nKeepAliveIntervalSec=%d\nKeepAliveProbes=%d\n",
		p.idle(), p.interval(), p.count())
	return text, append(p.noUserTimeout("a .socket unit"),
		"write it to /etc/systemd/system/NAME.socket.d/keepalive.conf",
		"a Go service overwrites it on every accepted connection unless it uses listener.Restore")
}

// postgresql: https://www.postgresql.org/docs/current/runtime-config-connection.html
func postgresql(p Plan) (string, []string) {
	return fmt.Sprintf("tcp_keepalives_idle = %d\ntcp_keepalives_interval = %d\ntcp_keepalives_count = %d\ntcp_user_timeout = %d\n",
			p.idle(), p.interval(), p.count(), p.userTimeout()),
		[]string{"the last is in milliseconds, and since PostgreSQL 12; SHOW tells 0 on a Unix socket"}
}

// libpq: https://www.postgresql.org/docs/current/libpq-connect.html
func libpq(p Plan) (string, []string) {
	return fmt.Sprintf("postgresql://localhost/?keepalives=1&keepalives_idle=%d&keepalives_interval=%d&keepalives_count=%d&tcp_user_timeout=%d\n",
			p.idle(), p.interval(), p.count(), p.userTimeout()),
		[]string{"tcp_user_timeout is in milliseconds, since PostgreSQL 12; this is for programs that use libpq, a Go driver takes a dialer"}
}

// redis: anetKeepAlive in anet.c sets the interval to a third of the value and
// the count to 3.
func redis(p Plan) (string, []string) {
	value, ok := redisValue(p)
	notes := append(p.noUserTimeout("redis-server"), fmt.Sprintf(
		"redis-server sets the interval to a third of the value and the count to 3: this is %ds, %ds, 3 where the plan is %ds, %ds, %d",
		value, redisInterval(value), p.idle(), p.interval(), p.count()))
	if !ok {
		notes = append(notes, "no value of tcp-keepalive does what the plan does: fewer probes may be lost, or a dead peer is noticed later")
	}
	return fmt.Sprintf("tcp-keepalive %d\n", value), notes
}

func redisInterval(value int64) int64 { return max(1, value/3) }

// redisValue returns the longest value that survives the path of the plan, and
// notices a dead peer as soon; false if the plan's own idle time has to do.
func redisValue(p Plan) (int64, bool) {
	for value := p.idle(); value > 0; value-- {
		cfg := sockopt.Config{
			Idle:        time.Duration(value) * time.Second,
			Interval:    time.Duration(redisInterval(value)) * time.Second,
			Count:       3,
			UserTimeout: sockopt.NoUserTimeout,
		}
		s := kernel.Linux().Effect(kernel.Request(cfg), platform.Settings{})
		a, err := p.Request.Assess(s)
		if err != nil { // no path: the budget alone
			d, err := timing.DetectionBounds(s, timing.Conditions{RTT: p.Request.RTT, HZ: p.Request.HZ})
			if err == nil && d[timing.PhaseIdle].Latest <= p.Request.Detect {
				return value, true
			}
			continue
		}
		inTime := p.Request.Detect == 0 || a.Detection.Idle.Latest <= p.Request.Detect
		if inTime && (a.Tightest.Timeout == 0 || a.LostProbes >= min(p.count(), 3)-1) {
			return value, p.count() <= 3
		}
	}
	return p.idle(), false
}

// env: libkeepalive 0.3 (Debian: libkeepalive0)
func env(p Plan) (string, []string) {
	text := fmt.Sprintf("LD_PRELOAD=libkeepalive.so\nKEEPALIVE=on\nKEEPIDLE=%d\nKEEPINTVL=%d\nKEEPCNT=%d\n", p.idle(), p.interval(), p.count())
	return text, append(p.noUserTimeout("libkeepalive"),
		"it reaches programs that call libc's socket(), and that do not set these options themselves: no Go program, nothing linked statically")
}
