package cli

import (
	"iter"

	"github.com/tcpkeepalive/keepalive/inspect"
)

// sockets lists those of f; with their owners if they are wanted, and only those
// of --pid if that is given.
func (o *lsOptions) sockets(f inspect.Filter, withOwners bool) iter.Seq2[joined, error] {
	return func(yield func(joined, error) bool) {
		if !withOwners && o.pid == 0 {
			for s, err := range inspect.List(f) {
				if err != nil {
					err = listError(err)
				}
				if !yield(joined{socket: s}, err) {
					return
				}
			}
			return
		}
		owners, err := o.findOwners()
		if err != nil {
			yield(joined{}, err)
			return
		}
		for s, err := range inspect.List(f) {
			if err != nil {
				err = listError(err)
			} else if o.pid != 0 && !owners.Has(s.Inode) {
				continue
			}
			if !yield(joined{s, owners}, err) {
				return
			}
		}
	}
}

// A joined is a socket with the owners of all sockets, nil if nobody looked for
// them. It is valid until the next one.
type joined struct {
	socket *inspect.Socket
	owners *inspect.Owners
}
