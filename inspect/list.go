package inspect

import (
	"errors"
	"iter"
	"os"
)

// ErrTableChanged ends a list during which the kernel's table changed so that
// sockets may be missing or listed twice (NLM_F_DUMP_INTR). All sockets that it
// had were listed before.
var ErrTableChanged = errors.New("the socket table changed while it was read: sockets may be missing or listed twice")

// A Filter selects sockets. Its zero value selects the connections of both
// families. States, addresses and ports are compared in the kernel, unless there
// are more than some hundred endpoints or one has a Zone.
type Filter struct {
	States StateSet   // none: those of a connection
	Family Family     // none: both
	Local  []Endpoint // any of these; none: all
	Peer   []Endpoint // any of these; none: all

	// Namespace is the network namespace to look into: an open /proc/PID/ns/net,
	// /run/netns/NAME or the like. nil: that of the calling thread.
	Namespace *os.File

	Activity bool // fill in Socket.Activity and Socket.Subflow, which costs a quarter more
	Detail   bool // fill in Socket.Detail
}

// A Family is a version of IP.
type Family uint8

const (
	BothFamilies Family = iota // no limit
	IPv4                       // without the IPv4-mapped addresses of dual-stack sockets
	IPv6                       // with the IPv4-mapped addresses of dual-stack sockets
)

// List goes through the TCP sockets of the calling thread's network namespace,
// or of that of the Filter, in the order of the kernel's table. The Socket is
// valid until the next one; copy it to keep it. Memory does not grow with their
// number.
//
// It takes no privilege, but for another namespace: CAP_SYS_ADMIN, here and in the
// user namespace that owns it; without, the error wraps [fs.ErrPermission]. The
// caller's threads stay where they are.
//
// Where NETLINK_SOCK_DIAG is refused, the list comes from
// /proc/thread-self/net/tcp and tcp6, without Activity and Detail, and each
// Socket's Source says so. There a socket may be missing, or come twice, while others
// come and go: the kernel goes on from a position (tcp_seek_last_pos in
// net/ipv4/tcp_ipv4.c).
//
// An error ends the list: [ErrTableChanged], an invalid Filter, one of the
// kernel's, or one that wraps [errors.ErrUnsupported] on other systems than
// Linux. A list that ends without one is complete, but for what was opened or
// closed meanwhile.
func List(f Filter) iter.Seq2[*Socket, error] {
	return func(yield func(*Socket, error) bool) {
		err := f.check()
		g := f
		if err == nil {
			g.Local, err = withDevices(f.Local)
		}
		if err == nil {
			g.Peer, err = withDevices(f.Peer)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		if err := g.list(yield); err != nil {
			yield(nil, err)
		}
	}
}

// check finds what cannot be asked.
func (f *Filter) check() error {
	if f.States&^AllStates != 0 {
		return errors.New("inspect: Filter.States has a state that does not exist")
	}
	if f.Family > IPv6 {
		return errors.New("inspect: Filter.Family is neither BothFamilies, IPv4 nor IPv6")
	}
	for _, endpoints := range [][]Endpoint{f.Local, f.Peer} {
		for i := range endpoints {
			if err := endpoints[i].check(); err != nil {
				return err
			}
		}
	}
	return nil
}

// family is the one that can have a match, or both.
func (f *Filter) family() Family {
	if f.Family == BothFamilies && (onlyIPv6(f.Local) || onlyIPv6(f.Peer)) {
		return IPv6
	}
	return f.Family
}

func onlyIPv6(endpoints []Endpoint) bool {
	for i := range endpoints {
		if p := endpoints[i].Prefix; !p.IsValid() || p.Addr().Is4() {
			return false
		}
	}
	return len(endpoints) > 0
}

// matches is the Filter for sockets that the kernel has not filtered.
func (f *Filter) matches(s *Socket) bool {
	is4 := s.Local.Addr().Is4()
	return f.States.Has(s.State) &&
		(f.Family == BothFamilies || is4 == (f.Family == IPv4)) &&
		matchesAny(f.Local, s.Local, s.Device) && matchesAny(f.Peer, s.Peer, s.Device)
}
