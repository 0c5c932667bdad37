package ls

import (
	"bufio"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/table"
)

// An aligner writes lines whose fields stand below each other, each as wide as its widest,
// as ss does. It keeps lines back for that, 64 KiB at a time (ss: 5 MB): those that come
// later are as wide as what came before, or wider. To keep all until the end would be
// simpler, but costs half of the time of a list of 50,000 sockets, and 18 MB.
//
// Of the lines that are kept those of IPv4 come first, as ss asks for that family first.
type aligner struct {
	out    *bufio.Writer
	first  int // field to begin with: ss leaves a state out that is the same for all
	widths [ssFields]int
	v4, v6 lines
	at     *lines // to which the line belongs that is being made
}

// lines are fields of lines, one after another, and where each ends.
type lines struct {
	text []byte
	ends []int
}

const ssFields = ssRest + 1

// keptBack is how many bytes of lines are kept back.
const keptBack = 64 << 10

// layouts of the fields: what stands before them, and whether they are aligned
// to the right.
var layouts = [ssFields]struct {
	delim string
	right bool
}{
	ssState: {"", false}, ssRecvQ: {" ", false}, ssSendQ: {" ", false},
	ssLocal: {" ", true}, ssLocalPort: {"", false},
	ssPeer: {" ", true}, ssPeerPort: {"", false},
	ssRest: {"", false},
}

// begin begins a line. What it and end return is to be appended to, with the next field.
func (a *aligner) begin(v6 bool) []byte {
	if len(a.v4.text)+len(a.v6.text) > keptBack {
		a.flush()
	}
	a.at = &a.v4
	if v6 {
		a.at = &a.v6
	}
	return a.at.text
}

// end ends a field.
func (a *aligner) end(b []byte) []byte {
	field := len(a.at.ends) % ssFields
	a.widths[field] = max(a.widths[field], len(b)-len(a.at.text))
	a.at.text, a.at.ends = b, append(a.at.ends, len(b))
	return b
}

// flush writes the lines that were kept back.
func (a *aligner) flush() {
	for _, l := range []*lines{&a.v4, &a.v6} {
		var b []byte
		start := 0
		for i, end := range l.ends {
			b = a.appendField(b, i%ssFields, l.text[start:end])
			start = end
			if i%ssFields == ssRest {
				a.out.Write(append(b, '\n'))
				b = b[:0]
			}
		}
		l.text, l.ends = l.text[:0], l.ends[:0]
	}
}

func (a *aligner) appendField(b []byte, field int, text []byte) []byte {
	if field < a.first {
		return b
	}
	if field > a.first {
		b = append(b, layouts[field].delim...)
	}
	pad := a.widths[field] - len(text)
	if layouts[field].right {
		return append(table.AppendPad(b, pad), text...)
	}
	return table.AppendPad(append(b, text...), pad)
}
