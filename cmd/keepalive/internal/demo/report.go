package demo

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/record"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A report is what the demo prints; its JSON form is the same.
type report struct {
	Platform string   `json:"platform"`
	Adapted  []string `json:"adapted,omitempty"` // what this system changed in the default config
	Warnings []string `json:"warnings,omitempty"`
	Sockets  []socket `json:"sockets"`
	SS       string   `json:"ss"` // the command, or why there is none
	OK       bool     `json:"ok"`
}

// A socket is one end of one connection.
type socket struct {
	maker    *maker
	Maker    string          `json:"maker"`
	End      string          `json:"end"` // dialed or accepted
	Local    string          `json:"local"`
	Peer     string          `json:"peer"`
	Asked    string          `json:"asked"` // "" for nothing
	Settings record.Settings `json:"settings"`
	Expected string          `json:"expected"`
	Timer    timer           `json:"timer"`
	SS       string          `json:"ss,omitempty"`
	Rounded  bool            `json:"rounded,omitempty"` // what was asked is held, rounded up to what the kernel counts in
	OK       bool            `json:"ok"`
}

// timer is the kernel's live timer.
type timer struct {
	Kind    string   `json:"kind"` // as ss names it, or "unknown"
	Left    *float64 `json:"left_seconds,omitempty"`
	Probes  int      `json:"unanswered_probes"`
	Unknown string   `json:"unknown_because,omitempty"`
	left    time.Duration
}

// goSets is what package net sets on its own.
var goSets = kernel.Request{Idle: sockets.GoDefaults.Idle, Interval: sockets.GoDefaults.Interval, Count: sockets.GoDefaults.Count}

// fill makes the connections and looks at them.
func (r *report) fill(ctx context.Context, cfg sockopt.Config) error {
	r.Platform, r.OK = platform.Current().Title, true
	for _, w := range cfg.Warnings() {
		r.Warnings = append(r.Warnings, w.String())
	}
	ways, err := makers(cfg)
	if err != nil {
		return err
	}
	for i := range ways {
		m := &ways[i]
		p, err := m.connect(ctx)
		if err != nil {
			return withoutLoopback(err)
		}
		defer p.close()
		for _, end := range []struct {
			name string
			conn net.Conn
		}{{"dialed", p.dialed}, {"accepted", p.accepted}} {
			s, err := look(m, cfg, end.name, end.conn)
			if err != nil {
				return err
			}
			r.OK = r.OK && s.OK
			r.Sockets = append(r.Sockets, s)
		}
	}
	r.SS = addSS(ctx, r.Sockets)
	return nil
}

// look reads one end back and compares it with what it must hold.
func look(m *maker, cfg sockopt.Config, end string, conn net.Conn) (socket, error) {
	got, err := sockopt.Get(conn)
	if err != nil {
		return socket{}, fmt.Errorf("%s, %s: %w", m.name, end, err)
	}
	want := expected(kernel.Current(), m, cfg, end == "accepted")
	s := socket{
		maker: m, Maker: m.name, End: end,
		Local: conn.LocalAddr().String(), Peer: conn.RemoteAddr().String(),
		Settings: record.SettingsOf(got), Expected: want.String(),
		Timer: lookTimer(conn),
		OK:    same(got, want),
	}
	if m.asks {
		s.Asked = cfg.String()
		s.Rounded = !m.net && sockopt.FromSettings(want) != cfg
	}
	if s.Timer.Kind == "keepalive" && got.Known.Has(platform.Idle) && s.Timer.left > got.Idle {
		s.OK = false // the timer does not run with the value that was read
	}
	return s, nil
}

// expected returns what an end must hold: all that was asked, unless it was asked
// of the listening socket only and not inherited, or package net overwrites it.
// What nobody sets is not Known.
func expected(rules *kernel.Rules, m *maker, cfg sockopt.Config, accepted bool) platform.Settings {
	var want platform.Settings
	if m.asks {
		want = rules.Effect(kernel.Request(cfg), want)
	}
	if m.early && accepted {
		want.Known &^= rules.NotInherited(want.Known)
	}
	if m.net {
		if nearest, _, err := rules.Nearest(goSets); err == nil {
			want = rules.Effect(nearest, want)
		}
	}
	return want
}

// same compares what the kernel holds with what it must hold. What this system
// cannot read cannot be compared.
func same(got, want platform.Settings) bool {
	for _, o := range kernel.Options() {
		g, readable := got.Lookup(o)
		w, asked := want.Lookup(o)
		if asked && readable && g != w {
			return false
		}
	}
	return true
}

// lookTimer asks for the live timer.
func lookTimer(conn net.Conn) timer {
	r, err := inspect.Of(conn)
	if err == nil && r.Timer.Kind == "" {
		err = r.Unknown
	}
	if err != nil {
		return timer{Kind: "unknown", Unknown: err.Error()}
	}
	left := r.Timer.Left.Seconds()
	return timer{Kind: r.Timer.Kind, Left: &left, Probes: r.Timer.Unanswered, left: r.Timer.Left}
}
