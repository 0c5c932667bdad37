package cli

import (
	"time"

	"github.com/tcpkeepalive/keepalive/platform"
)

func pointer[T any](v T) *T { return &v }

// A socketRecord is the JSON that says which socket something is about.
type socketRecord struct {
	Local      string  `json:"local"`
	Peer       string  `json:"peer"`
	NetNS      string  `json:"netns"`
	NetNSInode *uint64 `json:"netns_inode"`
}

func (r *row) socketRecord() socketRecord {
	s := socketRecord{Local: r.Local.String(), Peer: r.Peer.String()}
	if r.netns != nil {
		s.NetNS = r.netns.String()
		if r.netns.Inode != 0 {
			s.NetNSInode = &r.netns.Inode
		}
	}
	return s
}

type process struct {
	PID  int    `json:"pid"`
	FD   int    `json:"fd"`
	Name string `json:"name"`
}

// processes are nil if they are not known.
func (r *row) processes() []process {
	if !r.ownersKnown {
		return nil
	}
	list := []process{}
	for _, o := range r.Owners {
		list = append(list, process{o.PID, o.FD, o.Process})
	}
	return list
}

// settings is what getsockopt read; null is unknown.
type settings struct {
	platform.Settings `json:"-"`
	KeepAlive         *bool    `json:"keepalive"`
	Idle              *float64 `json:"idle_seconds"`
	Interval          *float64 `json:"interval_seconds"`
	Count             *int     `json:"count"`
	UserTimeout       *float64 `json:"user_timeout_seconds"` // 0 is off
}

func jsonSettings(s platform.Settings) settings {
	out := settings{Settings: s}
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
