// Package platform describes the TCP keepalive options of each operating system.
//
// Every operating system, and every version that differs, has a [Table]: plain
// data that is compiled everywhere. So a Linux build machine can look up the
// target systems of a program, and package sockopt can check a Config for them:
//
//	t, _ := platform.Lookup("illumos")
//	interval := t.Spec(platform.Interval) // TCP_KEEPINTVL, 1 to 60, in seconds
//	err := sockopt.Config{Interval: 2 * time.Minute, Count: 3}.ValidateFor(t)
//	// interval=120s is too large: TCP_KEEPINTVL on illumos takes 1s to 60s
//
// [Current] is the table of the system that the program runs on. [Settings],
// [Fault], [OptionError] and [MismatchError] are the results of the other
// packages. Setting and reading options is not part of this package: see
// sockopt.
//
// # Sources of the tables
//
// Each table names its source and how far it was verified: Linux was run, Windows was run under an
// emulation that proves numbers and units but not limits, the others were read in kernel source or
// vendor documentation. A limit that could not be verified is [UnknownLimit], and an unverified
// yes-or-no is [Unknown]; neither is ever replaced by a guess. Option numbers are compared with the
// operating system's own headers, as golang.org/x/sys carries them, when the package is compiled
// for that system.
//
// # Where to find a fact
//
// The file linux.go, darwin.go, freebsd.go, netbsd.go, openbsd.go, dragonfly.go,
// illumos.go, solaris.go, aix.go or windows.go has the tables of that system and
// the sources of its facts.
package platform
