package syntax

import "fmt"

// Programs that keep a connection alive with messages of their own, which everything on
// a path takes for data.

// countMax is how many messages may be unanswered, OpenSSH's default. TCP sends a lost
// message again, so that it need not allow for losses.
const countMax = 3

// session is after how many seconds to send a message, where these leave every so many
// intervals and a dead peer is given up after that many: soon enough for the path, and for
// noticing a dead peer as soon as the plan does.
func (p Plan) session(period, givesUp int64) int64 {
	return max(1, min(p.beat()/period, p.noticed()/givesUp))
}

func sshSides(p Plan) []side {
	const givesUp = countMax + 1
	interval := p.session(1, givesUp)
	return []side{beating(interval, interval*givesUp)}
}

// ssh: ssh_config(5). It gives up when one more message than CountMax is due
// (server_alive_check in clientloop.c): with an interval of 2 s, OpenSSH 9.2 does after 8 s.
func ssh(p Plan) (string, []string) {
	const givesUp = countMax + 1
	interval := p.session(1, givesUp)
	return fmt.Sprintf("Host *\n    ServerAliveInterval %d\n    ServerAliveCountMax %d\n    TCPKeepAlive yes\n", interval, countMax), []string{
		fmt.Sprintf("its own messages do what probes do: one every %d s, and a dead peer is given up after %d s of silence (%d s in the plan)", interval, interval*givesUp, p.noticed()),
		systemValues,
	}
}

// sshd: sshd_config(5). OpenSSH 9.2 waits two intervals between messages: with an
// interval of 2 s, they leave 2, 6 and 10 s after the last segment, and it gives up after
// 14 s. As documented, it would be 2, 4 and 6 s, and 8 s.
func sshd(p Plan) (string, []string) {
	const period, givesUp = 2, 2*countMax + 1
	interval := p.session(period, givesUp)
	return fmt.Sprintf("ClientAliveInterval %d\nClientAliveCountMax %d\nTCPKeepAlive yes\n", interval, countMax), []string{
		fmt.Sprintf("its own messages do what probes do: one every %d to %d s, and a dead peer is given up after %d to %d s of silence (%d s in the plan), the longer times with OpenSSH 9.2, which waits two intervals",
			interval, interval*period, interval*(countMax+1), interval*givesUp, p.noticed()),
		systemValues,
	}
}

func sshdSides(p Plan) []side {
	const period, givesUp = 2, 2*countMax + 1
	interval := p.session(period, givesUp)
	return []side{beating(interval*period, interval*givesUp).accepted(), beating(interval, interval*(countMax+1)).accepted()}
}

const systemValues = "TCPKeepAlive has the system's values, see --as sysctl"

// pings are how often OpenVPN sends something, and after what silence it gives up.
func (p Plan) pings() (interval, timeout int64) {
	timeout = max(2, p.noticed())
	return max(1, min(p.beat(), timeout/2)), timeout
}

func openvpnSides(p Plan) []side {
	return []side{beating(p.pings())}
}

// openvpn: --keepalive in openvpn(8). interval is when to ping, timeout when to restart;
// it must be at least twice the interval. A server tells its clients both, and itself
// waits twice as long.
func openvpn(p Plan) (string, []string) {
	interval, timeout := p.pings()
	return fmt.Sprintf("keepalive %d %d\n", interval, timeout), []string{
		fmt.Sprintf("its own pings do what probes do: one every %d s, and a dead peer is given up after %d s (%d s in the plan); a server waits twice as long", interval, timeout, p.noticed()),
		"this is for proto tcp: devices forget flows of UDP sooner, and this plan says nothing about them",
	}
}
