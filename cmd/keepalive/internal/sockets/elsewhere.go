package sockets

import (
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/netns"
)

// elsewhere looks in all other namespaces for the sockets of --pid that no table had so far,
// and notes those that no namespace has. A process may have sockets in several namespaces:
// a container manager makes some in each.
func (l *lister) elsewhere(looked []*netns.Namespace) {
	if len(l.missing) == 0 {
		return
	}
	all, hidden, err := netns.All()
	if err != nil {
		l.yield(Listed{}, err)
		return
	}
	known := map[uint64]bool{}
	for _, ns := range looked {
		known[ns.Inode] = true
	}
	for _, ns := range all {
		if !known[ns.Inode] && len(l.missing) > 0 && !l.list(ns) {
			return
		}
	}
	// A socket that was being opened or closed is now in a table, or it no longer exists.
	still := OfProcess(l.query.PID)
	for inode := range l.missing {
		if !still[inode] {
			delete(l.missing, inode)
		}
	}
	for _, ns := range looked {
		if opened, err := OpenNamespace(ns); err == nil {
			l.missing.Find(opened)
			opened.Close()
		}
	}
	if n := len(l.missing); n > 0 {
		l.notes.Nowhere = n
		l.notes.HiddenNetNS = append(l.notes.HiddenNetNS, hidden...)
	} else {
		l.notes.Refused = nil // nothing was missed there
	}
}

// A Missing holds the inodes of the sockets that no table had so far.
type Missing map[uint32]bool

// Find removes the sockets that the table of a namespace has.
func (m Missing) Find(ns Namespace) {
	if len(m) == 0 {
		return
	}
	for s, err := range inspect.List(inspect.Filter{States: AllStates, Namespace: ns.file}) {
		if err != nil {
			return // which the list itself will tell
		}
		delete(m, s.Inode)
	}
}
