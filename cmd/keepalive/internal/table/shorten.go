package table

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Ellipsis stands for what was cut out of a cell.
const Ellipsis = "~"

// leastElided is how much has to be left of a text to be worth showing.
const leastElided = 5

// Elide cuts the middle out of a text.
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

// ShortEndpoint writes an address in less room: its port is kept, and both ends
// of the rest.
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
