package lab

import "syscall"

// rawConn is a syscall.Conn of a raw connection that is at hand.
type rawConn struct{ raw syscall.RawConn }

func (r rawConn) SyscallConn() (syscall.RawConn, error) { return r.raw, nil }
