// Package platform tells what TCP keepalive each operating system offers, and
// turns a [Request] into the exact system calls for one of them.
//
// Every operating system, and every version of one that differs, is a [Table]:
// plain data that is compiled everywhere. So a Request can be checked on a
// Linux build machine for each system it will be shipped to:
//
//	t, _ := platform.Lookup("illumos")
//	_, faults := t.Plan(platform.Request{Interval: 2 * time.Minute, Count: 3})
//	// interval=120s is too large: TCP_KEEPINTVL on illumos takes 1s to 60s
//
// [Current] is the table of the system the program runs on, [System] its raw
// socket calls, [SystemDefaults] what an option means there while it is unset.
//
// The package knows file descriptors, never a net.Conn; programs normally use
// package sockopt, which is built on it.
//
// # What the tables rest on
//
// Each table names its source and how far it was verified: Linux was run,
// Windows was run under an emulation that proves numbers and units but not
// limits, the others were read in kernel source or vendor documentation. A limit nobody could verify is
// [UnknownLimit], an unverified yes-or-no is [Unknown]; neither is ever
// replaced by a guess. Option numbers are compared with the operating system's
// own headers, as golang.org/x/sys carries them, when the package is compiled
// for that system.
package platform
