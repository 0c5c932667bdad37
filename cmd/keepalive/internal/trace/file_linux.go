package trace

import (
	"io"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/tcpkeepalive/keepalive/internal/capture"
)

// newPacketFile starts a pcapng file, which Wireshark and tcpdump read. Its packets start with
// their IP header. They reach the file with Flush.
func newPacketFile(w io.Writer) (*pcapgo.NgWriter, error) {
	file, err := pcapgo.NewNgWriterInterface(w,
		pcapgo.NgInterface{LinkType: layers.LinkTypeRaw, SnapLength: capture.Snap, TimestampResolution: 9},
		pcapgo.NgWriterOptions{SectionInfo: pcapgo.NgSectionInfo{Application: "keepalive"}})
	if err != nil {
		return nil, err
	}
	return file, file.Flush()
}

// writePacket adds a packet, of which perhaps only the headers were kept.
func writePacket(file *pcapgo.NgWriter, p *capture.Packet) error {
	return file.WritePacket(gopacket.CaptureInfo{Timestamp: p.Time, CaptureLength: len(p.Data), Length: p.Length}, p.Data)
}
