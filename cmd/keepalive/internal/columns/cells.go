package columns

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/table"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func stateCell(r *sockets.Row) string { return r.State.String() }

// LocalCell has the interface that the socket is bound to: 127.0.0.1%lo:53,
// [fe80::1%eth0]:443.
func LocalCell(r *sockets.Row) string { return endpointCell(r.Local, r.DeviceName) }

// PeerCell has the interface where the address alone means nothing (RFC 4007).
func PeerCell(r *sockets.Row) string {
	if r.Peer.Addr().IsLinkLocalUnicast() && r.Peer.Addr().Is6() {
		return endpointCell(r.Peer, r.DeviceName)
	}
	return r.Peer.String()
}

// endpointCell writes the zone of an IPv6 address where net.SplitHostPort and
// --local look for it, and an IPv4 address as ss does.
func endpointCell(a netip.AddrPort, device string) string {
	switch {
	case device == "":
		return a.String()
	case a.Addr().Is4():
		return a.Addr().String() + "%" + terminal.Printable(device) + ":" + strconv.Itoa(int(a.Port()))
	}
	return netip.AddrPortFrom(a.Addr().WithZone(terminal.Printable(device)), a.Port()).String()
}

// keepaliveCell is on where the kernel's timer proves it.
func keepaliveCell(r *sockets.Row) string {
	s := r.Settings
	switch {
	case r.State == inspect.TimeWait:
		return table.Nothing
	case s.Known.Has(platform.KeepAlive) && !s.Enabled:
		return "off"
	case r.LikeGo:
		return "on:go"
	case s.Known.Has(platform.KeepAlive), r.State == inspect.Established && r.Timer.Kind == "keepalive":
		return "on"
	}
	return table.Unknown
}

// compactCell is keepalive with its settings: 240/15/3 u60, go:15/15/9*, off, and
// "on ?" where that is all that is known.
func compactCell(r *sockets.Row) string {
	known := r.Settings.Known
	cell := keepaliveCell(r)
	switch {
	case cell == table.Nothing, cell == "off", cell == table.Unknown && known == 0:
	case !known.Has(platform.Idle) && !known.Has(platform.Interval) && !known.Has(platform.Count):
		cell += " " + table.Unknown
	default:
		numbers := inSeconds(r, platform.Idle) + "/" + inSeconds(r, platform.Interval) + "/" + inSeconds(r, platform.Count)
		switch cell {
		case "on":
			cell = numbers
		case "on:go":
			cell = "go:" + numbers
		default:
			cell += " " + numbers
		}
	}
	switch timeout, is := r.Settings.Lookup(platform.UserTimeout); {
	case known == 0, r.State == inspect.TimeWait: // which says it all
	case timeout > 0:
		cell += " u" + inSeconds(r, platform.UserTimeout)
	case !is:
		cell += " u" + table.Unknown
	}
	return cell
}

// inSeconds is a setting in seconds, without the unit.
func inSeconds(r *sockets.Row, o platform.Option) string {
	value, known := r.Settings.Lookup(o)
	if !known {
		return table.Unknown
	}
	text := strconv.FormatInt(value, 10)
	if o != platform.Count {
		text = strconv.FormatFloat(time.Duration(value).Seconds(), 'f', -1, 64)
	}
	if r.IsDefault.Has(o) {
		text += "*"
	}
	return text
}

func settingCell(r *sockets.Row, o platform.Option) string {
	value, known := r.Settings.Lookup(o)
	switch {
	case r.State == inspect.TimeWait:
		return table.Nothing
	case !known:
		return table.Unknown
	case o == platform.UserTimeout && value == 0:
		return "off"
	case r.IsDefault.Has(o):
		return o.Format(value) + "*"
	}
	return o.Format(value)
}

// timerCell is the kernel's timer: its name, and when it fires.
func timerCell(r *sockets.Row) string {
	switch r.Timer.Kind {
	case "":
		return table.Unknown
	case "off":
		return table.Nothing
	}
	return r.Timer.Kind + " " + table.Duration(r.Timer.Left)
}

func nextCell(r *sockets.Row) string {
	next, err := r.NextProbe()
	switch {
	case errors.Is(err, inspect.ErrNoProbe):
		return table.Nothing
	case errors.Is(err, sockopt.ErrUnknown):
		if r.Timer.Kind == "off" && r.Source == "sock_diag" && !r.Settings.Known.Has(platform.KeepAlive) {
			return table.Nothing
		}
		return table.Unknown
	case err != nil:
		return table.Unknown
	}
	return table.Duration(next)
}

func probesCell(r *sockets.Row) string {
	if r.Timer.Kind == "" {
		return table.Unknown
	}
	return fmt.Sprint(r.Timer.Unanswered)
}

// ProcessCell is the first process that has the socket open, and how many others have.
func ProcessCell(r *sockets.Row) string {
	switch {
	case !r.OwnersKnown:
		return table.Unknown
	case len(r.Owners) == 0:
		return table.Nothing
	}
	o := r.Owners[0]
	s := fmt.Sprintf("%s[%d] fd %d", terminal.Printable(o.Process), o.PID, o.FD)
	if n := len(r.Owners) - 1; n > 0 {
		s += fmt.Sprintf(" +%d", n)
	}
	return s
}
