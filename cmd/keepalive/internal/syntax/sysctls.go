package syntax

import (
	"fmt"
	"strings"
)

// The system's defaults, in the many places that set them.

// A setting is a sysctl and its value.
type setting struct {
	name  string
	value int64
}

func (p Plan) sysctls() []setting {
	return []setting{
		{"net.ipv4.tcp_keepalive_time", p.idle()},
		{"net.ipv4.tcp_keepalive_intvl", p.interval()},
		{"net.ipv4.tcp_keepalive_probes", int64(p.count())},
	}
}

// write writes a line for each.
func (p Plan) write(before, line string) string {
	var b strings.Builder
	b.WriteString(before)
	for _, s := range p.sysctls() {
		fmt.Fprintf(&b, line, s.name, s.value)
	}
	return b.String()
}

func (p Plan) sysctlNotes() []string {
	return []string{
		"these are defaults, IPv6 included: a socket has them if its program switches keepalive on and sets no values of its own; Go programs set 15 s, 15 s and 9",
	}
}

func sysctl(p Plan) (string, []string) {
	return p.write("", "%s = %d\n"), p.sysctlNotes()
}

// kubernetes: https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/
func kubernetes(p Plan) (string, []string) {
	return p.write("spec:\n  securityContext:\n    sysctls:\n", "    - name: %s\n      value: \"%d\"\n"),
		append(p.sysctlNotes(), "safe sysctls since Kubernetes 1.29; before, the kubelet has to allow them (--allowed-unsafe-sysctls); not for pods with hostNetwork")
}

func docker(p Plan) (string, []string) {
	options := make([]string, 0, 3)
	for _, s := range p.sysctls() {
		options = append(options, fmt.Sprintf("--sysctl %s=%d", s.name, s.value))
	}
	return "docker run " + strings.Join(options, " ") + " IMAGE\n", append(p.sysctlNotes(), "not with --network host")
}

func compose(p Plan) (string, []string) {
	return p.write("services:\n  app:\n    sysctls:\n", "      %s: %d\n"), append(p.sysctlNotes(), "not with network_mode: host")
}

// systemd: systemd.socket(5)
func systemd(p Plan) (string, []string) {
	text := fmt.Sprintf("[Socket]\nKeepAlive=yes\nKeepAliveTimeSec=%d\nKeepAliveIntervalSec=%d\nKeepAliveProbes=%d\n",
		p.idle(), p.interval(), p.count())
	return text, []string{
		"write it to /etc/systemd/system/NAME.socket.d/keepalive.conf",
		"a Go service overwrites it on every accepted connection unless it uses listener.Restore",
	}
}

const preloadAssumption = "the program calls socket() of the C library, and sets no such options itself: no Go program does that"

// env: libkeepalive 0.3 (Debian: libkeepalive0)
func env(p Plan) (string, []string) {
	text := fmt.Sprintf("LD_PRELOAD=libkeepalive.so\nKEEPALIVE=on\nKEEPIDLE=%d\nKEEPINTVL=%d\nKEEPCNT=%d\n", p.idle(), p.interval(), p.count())
	return text, []string{
		"it reaches programs that call libc's socket(), and that do not set these options themselves: no Go program, nothing linked statically",
	}
}
