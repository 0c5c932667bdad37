package trace

import (
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
	"github.com/tcpkeepalive/keepalive/internal/segment"
	"github.com/tcpkeepalive/keepalive/internal/sockdiag"
)

// interfaces finds the interface of a link-local address; without its interface such an
// address is ambiguous (RFC 4007). It is not safe for concurrent use.
type interfaces struct {
	sockets.Namer
	loopback int            // index, 0 for none
	diag     *sockdiag.Conn // nil until it is needed

	owners map[netip.Addr][]int // interfaces that have an address
	listed time.Time            // when these were found
	found  map[[2]netip.AddrPort]int
}

func (i *interfaces) close() {
	if i.diag != nil {
		i.diag.Close()
	}
	i.NetNS.Close()
}

// zone adds the zone to the link-local ends of a segment that was captured on a device. It
// returns the device to which the segment belongs.
func (i *interfaces) zone(s *segment.Segment, device int) int {
	src, dst := isLinkLocal(s.Src.Addr()), isLinkLocal(s.Dst.Addr())
	if !src && !dst {
		return device
	}
	if device == i.loopback {
		device = i.sender(s)
	}
	name := terminal.Printable(i.DeviceName(uint32(device)))
	if src {
		s.Src = withZone(s.Src, name)
	}
	if dst {
		s.Dst = withZone(s.Dst, name)
	}
	return device
}

func isLinkLocal(a netip.Addr) bool { return a.Is6() && a.IsLinkLocalUnicast() }

func withZone(a netip.AddrPort, zone string) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().WithZone(zone), a.Port())
}

// sender returns the interface of a segment that this machine sends to itself. The segment
// crosses lo, but for both sockets it belongs to the interface that has the address
// (ip6_rcv_core in net/ipv6/ip6_input.c). If several interfaces have the address, the
// interface to which the sockets are bound decides; if that is not known, sender returns lo.
func (i *interfaces) sender(s *segment.Segment) int {
	if now := time.Now(); now.Sub(i.listed) > time.Second {
		i.listed = now
		_ = i.NetNS.Do(func() error { i.owners = addressOwners(); return nil }) // nobody is known to have it
	}
	a := s.Dst.Addr()
	if !isLinkLocal(a) {
		a = s.Src.Addr()
	}
	switch owners := i.owners[a]; len(owners) {
	case 0:
		return i.loopback
	case 1:
		return owners[0]
	default:
		return i.ofSockets(s, owners)
	}
}

// ofSockets returns which of these interfaces a socket of the segment is bound to, according
// to the last answer of the kernel about that socket.
func (i *interfaces) ofSockets(s *segment.Segment, devices []int) int {
	ends := [2]netip.AddrPort{s.Src, s.Dst}
	if s.Dst.Compare(s.Src) < 0 {
		ends = [2]netip.AddrPort{s.Dst, s.Src}
	}
	if device, known := i.found[ends]; known && s.Flags&segment.SYN == 0 {
		return device
	}
	bound := slices.DeleteFunc(slices.Clone(devices), func(device int) bool { return !i.hasSocket(ends, device) })
	if len(bound) != 1 {
		return i.loopback
	}
	if i.found == nil || len(i.found) > maxSockets {
		i.found = map[[2]netip.AddrPort]int{}
	}
	i.found[ends] = bound[0]
	return bound[0]
}

func (i *interfaces) hasSocket(ends [2]netip.AddrPort, device int) bool {
	if i.diag == nil {
		if i.NetNS.Do(func() (err error) { i.diag, err = sockdiag.Open(); return err }) != nil {
			return false
		}
	}
	for _, id := range []sockdiag.ID{{Local: ends[0], Remote: ends[1]}, {Local: ends[1], Remote: ends[0]}} {
		id.Family, id.Device, id.Cookie = unix.AF_INET6, uint32(device), sockdiag.NoCookie
		if _, err := i.diag.Lookup(&id, 0); err == nil {
			return true
		}
	}
	return false
}

// addressOwners returns the interfaces of the thread's namespace by their IPv6 addresses.
func addressOwners() map[netip.Addr][]int {
	owners := map[netip.Addr][]int{}
	table, err := syscall.NetlinkRIB(unix.RTM_GETADDR, unix.AF_INET6)
	if err != nil {
		return owners
	}
	messages, err := syscall.ParseNetlinkMessage(table)
	if err != nil {
		return owners
	}
	for _, m := range messages {
		if m.Header.Type != unix.RTM_NEWADDR || len(m.Data) < unix.SizeofIfAddrmsg {
			continue
		}
		attributes, err := syscall.ParseNetlinkRouteAttr(&m)
		if err != nil {
			continue
		}
		own := netip.Addr{}
		for _, a := range attributes {
			// On a point-to-point link IFA_ADDRESS is the address of the peer.
			address, ok := netip.AddrFromSlice(a.Value)
			if ok && (a.Attr.Type == unix.IFA_LOCAL || a.Attr.Type == unix.IFA_ADDRESS && !own.IsValid()) {
				own = address
			}
		}
		device := int((*unix.IfAddrmsg)(unsafe.Pointer(&m.Data[0])).Index)
		owners[own] = append(owners[own], device)
	}
	return owners
}

// loopbackIndex returns the index of the loopback interface in the thread's namespace.
func loopbackIndex() int {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		return 0
	}
	return lo.Index
}
