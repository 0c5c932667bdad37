package cli

import (
	"errors"
	"io/fs"
	"iter"
	"time"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/netns"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A row is a socket with all that can be found out about it.
type row struct {
	inspect.Report
	device      string // the name of the interface that it is bound to
	owners      []inspect.Owner
	ownersKnown bool  // whether owners is all there are
	unreadable  error // why Settings are not known
	isDefault   platform.OptionSet
	longestRTO  time.Duration // TCP_RTO_MAX_MS; 0: unknown, or there is none
	likeGo      bool          // the 15 s, 15 s and 9 that Go sets on its own
	cause       int           // exit code: why not all is known, exitOK if it is
	gone        bool          // it was closed while it was listed
	netns       *netns.Namespace
}

// goDefaults are what package net sets on every connection unless it is asked
// otherwise.
var goDefaults = platform.Settings{Enabled: true, Idle: goSets.Idle, Interval: goSets.Interval, Count: goSets.Count}

// A survey finds rows.
type survey struct {
	options *lsOptions
	namer
	peeker   inspect.Peeker
	defaults platform.Settings
	notes    notes

	retries     kernel.Retries // of this network namespace, when they were asked for
	retriesErr  error
	retriesRead bool
}

// machineRetries are needed for data in flight only.
func (v *survey) machineRetries() (kernel.Retries, error) {
	if !v.retriesRead {
		v.retriesErr = v.netns.do(func() (err error) {
			v.retries, err = kernel.SystemRetries()
			return err
		})
		v.retriesRead = true
	}
	return v.retries, v.retriesErr
}

func (o *lsOptions) newSurvey() *survey {
	return &survey{options: o}
}

// enter begins with another namespace, which has its own defaults and interfaces.
func (v *survey) enter(ns opened) {
	if v.netns.Namespace == ns.Namespace {
		return
	}
	v.netns, v.retriesRead, v.defaults, v.devices = ns, false, platform.Settings{}, devices{}
	_ = ns.do(func() (err error) { // unknown ones are not marked
		v.defaults, err = kernel.SystemDefaults()
		return err
	})
}

// rowsAtATime is how many sockets are asked for their settings at a time, which
// takes a process.
const rowsAtATime = 1024

// rows goes through the sockets. A row is valid until the next one.
func (v *survey) rows() iter.Seq2[*row, error] {
	f := v.options.filter
	f.Activity = true
	return func(yield func(*row, error) bool) {
		defer v.peeker.Close()
		var rows []row
		flush := func() bool {
			v.peek(rows)
			for i := range rows {
				if !yield(&rows[i], nil) {
					return false
				}
			}
			rows = rows[:0]
			return true
		}
		for j, err := range v.options.sockets(f, !v.options.noProcess, &v.notes) {
			if err != nil {
				if flush() {
					yield(nil, err)
				}
				return
			}
			if j.socket == nil { // the end of a namespace
				if !flush() {
					return
				}
				continue
			}
			v.enter(j.netns)
			r := row{netns: j.netns.Namespace, Report: inspect.Report{Socket: *j.socket}}
			if r.Subflow != inspect.StateUnknown {
				r.Multipath = true
			}
			if r.Timer.Kind == inspect.TimerOn || r.Timer.Kind == inspect.TimerPersist {
				r.Retries, _ = v.machineRetries() // the verdict says what is unknown
			}
			v.notes.source = r.Source
			if r.Device != 0 {
				r.device = v.deviceName(r.Device)
			}
			if !v.options.noProcess {
				v.own(&r, j.owners)
			}
			if rows = append(rows, r); len(rows) == rowsAtATime && !flush() {
				return
			}
		}
		flush()
	}
}

// own adds who has the socket open.
func (v *survey) own(r *row, owners *inspect.Owners) {
	for o := range owners.Of(r.Inode) {
		r.owners = append(r.owners, o)
	}
	r.ownersKnown = len(r.owners) > 0 || r.Inode == 0
	switch {
	case !r.ownersKnown:
		v.notes.noOwner++
		r.cause = exitUnknown
		if denies(owners) {
			r.cause = exitDenied
		}
	case r.Inode == 0 && r.State != inspect.TimeWait: // which has no settings
		v.notes.unowned++
		r.cause = exitUnknown
	}
}

// peek adds the settings of those that somebody has open.
func (v *survey) peek(rows []row) {
	var peeks []inspect.Peek
	var of []*row
	for i := range rows {
		if r := &rows[i]; len(r.owners) > 0 {
			peeks = append(peeks, inspect.Peek{Owner: r.owners[0], Inode: r.Inode})
			of = append(of, r)
		}
	}
	v.peeker.Read(peeks)
	for i, r := range of {
		for _, o := range r.owners[1:] {
			if peeks[i].Err == nil {
				break
			}
			again := []inspect.Peek{{Owner: o, Inode: r.Inode}}
			v.peeker.Read(again)
			peeks[i] = again[0]
		}
		r.Settings, r.unreadable, r.longestRTO = peeks[i].Settings, peeks[i].Err, peeks[i].LongestRTO
		if r.longestRTO > 0 && r.Retries.LongestRTO > 0 {
			r.Retries.LongestRTO = r.longestRTO
		}
		v.judge(r)
	}
}

// judge notes why settings are not known, or whose they are.
func (v *survey) judge(r *row) {
	switch {
	case r.unreadable == nil:
		r.mark(v.defaults)
	case errors.Is(r.unreadable, fs.ErrNotExist), errors.Is(r.unreadable, inspect.ErrChanged): // closed while it was listed
		r.gone = true
	default:
		r.cause = exitUnknown
		if errors.Is(r.unreadable, fs.ErrPermission) {
			r.cause = exitDenied
		}
		v.notes.noSettings++
		if v.notes.why == nil || r.cause == exitDenied && !errors.Is(v.notes.why, fs.ErrPermission) {
			v.notes.why = r.unreadable
		}
	}
}

// mark finds values that nobody seems to have chosen.
func (r *row) mark(defaults platform.Settings) {
	for _, o := range []platform.Option{platform.Idle, platform.Interval, platform.Count} {
		value, known := r.Settings.Lookup(o)
		if standard, has := defaults.Lookup(o); known && has && value == standard {
			r.isDefault |= kernel.SetOf(o)
		}
	}
	s := r.Settings
	r.likeGo = s.Enabled && s.Idle == goDefaults.Idle && s.Interval == goDefaults.Interval && s.Count == goDefaults.Count
}
