package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/endpoint"
	"github.com/tcpkeepalive/keepalive/internal/netns"
)

// A query is which sockets are wanted, and what of them.
type query struct {
	selection
	noProcess bool // no processes, and so no settings
	process   bool // processes, even if no settings are
}

// sockets lists those of f in every namespace wanted; with their owners if those or
// settings are wanted, and only those of --pid if that is given. What could not be looked at is
// noted in n.
func (q *query) sockets(f inspect.Filter, n *notes) iter.Seq2[listed, error] {
	return func(yield func(listed, error) bool) {
		l := lister{query: q, filter: f, notes: n, yield: yield}
		withOwners := f.Settings || q.process
		if withOwners || q.pid != 0 {
			var err error
			if l.owners, err = q.findOwners(); err != nil {
				yield(listed{}, err)
				return
			}
		}
		if withOwners {
			l.filter.Owners = l.owners
		}
		namespaces, hidden, err := q.namespaces()
		if err != nil {
			yield(listed{}, err)
			return
		}
		n.hiddenNetns = append(n.hiddenNetns, hidden...)
		if q.pid != 0 && !q.severalNetns() {
			l.missing = tcpSockets(q.pid)
		}
		for _, ns := range namespaces {
			if !l.list(ns) {
				return
			}
		}
		l.elsewhere(namespaces)
		n.noInterface = l.zones.missing()
		n.hiddenFDs = q.pid != 0 && hasHiddenFDs(q.pid)
	}
}

// A listed is a socket with its namespace. It is valid until the next one.
type listed struct {
	report *inspect.Report
	netns  opened
	denied bool // there are processes that could not be looked at
}

type lister struct {
	query   *query
	filter  inspect.Filter
	notes   *notes
	owners  *inspect.Owners // nil if nobody looked for them
	missing missing         // TCP sockets of --pid that no table had
	zones   zones
	yield   func(listed, error) bool
}

// list goes through one namespace, and returns whether to go on. One that has
// vanished has no sockets.
func (l *lister) list(ns *netns.Namespace) bool {
	opened, err := openNamespace(ns)
	if err != nil {
		return l.notOpened(ns, err)
	}
	defer opened.close()
	l.missing.find(opened)
	f, err := l.zones.in(opened, l.filter)
	switch {
	case errors.Is(err, netns.ErrNotEntered):
		return l.notOpened(ns, err)
	case errors.Is(err, endpoint.ErrNoInterface): // so that no socket can match here
		return true
	case err != nil:
		l.yield(listed{}, err)
		return false
	}
	denied := denies(l.owners)
	for r, err := range inspect.List(f) {
		switch {
		case errors.Is(err, netns.ErrNotEntered):
			return l.notOpened(ns, err)
		case err != nil:
			err = listError(err)
		case l.query.pid != 0 && !l.owners.Has(r.Inode):
			continue
		default:
			l.notes.listed++
			l.notes.denied = l.notes.denied || denied
		}
		if !l.yield(listed{r, opened, denied}, err) {
			return false
		}
	}
	return true
}

func (l *lister) notOpened(ns *netns.Namespace, err error) bool {
	switch {
	case errors.Is(err, fs.ErrNotExist) && l.query.netns == "":
		return true
	case errors.Is(err, fs.ErrPermission):
		l.notes.refused = append(l.notes.refused, err)
		return true
	}
	l.yield(listed{}, netnsError(err))
	return false
}

// denies tells that there are processes or descriptors that could not be looked at.
func denies(o *inspect.Owners) bool {
	if o == nil {
		return false
	}
	processes, descriptors := o.Denied()
	return processes+descriptors > 0
}

// findOwners looks at all processes, or at that of --pid.
func (q *query) findOwners() (*inspect.Owners, error) {
	if q.pid == 0 {
		return inspect.FindOwners()
	}
	owners, err := inspect.FindOwners(q.pid)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nothingError(fmt.Errorf("--pid %d: there is no such process", q.pid))
	case errors.Is(err, fs.ErrPermission):
		return nil, deniedError(fmt.Errorf("--pid %d: its descriptors belong to another user, or it has more capabilities; this takes %s: %w", q.pid, forRoot(), err))
	}
	return owners, err
}
