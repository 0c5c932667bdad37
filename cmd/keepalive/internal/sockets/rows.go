package sockets

import (
	"errors"
	"io/fs"
	"iter"
	"time"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/netns"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A Row is a socket with all details that can be read.
type Row struct {
	inspect.Report
	DeviceName  string // the name of the interface that it is bound to
	OwnersKnown bool   // whether Owners is all there are
	IsDefault   platform.OptionSet
	LikeGo      bool // the 15 s, 15 s and 9 that Go sets on its own
	Cause       int  // exit code: why not all is known, exit.OK if it is
	Gone        bool // it was closed while it was listed
	NetNS       *netns.Namespace
}

// GoDefaults are the settings that package net gives every connection unless the program
// asks for others.
var GoDefaults = platform.Settings{Enabled: true, Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 9}

// A Survey reads the details of sockets.
type Survey struct {
	query *Query
	Namer
	defaults platform.Settings
	Notes    Notes
}

// Survey returns a Survey of the sockets that the query selects.
func (q *Query) Survey() *Survey {
	return &Survey{query: q}
}

// enter starts another namespace, which has its own defaults and interfaces.
func (v *Survey) enter(ns Namespace) {
	if !v.Namer.Enter(ns) {
		return
	}
	v.defaults = platform.Settings{}
	_ = ns.Do(func() (err error) { // unknown ones are not marked
		v.defaults, err = kernel.SystemDefaults()
		return err
	})
}

// Rows returns a row for each socket. A row is valid until the next one is returned.
func (v *Survey) Rows() iter.Seq2[*Row, error] {
	f := v.query.Filter
	f.Activity, f.Settings = true, !v.query.NoProcess
	return func(yield func(*Row, error) bool) {
		var r Row
		for j, err := range v.query.List(f, &v.Notes) {
			if err != nil {
				yield(nil, err)
				return
			}
			v.enter(j.NetNS)
			r = Row{Report: *j.Report, NetNS: j.NetNS.Namespace}
			v.Notes.Source = r.Source
			if r.Device != 0 {
				r.DeviceName = v.DeviceName(r.Device)
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

// judge notes which details of a socket are not known, and why, or which process has set
// its settings. denied means that some processes could not be read.
func (v *Survey) judge(r *Row, denied bool) {
	r.OwnersKnown = len(r.Owners) > 0 || r.Inode == 0
	switch {
	case !r.OwnersKnown:
		v.Notes.NoOwner++
		r.Cause = exit.Unknown
		if denied {
			r.Cause = exit.Denied
		}
	case r.Inode == 0:
		if r.State != inspect.TimeWait { // which has no settings
			v.Notes.unowned++
			r.Cause = exit.Unknown
		}
	case r.Unknown == nil:
		r.mark(v.defaults)
	case errors.Is(r.Unknown, fs.ErrNotExist):
		r.Gone = true
	default:
		r.Cause = exit.Unknown
		if errors.Is(r.Unknown, fs.ErrPermission) {
			r.Cause = exit.Denied
		}
		v.Notes.noSettings++
		if v.Notes.why == nil || r.Cause == exit.Denied && !errors.Is(v.Notes.why, fs.ErrPermission) {
			v.Notes.why = r.Unknown
		}
	}
}

// mark marks the values that are defaults of the system or of package net.
func (r *Row) mark(defaults platform.Settings) {
	for _, o := range []platform.Option{platform.Idle, platform.Interval, platform.Count} {
		value, known := r.Settings.Lookup(o)
		if standard, has := defaults.Lookup(o); known && has && value == standard {
			r.IsDefault |= kernel.SetOf(o)
		}
	}
	s := r.Settings
	r.LikeGo = s.Enabled && s.Idle == GoDefaults.Idle && s.Interval == GoDefaults.Interval && s.Count == GoDefaults.Count
}
