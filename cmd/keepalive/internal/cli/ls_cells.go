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

// unknownCell is what a cell says that cannot be known.
const unknownCell = "?"

// nothingCell stands for what a row does not have.
const nothingCell = "-"

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
		numbers := r.number(platform.Idle) + "/" + r.number(platform.Interval) + "/" + r.number(platform.Count)
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
		cell += " u" + r.number(platform.UserTimeout)
	case !is:
		cell += " u" + unknownCell
	}
	return cell
}

// number is a setting in seconds, without the unit.
func (r *row) number(o platform.Option) string {
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

func (r *row) settingCell(o platform.Option) string {
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

// short writes a time for a table: 9.4s, 41s, 1m39s, 1h59m.
func short(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Truncate(100*time.Millisecond).Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d/time.Second%60)
	}
	return fmt.Sprintf("%dh%02dm", d/time.Hour, d/time.Minute%60)
}
