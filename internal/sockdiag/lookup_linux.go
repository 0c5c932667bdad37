package sockdiag

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Lookup asks about the connected TCP socket fd of this network namespace. It
// needs no privilege. For Multipath TCP the answer is about the first subflow,
// which is where the timers are.
func Lookup(fd uintptr) (Socket, error) {
	i, err := identify(int(fd))
	if err != nil {
		return Socket{}, err
	}
	nl, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return Socket{}, fmt.Errorf("sock_diag: netlink socket: %w", err)
	}
	defer unix.Close(nl)
	request := i.request()
	if err := unix.Sendto(nl, request[:], 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return Socket{}, fmt.Errorf("sock_diag: %w", err)
	}
	var reply [4096]byte // the kernel has answered by now, within sendto
	n, _, err := unix.Recvfrom(nl, reply[:], unix.MSG_DONTWAIT)
	if err != nil {
		return Socket{}, fmt.Errorf("sock_diag: no reply: %w", err)
	}
	return i.answer(reply[:n])
}

// identify collects what the kernel looks a socket up by. The cookie makes the
// answer unambiguous.
func identify(fd int) (id, error) {
	local, err := unix.Getsockname(fd)
	if err != nil {
		return id{}, fmt.Errorf("getsockname: %w", err)
	}
	remote, err := unix.Getpeername(fd)
	if err != nil {
		return id{}, fmt.Errorf("getpeername: %w", err)
	}
	i := id{family: unix.AF_INET, cookie: noCookie}
	i.local, i.device = fromSockaddr(local)
	i.remote, _ = fromSockaddr(remote)
	if _, ok := local.(*unix.SockaddrInet6); ok {
		i.family = unix.AF_INET6
	}
	if device, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX); err == nil && device != 0 {
		i.device = uint32(device)
	}
	protocol, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	if err != nil {
		return id{}, fmt.Errorf("getsockopt SO_PROTOCOL: %w", err)
	}
	if protocol == unix.IPPROTO_MPTCP {
		return i, nil // its cookie is not that of the subflow
	}
	if cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE); err == nil {
		i.cookie = cookie
	}
	return i, nil
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
