package cli

import (
	"errors"
	"io/fs"
	"iter"
	"os"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/netns"
)

// sockets lists those of f in every namespace wanted; with their owners if these are
// wanted, and only those of --pid if that is given. What could not be looked at is
// noted in n.
func (o *lsOptions) sockets(f inspect.Filter, withOwners bool, n *notes) iter.Seq2[joined, error] {
	return func(yield func(joined, error) bool) {
		l := lister{options: o, filter: f, notes: n, yield: yield}
		if withOwners || o.pid != 0 {
			var err error
			if l.owners, err = o.findOwners(); err != nil {
				yield(joined{}, err)
				return
			}
		}
		namespaces, hidden, err := o.namespaces()
		if err != nil {
			yield(joined{}, err)
			return
		}
		n.hiddenNetns = append(n.hiddenNetns, hidden...)
		if o.pid != 0 && !o.severalNetns() {
			l.missing = tcpSockets(o.pid)
		}
		for _, ns := range namespaces {
			if !l.list(ns) {
				return
			}
		}
		if l.elsewhere(namespaces) {
			yield(joined{}, nil)
		}
	}
}

// A joined is a socket with its namespace and the owners of all sockets, nil if
// nobody looked for them. It is valid until the next one. One without a socket ends
// a namespace, which is closed then.
type joined struct {
	socket *inspect.Socket
	owners *inspect.Owners
	netns  opened
}

type lister struct {
	options *lsOptions
	filter  inspect.Filter
	notes   *notes
	owners  *inspect.Owners
	missing map[uint32]bool // TCP sockets of --pid that no table had
	again   int             // how often owners were looked for again
	yield   func(joined, error) bool
}

// list goes through one namespace, and returns whether to go on. One that has
// vanished has no sockets.
func (l *lister) list(ns *netns.Namespace) bool {
	file, err := ns.Open()
	if err != nil {
		return l.notOpened(ns, err)
	}
	defer file.Close() // nil too
	l.filter.Namespace = file
	l.find(file)
	for s, err := range inspect.List(l.filter) {
		switch {
		case errors.Is(err, netns.ErrNotEntered):
			return l.notOpened(ns, err)
		case err != nil:
			err = listError(err)
		case l.options.pid != 0 && !l.owners.Has(s.Inode):
			continue
		default:
			l.notes.listed++
			l.lookAgain(s)
		}
		if !l.yield(joined{s, l.owners, opened{ns, file}}, err) {
			return false
		}
	}
	return l.yield(joined{}, nil)
}

func (l *lister) notOpened(ns *netns.Namespace, err error) bool {
	switch {
	case errors.Is(err, fs.ErrNotExist) && l.options.netns == "":
		return true
	case errors.Is(err, fs.ErrPermission):
		l.notes.refused = append(l.notes.refused, err)
		return true
	}
	l.yield(joined{}, netnsError(err))
	return false
}

// mostAgain bounds what new sockets cost.
const mostAgain = 2

// lookAgain finds the owner of a socket that was opened after owners were looked
// for, if it can be this user's.
func (l *lister) lookAgain(s *inspect.Socket) {
	l.notes.denied = l.notes.denied || denies(l.owners)
	if l.owners == nil || l.options.pid != 0 || s.Inode == 0 || l.owners.Has(s.Inode) || l.again == mostAgain {
		return
	}
	if me := os.Geteuid(); me != 0 && uint32(me) != s.UID {
		return
	}
	l.again++
	if owners, err := l.options.findOwners(); err == nil {
		l.owners = owners
	}
}

// denies tells that there are processes or descriptors that could not be looked at.
func denies(o *inspect.Owners) bool {
	if o == nil {
		return false
	}
	processes, descriptors := o.Denied()
	return processes+descriptors > 0
}
