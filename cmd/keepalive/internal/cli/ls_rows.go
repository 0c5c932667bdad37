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
	ownersKnown bool   // whether Owners is all there are
	isDefault   platform.OptionSet
	likeGo      bool // the 15 s, 15 s and 9 that Go sets on its own
	cause       int  // exit code: why not all is known, exitOK if it is
	gone        bool // it was closed while it was listed
	netns       *netns.Namespace
}

// goDefaults are what package net sets on every connection unless it is asked
// otherwise.
var goDefaults = platform.Settings{Enabled: true, Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 9}

// A survey finds rows.
type survey struct {
	query *query
	namer
	defaults platform.Settings
	notes    notes
}

func (q *query) newSurvey() *survey {
	return &survey{query: q}
}

// enter begins with another namespace, which has its own defaults and interfaces.
func (v *survey) enter(ns opened) {
	if !v.namer.enter(ns) {
		return
	}
	v.defaults = platform.Settings{}
	_ = ns.do(func() (err error) { // unknown ones are not marked
		v.defaults, err = kernel.SystemDefaults()
		return err
	})
}

// rows goes through the sockets. A row is valid until the next one.
func (v *survey) rows() iter.Seq2[*row, error] {
	f := v.query.filter
	f.Activity, f.Settings = true, !v.query.noProcess
	return func(yield func(*row, error) bool) {
		var r row
		for j, err := range v.query.sockets(f, &v.notes) {
			if err != nil {
				yield(nil, err)
				return
			}
			v.enter(j.netns)
			r = row{Report: *j.report, netns: j.netns.Namespace}
			v.notes.source = r.Source
			if r.Device != 0 {
				r.device = v.deviceName(r.Device)
			}
			if f.Settings {
				v.judge(&r, j.denied)
			}
			if !yield(&r, nil) {
				return
			}
		}
	}
}

// judge notes what is not known of a socket, and why, or whose its settings are. Denied
// tells that there are processes that could not be looked at.
func (v *survey) judge(r *row, denied bool) {
	r.ownersKnown = len(r.Owners) > 0 || r.Inode == 0
	switch {
	case !r.ownersKnown:
		v.notes.noOwner++
		r.cause = exitUnknown
		if denied {
			r.cause = exitDenied
		}
	case r.Inode == 0:
		if r.State != inspect.TimeWait { // which has no settings
			v.notes.unowned++
			r.cause = exitUnknown
		}
	case r.Unknown == nil:
		r.mark(v.defaults)
	case errors.Is(r.Unknown, fs.ErrNotExist):
		r.gone = true
	default:
		r.cause = exitUnknown
		if errors.Is(r.Unknown, fs.ErrPermission) {
			r.cause = exitDenied
		}
		v.notes.noSettings++
		if v.notes.why == nil || r.cause == exitDenied && !errors.Is(v.notes.why, fs.ErrPermission) {
			v.notes.why = r.Unknown
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
