package cli

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// ellipsis stands for what was cut out of a cell.
const ellipsis = "~"

// leastElided is how much has to be left of a text to be worth showing.
const leastElided = 5

// elide cuts the middle out of a text.
func elide(s string, width int) string {
	switch w := ansi.StringWidth(s); {
	case w <= width:
		return s
	case width < leastElided:
		return ellipsis
	default:
		keep := width - len(ellipsis)
		return ansi.Truncate(s, (keep+1)/2, "") + ellipsis + ansi.TruncateLeft(s, w-keep/2, "")
	}
}

// shortEndpoint writes an address in less room: its port is kept, and both ends
// of the rest.
func shortEndpoint(s string, width int) string {
	colon := strings.LastIndexByte(s, ':')
	if colon < 0 {
		return s
	}
	host, port := s[:colon], s[colon:]
	inner, bracketed := strings.CutPrefix(host, "[")
	if !bracketed {
		return elide(host, width-len(port)) + port
	}
	inner = elide(strings.TrimSuffix(inner, "]"), width-len(port)-len("[]"))
	if inner == ellipsis {
		return ellipsis + port
	}
	return "[" + inner + "]" + port
}
