package trace

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/peek"
	"github.com/tcpkeepalive/keepalive/internal/sockdiag"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A local is a socket of this machine.
type local struct {
	settings platform.Settings
	owners   []inspect.Owner // empty if they are not known

	cookie uint64
	inode  uint32
}

func (l *local) has(pid int) bool {
	if l == nil {
		return false
	}
	for _, o := range l.owners {
		if o.PID == pid {
			return true
		}
	}
	return false
}

// localSockets are the sockets of the traced network namespaces, as far as segments of them
// were seen.
type localSockets struct {
	peeker peek.Peeker

	known map[connection]*entry // by the socket's own address, then the peer's
	fresh []*local              // whose owners and settings nobody looked for yet

	owners   *inspect.Owners
	scanned  time.Time     // when owners were found
	scanTook time.Duration // so long
}

// An entry is what is known about the sender of one direction. local is nil if the sender is
// not a socket of this machine.
type entry struct {
	local  *local
	looked time.Time
}

const (
	// maxSockets bounds the number of entries.
	maxSockets = 100_000

	// freshFor is how long an entry is used without asking the kernel whether its
	// addresses still belong to the same connection, provided that no SYN was seen.
	freshFor = 100 * time.Millisecond

	// restShare and maxRest bound the cost of looking for processes: the pause after a
	// search is nine times as long as the search took, but at most maxRest.
	restShare = 9
	maxRest   = time.Second
)

func newLocalSockets() *localSockets {
	return &localSockets{known: map[connection]*entry{}, owners: new(inspect.Owners)}
}

// of returns the socket that sends in this direction, or nil if it is not a socket of this
// machine.
func (s *localSockets) of(c connection) *local {
	if e := s.known[c]; e != nil {
		return e.local
	}
	return nil
}

// forget removes a connection that has ended, or whose addresses a new connection uses.
func (s *localSockets) forget(c connection) {
	delete(s.known, c)
	delete(s.known, c.reversed())
}

// look asks the kernel for the socket that sends in this direction, unless the entry is
// recent.
func (s *localSockets) look(c connection, device int, now time.Time) {
	e := s.known[c]
	if e != nil && now.Sub(e.looked) < freshFor {
		return
	}
	id := sockdiag.ID{
		Family: unix.AF_INET, Local: withZone(c.from, ""), Remote: withZone(c.to, ""), Device: uint32(device), Cookie: sockdiag.NoCookie,
	}
	if c.from.Addr().Is6() {
		id.Family = unix.AF_INET6
	}
	m, err := c.at.diag.Lookup(&id, 0)
	switch {
	case err != nil && e != nil: // it has ended since
		e.looked = now
		return
	case err != nil:
		s.remember(c, nil, now)
		return
	case e != nil && e.local != nil && e.local.cookie == m.Cookie():
		e.looked = now
		return
	}
	l := &local{cookie: m.Cookie(), inode: m.Inode()}
	s.remember(c, l, now)
	if l.inode != 0 { // otherwise nobody has it open
		s.fresh = append(s.fresh, l)
	}
}

func (s *localSockets) remember(c connection, l *local, now time.Time) {
	if len(s.known) > maxSockets {
		clear(s.known)
	}
	s.known[c] = &entry{l, now}
}

// learn finds the owners and settings of new sockets, with one walk through /proc for all of
// them.
func (s *localSockets) learn() {
	if s.wantsScan() {
		s.scan()
	}
	for _, l := range s.fresh {
		for o := range s.owners.Of(l.inode) {
			l.owners = append(l.owners, o)
		}
	}
	s.readSettings()
	clear(s.fresh)
	s.fresh = s.fresh[:0]
}

// readSettings reads the settings of new sockets through their owners.
func (s *localSockets) readSettings() {
	peeks := make([]peek.Peek, len(s.fresh))
	for i, l := range s.fresh {
		peeks[i].Inode = l.inode
		for _, o := range l.owners {
			peeks[i].From = append(peeks[i].From, peek.Descriptor{PID: o.PID, FD: o.FD})
		}
	}
	s.peeker.Read(peeks)
	for i, l := range s.fresh {
		l.settings = peeks[i].Settings
	}
}

// wantsScan reports whether the owner of a new socket has to be looked for. The owner of a
// known inode has not changed: the kernel reuses the number only after 2^32 others.
func (s *localSockets) wantsScan() bool {
	return slices.ContainsFunc(s.fresh, func(l *local) bool { return !s.owners.Has(l.inode) })
}

func (s *localSockets) scan() {
	began := time.Now()
	if owners, err := inspect.FindOwners(); err == nil {
		s.owners = owners
	}
	s.scanned = time.Now()
	s.scanTook = s.scanned.Sub(began)
}

// rest returns how long to collect segments before looking for processes again.
func (s *localSockets) rest(now time.Time) time.Duration {
	return min(restShare*s.scanTook, maxRest) - now.Sub(s.scanned)
}
