//go:build (!linux && !dragonfly && !solaris && !windows) || android || illumos

package running

import "runtime"

func name() string { return runtime.GOOS }

func limits() string { return name() }
