//go:build !unix && !windows

//lint:file-ignore ST1012 The names are those of package unix.

package kerneltest

import (
	"errors"
	"fmt"
)

// A system without socket options has no errno for a missing option either; the
// package recognizes it by errors.ErrUnsupported there.
var (
	EINVAL      = errors.New("invalid argument")
	ENOPROTOOPT = fmt.Errorf("no such option: %w", errors.ErrUnsupported)
	EOPNOTSUPP  = fmt.Errorf("not on this socket: %w", errors.ErrUnsupported)
	EPERM       = errors.New("not permitted")
	EBADF       = errors.New("bad file descriptor")
	EADDRINUSE  = errors.New("address in use")
)
