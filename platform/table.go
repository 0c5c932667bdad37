package platform

import (
	"runtime"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/running"
)

// A Table describes the options of one operating system, or of one version of
// it. [Current], [Lookup] and [Tables] return copies: changing one affects
// neither other copies nor what this module does with sockets.
type Table struct {
	// Name identifies the table: a GOOS value, followed by a suffix for a
	// variant ("windows-before-1709").
	Name string
	// GOOS is the Go operating system the table belongs to.
	GOOS string
	// Title is the common name of the system.
	Title string
	// Specs are the options, in the order in which they must be set.
	Specs []Spec
	// Absent gives the reason, and what to do instead, for each option that
	// this platform does not have.
	Absent map[Option]string
	// ProbingTime is how long the system probes by default if its interval and
	// count depend on each other (see [Spec].Needs): a missing one follows from
	// it. 0 on other systems.
	ProbingTime time.Duration
	// UserTimeoutReplacesCount means that a user timeout, if set, limits
	// unanswered probes instead of the count (Linux).
	UserTimeoutReplacesCount bool
	// TimingWhileOff means that idle, interval and count must be set while
	// SO_KEEPALIVE is off, because setting them while it is on makes the kernel
	// send a probe early (NetBSD).
	TimingWhileOff bool
	// AlwaysProbes names the sysctl that makes this kernel probe every
	// connection even while SO_KEEPALIVE is off, "" if there is none.
	AlwaysProbes string
	// ArmsListener says whether a keepalive option starts a timer if it is set on a
	// listening socket, or on a socket that is about to listen. On macOS before 14 and on
	// NetBSD that timer ends the listener after the idle time: clients are refused while
	// Accept still waits. Unless the answer is [No], package listener sets nothing before
	// accept.
	ArmsListener Answer
	// ListenerSource is the source of ArmsListener and says what happens, or why
	// that is not known.
	ListenerSource string
	// ShowsActivity says whether the kernel shows which timer of a connection runs, what the
	// connection has received and when (TCP_INFO and /proc/net/tcp of Linux), and how often
	// the kernel retransmits. In gVisor all that reads 0. Elsewhere than on Linux this
	// module does not ask for it, and the answer is [Unknown].
	ShowsActivity Answer
	// Notes are the pitfalls of this platform.
	Notes []string
	// Source says where the table's facts come from and how they were verified.
	Source string
}

// UnknownLimit stands for a minimum or maximum that could not be verified. A
// value is then refused only if it does not fit the C int that setsockopt takes;
// otherwise the kernel decides.
const UnknownLimit = -1

// What a kernel does with the value 0.
const (
	rejected      = "rejected"
	systemDefault = "system default"
	off           = "off"
)

// A Spec says how one option is set on one platform.
type Spec struct {
	Option Option
	Symbol string // the C symbol, e.g. "TCP_KEEPIDLE"
	Level  int    // setsockopt's level
	Number int    // setsockopt's option number

	// Unit is the kernel's unit of the option; 0 for a number or a flag. A flag
	// is on if it is not zero: BSD kernels return the flag's bit, not 1.
	Unit     time.Duration
	Min, Max int64 // in that unit, or UnknownLimit

	// Zero is what the kernel does with 0: "rejected" (EINVAL), "system default"
	// (the option is reset to it) or "off"; "" if that is not verified.
	Zero string

	Inherited Answer // by sockets accepted from a listening socket that has it
	Readable  Answer // by getsockopt

	// Call says how the option is set if it does not have a setsockopt of its
	// own with an int: "setsockopt of interval*count" (Solaris before 11.4;
	// neither factor can be read back) or "ioctl SIO_KEEPALIVE_VALS" (Windows:
	// on/off, idle and interval in one call, not readable). "" otherwise.
	Call string

	// Needs is another option that the platform requires together with this one,
	// and NeedsWhy is the reason; [KeepAlive], which every call sets, stands for
	// none.
	Needs    Option
	NeedsWhy string
	// Default is the documented default of an option that another one needs, in
	// Unit; 0 if there is none or it follows from [Table].ProbingTime.
	Default int64

	Sysctl     string        // the name of the system-wide default, "" if there is none
	SysctlUnit time.Duration // the unit of that default; 0 for a number
}

// Spec returns the spec of o, or nil if the platform does not have o.
func (t *Table) Spec(o Option) *Spec {
	for i := range t.Specs {
		if t.Specs[i].Option == o {
			return &t.Specs[i]
		}
	}
	return nil
}

var tables = []func() *Table{
	linux, linuxMIPS, gvisor, android,
	darwin, ios,
	freebsd, netbsd, openbsd, dragonfly, dragonflyBefore58,
	illumos, solaris, solarisBefore114,
	aix,
	windows, windowsBefore1709,
}

// Tables returns every table, in a stable order.
func Tables() []*Table {
	all := make([]*Table, len(tables))
	for i, table := range tables {
		all[i] = table()
	}
	return all
}

// Lookup returns the table of that name, e.g. "freebsd" or
// "windows-before-1709"; "macos" is darwin.
func Lookup(name string) (*Table, bool) {
	name = strings.ToLower(name)
	if name == "macos" {
		name = "darwin"
	}
	for _, t := range Tables() {
		if t.Name == name {
			return t, true
		}
	}
	return nil, false
}

// Current returns the table of the system this program runs on. If a GOOS has
// several tables (Linux, Windows, DragonFly BSD, Solaris), it depends on the
// running kernel. A system without a table (plan9, js, wasip1) gets one without
// options.
func Current() *Table {
	if t, ok := Lookup(running.Name()); ok {
		return t
	}
	return nothing()
}

// nothing returns the table of a system without keepalive options.
func nothing() *Table {
	return &Table{
		Name: runtime.GOOS, GOOS: runtime.GOOS, Title: runtime.GOOS,
		ListenerSource: "there are no options to set",
		Source:         "Go offers no socket options there (package net, tcpsockopt_plan9.go, tcpsockopt_stub.go)",
	}
}
