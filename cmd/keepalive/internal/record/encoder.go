package record

import (
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// NewEncoder writes JSON that a terminal takes for text: what terminal.Printable replaces is
// escaped. (encoding/json leaves DEL, the C1 controls and the marks that reverse
// the direction of text as they are.)
func NewEncoder(w io.Writer) *json.Encoder {
	e := json.NewEncoder(escaper{w})
	e.SetEscapeHTML(false)
	return e
}

type escaper struct{ w io.Writer }

// Write gets whole values: json.Encoder writes each at once. What is not
// printable, and not the white space of JSON, stands in a string.
func (e escaper) Write(b []byte) (int, error) {
	if !hasUnprintable(b) {
		return e.w.Write(b)
	}
	safe := make([]byte, 0, len(b)+64)
	for rest := b; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r < utf8.RuneSelf && r != 0x7f, unicode.IsPrint(r):
			safe = append(safe, rest[:size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			safe = fmt.Appendf(safe, `\u%04x\u%04x`, high, low)
		default:
			safe = fmt.Appendf(safe, `\u%04x`, r)
		}
		rest = rest[size:]
	}
	if _, err := e.w.Write(safe); err != nil {
		return 0, err
	}
	return len(b), nil
}

// hasUnprintable may say so of what is printable, and not ASCII.
func hasUnprintable(b []byte) bool {
	for _, c := range b {
		if c >= 0x7f {
			return true
		}
	}
	return false
}
