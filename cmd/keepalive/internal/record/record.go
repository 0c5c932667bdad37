// Package record writes the JSON of the commands, and has the objects that several print.
package record

import (
	"time"

	"github.com/tcpkeepalive/keepalive/platform"
)

// Version is that of the JSON of plan, check, ls, watch and trace, whose schemas are in
// docs. It goes up when a property goes away or means something else. One that is added
// changes nothing for a program that ignores what it does not know.
const Version = 1

// A Socket is the JSON that says which socket something is about.
type Socket struct {
	Schema     int     `json:"schema"` // Version
	Local      string  `json:"local"`
	Peer       string  `json:"peer"`
	NetNS      string  `json:"netns"`
	NetNSInode *uint64 `json:"netns_inode"`
}

// A Process is one that has a socket open, and as which descriptor.
type Process struct {
	PID  int    `json:"pid"`
	FD   int    `json:"fd"`
	Name string `json:"name"`
}

// Settings is what getsockopt read; null is unknown.
type Settings struct {
	platform.Settings `json:"-"`
	KeepAlive         *bool    `json:"keepalive"`
	Idle              *float64 `json:"idle_seconds"`
	Interval          *float64 `json:"interval_seconds"`
	Count             *int     `json:"count"`
	UserTimeout       *float64 `json:"user_timeout_seconds"` // 0 is off
}

// SettingsOf makes the JSON of settings.
func SettingsOf(s platform.Settings) Settings {
	out := Settings{Settings: s}
	seconds := func(o platform.Option, d time.Duration) *float64 {
		if !s.Known.Has(o) {
			return nil
		}
		v := d.Seconds()
		return &v
	}
	if s.Known.Has(platform.KeepAlive) {
		out.KeepAlive = &s.Enabled
	}
	if s.Known.Has(platform.Count) {
		out.Count = &s.Count
	}
	out.Idle = seconds(platform.Idle, s.Idle)
	out.Interval = seconds(platform.Interval, s.Interval)
	out.UserTimeout = seconds(platform.UserTimeout, s.UserTimeout)
	return out
}

// Seconds is a time in seconds, or null.
func Seconds(d time.Duration) *float64 {
	if d == 0 {
		return nil
	}
	return new(d.Seconds())
}
