package watch

import (
	"io"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// A keypress is a character, or one of the constants below.
type keypress rune

const (
	keyNone keypress = -1 - iota
	keyEscape
	keyInterrupt // Ctrl-C
	keyStop      // Ctrl-Z
	keyEnter
	keyBackspace
	keyUp
	keyDown
	keyLeft
	keyRight
	keyPageUp
	keyPageDown
	keyHome
	keyEnd
)

// sequences are the bytes that terminals send for keys that are not characters, in cursor and
// in application mode (XTerm Control Sequences, "PC-Style Function Keys").
var sequences = map[string]keypress{
	"\x1b[A": keyUp, "\x1bOA": keyUp,
	"\x1b[B": keyDown, "\x1bOB": keyDown,
	"\x1b[C": keyRight, "\x1bOC": keyRight,
	"\x1b[D": keyLeft, "\x1bOD": keyLeft,
	"\x1b[5~": keyPageUp,
	"\x1b[6~": keyPageDown,
	"\x1b[H":  keyHome, "\x1bOH": keyHome, "\x1b[1~": keyHome, "\x1b[7~": keyHome,
	"\x1b[F": keyEnd, "\x1bOF": keyEnd, "\x1b[4~": keyEnd, "\x1b[8~": keyEnd,
	"\x1b": keyEscape,
	"\x03": keyInterrupt,
	"\x1a": keyStop,
	"\r":   keyEnter, "\n": keyEnter,
	"\x7f": keyBackspace, "\b": keyBackspace,
}

// ss3 begins the sequences of terminals in application mode; the decoder does not include
// the character that follows.
const ss3 = "\x1bO"

// readKeys sends each keypress until the input ends.
func readKeys(r io.Reader, keys chan<- keypress) {
	defer close(keys)
	var buffer [256]byte
	for {
		n, err := r.Read(buffer[:])
		for typed := buffer[:n]; len(typed) > 0; {
			sequence, _, size, _ := ansi.DecodeSequence(typed, ansi.NormalState, nil)
			if string(sequence) == ss3 && len(typed) > size {
				size++
				sequence = typed[:size]
			}
			if k := keyOf(sequence); k != keyNone {
				keys <- k
			}
			typed = typed[max(1, size):]
		}
		if err != nil {
			return
		}
	}
}

func keyOf(sequence []byte) keypress {
	if k, ok := sequences[string(sequence)]; ok {
		return k
	}
	if r, size := utf8.DecodeRune(sequence); size == len(sequence) && r >= ' ' && r != utf8.RuneError {
		return keypress(r)
	}
	return keyNone
}
