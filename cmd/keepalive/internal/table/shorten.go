package table

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Ellipsis replaces the part that was cut out of a cell.
const Ellipsis = "~"

// leastElided is the smallest width at which a shortened text is still readable.
const leastElided = 5

// Elide replaces the middle of a text by an Ellipsis.
func Elide(s string, width int) string {
	switch w := ansi.StringWidth(s); {
	case w <= width:
		return s
	case width < leastElided:
		return Ellipsis
	default:
		keep := width - len(Ellipsis)
		return ansi.Truncate(s, (keep+1)/2, "") + Ellipsis + ansi.TruncateLeft(s, w-keep/2, "")
	}
}

// ShortEndpoint shortens an address to a width. It keeps the port, and both ends of the
// rest.
func ShortEndpoint(s string, width int) string {
	colon := strings.LastIndexByte(s, ':')
	if colon < 0 {
		return s
	}
	host, port := s[:colon], s[colon:]
	inner, bracketed := strings.CutPrefix(host, "[")
	if !bracketed {
		return Elide(host, width-len(port)) + port
	}
	inner = Elide(strings.TrimSuffix(inner, "]"), width-len(port)-len("[]"))
	if inner == Ellipsis {
		return Ellipsis + port
	}
	return "[" + inner + "]" + port
}
