// Package running finds out which table of package platform describes the kernel
// that this program runs on.
package running

// Name returns the name of that table: the GOOS, or that of a variant. For a
// system without a table it is also the GOOS.
func Name() string { return name() }
