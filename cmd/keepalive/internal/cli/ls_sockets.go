package cli

import (
	"errors"
	"io/fs"
	"iter"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/endpoint"
	"github.com/tcpkeepalive/keepalive/internal/netns"
)

// sockets lists those of f in every namespace wanted; with their owners if --process or
// settings are, and only those of --pid if that is given. What could not be looked at is
// noted in n.
func (o *lsOptions) sockets(f inspect.Filter, n *notes) iter.Seq2[listed, error] {
	return func(yield func(listed, error) bool) {
		l := lister{options: o, filter: f, notes: n, yield: yield}
		withOwners := f.Settings || o.process
		if withOwners || o.pid != 0 {
			var err error
			if l.owners, err = o.findOwners(); err != nil {
				yield(listed{}, err)
				return
			}
		}
		if withOwners {
			l.filter.Owners = l.owners
		}
		namespaces, hidden, err := o.namespaces()
		if err != nil {
			yield(listed{}, err)
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
		l.elsewhere(namespaces)
		n.noInterface = l.zones.missing()
		n.hiddenFDs = o.pid != 0 && hasHiddenFDs(o.pid)
	}
}

// A listed is a socket with its namespace. It is valid until the next one.
type listed struct {
	report *inspect.Report
	netns  opened
	denied bool // there are processes that could not be looked at
}

type lister struct {
	options *lsOptions
	filter  inspect.Filter
	notes   *notes
	owners  *inspect.Owners // nil if nobody looked for them
	missing map[uint32]bool // TCP sockets of --pid that no table had
	zones   zones
	yield   func(listed, error) bool
}

// list goes through one namespace, and returns whether to go on. One that has
// vanished has no sockets.
func (l *lister) list(ns *netns.Namespace) bool {
	file, err := ns.Open()
	if err != nil {
		return l.notOpened(ns, err)
	}
	defer file.Close() // nil too
	l.find(file)
	f, err := l.zones.in(file, l.filter)
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
		case l.options.pid != 0 && !l.owners.Has(r.Inode):
			continue
		default:
			l.notes.listed++
			l.notes.denied = l.notes.denied || denied
		}
		if !l.yield(listed{r, opened{ns, file}, denied}, err) {
			return false
		}
	}
	return true
}

func (l *lister) notOpened(ns *netns.Namespace, err error) bool {
	switch {
	case errors.Is(err, fs.ErrNotExist) && l.options.netns == "":
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
