// Package terminal writes text for a terminal, or for a pipe.
package terminal

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"
)

// Fold writes text for a terminal of that width, where lines go on below themselves, a
// little to the right. 0 is no terminal: lines stay as they are.
func Fold(w io.Writer, text string, width int) error {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if width > 0 && ansi.StringWidth(strings.TrimRight(line, "\n")) > width {
			foldLine(&b, line, width)
		} else {
			b.WriteString(line)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Say writes a note, a warning or an error, which w may be unable to show: there is
// nowhere else to say so.
func Say(w io.Writer, format string, args ...any) {
	Fold(w, fmt.Sprintf(format, args...)+"\n", Width(w))
}

func foldLine(b *strings.Builder, line string, width int) {
	rest := strings.TrimRight(line, "\n")
	text := strings.TrimLeft(rest, " ")
	indent := rest[:len(rest)-len(text)]
	at := 0
	for rest != "" {
		word := strings.TrimLeft(rest, " ")
		gap := rest[:len(rest)-len(word)] // which aligns columns
		word, _, _ = strings.Cut(word, " ")
		rest = rest[len(gap)+len(word):]
		n := ansi.StringWidth(word)
		if at > 0 && at+len(gap)+n > width {
			gap = indent + "  "
			b.WriteByte('\n')
			at = 0
		}
		b.WriteString(gap)
		b.WriteString(word)
		at += len(gap) + n
	}
	b.WriteByte('\n')
}

// Width returns how wide the terminal is that w writes to, or 0 if it is none.
func Width(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}
