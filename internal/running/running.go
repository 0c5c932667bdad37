// Package running finds out which table of package platform describes the kernel
// that this program runs on.
package running

// Name returns the name of that table: the GOOS, or that of a variant. For a
// system without a table it is also the GOOS.
func Name() string { return name() }

// Limits returns the name of a table that has the same options and limits as that of [Name].
// On Linux it makes no system call: gVisor differs only in what accepted sockets inherit and
// in what the kernel shows. On Windows it may open a socket, as Name does.
func Limits() string { return limits() }
