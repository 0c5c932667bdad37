package cli

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func stateCell(r *row) string { return r.State.String() }

// localCell has the interface that the socket is bound to: 127.0.0.1%lo:53,
// [fe80::1%eth0]:443.
func localCell(r *row) string { return endpointCell(r.Local, r.device) }

// peerCell has the interface where the address alone means nothing (RFC 4007).
func peerCell(r *row) string {
	if r.Peer.Addr().IsLinkLocalUnicast() && r.Peer.Addr().Is6() {
		return endpointCell(r.Peer, r.device)
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
		return a.Addr().String() + "%" + printable(device) + ":" + strconv.Itoa(int(a.Port()))
	}
	return netip.AddrPortFrom(a.Addr().WithZone(printable(device)), a.Port()).String()
}

// keepaliveCell is on where the kernel's timer proves it.
func keepaliveCell(r *row) string {
	s := r.Settings
	switch {
	case r.State == inspect.TimeWait:
		return nothingCell
	case s.Known.Has(platform.KeepAlive) && !s.Enabled:
		return "off"
	case r.likeGo:
		return "on:go"
	case s.Known.Has(platform.KeepAlive), r.State == inspect.Established && r.Timer.Kind == "keepalive":
		return "on"
	}
	return unknownCell
}

// compactCell is keepalive with its settings: 240/15/3 u60, go:15/15/9*, off, and
// "on ?" where that is all that is known.
func compactCell(r *row) string {
	known := r.Settings.Known
	cell := keepaliveCell(r)
	switch {
	case cell == nothingCell, cell == "off", cell == unknownCell && known == 0:
	case !known.Has(platform.Idle) && !known.Has(platform.Interval) && !known.Has(platform.Count):
		cell += " " + unknownCell
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
		cell += " u" + unknownCell
	}
	return cell
}

// inSeconds is a setting in seconds, without the unit.
func inSeconds(r *row, o platform.Option) string {
	value, known := r.Settings.Lookup(o)
	if !known {
		return unknownCell
	}
	text := strconv.FormatInt(value, 10)
	if o != platform.Count {
		text = strconv.FormatFloat(time.Duration(value).Seconds(), 'f', -1, 64)
	}
	if r.isDefault.Has(o) {
		text += "*"
	}
	return text
}

func settingCell(r *row, o platform.Option) string {
	value, known := r.Settings.Lookup(o)
	switch {
	case r.State == inspect.TimeWait:
		return nothingCell
	case !known:
		return unknownCell
	case o == platform.UserTimeout && value == 0:
		return "off"
	case r.isDefault.Has(o):
		return o.Format(value) + "*"
	}
	return o.Format(value)
}

// timerCell is the kernel's timer: its name, and when it fires.
func timerCell(r *row) string {
	switch r.Timer.Kind {
	case "":
		return unknownCell
	case "off":
		return nothingCell
	}
	return r.Timer.Kind + " " + short(r.Timer.Left)
}

func nextCell(r *row) string {
	next, err := r.NextProbe()
	switch {
	case errors.Is(err, inspect.ErrNoProbe):
		return nothingCell
	case errors.Is(err, sockopt.ErrUnknown):
		if r.Timer.Kind == "off" && r.Source == "sock_diag" && !r.Settings.Known.Has(platform.KeepAlive) {
			return nothingCell
		}
		return unknownCell
	case err != nil:
		return unknownCell
	}
	return short(next)
}

func probesCell(r *row) string {
	if r.Timer.Kind == "" {
		return unknownCell
	}
	return fmt.Sprint(r.Timer.Unanswered)
}

func processCell(r *row) string {
	switch {
	case !r.ownersKnown:
		return unknownCell
	case len(r.Owners) == 0:
		return nothingCell
	}
	o := r.Owners[0]
	s := fmt.Sprintf("%s[%d] fd %d", printable(o.Process), o.PID, o.FD)
	if n := len(r.Owners) - 1; n > 0 {
		s += fmt.Sprintf(" +%d", n)
	}
	return s
}
