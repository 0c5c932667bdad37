package trace

import (
	"bytes"
	"context"
	"net/netip"

	"github.com/tcpkeepalive/keepalive/internal/capture"
	"github.com/tcpkeepalive/keepalive/internal/segment"
)

// A connection is one direction of a connection: the sender, the receiver, and the place
// where its segments are seen.
type connection struct {
	from, to netip.AddrPort
	at       *scene
}

func (c connection) reversed() connection { return connection{c.to, c.from, c.at} }

// A taker receives packets from the kernel.
type taker struct {
	*options
	at       *scene
	segments segment.Tracker
	to       chan sighting

	// held are the first packets of connections, whose kind is not known until the next
	// packet of the connection arrives.
	held map[connection]capture.Packet
}

// take receives packets until ctx ends.
func (t *taker) take(ctx context.Context, c *capture.Capture) error {
	for ctx.Err() == nil {
		p, ok, err := c.Next()
		if err != nil {
			return err
		}
		if ok {
			t.add(ctx, p)
		}
	}
	return nil
}

func (t *taker) add(ctx context.Context, p capture.Packet) {
	s, ok := segment.Parse(p.Data)
	if !ok {
		return
	}
	s.Time, s.Out = p.Time, p.Out
	device := t.at.links.zone(&s, p.Interface)
	events := t.segments.Add(s)
	if len(events) == 0 {
		t.hold(s, p)
	}
	for i, e := range events {
		packet := p
		if len(events) == 2 && i == 0 {
			packet = t.released(e)
		}
		seen := sighting{Event: e, device: device, at: t.at, wanted: t.wanted(&e, device)}
		if !seen.wanted && e.Kind != segment.Open {
			continue
		}
		if seen.wanted && t.write != "" {
			seen.packet = packet
			seen.packet.Data = bytes.Clone(packet.Data)
		}
		select {
		case t.to <- seen:
		case <-ctx.Done():
			return
		}
	}
}

// hold keeps a packet for the file until its kind is known.
func (t *taker) hold(s segment.Segment, p capture.Packet) {
	if t.write == "" {
		return
	}
	if len(t.held) > 10_000 {
		clear(t.held)
	}
	p.Data = bytes.Clone(p.Data)
	t.held[connection{s.Src, s.Dst, t.at}] = p
}

func (t *taker) released(e segment.Event) capture.Packet {
	key := connection{e.Src, e.Dst, t.at}
	p := t.held[key]
	delete(t.held, key)
	return p
}

// wanted reports whether an event is to be shown, whichever process it belongs to.
func (t *taker) wanted(e *segment.Event, device int) bool {
	return t.kind[e.Kind] && (t.at.matches(e.Src, device) || t.at.matches(e.Dst, device))
}
