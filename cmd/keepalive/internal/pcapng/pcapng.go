// Package pcapng writes packets for Wireshark and tcpdump.
//
// There are libraries for it; those that are kept well register some hundred
// protocols when a program starts, which every short command would pay for.
//
// Source: draft-ietf-opsawg-pcapng.
package pcapng

import (
	"encoding/binary"
	"io"
	"time"
)

const (
	sectionHeader    = 0x0a0d0d0a
	interfaceBlock   = 1
	enhancedPacket   = 6
	byteOrder        = 0x1a2b3c4d
	linkTypeRaw      = 101 // from the IP header on
	endOfOptions     = 0
	optionResolution = 9 // if_tsresol
	nanoseconds      = 9
)

// A Writer writes a file.
type Writer struct {
	w     io.Writer
	block []byte
}

// NewWriter begins a file of packets that start with their IP header, and of which no
// more than snap bytes are kept.
func NewWriter(w io.Writer, snap int) (*Writer, error) {
	p := &Writer{w: w}
	p.begin(sectionHeader)
	p.uint32(byteOrder)
	p.uint16(1) // version 1.0
	p.uint16(0)
	p.uint32(0xffffffff) // the length of the section is not given
	p.uint32(0xffffffff)
	if err := p.end(); err != nil {
		return nil, err
	}
	p.begin(interfaceBlock)
	p.uint16(linkTypeRaw)
	p.uint16(0)
	p.uint32(uint32(snap))
	p.uint16(optionResolution)
	p.uint16(1)
	p.bytes([]byte{nanoseconds})
	p.uint16(endOfOptions)
	p.uint16(0)
	return p, p.end()
}

// Write adds a packet, of which length bytes were on the wire.
func (p *Writer) Write(t time.Time, packet []byte, length int) error {
	ns := uint64(t.UnixNano())
	p.begin(enhancedPacket)
	p.uint32(0) // the only interface
	p.uint32(uint32(ns >> 32))
	p.uint32(uint32(ns))
	p.uint32(uint32(len(packet)))
	p.uint32(uint32(length))
	p.bytes(packet)
	return p.end()
}

func (p *Writer) uint16(v uint16) { p.block = binary.LittleEndian.AppendUint16(p.block, v) }
func (p *Writer) uint32(v uint32) { p.block = binary.LittleEndian.AppendUint32(p.block, v) }

// bytes pads to four.
func (p *Writer) bytes(b []byte) {
	p.block = append(p.block, b...)
	for len(p.block)%4 != 0 {
		p.block = append(p.block, 0)
	}
}

// begin starts a block, whose length comes later.
func (p *Writer) begin(kind uint32) {
	p.block = p.block[:0]
	p.uint32(kind)
	p.uint32(0)
}

// end writes the block, its length in front and behind.
func (p *Writer) end() error {
	length := uint32(len(p.block) + 4)
	binary.LittleEndian.PutUint32(p.block[4:], length)
	p.uint32(length)
	_, err := p.w.Write(p.block)
	return err
}
