package inspect

import "github.com/tcpkeepalive/keepalive/internal/errname"

// named begins an error with the name of the package, where it leaves the package.
func named(err error) error { return errname.With("inspect", err) }
