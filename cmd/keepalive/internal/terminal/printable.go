package terminal

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable replaces what a terminal would not show, or take for a command.
// Whatever somebody else wrote goes through it, or through record.NewEncoder: a process,
// an interface and a control group may have any name, and so may whom a
// certificate is for.
func Printable(s string) string { return strings.Map(shown, s) }

// PrintableLines lets the ends of lines be.
func PrintableLines(s string) string {
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
