package syntax

import "fmt"

// Programs that keep a connection alive with messages of their own, which everything on
// a path takes for data.

// sessions are how often to send something, and after how many times without an answer
// to give up, so that a dead peer is noticed as soon as the plan notices it: OpenSSH
// gives up when one more message than CountMax is due (server_alive_check in
// clientloop.c, client_alive_check in serverloop.c). TCP sends a lost message again, so
// that CountMax need not allow for losses.
func (p Plan) sessions() (interval, count int64) {
	const countMax = 3 // OpenSSH's default
	return max(1, min(p.beat(), p.noticed()/(countMax+1))), countMax
}

// ssh: ssh_config(5)
func ssh(p Plan) (string, []string) {
	interval, count := p.sessions()
	return fmt.Sprintf("Host *\n    ServerAliveInterval %d\n    ServerAliveCountMax %d\n    TCPKeepAlive yes\n", interval, count), p.sessionNotes(interval, count)
}

// sshd: sshd_config(5)
func sshd(p Plan) (string, []string) {
	interval, count := p.sessions()
	return fmt.Sprintf("ClientAliveInterval %d\nClientAliveCountMax %d\nTCPKeepAlive yes\n", interval, count), p.sessionNotes(interval, count)
}

func (p Plan) sessionNotes(interval, count int64) []string {
	return []string{
		fmt.Sprintf("its own messages do what probes do: one every %d s, and a dead peer is given up after %d s of silence (%d s in the plan)", interval, interval*(count+1), p.noticed()),
		"TCPKeepAlive has the system's values, see --as sysctl",
	}
}

// openvpn: --keepalive in openvpn(8). interval is when to ping, timeout when to restart;
// it must be at least twice the interval. A server tells its clients both, and itself
// waits twice as long.
func openvpn(p Plan) (string, []string) {
	timeout := max(2, p.noticed())
	interval := max(1, min(p.beat(), timeout/2))
	return fmt.Sprintf("keepalive %d %d\n", interval, timeout), []string{
		fmt.Sprintf("its own pings do what probes do: one every %d s, and a dead peer is given up after %d s (%d s in the plan); a server waits twice as long", interval, timeout, p.noticed()),
		"this is for proto tcp: devices forget flows of UDP sooner, and this plan says nothing about them",
	}
}
