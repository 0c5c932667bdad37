//go:build !unix

package output

import "io/fs"

// Elsewhere hard links are rare, and not looked for.

func links(fs.FileInfo) uint64 { return 1 }

func isOfAMount(error) bool { return false }
