package ls

import (
	"io"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/table"
)

// An aligner writes lines whose fields stand below each other, each as wide as
// its widest, as ss does. It keeps lines back until they fill its buffer; those
// that come later are as wide as what came before, or wider. (ss does the same,
// with 5 MB.) Lines that it kept come out with those of IPv4 first, as ss asks
// for that family first.
type aligner struct {
	out    io.Writer
	line   []byte           // of the fields of the line that is being made
	ends   [ssFields]uint16 // of these
	field  int
	widths [ssFields]uint16

	first    int    // field to begin with: ss leaves a state out that is the same for all
	later    bool   // the line is to come after those of IPv4
	kept     []byte // lines: later, the ends of their fields, and the fields
	keptLate bool   // one of them comes later
	streamed bool   // the buffer was full
	text     []byte // to be written
}

const ssFields = ssRest + 1

// alignWithin is how many bytes of lines are kept back.
const alignWithin = 64 << 10

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

func (a *aligner) begin() { a.line, a.field = a.line[:0], 0 }

// end ends a field of the line b.
func (a *aligner) end(b []byte) []byte {
	start := uint16(0)
	if a.field > 0 {
		start = a.ends[a.field-1]
	}
	end := uint16(min(len(b), 1<<16-1))
	a.ends[a.field] = end
	a.widths[a.field] = max(a.widths[a.field], end-start)
	a.field++
	return b
}

func (a *aligner) finish() {
	if a.streamed {
		a.write(a.ends[:], a.line)
		return
	}
	if a.kept == nil {
		a.kept = make([]byte, 0, alignWithin)
	}
	if len(a.kept)+1+2*ssFields+len(a.line) > alignWithin {
		a.flush()
		a.streamed = true
		a.write(a.ends[:], a.line)
		return
	}
	late := byte(0)
	if a.later {
		a.keptLate, late = true, 1
	}
	a.kept = append(a.kept, late)
	for _, end := range a.ends {
		a.kept = append(a.kept, byte(end), byte(end>>8))
	}
	a.kept = append(a.kept, a.line...)
}

// flush writes the lines that were kept back.
func (a *aligner) flush() {
	a.writeKept(0)
	if a.keptLate {
		a.writeKept(1)
	}
	a.kept = nil
	a.writeText()
}

func (a *aligner) writeKept(late byte) {
	for b := a.kept; len(b) > 0; {
		wanted := b[0] == late
		b = b[1:]
		var ends [ssFields]uint16
		for i := range ends {
			ends[i] = uint16(b[2*i]) | uint16(b[2*i+1])<<8
		}
		b = b[2*ssFields:]
		if wanted {
			a.write(ends[:], b)
		}
		b = b[ends[ssFields-1]:]
	}
}

// textSize is how much is written at a time.
const textSize = 16 << 10

func (a *aligner) write(ends []uint16, line []byte) {
	b := a.text
	start := uint16(0)
	if a.first > 0 {
		start = ends[a.first-1]
	}
	for i := a.first; i < len(ends); i++ {
		end := ends[i]
		if i > a.first {
			b = append(b, layouts[i].delim...)
		}
		pad := int(a.widths[i]) - int(end-start)
		if layouts[i].right {
			b = table.AppendPad(b, pad)
		}
		b = append(b, line[start:end]...)
		if !layouts[i].right {
			b = table.AppendPad(b, pad)
		}
		start = end
	}
	a.text = append(b, '\n')
	if len(a.text) > textSize {
		a.writeText()
	}
}

func (a *aligner) writeText() {
	a.out.Write(a.text)
	a.text = a.text[:0]
}
