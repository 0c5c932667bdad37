// Package sockets lists sockets for the commands ls, check, watch and trace. It holds the
// flags that select sockets and network namespaces, the details of each socket, and the
// notes about sockets whose details could not be read.
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

// A Query says which sockets to list, and which details to read.
type Query struct {
	Selection
	NoProcess   bool // no processes, and so no settings
	WithProcess bool // processes, even if no settings are
}

// List lists the sockets that match f in every selected namespace. It finds their owners if
// the query asks for owners or settings. With --pid it lists only the sockets of that
// process. Whatever List could not read is noted in n.
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

// A Listed is a socket with its namespace. It is valid until the next socket is listed.
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

// list lists the sockets of one namespace, and reports whether to continue with the next. A
// namespace that no longer exists has no sockets.
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

// Denies reports whether some processes or descriptors could not be read.
func Denies(o *inspect.Owners) bool {
	if o == nil {
		return false
	}
	processes, descriptors := o.Denied()
	return processes+descriptors > 0
}

// findOwners reads the descriptors of all processes, or of the process of --pid.
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
