package segment

import (
	"net/netip"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/enum"
)

// Kind is the purpose of a segment.
type Kind uint8

// The kinds.
const (
	Acknowledgement Kind = iota
	Open                 // SYN
	Data
	Retransmission
	Close  // FIN
	Reset  // RST
	Probe  // keepalive
	Answer // to a keepalive or window probe
	WindowProbe
)

var kindNames = [...]string{"ack", "SYN", "data", "retransmission", "FIN", "RST", "probe", "answer", "window probe"}

// String returns "probe", "answer", "window probe" and so on.
func (k Kind) String() string { return enum.Name("Kind", k, kindNames[:]...) }

// An Event is a segment whose kind is known.
type Event struct {
	Segment
	Kind Kind
	// Since is the time since the previous segment of this connection, in either
	// direction; 0 for the first segment seen.
	Since time.Duration
	// Unanswered counts the probes that this end has sent in a row, including
	// this one; for a reset, those before it.
	Unanswered int
}

// A Tracker classifies segments by the segments before them. The zero value is ready to
// use. It is not safe for concurrent use.
type Tracker struct{ flows map[flowKey]*flow }

// maxFlows is the maximum number of connections that are remembered.
const maxFlows = 100_000

// A flowKey identifies a connection: the lower end first.
type flowKey struct{ low, high netip.AddrPort }

// A flow is both directions of a connection.
type flow struct {
	ends [2]end // the lower address first
	last time.Time
	// first is a pure acknowledgement that was the first segment seen of the
	// connection: the answer to it shows whether it is a probe.
	first *Event
}

// An end is the state of what one side has sent.
type end struct {
	known  bool
	next   uint32 // the next sequence number
	ack    uint32 // the last acknowledgement number
	window uint16
	probes int  // in a row
	asked  bool // the last segment that it sent is a probe
}

// Add classifies the segment and returns it as an event. If the first segment seen of a
// connection may be a probe, its kind is known only when it is answered or repeated: Add
// then returns no event for the first segment and two for the next one.
func (t *Tracker) Add(s Segment) []Event {
	key := flowKey{s.Src, s.Dst}
	from := 0
	if s.Dst.Compare(s.Src) < 0 {
		key, from = flowKey{s.Dst, s.Src}, 1
	}
	if old := t.flows[key]; old != nil && old.endsWith(s, from) {
		delete(t.flows, key)
	}
	f := t.flow(key)
	e := Event{Segment: s}
	if !f.last.IsZero() {
		e.Since = s.Time.Sub(f.last)
	}
	f.last = s.Time
	events := f.add(e, from)
	if s.Flags&RST != 0 {
		delete(t.flows, key)
	}
	return events
}

func (t *Tracker) flow(key flowKey) *flow {
	if f := t.flows[key]; f != nil {
		return f
	}
	if t.flows == nil {
		t.flows = map[flowKey]*flow{}
	}
	if len(t.flows) >= maxFlows {
		clear(t.flows) // connections are learnt again
	}
	f := &flow{}
	t.flows[key] = f
	return f
}

// endsWith reports whether the segment is the SYN of a new connection with the
// same addresses, as opposed to a retransmitted SYN.
func (f *flow) endsWith(s Segment, from int) bool {
	me := &f.ends[from]
	return s.Flags&SYN != 0 && (!me.known && s.Flags&ACK == 0 || me.known && me.next != s.Seq+1)
}

// add is Add for this connection; from is the index of the end that sent the
// segment.
func (f *flow) add(e Event, from int) []Event {
	me, peer := &f.ends[from], &f.ends[1-from]
	bare := e.Len == 0 && e.Flags&(FIN|SYN|RST) == 0
	if !me.known && !peer.known && f.first == nil && bare {
		f.first = &e
		return nil
	}
	var events []Event
	if first := f.first; first != nil {
		f.first = nil
		who := 1 - from
		if first.Src == e.Src {
			who = from
		}
		sender := &f.ends[who]
		switch {
		case bare && first.Src != e.Src && e.Ack == first.Seq+1,
			bare && first.Src == e.Src && e.Seq == first.Seq && e.Ack == first.Ack && e.Since > 400*time.Millisecond:
			// Its sequence number is one below the acknowledged one, or it repeats an acknowledgement without reason.
			sender.known, sender.next = true, first.Seq+1
			f.ends[1-who].ack = first.Seq + 1
		}
		first.Kind, first.Unanswered = f.kindOf(*first, who)
		f.note(*first, who)
		events = append(events, *first)
	}
	e.Kind, e.Unanswered = f.kindOf(e, from)
	f.note(e, from)
	return append(events, e)
}

// kindOf returns the kind of a segment. It is called before note.
func (f *flow) kindOf(e Event, from int) (Kind, int) {
	me, peer := &f.ends[from], &f.ends[1-from]
	length := e.length()
	switch {
	case e.Flags&RST != 0:
		return Reset, me.probes
	case e.Flags&SYN != 0:
		return Open, 0
	// A probe repeats an octet that the peer has already acknowledged; without that
	// condition a retransmitted segment of one octet looks like a BSD probe.
	case me.known && e.Len <= 1 && e.Flags&FIN == 0 && e.Flags&ACK != 0 && e.Seq == me.next-1 && peer.ack == me.next:
		if peer.known && peer.window == 0 {
			return WindowProbe, me.probes + 1
		}
		return Probe, me.probes + 1
	case length == 0 && peer.asked:
		return Answer, 0
	case length == 0:
		return Acknowledgement, 0
	case me.known && int32(e.Seq+length-me.next) <= 0:
		return Retransmission, 0
	case e.Flags&FIN != 0:
		return Close, 0
	}
	return Data, 0
}

// length returns by how much a segment advances the sequence number.
func (e *Event) length() uint32 {
	n := uint32(e.Len)
	if e.Flags&(SYN|FIN) != 0 {
		n++
	}
	return n
}

// note records a segment.
func (f *flow) note(e Event, from int) {
	me, peer := &f.ends[from], &f.ends[1-from]
	me.asked = e.Kind == Probe || e.Kind == WindowProbe
	me.probes = e.Unanswered
	peer.probes, peer.asked = 0, peer.asked && me.asked
	me.window = e.Window
	if e.Flags&ACK != 0 && e.Flags&RST == 0 {
		me.ack = e.Ack
	}
	if end := e.Seq + e.length(); e.Flags&RST == 0 && (!me.known || int32(end-me.next) > 0) {
		me.next, me.known = end, true
	}
}
