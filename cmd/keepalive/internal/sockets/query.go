// Package sockets lists sockets for the commands ls, check, watch and trace: which are
// wanted, in which network namespaces, what is known of each, and what is to be said of
// the rest.
package sockets

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/endpoint"
	"github.com/tcpkeepalive/keepalive/internal/netns"
)

// A Query is which sockets are wanted, and what of them.
type Query struct {
	Selection
	NoProcess   bool // no processes, and so no settings
	WithProcess bool // processes, even if no settings are
}

// List lists those of f in every namespace wanted; with their owners if those or settings
// are wanted, and only those of --pid if that is given. What could not be looked at is
// noted in n.
func (q *Query) List(f inspect.Filter, n *Notes) iter.Seq2[Listed, error] {
	return func(yield func(Listed, error) bool) {
		l := lister{query: q, filter: f, notes: n, yield: yield}
		withOwners := f.Settings || q.WithProcess
		if withOwners || q.PID != 0 {
			var err error
			if l.owners, err = q.findOwners(); err != nil {
				yield(Listed{}, err)
				return
			}
		}
		if withOwners {
			l.filter.Owners = l.owners
		}
		namespaces, hidden, err := q.Namespaces()
		if err != nil {
			yield(Listed{}, err)
			return
		}
		n.HiddenNetNS = append(n.HiddenNetNS, hidden...)
		if q.PID != 0 && !q.SeveralNetNS() {
			l.missing = OfProcess(q.PID)
		}
		for _, ns := range namespaces {
			if !l.list(ns) {
				return
			}
		}
		l.elsewhere(namespaces)
		n.NoInterface = l.zones.Missing()
		n.hiddenFDs = q.PID != 0 && hasHiddenFDs(q.PID)
	}
}

// A Listed is a socket with its namespace. It is valid until the next one.
type Listed struct {
	Report *inspect.Report
	NetNS  Namespace
	denied bool // there are processes that could not be looked at
}

type lister struct {
	query   *Query
	filter  inspect.Filter
	notes   *Notes
	owners  *inspect.Owners // nil if nobody looked for them
	missing Missing         // TCP sockets of --pid that no table had
	zones   Zones
	yield   func(Listed, error) bool
}

// list goes through one namespace, and returns whether to go on. One that has
// vanished has no sockets.
func (l *lister) list(ns *netns.Namespace) bool {
	opened, err := OpenNamespace(ns)
	if err != nil {
		return l.notOpened(ns, err)
	}
	defer opened.Close()
	l.missing.Find(opened)
	f, err := l.zones.in(opened, l.filter)
	switch {
	case errors.Is(err, netns.ErrNotEntered):
		return l.notOpened(ns, err)
	case errors.Is(err, endpoint.ErrNoInterface): // so that no socket can match here
		return true
	case err != nil:
		l.yield(Listed{}, err)
		return false
	}
	denied := Denies(l.owners)
	for r, err := range inspect.List(f) {
		switch {
		case errors.Is(err, netns.ErrNotEntered):
			return l.notOpened(ns, err)
		case err != nil:
			err = listError(err)
		case l.query.PID != 0 && !l.owners.Has(r.Inode):
			continue
		default:
			l.notes.Listed++
			l.notes.denied = l.notes.denied || denied
		}
		if !l.yield(Listed{r, opened, denied}, err) {
			return false
		}
	}
	return true
}

func (l *lister) notOpened(ns *netns.Namespace, err error) bool {
	switch {
	case errors.Is(err, fs.ErrNotExist) && l.query.NetNS == "":
		return true
	case errors.Is(err, fs.ErrPermission):
		l.notes.Refused = append(l.notes.Refused, err)
		return true
	}
	l.yield(Listed{}, NamespaceError(err))
	return false
}

// Denies tells that there are processes or descriptors that could not be looked at.
func Denies(o *inspect.Owners) bool {
	if o == nil {
		return false
	}
	processes, descriptors := o.Denied()
	return processes+descriptors > 0
}

// findOwners looks at all processes, or at that of --pid.
func (q *Query) findOwners() (*inspect.Owners, error) {
	if q.PID == 0 {
		return inspect.FindOwners()
	}
	owners, err := inspect.FindOwners(q.PID)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, exit.NothingError(fmt.Errorf("--pid %d: there is no such process", q.PID))
	case errors.Is(err, fs.ErrPermission):
		return nil, exit.DeniedError(fmt.Errorf("--pid %d: its descriptors belong to another user, or it has more capabilities; this takes %s: %w", q.PID, ForRoot(), err))
	}
	return owners, err
}
