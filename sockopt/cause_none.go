//go:build plan9 || wasip1

package sockopt

// errno is what no error is: Plan 9 reports errors as text, and WASI's sockets have
// no keepalive.
type errno uintptr

func (errno) Error() string { return "" }

var errnoCauses []errnoCause
