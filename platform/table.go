package platform

import (
	"fmt"
	"runtime"
	"strings"
	"time"
)

// A Table is what one operating system, or one version of it, offers.
// Tables are shared: do not change them.
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
	Absent []Absence
	// Pairs are options that cannot be set without each other.
	Pairs []Pair
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
	// are refused while Accept still waits. Unless the answer is [No], nothing is set
	// before accept: see [Table.OnListener].
	ArmsListener Answer
	// ListenerSource says where ArmsListener was read, and what happens there, or
	// why it is not known.
	ListenerSource string
	// Notes are the traps of this platform.
	Notes []string
	// Source says where the table's facts come from and how they were verified.
	Source string
}

// An Absence is an option that a platform lacks.
type Absence struct {
	Option Option
	Why    string
}

// A Pair is two options of which a platform takes both or none.
type Pair struct {
	A, B Option
	// Total, where positive, is the time that the kernel spreads over the
	// probes: the missing one of interval and count follows from it.
	Total time.Duration
	// DefaultA and DefaultB are the platform's own defaults (nanoseconds or a
	// number) where Total is 0.
	DefaultA, DefaultB int64
	Why                string
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

// OnListener returns those of the given options that may be set on a listening
// socket: all where that is known to start nothing there, otherwise none.
func (t *Table) OnListener(options OptionSet) OptionSet {
	if t.ArmsListener != No {
		return 0
	}
	return options
}

// ListenerHarm says why nothing may be set on a listening socket, "" where it
// may.
func (t *Table) ListenerHarm() string {
	switch t.ArmsListener {
	case No:
		return ""
	case Yes:
		return fmt.Sprintf("on %s a keepalive option set on a listening socket starts a timer there: %s", t.Title, t.ListenerSource)
	}
	return fmt.Sprintf("what a keepalive option set on a listening socket of %s starts there is not known: %s", t.Title, t.ListenerSource)
}

// NotInherited returns what must be set after accept: those of the given options
// that may not be set on the listening socket (see [Table.OnListener]), that an
// accepted socket does not get from it, or of which nobody knows, and, where
// [Table.TimingWhileOff] asks for it, KeepAlive.
func (t *Table) NotInherited(options OptionSet) OptionSet {
	lost := options &^ t.OnListener(options)
	for _, o := range Options() {
		if s := t.Spec(o); options.Has(o) && (s == nil || s.Inherited != Yes) {
			lost |= SetOf(o)
		}
	}
	if t.TimingWhileOff && lost&timing != 0 {
		lost |= SetOf(KeepAlive)
	}
	return lost
}

// timing are the options that say when probes are sent.
var timing = SetOf(Idle, Interval, Count)

func (t *Table) absence(o Option) string {
	for _, a := range t.Absent {
		if a.Option == o {
			return a.Why
		}
	}
	return "this platform has no such option"
}

// Tables returns every table, in a stable order.
func Tables() []*Table {
	return []*Table{
		&linux, &linuxMIPS, &gvisor, &android,
		&darwin, &ios,
		&freebsd, &netbsd, &openbsd, &dragonfly, &dragonflyBefore58,
		&illumos, &solaris, &solarisBefore114,
		&aix,
		&windows, &windowsBefore1709,
	}
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
func Current() *Table { return current() }

// nothing is the table of a system that has no keepalive options at all.
var nothing = Table{
	Name:  runtime.GOOS,
	GOOS:  runtime.GOOS,
	Title: runtime.GOOS,

	ListenerSource: "there are no options to set",

	Source: "Go offers no socket options there (package net, tcpsockopt_plan9.go, tcpsockopt_stub.go)",
}
