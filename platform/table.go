package platform

import (
	"runtime"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/running"
)

// A Table is what one operating system, or one version of it, offers. [Current],
// [Lookup] and [Tables] hand out copies: a change to one changes no other, and
// nothing that this module does with a socket.
type Table struct {
	// Name identifies the table: a GOOS value, followed by what sets the
	// variant apart ("windows-before-1709").
	Name string
	// GOOS is the Go operating system the table belongs to.
	GOOS string
	// Title is the name people use.
	Title string
	// Specs are the options, in the order in which they must be set.
	Specs []Spec
	// Absent gives the reason, and what to do instead, for each option that
	// this platform does not have.
	Absent map[Option]string
	// ProbingTime is how long the system goes on probing by default where the
	// interval and the count depend on each other (see [Spec].Needs): the missing
	// one follows from it. 0 elsewhere.
	ProbingTime time.Duration
	// UserTimeoutReplacesCount: while a user timeout is set, unanswered probes
	// are limited by it and not by the count (Linux).
	UserTimeoutReplacesCount bool
	// TimingWhileOff: idle, interval and count are to be set while SO_KEEPALIVE
	// is off, because setting them while it is on makes a probe leave early
	// (NetBSD).
	TimingWhileOff bool
	// AlwaysProbes names the sysctl that makes this kernel probe every
	// connection even while SO_KEEPALIVE is off, "" where there is none.
	AlwaysProbes string
	// ArmsListener tells whether setting a keepalive option on a listening socket,
	// or on one that is about to listen, starts a timer there. On macOS before 14
	// and on NetBSD that timer ends the listener when the idle time is over: clients
	// are refused while Accept still waits. Unless the answer is [No], package
	// listener sets nothing before accept.
	ArmsListener Answer
	// ListenerSource says where ArmsListener was read, and what happens there, or
	// why it is not known.
	ListenerSource string
	// Notes are the traps of this platform.
	Notes []string
	// Source says where the table's facts come from and how they were verified.
	Source string
}

// UnknownLimit stands for a minimum or maximum nobody could verify. A value is
// then refused only where it does not fit the C int that setsockopt takes, and
// the kernel has the last word.
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

	// Unit is what the kernel counts the option in; 0 for a number or a flag.
	// A flag is on if it is not zero: BSD kernels read back the flag's bit, not 1.
	Unit     time.Duration
	Min, Max int64 // in that unit, or UnknownLimit

	// Zero is what the kernel does with 0: "rejected" (EINVAL), "system default"
	// (the option goes back to it) or "off"; "" where nobody verified it.
	Zero string

	Inherited Answer // by sockets accepted from a listening socket that has it
	Readable  Answer // by getsockopt

	// Call is how the option reaches the kernel where that is not one setsockopt
	// with an int of its own: "setsockopt of interval*count" (Solaris before 11.4;
	// neither factor can be read back) or "ioctl SIO_KEEPALIVE_VALS" (Windows:
	// on/off, idle and interval in one call, not readable). "" otherwise.
	Call string

	// Needs is the option without which the platform does not take this one, and
	// NeedsWhy the reason; [KeepAlive], which every call sets, stands for none.
	Needs    Option
	NeedsWhy string
	// Default is what the platform documents as the default of an option that
	// another one needs, in Unit; 0 where there is none or it follows from
	// [Table].ProbingTime.
	Default int64

	Sysctl     string        // the name of the system-wide default, "" where there is none
	SysctlUnit time.Duration // what that default is counted in; 0 for a number
}

// Spec returns the spec of o, or nil where the platform lacks it.
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

// Current returns the table of the system this program runs on. Where a GOOS
// has several (Linux, Windows, DragonFly BSD, Solaris), the running kernel
// decides.
// A system without a table (plan9, js, wasip1) gets one that offers nothing.
func Current() *Table {
	if t, ok := Lookup(running.Name()); ok {
		return t
	}
	return nothing()
}

// nothing is the table of a system that has no keepalive options at all.
func nothing() *Table {
	return &Table{
		Name: runtime.GOOS, GOOS: runtime.GOOS, Title: runtime.GOOS,
		ListenerSource: "there are no options to set",
		Source:         "Go offers no socket options there (package net, tcpsockopt_plan9.go, tcpsockopt_stub.go)",
	}
}
