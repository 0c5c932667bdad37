package ls

import (
	"bufio"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/inspect"
)

// netstatStates are netstat's names.
var netstatStates = [...]string{
	"", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE",
	"CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING",
}

// listNetstat prints what netstat -tnoW does, without its titles. It shows all
// states but LISTEN unless --state asks for others, as netstat does.
func (o *options) listNetstat(out *bufio.Writer) (*sockets.Notes, error) {
	f := o.Filter
	if f.States == nil {
		f.States = sockets.StatesWithout(sockets.AllStates, inspect.Listen, inspect.BoundInactive)
	}
	var n sockets.Notes
	var line []byte
	for j, err := range o.List(f, &n) {
		if err != nil {
			return nil, err
		}
		n.Source = j.Report.Source
		line = appendNetstat(line[:0], j.Report)
		out.Write(line)
	}
	return &n, nil
}

func appendNetstat(b []byte, s *inspect.Report) []byte {
	protocol := "tcp"
	if s.Local.Addr().Is6() {
		protocol = "tcp6"
	}
	state := ""
	if int(s.State) < len(netstatStates) {
		state = netstatStates[s.State]
	}
	send := s.SendQueue
	if s.State == inspect.Listen {
		send = 0 // /proc, which netstat reads, does not show the backlog there
	}
	b = fmt.Appendf(b, "%-5s %6d %6d %-23s %-23s %-11s ", protocol, s.RecvQueue, send, netstatAddr(s.Local), netstatAddr(s.Peer), state)
	return append(appendNetstatTimer(b, s.Timer), '\n')
}

// appendNetstatTimer writes "keepalive (7185.02/0/0)": seconds, retransmissions,
// probes.
func appendNetstatTimer(b []byte, t inspect.Timer) []byte {
	kind, retransmissions, probes := t.Kind, 0, t.Unanswered
	switch t.Kind {
	case "":
		return append(b, "unknown"...)
	case "on":
		retransmissions, probes = t.Unanswered, 0
	case "persist":
		kind = "probe"
	case "delack":
		kind = "unkn-5"
	}
	return fmt.Appendf(b, "%s (%.2f/%d/%d)", kind, float64(t.Left.Milliseconds()/10)/100, retransmissions, probes)
}

// netstatAddr has no brackets, and shows IPv4-mapped addresses as IPv4.
func netstatAddr(a netip.AddrPort) string {
	port := "*"
	if a.Port() != 0 {
		port = strconv.Itoa(int(a.Port()))
	}
	return a.Addr().Unmap().String() + ":" + port
}
