//go:build plan9 || wasip1

package sockopt

// Plan 9 reports errors as text, and WASI's sockets have no keepalive.
func causeOfErrno(error, bool) Cause { return OtherCause }
