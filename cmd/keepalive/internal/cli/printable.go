package cli

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable replaces what a terminal would not show, or take for a command.
// Whatever somebody else wrote goes through it, or through newJSON: a process,
// an interface and a control group may have any name, and so may whom a
// certificate is for.
func printable(s string) string { return strings.Map(shown, s) }

// printableLines lets the ends of lines be.
func printableLines(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		return shown(r)
	}, s)
}

func shown(r rune) rune {
	if r == utf8.RuneError || !unicode.IsPrint(r) {
		return '?'
	}
	return r
}
