package cli

import (
	"errors"
	"io/fs"
	"iter"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A row is a socket with all that can be found out about it.
type row struct {
	inspect.Report
	device      string // the name of the interface that it is bound to
	owners      []inspect.Owner
	ownersKnown bool  // whether owners is all there are
	unreadable  error // why Settings are not known
	isDefault   platform.OptionSet
	likeGo      bool // the 15 s, 15 s and 9 that Go sets on its own
}

// goDefaults are what package net sets on every connection that nobody told it
// otherwise for.
var goDefaults = sockopt.Settings{Enabled: true, Idle: goSets.Idle, Interval: goSets.Interval, Count: goSets.Count}

// A survey finds rows.
type survey struct {
	options  *lsOptions
	peeker   inspect.Peeker
	devices  devices
	defaults sockopt.Settings
	notes    notes

	retries     platform.Retries // of this network namespace, when they were asked for
	retriesErr  error
	retriesRead bool
}

// machineRetries are needed for data in flight only.
func (v *survey) machineRetries() (platform.Retries, error) {
	if !v.retriesRead {
		v.retries, v.retriesErr = platform.SystemRetries()
		v.retriesRead = true
	}
	return v.retries, v.retriesErr
}

func (o *lsOptions) newSurvey() *survey {
	v := &survey{options: o}
	v.defaults, _ = platform.SystemDefaults() // unknown ones are not marked
	return v
}

// rows goes through the sockets. A row is valid until the next one.
func (v *survey) rows() iter.Seq2[*row, error] {
	f := v.options.filter
	f.Activity = true
	return func(yield func(*row, error) bool) {
		defer v.peeker.Close()
		var r row
		for j, err := range v.options.sockets(f, !v.options.noProcess) {
			if err != nil {
				yield(nil, err)
				return
			}
			r = row{Report: inspect.Report{Socket: *j.socket, Kind: platform.TCP}, owners: r.owners[:0]}
			if r.Subflow != inspect.StateUnknown {
				r.Kind = platform.MultipathTCP
			}
			if r.Timer.Kind == inspect.TimerOn || r.Timer.Kind == inspect.TimerPersist {
				r.Retries, _ = v.machineRetries() // the verdict says what is unknown
			}
			v.notes.source = r.Source
			if r.Device != 0 {
				r.device = v.devices.name(r.Device)
			}
			if !v.options.noProcess {
				v.complete(&r, j.owners)
			}
			if !yield(&r, nil) {
				return
			}
		}
	}
}

// complete adds what the table of sockets does not have.
func (v *survey) complete(r *row, owners *inspect.Owners) {
	for o := range owners.Of(r.Inode) {
		r.owners = append(r.owners, o)
	}
	r.ownersKnown = len(r.owners) > 0 || r.Inode == 0
	if !r.ownersKnown {
		v.notes.noOwner++
		return
	}
	if r.Inode == 0 {
		if r.State != inspect.TimeWait { // which has no settings
			v.notes.unowned++
		}
		return
	}
	for _, o := range r.owners {
		r.Settings, r.unreadable = v.peeker.Settings(o, r.Inode)
		if r.unreadable == nil {
			break
		}
	}
	if r.unreadable != nil {
		if errors.Is(r.unreadable, fs.ErrNotExist) || errors.Is(r.unreadable, inspect.ErrChanged) {
			return // closed while it was listed
		}
		v.notes.noSettings++
		if v.notes.why == nil {
			v.notes.why = r.unreadable
		}
		return
	}
	r.mark(v.defaults)
}

// mark finds values that nobody seems to have chosen.
func (r *row) mark(defaults sockopt.Settings) {
	for _, o := range []platform.Option{platform.Idle, platform.Interval, platform.Count} {
		value, known := r.Settings.Lookup(o)
		if standard, has := defaults.Lookup(o); known && has && value == standard {
			r.isDefault |= platform.SetOf(o)
		}
	}
	s := r.Settings
	r.likeGo = s.Enabled && s.Idle == goDefaults.Idle && s.Interval == goDefaults.Interval && s.Count == goDefaults.Count
}
