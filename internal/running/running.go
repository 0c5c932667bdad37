// Package running finds out which of the tables of package platform describes
// the kernel that this program runs on.
package running

// Name returns the name of that table: the GOOS, or that of a variant. A
// system that package platform has no table for is named by its GOOS too.
func Name() string { return name() }
