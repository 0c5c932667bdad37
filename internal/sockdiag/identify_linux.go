package sockdiag

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Identify collects the data by which the kernel looks up the connected socket
// or listener fd. The cookie makes the answer unambiguous. The timers of
// Multipath TCP belong to the subflows; these have cookies of their own, but
// share the inode of the socket.
func Identify(fd int) (ID, error) {
	local, err := unix.Getsockname(fd)
	if err != nil {
		return ID{}, fmt.Errorf("getsockname: %w", err)
	}
	id := ID{Family: unix.AF_INET, Cookie: NoCookie}
	id.Local, id.Device = fromSockaddr(local)
	if _, ok := local.(*unix.SockaddrInet6); ok {
		id.Family = unix.AF_INET6
	}
	remote, err := unix.Getpeername(fd)
	switch {
	case err == nil:
		id.Remote, _ = fromSockaddr(remote)
	case err == unix.ENOTCONN: // a listener, or a connection that is still connecting or is gone
		id.Remote = netip.AddrPortFrom(unspecified(id.Family), 0)
		listening, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
		id.Listening = err == nil && listening != 0
	default:
		return ID{}, fmt.Errorf("getpeername: %w", err)
	}
	if device, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX); err == nil && device != 0 {
		id.Device = uint32(device)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return ID{}, fmt.Errorf("fstat: %w", err)
	}
	id.Inode = uint32(st.Ino)
	protocol, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	if err != nil {
		return ID{}, fmt.Errorf("getsockopt SO_PROTOCOL: %w", err)
	}
	if protocol != unix.IPPROTO_MPTCP {
		if cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE); err == nil {
			id.Cookie = cookie
		}
	}
	return id, nil
}

func unspecified(family uint8) netip.Addr {
	if family == unix.AF_INET {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

func fromSockaddr(sa unix.Sockaddr) (netip.AddrPort, uint32) {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)), 0
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port)), sa.ZoneId
	}
	return netip.AddrPort{}, 0
}
