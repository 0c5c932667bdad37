//go:build !unix

package output

import "io/fs"

// On other systems hard links are rare, and are not looked for.

func links(fs.FileInfo) uint64 { return 1 }

func isOfAMount(error) bool { return false }
