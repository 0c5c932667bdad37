package cli

import (
	"os"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/netns"
)

// A process may have sockets of any namespace: who manages containers makes some in
// each. elsewhere looks for those of --pid that no table had so far, and says if one
// is found nowhere.
func (l *lister) elsewhere(looked []*netns.Namespace) {
	if len(l.missing) == 0 {
		return
	}
	all, hidden, err := netns.All()
	if err != nil {
		l.yield(listed{}, err)
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
	// What was just being opened or closed is in a table by now, or gone.
	still := tcpSockets(l.options.pid)
	for inode := range l.missing {
		if !still[inode] {
			delete(l.missing, inode)
		}
	}
	for _, ns := range looked {
		if file, err := ns.Open(); err == nil && len(l.missing) > 0 {
			l.find(file)
			file.Close() // nil too
		}
	}
	if n := len(l.missing); n > 0 {
		l.notes.nowhere = n
		l.notes.hiddenNetns = append(l.notes.hiddenNetns, hidden...)
	} else {
		l.notes.refused = nil // nothing was missed there
	}
}

// find strikes off what the table of a namespace has.
func (l *lister) find(file *os.File) {
	if len(l.missing) == 0 {
		return
	}
	for s, err := range inspect.List(inspect.Filter{States: allStates, Namespace: file}) {
		if err != nil {
			return // which the list itself will tell
		}
		delete(l.missing, s.Inode)
	}
}
