package columns

import (
	"strings"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/table"
)

// shortProcess leaves out the descriptor, then letters of the name, then how
// many others have the socket.
func shortProcess(s string, width int) string {
	bracket := strings.LastIndexByte(s, '[')
	if bracket < 0 {
		return s
	}
	name, rest := s[:bracket], s[bracket:]
	number, rest, _ := strings.Cut(rest, " fd ")
	if _, others, ok := strings.Cut(rest, " "); ok && len(table.Ellipsis+number+" "+others) <= width {
		number += " " + others
	}
	return table.Elide(name, width-len(number)) + number
}

// shortStates are states in no more room than their title takes.
var shortStates = map[string]string{
	"SYN-SENT": "SYN-S", "SYN-RECV": "SYN-R", "FIN-WAIT-1": "FIN-1", "FIN-WAIT-2": "FIN-2", "TIME-WAIT": "TIMEW",
	"UNCONN": "UNCON", "CLOSE-WAIT": "CLOSW", "LAST-ACK": "L-ACK", "LISTEN": "LISTN", "CLOSING": "CLOSG",
	"NEW-SYN-RECV": "NEW-S", "BOUND-INACTIVE": "BOUND", "UNKNOWN": table.Unknown,
}

func shortState(s string, _ int) string {
	if short, ok := shortStates[s]; ok {
		return short
	}
	return s
}

// shortTimer leaves the first letter of the kind: "k 3m48s"; "on" has only two.
func shortTimer(s string, _ int) string {
	kind, left, ok := strings.Cut(s, " ")
	if !ok || len(kind) <= len("on") {
		return s
	}
	return kind[:1] + " " + left
}
