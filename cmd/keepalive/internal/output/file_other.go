//go:build !linux

package output

import (
	"io/fs"
	"os"
)

// On other systems /dev/stdout and the like are devices.

func isDescriptor(string) bool { return false }

func duplicate(string) (*os.File, bool, error) { return nil, false, nil }

func giveTo(*os.File, fs.FileInfo) error { return nil }
